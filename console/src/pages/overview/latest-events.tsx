/** The last few things that happened. */
import { QueryState } from '../../parts/query-state.tsx';
import { useEvents } from '../events/event-list.ts';
import { EventTable } from '../events/event-table.tsx';
import { Link } from '../../parts/link.tsx';
import { Section } from '../../parts/section.tsx';

const SHOWN_MAX = 6;

/** The part of the page. */
export function LatestEvents() {
  const events = useEvents();
  return (
    <Section title="Latest events" isFullHeight actions={<Link to="/events">All events</Link>}>
      <QueryState query={events} what="the events" rows={SHOWN_MAX}>
        {(all) =>
          all.length === 0 ? 'Nothing has happened yet.' : <EventTable events={all.slice(0, SHOWN_MAX)} />
        }
      </QueryState>
    </Section>
  );
}
