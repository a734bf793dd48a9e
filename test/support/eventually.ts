/** Waiting in tests: for a condition, with a limit, on the real clock. Never for a time. */
import { systemClock, until } from '../../src/base/clock.ts';

const LIMIT_MS = 60_000;

/**
 * Looks every 20 ms until `look` returns something other than null, undefined or false. Fails naming `what`
 * after a minute.
 */
export function eventually<T>(
  what: string,
  look: () => Promise<T | null | undefined | false> | T | null | undefined | false,
): Promise<T> {
  return until(systemClock, what, { limitMs: LIMIT_MS, everyMs: 20 }, async () => {
    const seen = await look();
    return seen === null || seen === false ? undefined : seen;
  });
}
