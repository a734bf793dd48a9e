/**
 * Ends a second running copy. libvirt makes one by itself: when the target's last answer is lost, the
 * source's daemon lets its guest run again although it runs on the target. The target wins, because the
 * guest's clients have talked to it. Called by the steps from the pivot on.
 */
import { explain } from '../base/errors.ts';
import { lookAtBoth, lookAtSource } from './look.ts';
import { decidePivot } from './pivot.ts';
import type { MigrationContext } from './port.ts';

const LOOK_EVERY_MS = 500;
const LOOK_LIMIT_MS = 60_000;

/**
 * Destroys the source's copy at once, and says so. `sinceMs`: when it can have begun to run, on the monotonic
 * clock.
 */
export async function endSecondCopy(context: MigrationContext, sinceMs: number): Promise<void> {
  // Two running copies write to the same disks and answer with the same MAC: every millisecond counts.
  await context.source.destroy(context.vmId);
  const overlapMs = Math.round(context.clock.monotonicMs() - sinceMs);
  await context.ports.event(
    { jobId: context.jobId, vmId: context.vmId },
    {
      name: 'TWO_COPIES_ENDED',
      severity: 'alert',
      message:
        `${context.vmName} ran on both hosts; the copy on ${context.sourceHost.name} was ` +
        `ended at most ${overlapMs} ms after it began to run. Check the guest's file systems.`,
      hostId: context.sourceHost.id,
    },
  );
}

/**
 * Looks whether there is one and ends it. Never throws: what was not seen or not ended now, the release step
 * finds.
 */
export async function endSecondCopyIfAny(context: MigrationContext, sinceMs: number): Promise<void> {
  try {
    const endMs = context.clock.monotonicMs() + LOOK_LIMIT_MS;
    for (;;) {
      // First the source alone: the target is busy with the plug, and mostly there is no copy to be ended.
      const { source } = await lookAtSource(context);
      if (source.state === 'absent' || source.state === 'shut_off') return;
      const seen = await lookAtBoth(context);
      const decision = decidePivot(seen.source, seen.target);
      if (decision.do === 'forward' && decision.overlap) await endSecondCopy(context, sinceMs);
      // A target that does not answer must be seen to run before the source's copy may be ended.
      const open = decision.do === 'hold' || decision.do === 'wait';
      if (!open || context.clock.monotonicMs() >= endMs) return;
      await context.clock.sleep(LOOK_EVERY_MS, context.steadySignal);
    }
  } catch (thrown) {
    context.log.warn('not seen whether a second copy runs', { error: explain(thrown) });
  }
}
