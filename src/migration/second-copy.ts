/**
 * Ends a second running copy. libvirt makes one by itself: when the target's last answer is lost, the
 * source's daemon lets its guest run again although it runs on the target. The target wins, because the
 * guest's clients have talked to it. Called by the steps from the pivot on.
 */
import { explain } from '../base/errors.ts';
import { sourceAlert } from './alerts.ts';
import { lookAtBoth, lookAtSource } from './look.ts';
import { decidePivot } from './pivot.ts';
import type { MigrationContext } from './port.ts';

const LOOK_EVERY_MS = 500;
/** Longer than a plug is repeated for: only after it the release step looks. */
const LOOK_LIMIT_MS = 120_000;

/** Destroys the source's copy at once, and says so. */
export async function endSecondCopy(context: MigrationContext): Promise<void> {
  // Two running copies write to the same disks and answer with the same MAC: every millisecond counts.
  await context.source.destroy(context.vmId);
  const overlapMs = context.clock.now() - cannotHaveRunBefore(context);
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
  await context.ports.clearAlert(sourceAlert(context.jobId));
}

/** Wall clock ms before which only one copy ran: the target's begin, if it was heard and not found later. */
function cannotHaveRunBefore({ data, runtime, clock }: MigrationContext): number {
  return (runtime.resumedOnTarget ? data.resumedAt : data.transferStartedAt) ?? clock.now();
}

/** Both may run, and the target's copy must be seen before the source's may be ended. */
export async function alertOfUnseenTarget(context: MigrationContext, sourceState: string): Promise<void> {
  const { vmId, vmName, sourceHost, jobId, ports } = context;
  const { host } = await context.target();
  await ports.raiseAlert(
    sourceAlert(jobId),
    vmId,
    `${vmName} had arrived on ${host.name}, which does not answer, and is ${sourceState} on ` +
      `${sourceHost.name}, too. Bring ${host.name} back, and the copy on ${sourceHost.name} is ended; ` +
      `if ${host.name} is gone for good: handover job abandon ${jobId}`,
  );
}

/**
 * Looks whether there is one and ends it; one that cannot be ended yet stands under an alert. Never throws:
 * what was not seen or not ended now, the release step finds.
 */
export async function endSecondCopyIfAny(context: MigrationContext): Promise<void> {
  try {
    const endMs = context.clock.monotonicMs() + LOOK_LIMIT_MS;
    let alerted = false;
    for (;;) {
      // First the source alone: the target is busy with the plug, and mostly there is no copy to be ended.
      const { source } = await lookAtSource(context);
      if (source.state === 'absent' || source.state === 'shut_off') return;
      const seen = await lookAtBoth(context);
      const decision = decidePivot(seen.source, seen.target);
      if (decision.do === 'forward' && decision.overlap) await endSecondCopy(context);
      if (decision.do === 'hold' && source.state === 'running' && !alerted) {
        alerted = true;
        await alertOfUnseenTarget(context, source.state);
      }
      const open = decision.do === 'hold' || decision.do === 'wait';
      if (!open || context.clock.monotonicMs() >= endMs) return;
      await context.clock.sleep(LOOK_EVERY_MS, context.steadySignal);
    }
  } catch (thrown) {
    context.log.warn('not seen whether a second copy runs', { error: explain(thrown) });
  }
}
