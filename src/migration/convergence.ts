/**
 * When to give the guest a longer standstill. The downtime limit starts low and is raised while the memory
 * does not get across, up to the job's limit; libvirt's auto-converge slows the guest meanwhile. Progress is
 * recorded on the way.
 */
import { isCode } from '../base/errors.ts';
import type { MigrationProgress } from '../hypervisor/port.ts';
import type { TransferSample } from '../model/job.ts';
import type { MigrationContext } from './port.ts';

/** First limit; QEMU's own default is 300 ms. */
const DOWNTIME_FIRST_MS = 100;
const RAISE_EVERY_MS = 5_000;
const RAISE_FACTOR = 1.5;
const RECORD_EVERY_MS = 1_000;
/** When there are more, every second one is dropped. */
const SAMPLES_MAX = 120;

/** The limit that should hold `elapsedMs` after the transfer began: a ramp up to `downtimeMsMax`. Pure. */
export function downtimeLimitMs(elapsedMs: number, downtimeMsMax: number): number {
  const raises = Math.floor(elapsedMs / RAISE_EVERY_MS);
  return Math.round(Math.min(downtimeMsMax, DOWNTIME_FIRST_MS * RAISE_FACTOR ** raises));
}

/** The policy of one transfer; `step` is called with every look at its progress. */
export function convergence(context: MigrationContext): { step(progress: MigrationProgress): Promise<void> } {
  let setMs: number | null = null;
  let recordedAtMs = -RECORD_EVERY_MS;
  return {
    async step(progress) {
      const limitMs = downtimeLimitMs(progress.elapsedMs, context.params.downtimeMsMax);
      if (limitMs !== setMs) {
        setMs = limitMs;
        // The job may end at this very moment; then there is nothing to set and the loop finds out.
        await context.source.setDowntimeMax(context.vmId, limitMs).catch((thrown) => {
          if (isCode(thrown, 'CLAIM_LOST')) throw thrown;
        });
      }
      const nowMs = context.clock.monotonicMs();
      if (nowMs - recordedAtMs < RECORD_EVERY_MS) return;
      recordedAtMs = nowMs;
      const { bytesTotal, bytesRemaining, bytesProcessed, dirtyBytesPerSecond, iteration, elapsedMs } =
        progress;
      const sample = { elapsedMs, bytesRemaining, bytesProcessed, dirtyBytesPerSecond };
      await context.save({
        progress: { bytesTotal, bytesRemaining, iteration, elapsedMs },
        samples: withSample(context.data.samples ?? [], sample),
      });
    },
  };
}

/** Of a transfer that began anew, what was before it says nothing any more. Pure. */
export function withSample(
  samples: readonly TransferSample[],
  sample: TransferSample,
): readonly TransferSample[] {
  const before = samples.filter(({ elapsedMs }) => elapsedMs < sample.elapsedMs);
  const kept = before.length < SAMPLES_MAX ? before : before.filter((_, at) => at % 2 === 0);
  return [...kept, sample];
}
