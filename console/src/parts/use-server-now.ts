/** The engine's time for what runs: ticks while the facts are fresh, and stands still when they are not. */
import { useEffect, useReducer } from 'react';
import { serverNow } from '../server/server-clock.ts';

const TICK_MS = 200;
/** Facts older than this are not known to hold any more; what runs is asked for every second. */
const FRESH_MS = 3_000;

/**
 * `isRunning`: something goes on; else nothing ticks. `seenMs`: when the facts came, by the browser's clock.
 */
export function useServerNow(isRunning: boolean, seenMs: number): number {
  const [, again] = useReducer((count: number) => count + 1, 0);
  useEffect(() => {
    if (!isRunning) return undefined;
    const timer = setInterval(again, TICK_MS);
    return () => clearInterval(timer);
  }, [isRunning]);
  return serverNow(Math.min(Date.now(), seenMs + FRESH_MS));
}
