/**
 * A clock that only moves when told to, for tests of limits. Timers run in order of their due time, and what
 * they set off (promise continuations) runs before the next one.
 */
import { abortReason, type Clock } from '../../src/base/clock.ts';

interface Timer {
  readonly dueMs: number;
  readonly fn: () => void;
}

const START_MS = Date.UTC(2030, 0, 1);
/**
 * Rounds of the promise queue after each timer; more than any chain of continuations in the code under test.
 */
const SETTLE_ROUNDS = 50;

/** A clock for tests; `advance` is the only thing that makes time pass. */
export class VirtualClock implements Clock {
  #nowMs = 0;
  #timers: Timer[] = [];

  /** Timers not due yet. */
  get pendingTimers(): number {
    return this.#timers.length;
  }

  now(): number {
    return START_MS + this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, fn: () => void): () => void {
    const timer = { dueMs: this.#nowMs + delayMs, fn };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((one) => one !== timer);
    };
  }

  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(abortReason(signal));
        return;
      }
      const onAbort = () => {
        cancel();
        reject(abortReason(signal as AbortSignal));
      };
      const cancel = this.after(delayMs, () => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      });
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  /** Lets `durationMs` pass. */
  async advance(durationMs: number): Promise<void> {
    const endMs = this.#nowMs + durationMs;
    await settle();
    for (let next = this.#takeDue(endMs); next; next = this.#takeDue(endMs)) {
      this.#nowMs = next.dueMs;
      next.fn();
      await settle();
    }
    this.#nowMs = endMs;
  }

  #takeDue(endMs: number): Timer | undefined {
    const due = this.#timers.filter((one) => one.dueMs <= endMs).sort((a, b) => a.dueMs - b.dueMs)[0];
    this.#timers = this.#timers.filter((one) => one !== due);
    return due;
  }
}

/** Lets all promise continuations that are due run. */
export async function settle(): Promise<void> {
  for (let round = 0; round < SETTLE_ROUNDS; round++) await Promise.resolve();
}
