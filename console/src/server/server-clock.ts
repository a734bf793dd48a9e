/**
 * The engine's clock, learned from the `Date` of its answers, so that how long something has been running is
 * right in a browser whose clock is not. `ask.ts` notes every answer; pages ask for `serverNow`.
 */

/** `Date` has whole seconds, and the engine makes it anew only so often. */
const DATE_AGE_MS_MAX = 1_500;

/** The engine's clock is ahead of the browser's by something between these. */
let aheadMs: readonly [min: number, max: number] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];

/** `header`: the `Date` of an answer that was asked for and came at these times of the browser. */
export function noteServerDate(header: string | null, askedMs: number, cameMs: number): void {
  const dateMs = Date.parse(header ?? '');
  if (Number.isNaN(dateMs)) return;
  const [min, max] = [dateMs - cameMs, dateMs + DATE_AGE_MS_MAX - askedMs];
  // Outside of all that was seen before: one of the clocks was set.
  const wasSet = min > aheadMs[1] || max < aheadMs[0];
  aheadMs = wasSet ? [min, max] : [Math.max(min, aheadMs[0]), Math.min(max, aheadMs[1])];
}

/** The engine's time, ms since 1970, at a time of the browser. The same while nothing speaks against it. */
export function serverNow(browserMs: number = Date.now()): number {
  const [min, max] = aheadMs;
  return min <= 0 && max >= 0 ? browserMs : browserMs + Math.round((min + max) / 2);
}
