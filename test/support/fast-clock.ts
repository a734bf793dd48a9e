/**
 * Real time, several times faster: for whole engines on simulated hosts, where PostgreSQL takes real time and
 * a virtual clock could not wait for it. Limits that protect against a dead peer shrink with it, so the
 * factor stays moderate.
 */
import { type Clock, systemClock } from '../../src/base/clock.ts';

/** A clock on which `factor` ms pass in every real one. */
export function fastClock(factor: number): Clock {
  const startMs = systemClock.now();
  const startMonotonicMs = systemClock.monotonicMs();
  const elapsedMs = (): number => (systemClock.monotonicMs() - startMonotonicMs) * factor;
  return {
    now: () => Math.round(startMs + elapsedMs()),
    monotonicMs: () => startMonotonicMs + elapsedMs(),
    after: (delayMs, fn) => systemClock.after(delayMs / factor, fn),
    sleep: (delayMs, signal) => systemClock.sleep(delayMs / factor, signal),
  };
}
