/**
 * Time, injected. Everything that waits or stamps takes a `Clock`, so that campaigns can run on a virtual
 * one.
 * `Date.now` and `setTimeout` appear here and in the daemon only.
 */
import { HandoverError } from './errors.ts';

export interface Clock {
  /** Wall clock, ms since 1970 UTC; for records. May jump. */
  now(): number;
  /** Monotonic ms from an arbitrary start; for durations and limits. Never jumps. */
  monotonicMs(): number;
  /** Calls `fn` once after `delayMs`. Returns a function that cancels it. Does not keep the process alive. */
  after(delayMs: number, fn: () => void): () => void;
  /**
   * Resolves after `delayMs`; rejects with the signal's reason as soon as it aborts. Keeps the process alive.
   */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
}

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(delayMs, fn) {
    const timer = setTimeout(fn, delayMs);
    timer.unref();
    return () => clearTimeout(timer);
  },
  sleep(delayMs, signal) {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(abortReason(signal));
        return;
      }
      const onAbort = () => {
        clearTimeout(timer);
        reject(abortReason(signal as AbortSignal));
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      }, delayMs);
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  },
};

/** Why a signal aborted, always an Error. */
export function abortReason(signal: AbortSignal): Error {
  return signal.reason instanceof Error
    ? signal.reason
    : new HandoverError('CANCELLED', 'the operation was cancelled');
}

/** Wall-clock ms as ISO 8601 UTC, the form of every time in API, CLI and files. */
export function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}

/**
 * Polls `look` until it returns something other than undefined, at most `limitMs`.
 * Level-triggered on purpose: an event may be lost, the state cannot.
 * Throws `WAIT_TIMED_OUT` naming `what` when the limit is reached, or the signal's reason.
 */
export async function until<T>(
  clock: Clock,
  what: string,
  limits: { limitMs: number; everyMs: number; signal?: AbortSignal },
  look: () => Promise<T | undefined> | T | undefined,
): Promise<T> {
  const endMs = clock.monotonicMs() + limits.limitMs;
  for (;;) {
    const seen = await look();
    if (seen !== undefined) return seen;
    const leftMs = endMs - clock.monotonicMs();
    if (leftMs <= 0) {
      throw new HandoverError('WAIT_TIMED_OUT', `${what}: not within ${limits.limitMs} ms`, {
        detail: { limitMs: limits.limitMs },
      });
    }
    await clock.sleep(Math.min(limits.everyMs, leftMs), limits.signal);
  }
}
