/**
 * The newest events, live: asked for once from oVirt's API, then every one that happens is put on top. After
 * a gap in the line all are asked for again.
 */
import { useQuery, useQueryClient } from '@tanstack/react-query';
import type { EventView } from '../../../../src/api/types/job-view.ts';
import { useLiveEvents } from '../../parts/use-line.ts';
import { listKey } from '../../server/keys.ts';
import { askList, numberOf, type Ref } from '../../server/ovirt.ts';

/** How many are kept at most; older ones are not shown. */
export const EVENTS_MAX = 500;

/** An event as the page shows it. */
export interface ShownEvent
  extends Pick<EventView, 'id' | 'severity' | 'message' | 'vmId' | 'hostId' | 'jobId'> {
  readonly timeMs: number;
}

interface OvirtEvent {
  readonly id: string;
  readonly severity: EventView['severity'];
  readonly time: number | string;
  readonly description?: string;
  readonly vm?: Ref;
  readonly host?: Ref;
  readonly job?: Ref;
}

const KEY = listKey('events');

/** The query; its data are newest first. */
export function useEvents() {
  const client = useQueryClient();
  useLiveEvents((event) => {
    const shown = { ...event, timeMs: Date.parse(event.time) };
    client.setQueryData<readonly ShownEvent[]>(KEY, (before) => before && withEvents(before, [shown]));
  });
  return useQuery({
    queryKey: KEY,
    queryFn: async ({ signal }) => {
      const asked = await askEvents(`max=${EVENTS_MAX}`, signal);
      // What came live while this was on its way is not lost.
      return withEvents(client.getQueryData<readonly ShownEvent[]>(KEY) ?? [], asked);
    },
  });
}

/** Those that oVirt's API answers to a query, newest first. */
export async function askEvents(query: string, signal: AbortSignal): Promise<readonly ShownEvent[]> {
  return (await askList<OvirtEvent>(`events?${query}`, 'event', signal)).map(toShown);
}

/** Both, each once, newest first, not more than are kept. */
export function withEvents(one: readonly ShownEvent[], other: readonly ShownEvent[]): readonly ShownEvent[] {
  const byId = new Map([...one, ...other].map((event) => [event.id, event]));
  return [...byId.values()].sort((a, b) => b.id - a.id).slice(0, EVENTS_MAX);
}

function toShown(event: OvirtEvent): ShownEvent {
  return {
    id: Number(event.id),
    severity: event.severity,
    timeMs: numberOf(event.time) ?? 0,
    message: event.description ?? '',
    vmId: event.vm?.id ?? null,
    hostId: event.host?.id ?? null,
    jobId: event.job?.id ?? null,
  };
}
