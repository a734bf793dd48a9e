/**
 * Release: the source. Its copy of the VM is seen gone (ended if it is not), nothing stays defined there,
 * autostart is set on the target, and the source's reservations end. A source that does not answer is waited
 * for under an alert: its copy must not be forgotten, because it may wake up.
 */
import { isActive } from '../../model/domain.ts';
import { explain, isCode } from '../../base/errors.ts';
import { defineStep, finished } from '../../saga/definition.ts';
import { type BothSides, lookAtBoth } from '../look.ts';
import type { MigrationContext } from '../port.ts';
import { endSecondCopy } from '../second-copy.ts';

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
    await clearSource(context, first);
    const call = context.runtime.call;
    // The source is clear, so libvirt's answer is due; it is only waited for to record when it came.
    if (call) await Promise.race([call.settled, context.clock.sleep(CALL_LIMIT_MS, context.steadySignal)]);
    if (call) await context.save({ performReturnedAt: call.endedAt });
    if (context.data.persistent && context.data.autostart) await target.setAutostart(context.vmId, true);
    await context.ports.releaseReservations(context.jobId, 'source');
    const kept = (context.data.copyDisks ?? []).map(
      (disk) =>
        `The disk ${disk.path} of ${context.vmName} was copied; the original stays on ` +
        `${context.sourceHost.name} and can be removed`,
    );
    if (kept.length > 0) await context.save({ leftBehind: kept });
    await context.ports.observeHost(context.sourceHost.id).catch((thrown) => noteUnlessOurs(context, thrown));
    await context.ports
      .observeHost((await context.target()).host.id)
      .catch((thrown) => noteUnlessOurs(context, thrown));
    return finished(`${context.sourceHost.name} is clear`);
  },
});

/** Waits until nothing of the VM runs or is defined on the source, ending what should not be there. */
async function clearSource(context: MigrationContext, first: BothSides): Promise<void> {
  const alert = `source:${context.jobId}`;
  let alerted = false;
  const sinceMs = context.clock.monotonicMs();
  for (let seen = first; ; seen = await lookAtBoth(context)) {
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
      // Only ever the source's copy, and only with the target seen running: the pivot said so, and is asked
      // once more.
      if (seen.target.state !== 'running') {
        await context.clock.sleep(AWAY_LOOK_EVERY_MS, context.steadySignal);
        continue;
      }
      if (seen.source.state === 'running') await endSecondCopy(context, sinceMs);
      else await context.source.destroy(context.vmId);
      continue;
    }
    await context.source.undefine(context.vmId);
  }
  if (alerted) await context.ports.clearAlert(alert);
}

function noteUnlessOurs(context: MigrationContext, thrown: unknown): void {
  if (isCode(thrown, 'CLAIM_LOST')) throw thrown;
  context.log.warn('host not looked at after the move; its next resync will', { error: explain(thrown) });
}
