/** What happened on a host, newest first, as it happens. */
import { QueryState } from '../../parts/query-state.tsx';
import { EmptyState } from '../../parts/states.tsx';
import { EVENTS_MAX, useEvents } from '../events/event-list.ts';
import { EventTable } from '../events/event-table.tsx';

/** The tab. */
export function HostEvents({ hostId }: { readonly hostId: string }) {
  const events = useEvents();
  return (
    <QueryState query={events} what="the events">
      {(all) => {
        const own = all.filter((event) => event.hostId === hostId);
        return own.length === 0 ? (
          <EmptyState title="Nothing happened on this host lately">
            {`None of the last ${EVENTS_MAX} events is about it. New ones appear here by themselves.`}
          </EmptyState>
        ) : (
          <EventTable events={own} />
        );
      }}
    </QueryState>
  );
}
