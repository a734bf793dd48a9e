/** What happened to a VM, newest first. */
import { useQuery } from '@tanstack/react-query';
import type { VmView } from '../../../../src/api/types/vm-view.ts';
import { QueryState } from '../../parts/query-state.tsx';
import { Section } from '../../parts/section.tsx';
import { oneKey } from '../../server/keys.ts';
import { askEvents } from '../events/event-list.ts';
import { EventTable } from '../events/event-table.tsx';

const EVENTS_SHOWN = 20;

/** The part of the page. */
export function VmEvents({ vm }: { readonly vm: VmView }) {
  const events = useQuery({
    queryKey: oneKey('vms', vm.id, 'events', vm.name),
    queryFn: async ({ signal }) => {
      const search = encodeURIComponent(`vm.name="${vm.name}"`);
      return await askEvents(`search=${search}&max=${EVENTS_SHOWN}`, signal);
    },
  });
  return (
    <Section title="Events">
      <QueryState query={events} what="its events" rows={3}>
        {(all) => (all.length === 0 ? <>Nothing has happened lately.</> : <EventTable events={all} />)}
      </QueryState>
    </Section>
  );
}
