/** What happened, newest first, as it happens; filtered by severity and text, which the address names. */
import { SearchInput, Toolbar, ToolbarContent, ToolbarItem } from '@patternfly/react-core';
import { FilterSelect } from '../../parts/filter-select.tsx';
import { PageLayout } from '../../parts/page-layout.tsx';
import { QueryState } from '../../parts/query-state.tsx';
import { stateWord } from '../../parts/state-label.tsx';
import { EmptyState } from '../../parts/states.tsx';
import { useUrlState } from '../../parts/use-url-state.ts';
import { EVENTS_MAX, type ShownEvent, useEvents } from './event-list.ts';
import { EventTable } from './event-table.tsx';

const SEVERITIES = ['normal', 'warning', 'error', 'alert'].map((value) => ({
  value,
  label: stateWord('severity', value),
}));

/** The page. */
export default function EventsPage() {
  const events = useEvents();
  const [severity, setSeverity] = useUrlState('severity');
  const [text, setText] = useUrlState('text');
  const isShown = (event: ShownEvent) =>
    (severity === '' || event.severity === severity) &&
    event.message.toLowerCase().includes(text.toLowerCase());
  return (
    <PageLayout
      title="Events"
      about={`What happened, newest first, as it happens: the last ${EVENTS_MAX} events.`}
    >
      <Toolbar>
        <ToolbarContent>
          <ToolbarItem>
            <FilterSelect
              label="Severity"
              all="All severities"
              options={SEVERITIES}
              value={severity}
              onChange={setSeverity}
            />
          </ToolbarItem>
          <ToolbarItem>
            <SearchInput
              aria-label="Text"
              placeholder="Text in the message"
              value={text}
              onChange={(_event, value) => setText(value)}
              onClear={() => setText('')}
            />
          </ToolbarItem>
        </ToolbarContent>
      </Toolbar>
      <QueryState query={events} what="the events" rows={10}>
        {(all) =>
          all.some(isShown) ? (
            <EventTable events={all.filter(isShown)} />
          ) : (
            <EmptyState title={all.length === 0 ? 'Nothing has happened yet' : 'No event is like that'}>
              {all.length === 0
                ? 'Events appear here by themselves as soon as there are some.'
                : 'Choose another severity, or clear the text.'}
            </EmptyState>
          )
        }
      </QueryState>
    </PageLayout>
  );
}
