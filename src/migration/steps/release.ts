/**
 * Release: the source. Its copy of the VM is seen gone (ended if it is not), nothing stays defined there,
 * autostart is set on the target, and the source's reservations end. A source that does not answer is waited
 * for under an alert: its copy must not be forgotten, because it may wake up.
 */
import { isActive } from '../../model/domain.ts';
import { explain, HandoverError, isCode } from '../../base/errors.ts';
import { defineStep, finished } from '../../saga/definition.ts';
import { sourceAlert } from '../alerts.ts';
import { type BothSides, lookAtBoth } from '../look.ts';
import type { MigrationContext } from '../port.ts';
import { delaysLeft } from '../legs.ts';
import { alertOfUnseenTarget, endSecondCopy } from '../second-copy.ts';
import { vnicsOf } from '../vnics.ts';

const LOOK_EVERY_MS = 500;
const AWAY_LOOK_EVERY_MS = 5_000;
const CALL_LIMIT_MS = 30_000;

export const release = defineStep<MigrationContext, BothSides>({
  name: 'release',
  kind: 'forward',

  inspect: lookAtBoth,

  async run(context, first) {
    const { hypervisor: target } = await context.target();
    const downtimeMs = await target.migrationDowntimeMs(context.vmId).catch(() => null);
    if (downtimeMs !== null) await context.save({ downtimeMs });
    const { windingDown } = context.runtime;
    // Whoever watches how libvirt's call ends also ends a second copy; not two at once.
    if (windingDown && first.source.state !== 'absent')
      await Promise.race([windingDown, context.clock.sleep(CALL_LIMIT_MS, context.steadySignal)]);
    const last = await clearSource(context, first);
    const call = context.runtime.call;
    // The source is clear, so libvirt's answer is due; it is only waited for to record when it came.
    if (call) await Promise.race([call.settled, context.clock.sleep(CALL_LIMIT_MS, context.steadySignal)]);
    if (call) await context.save({ performReturnedAt: call.endedAt });
    const isThere = last.target.state === 'unreachable' || last.targetDomain !== null;
    if (isThere && context.data.persistent && context.data.autostart)
      await target.setAutostart(context.vmId, true);
    await context.ports.releaseReservations(context.jobId, 'source');
    const disks = (context.data.copyDisks ?? []).map(
      (disk) =>
        `The disk ${disk.path} of ${context.vmName} was copied; the original stays on ` +
        `${context.sourceHost.name} and can be removed`,
    );
    const kept = [...disks, ...delaysLeft(context.data, context.vmName)];
    if (kept.length > 0) await context.save({ leftBehind: kept });
    await context.ports.observeHost(context.sourceHost.id).catch((thrown) => noteUnlessOurs(context, thrown));
    await context.ports
      .observeHost((await context.target()).host.id)
      .catch((thrown) => noteUnlessOurs(context, thrown));
    const error = await downAfterMove(context, last);
    return error ? { state: 'failed', error } : finished(`${context.sourceHost.name} is clear`);
  },
});

/** What to say of a VM that arrived and went down before the job ended; null if it runs or is not seen. */
async function downAfterMove(context: MigrationContext, last: BothSides): Promise<HandoverError | null> {
  const { target, targetDomain } = last;
  if (target.state === 'unreachable' || (targetDomain && isActive(targetDomain))) return null;
  const { host } = await context.target();
  const what = targetDomain ? `is shut off there (${targetDomain.stateReason})` : 'is gone from there';
  const where = targetDomain ? ` on ${host.name}` : '';
  return new HandoverError(
    'MIGRATION_FAILED',
    `${context.vmName} had arrived on ${host.name} and ${what}: it went down right after the move; start ` +
      `it again${where}`,
  );
}

/**
 * Waits until nothing of the VM runs or is defined on the source, ending what should not be there. Returns
 * the look that showed it.
 */
async function clearSource(context: MigrationContext, first: BothSides): Promise<BothSides> {
  const alert = sourceAlert(context.jobId);
  let alerted = false;
  let seen = first;
  for (; ; seen = await lookAtBoth(context)) {
    if (seen.source.state === 'unreachable') {
      alerted = true;
      await context.ports.raiseAlert(
        alert,
        context.vmId,
        `${context.vmName} runs on the target, but ${context.sourceHost.name} does not answer; a ` +
          `copy left there is ended as soon as it does`,
      );
      await context.clock.sleep(AWAY_LOOK_EVERY_MS, context.steadySignal);
      continue;
    }
    const domain = seen.sourceDomain;
    if (domain === null) break;
    if (isActive(domain)) {
      const call = context.runtime.call;
      const windingDown = seen.source.job || (call !== null && call.endedAt === null);
      if (windingDown) {
        await context.clock.sleep(LOOK_EVERY_MS, context.steadySignal);
        continue;
      }
      // Only ever the source's copy, and only with the target seen running, which is asked once more, or seen
      // ended on purpose.
      if (seen.target.state !== 'running' && !wasEndedThere(seen)) {
        alerted = true;
        await waitForTarget(context, seen);
        continue;
      }
      if (seen.source.state === 'running') await endSecondCopy(context);
      else await context.source.destroy(context.vmId);
      continue;
    }
    await context.source.undefine(context.vmId);
  }
  if (alerted) await context.ports.clearAlert(alert);
  return seen;
}

/**
 * The VM arrived and somebody ended it there: the guest shut down, or was destroyed. What still stands on the
 * source is its state from before, which nobody wants to run again.
 */
function wasEndedThere({ source, targetDomain }: BothSides): boolean {
  const ended =
    targetDomain?.state === 'shut_off' && ['shutdown', 'destroyed'].includes(targetDomain.stateReason);
  return ended && source.state === 'paused';
}

/**
 * The VM had arrived, and now only the source has it: libvirt lets its copy run again when the target's last
 * answer is lost. While the target cannot be seen nothing is certain; a target that was seen without it has
 * lost it, and then the source's copy is the VM. Somebody must say so: the target's may have written to the
 * disks.
 */
async function waitForTarget(context: MigrationContext, seen: BothSides): Promise<void> {
  const { vmId, vmName, sourceHost, jobId, ports } = context;
  const { host } = await context.target();
  if (seen.target.state === 'unreachable') await alertOfUnseenTarget(context, seen.source.state);
  else {
    const message =
      `${vmName} had arrived on ${host.name} and is ${seen.target.state} there now; it is ` +
      `${seen.source.state} on ${sourceHost.name}, which is left alone. Check its file systems, see that ` +
      `it does not start on ${host.name}, then: handover job abandon ${jobId}`;
    await ports.raiseAlert(sourceAlert(jobId), vmId, message);
    await ports.setVmHost(vmId, sourceHost.id);
    for (const { vnicId } of vnicsOf(context)) await ports.setVnicActual(vnicId, 'unplugged', null);
  }
  await context.clock.sleep(AWAY_LOOK_EVERY_MS, context.steadySignal);
}

function noteUnlessOurs(context: MigrationContext, thrown: unknown): void {
  if (isCode(thrown, 'CLAIM_LOST')) throw thrown;
  context.log.warn('host not looked at after the move; its next resync will', { error: explain(thrown) });
}
