/** Events in a table, with what they are about to be followed. */
import { Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table';
import { DataTable } from '../../parts/data-table.tsx';
import { Link } from '../../parts/link.tsx';
import { StateLabel } from '../../parts/state-label.tsx';
import { Time } from '../../parts/time.tsx';
import type { ShownEvent } from './event-list.ts';

/** In the order they are given. */
export function EventTable({ events }: { readonly events: readonly ShownEvent[] }) {
  return (
    <DataTable label="Events">
      <Thead>
        <Tr>
          <Th modifier="fitContent">Time</Th>
          <Th modifier="fitContent">Severity</Th>
          <Th>Message</Th>
          <Th modifier="fitContent">About</Th>
        </Tr>
      </Thead>
      <Tbody>
        {events.map((event) => (
          <Tr key={event.id}>
            <Td dataLabel="Time" modifier="nowrap">
              <Time at={event.timeMs} />
            </Td>
            <Td dataLabel="Severity" modifier="nowrap">
              <StateLabel kind="severity" state={event.severity} />
            </Td>
            <Td dataLabel="Message" modifier="breakWord">
              {event.message}
            </Td>
            <Td dataLabel="About" modifier="nowrap">
              <AboutLinks event={event} />
            </Td>
          </Tr>
        ))}
      </Tbody>
    </DataTable>
  );
}

function AboutLinks({ event }: { readonly event: ShownEvent }) {
  const links = [
    { word: 'VM', path: 'vms', id: event.vmId },
    { word: 'Host', path: 'hosts', id: event.hostId },
    { word: 'Job', path: 'jobs', id: event.jobId },
  ].filter(({ id }) => id !== null);
  return (
    <span className="links">
      {links.map(({ word, path, id }) => (
        <Link key={word} to={`/${path}/${id}`}>
          {word}
        </Link>
      ))}
    </span>
  );
}
