/**
 * What the transfer does about a decision of the pivot table other than to go forward, and what it says.
 * Nothing here judges; everything may be repeated. Caller: `steps/transfer.ts`.
 */
import { HandoverError, messageOf } from '../base/errors.ts';
import { holdAlert } from './alerts.ts';
import type { BothSides } from './look.ts';
import type { Decision } from './pivot.ts';
import type { MigrationContext } from './port.ts';

/** How long a destroyed copy may take to be seen gone. */
const SETTLE_LIMIT_MS = 60_000;

/**
 * Ends what waits on the target, and lets the source run again once that was seen gone. False: look again
 * first. `sinceMs`: when it was first to be ended, monotonic; throws `WAIT_TIMED_OUT` if it is still there a
 * minute later.
 */
export async function restoreSource(
  context: MigrationContext,
  decision: Decision & { do: 'undo' },
  sinceMs: number,
): Promise<boolean> {
  if (decision.destroyTarget) {
    const { host, hypervisor } = await context.target();
    await hypervisor.destroy(context.vmId);
    if (context.clock.monotonicMs() - sinceMs < SETTLE_LIMIT_MS) return false;
    throw new HandoverError(
      'WAIT_TIMED_OUT',
      `the incoming copy of ${context.vmName} on ${host.name} does not vanish; destroy it by hand`,
    );
  }
  if (decision.resumeSource) await context.source.resume(context.vmId);
  return true;
}

/** The VM runs on its source. */
export function notMoved(context: MigrationContext, decision: Decision): HandoverError {
  const thrown = context.runtime.call?.error;
  const why = thrown ? messageOf(thrown) : decision.because;
  return new HandoverError(
    'MIGRATION_FAILED',
    `${context.vmName} was not moved and stays on ${context.sourceHost.name}: ${why}`,
    { ...(thrown ? { cause: thrown } : {}) },
  );
}

/**
 * The VM runs nowhere. One that is gone from its source had arrived: what it wrote since is in the target's
 * images alone, so these are not to be undone.
 */
export async function lost(
  context: MigrationContext,
  decision: Decision & { do: 'lost' },
  seen: BothSides,
): Promise<HandoverError> {
  const { vmName, sourceHost, data } = context;
  const { host, hypervisor } = await context.target();
  if (decision.destroyTarget) await hypervisor.destroy(context.vmId);
  const arrived = seen.source.state === 'absent';
  if (arrived && data.copyDisks?.length) {
    const leftBehind = data.copyDisks.map(
      (disk) => `The disk ${disk.path} on ${host.name} is kept: ${vmName} may have written to it there`,
    );
    await context.save({ copyDisks: [], leftBehind });
  }
  const isThere = arrived && seen.targetDomain !== null;
  await context.ports.setVmHost(context.vmId, isThere ? host.id : sourceHost.id);
  return new HandoverError(
    'MIGRATION_FAILED',
    `${vmName} runs neither on ${sourceHost.name} nor on ${host.name} (${decision.because}): it was shut ` +
      `off or crashed during the move; start it again${isThere ? ` on ${host.name}` : ''}`,
  );
}

/** Says that nobody can know yet where the VM is, and why. */
export async function hold(context: MigrationContext, because: string): Promise<void> {
  const { host } = await context.target();
  const message =
    `Migration of ${context.vmName} from ${context.sourceHost.name} to ${host.name} ` +
    `waits: ${because}. Nothing is resumed or destroyed until both hosts can be seen.`;
  await context.ports.raiseAlert(holdAlert(context.jobId), context.vmId, message);
}

/** Both were seen. */
export async function endHold(context: MigrationContext): Promise<void> {
  await context.ports.clearAlert(holdAlert(context.jobId));
}
