/** Limits of one connection attempt: until when, and who may give it up. */
import { abortReason, type Clock } from '../../base/clock.ts';
import { HandoverError } from '../../base/errors.ts';

/** Limits of one attempt to connect. */
export interface DialLimits {
  readonly clock: Clock;
  readonly limitMs: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * `work`, or `HOST_UNREACHABLE` naming `what` after the limit, or the signal's reason when it aborts. Does
 * not stop
 * `work` itself: the caller frees what it holds.
 */
export function withinLimit<T>(work: Promise<T>, what: string, limits: DialLimits): Promise<T> {
  const { clock, limitMs, signal } = limits;
  return new Promise<T>((resolve, reject) => {
    const cancelTimer = clock.after(limitMs, () => {
      settle();
      reject(
        new HandoverError('HOST_UNREACHABLE', `${what}: no answer within ${limitMs} ms`, {
          detail: { limitMs },
        }),
      );
    });
    const onAbort = () => {
      settle();
      reject(abortReason(signal as AbortSignal));
    };
    const settle = () => {
      cancelTimer();
      signal?.removeEventListener('abort', onAbort);
    };
    if (signal?.aborted) {
      onAbort();
    } else {
      signal?.addEventListener('abort', onAbort, { once: true });
    }
    void work.then(resolve, reject).finally(settle);
  });
}
