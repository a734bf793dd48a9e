/**
 * A clock that only moves when told to, for tests of limits and for campaigns. Timers run in order of their
 * due time, those due together in the order they were set, and all that one sets off runs before the next.
 */
import { abortReason, type Clock } from '../../src/base/clock.ts';

interface Timer {
  readonly dueMs: number;
  /** Order of setting. */
  readonly number: number;
  fn: (() => void) | null;
}

const START_MS = Date.UTC(2030, 0, 1);
/** Cancelled timers are swept out of the heap when there are this many and more than live ones. */
const SWEEP_FROM = 1024;

/** A clock for tests; `advance` and `step` are the only things that make time pass. */
export class VirtualClock implements Clock {
  #nowMs = 0;
  #wallOffsetMs = START_MS;
  /** A binary heap, the earliest first. */
  #timers: Timer[] = [];
  #count = 0;
  #cancelled = 0;

  /** Timers not due yet. */
  get pendingTimers(): number {
    return this.#timers.length - this.#cancelled;
  }

  now(): number {
    return this.#wallOffsetMs + this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  /** The wall clock jumps, forward or back; durations are not touched. */
  jumpWall(byMs: number): void {
    this.#wallOffsetMs += byMs;
  }

  after(delayMs: number, fn: () => void): () => void {
    const timer: Timer = { dueMs: this.#nowMs + Math.max(delayMs, 0), number: this.#count++, fn };
    this.#push(timer);
    return () => {
      if (timer.fn === null) return;
      timer.fn = null;
      this.#cancelled += 1;
      if (this.#cancelled > SWEEP_FROM && this.#cancelled > this.#timers.length / 2) this.#sweep();
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
    while (this.#runNext(endMs)) await settle();
    this.#nowMs = endMs;
  }

  /** Runs the next timer, whenever it is due, and all it sets off. False: there is none. */
  async step(): Promise<boolean> {
    if (!this.#runNext(Infinity)) return false;
    await settle();
    return true;
  }

  #runNext(endMs: number): boolean {
    for (;;) {
      const [first] = this.#timers;
      if (!first || (first.fn !== null && first.dueMs > endMs)) return false;
      this.#pop();
      const { fn } = first;
      if (fn === null) {
        this.#cancelled -= 1;
        continue;
      }
      first.fn = null;
      this.#nowMs = Math.max(this.#nowMs, first.dueMs);
      fn();
      return true;
    }
  }

  #push(timer: Timer): void {
    const heap = this.#timers;
    let at = heap.length;
    while (at > 0) {
      const parentAt = (at - 1) >> 1;
      const parent = heap[parentAt] as Timer;
      if (!isBefore(timer, parent)) break;
      heap[at] = parent;
      at = parentAt;
    }
    heap[at] = timer;
  }

  #pop(): void {
    const heap = this.#timers;
    const last = heap.pop();
    if (heap.length === 0 || !last) return;
    let at = 0;
    for (;;) {
      let childAt = 2 * at + 1;
      const right = heap[childAt + 1];
      if (right && isBefore(right, heap[childAt] as Timer)) childAt += 1;
      const child = heap[childAt];
      if (!child || !isBefore(child, last)) break;
      heap[at] = child;
      at = childAt;
    }
    heap[at] = last;
  }

  #sweep(): void {
    const alive = this.#timers.filter((timer) => timer.fn !== null);
    // A sorted array is a heap.
    this.#timers = alive.sort((a, b) => a.dueMs - b.dueMs || a.number - b.number);
    this.#cancelled = 0;
  }
}

const isBefore = (a: Timer, b: Timer): boolean =>
  a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.number < b.number);

/**
 * Lets everything run that waits for no timer: one turn of the event loop empties all its queues of promises.
 */
export function settle(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
