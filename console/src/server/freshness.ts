/**
 * Keeps what the pages show fresh: an event makes the queries of its VM, host and job old, and the lists;
 * after a gap in the line everything is. Bursts are collapsed: at most one round every 250 ms, and a query
 * that is on its way is not begun again but asked once more after it.
 */
import type { QueryClient, QueryKey } from '@tanstack/react-query';
import type { EventView } from '../../../src/api/types/job-view.ts';
import { listKey, oneKey } from './keys.ts';
import { listenToLine } from './live-events.ts';

const ROUND_MS = 250;

/** Keys of what an event is about. */
export function keysOf(event: Pick<EventView, 'vmId' | 'hostId' | 'jobId'>): readonly QueryKey[] {
  const { vmId, hostId, jobId } = event;
  const isAboutNone = vmId === null && hostId === null && jobId === null;
  return [
    ...(vmId === null ? [] : [oneKey('vms', vmId)]),
    ...(hostId === null ? [] : [oneKey('hosts', hostId)]),
    ...(jobId === null ? [] : [oneKey('jobs', jobId)]),
    ...(['vms', 'hosts', 'jobs', 'alerts'] as const).map((kind) => listKey(kind)),
    ...(isAboutNone ? (['networks', 'profiles'] as const).map((kind) => listKey(kind)) : []),
  ];
}

/** Begins; returns how to stop. */
export function keepFresh(client: QueryClient): () => void {
  const old = new Map<string, QueryKey>();
  let timer: ReturnType<typeof setTimeout> | null = null;
  const note = (key: QueryKey) => {
    old.set(JSON.stringify(key), key);
    timer ??= setTimeout(round, ROUND_MS);
  };
  const round = () => {
    timer = null;
    const keys = [...old.values()];
    old.clear();
    for (const queryKey of keys) {
      const isOnItsWay = client.isFetching({ queryKey }) > 0;
      void client.invalidateQueries({ queryKey }, { cancelRefetch: false });
      if (isOnItsWay) note(queryKey);
    }
  };
  const stop = listenToLine({
    event: (event) => keysOf(event).forEach(note),
    caughtUp: () => void client.invalidateQueries(),
  });
  return () => {
    stop();
    if (timer !== null) clearTimeout(timer);
  };
}
