/** The line of live events, for components. */
import { type QueryKey, useQueryClient } from '@tanstack/react-query';
import { useEffect, useEffectEvent, useRef, useSyncExternalStore } from 'react';
import type { EventView } from '../../../src/api/types/job-view.ts';
import { type LineState, lineState, listenToLine } from '../server/live-events.ts';

/** How the line is. */
export const useLineState = (): LineState =>
  useSyncExternalStore((changed) => listenToLine({ state: changed }), lineState);

/** Calls `onEvent` for every event while the component is shown. */
export function useLiveEvents(onEvent: (event: EventView) => void): void {
  const told = useEffectEvent(onEvent);
  useEffect(() => listenToLine({ event: (event) => told(event) }), []);
}

/**
 * Asks again for queries that any event may have made old, but not more often than every `everyMsMin`. For
 * what depends on more than the events of its own VM, host or job, which are followed anyway.
 */
export function useRefreshOnEvents(queryKey: QueryKey, everyMsMin: number): void {
  const client = useQueryClient();
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const refresh = useEffectEvent(() => void client.invalidateQueries({ queryKey }));
  useLiveEvents(() => {
    if (timer.current !== undefined) return;
    const { dataUpdatedAt = 0 } = client.getQueryState(queryKey) ?? {};
    const waitMs = Math.max(0, dataUpdatedAt + everyMsMin - Date.now());
    timer.current = setTimeout(() => {
      timer.current = undefined;
      refresh();
    }, waitMs);
  });
  useEffect(
    () => () => {
      clearTimeout(timer.current);
      timer.current = undefined;
    },
    [],
  );
}
