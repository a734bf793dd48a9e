/**
 * Wakes one waiting loop early. Level-triggered loops wait on a bell with a limit, so a lost ring costs time,
 * never correctness.
 */
import type { Clock } from './clock.ts';

/** A reason of its own: making the default one is most of what an abort costs. */
const RUNG = new Error('the bell rang');

export class Bell {
  #rung = false;
  #wake: (() => void) | null = null;

  /** Wakes the waiter, now or at its next wait. */
  ring(): void {
    this.#rung = true;
    this.#wake?.();
  }

  /** Resolves when rung or after `limitMs`; rejects with the signal's reason when it aborts. */
  async wait(clock: Clock, limitMs: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (this.#rung) {
      this.#rung = false;
      return;
    }
    const rung = new AbortController();
    this.#wake = () => rung.abort(RUNG);
    // Not AbortSignal.any: a signal that lives as long as the engine would remember every wait under it.
    const passOn = () => rung.abort(signal?.reason);
    signal?.addEventListener('abort', passOn, { once: true });
    try {
      await clock.sleep(limitMs, rung.signal);
    } catch (reason) {
      if (signal?.aborted) throw signal.reason;
      if (!rung.signal.aborted) throw reason;
    } finally {
      signal?.removeEventListener('abort', passOn);
      this.#wake = null;
    }
    this.#rung = false;
  }
}
