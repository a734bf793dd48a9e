/** Times and durations in words, in the viewer's zone. Pure. */

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** `14:03:09`. */
export const clockText = (ms: number): string => new Date(ms).toLocaleTimeString('en-GB');

/** `27 November 2026, 14:03:09 CET`: all there is to say. */
export function exactText(ms: number): string {
  const date = new Date(ms);
  const day = date.toLocaleDateString('en-GB', { day: 'numeric', month: 'long', year: 'numeric' });
  const time = date.toLocaleTimeString('en-GB', { timeZoneName: 'short' });
  return `${day}, ${time}`;
}

/** `just now`, `3 min ago`, `in 2 h`; older than a day the date. */
export function relativeText(ms: number, nowMs: number): string {
  const distanceMs = Math.abs(nowMs - ms);
  if (distanceMs < 10 * SECOND_MS) return 'just now';
  if (distanceMs >= DAY_MS) {
    return new Date(ms).toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'short' });
  }
  const [unitMs, unit] =
    distanceMs < MINUTE_MS ? [SECOND_MS, 's'] : distanceMs < HOUR_MS ? [MINUTE_MS, 'min'] : [HOUR_MS, 'h'];
  const amount = `${Math.floor(distanceMs / unitMs)} ${unit}`;
  return ms > nowMs ? `in ${amount}` : `${amount} ago`;
}

/** When `relativeText` may read otherwise, in ms from now. */
export function relativeChangesInMs(ms: number, nowMs: number): number {
  const distanceMs = Math.abs(nowMs - ms);
  if (distanceMs < MINUTE_MS) return 5 * SECOND_MS;
  return distanceMs < HOUR_MS ? 30 * SECOND_MS : 10 * MINUTE_MS;
}

/** `62 ms`, `4.2 s`, `3 min 20 s`, `2 h 5 min`. */
export function durationText(ms: number): string {
  if (ms < SECOND_MS) return `${Math.round(ms)} ms`;
  if (ms < 10 * SECOND_MS) return `${(ms / SECOND_MS).toFixed(1)} s`;
  const seconds = Math.round(ms / SECOND_MS);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return seconds % 60 === 0 ? `${minutes} min` : `${minutes} min ${seconds % 60} s`;
  const hours = Math.floor(minutes / 60);
  return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
}
