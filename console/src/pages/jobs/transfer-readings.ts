/** The samples of a transfer, with the throughput between them. Pure. */
import type { JobView } from '../../../../src/api/types/job-view.ts';

/** A moment of a transfer. Rates in bytes per second; null: not measured. */
export interface Reading {
  readonly elapsedMs: number;
  readonly bytesRemaining: number;
  readonly dirtyBps: number | null;
  readonly sentBps: number | null;
}

/** The throughput of a reading is that since the one before it, of the first since the begin. */
export function readingsOf(samples: JobView['samples']): readonly Reading[] {
  return samples.map((sample, index) => {
    const before = samples[index - 1] ?? { elapsedMs: 0, bytesProcessed: 0 };
    const passedMs = sample.elapsedMs - before.elapsedMs;
    const sentBytes = sample.bytesProcessed - before.bytesProcessed;
    return {
      elapsedMs: sample.elapsedMs,
      bytesRemaining: sample.bytesRemaining,
      // The engine says 0 until it was measured.
      dirtyBps: sample.dirtyBytesPerSecond || null,
      sentBps: passedMs > 0 && sentBytes >= 0 ? (sentBytes / passedMs) * 1_000 : null,
    };
  });
}
