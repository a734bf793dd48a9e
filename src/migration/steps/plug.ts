/**
 * Plug: every vNIC on its reserved VF, as soon as the guest has resumed on the target and never before, on a
 * connection other than the migrate call's. Its traffic gets a breath first: the attach makes the guest stand
 * still for a moment, and right at the resume that would lengthen the silence of the switchover. Every vNIC
 * is tried even if another failed. One that could not be plugged stands under an alert and is retried by the
 * reconciler; the VM does not go back.
 */
import { explain, HandoverError } from '../../base/errors.ts';
import type { VnicId } from '../../base/ids.ts';
import { type Domain, isActive } from '../../model/domain.ts';
import type { MovingVnic } from '../../model/job.ts';
import { defineStep, finished, skipped } from '../../saga/definition.ts';
import type { MigrationContext } from '../port.ts';
import { endSecondCopyIfAny } from '../second-copy.ts';
import { plugVnic, saveVnics, vnicAlert, vnicsOf } from '../vnics.ts';

/**
 * The breath. On the lab the longest gap was a third shorter with it, and the time without the VF the same:
 * an attach sent at once only waits for libvirt, which still finishes the move (`npm run bench --
 * migration`).
 */
const BREATH_MS = 400;

/** What is known of the domain: seen now, gone, or just resumed here with nothing plugged by anybody yet. */
type Seen = Domain | null | 'just_resumed';

export const plug = defineStep<MigrationContext, Seen>({
  name: 'plug',
  kind: 'forward',

  async inspect(context) {
    // Heard by this process a moment ago, and nothing was asked for since: a look could only cost time.
    if (context.runtime.resumedOnTarget && context.data.plugAskedAt === undefined) return 'just_resumed';
    return (await context.target()).hypervisor.inspect(context.vmId);
  },

  async run(context, seen) {
    const { host } = await context.target();
    const moving = vnicsOf(context);
    if (seen === 'just_resumed') await breathe(context);
    // Records go beside the calls, not before them: every millisecond here is one without the VF.
    const plugAskedAt = context.data.plugAskedAt ?? context.clock.now();
    const [results] = await Promise.all([
      Promise.all(moving.map((vnic) => plugOne(context, vnic, seen))),
      context.save({ plugAskedAt }),
      context.ports.setVmHost(context.vmId, host.id),
      // Taken up from a process that died: nobody has watched how libvirt's own call ended.
      context.runtime.call === null ? endSecondCopyIfAny(context, context.clock.monotonicMs()) : null,
    ]);
    await saveVnics(context, new Map(results.map((result) => [result.vnicId, { state: result.state }])));
    await context.save({ plugTried: true });
    if (moving.length === 0) return skipped('no VF to plug');
    return finished(results.map((result) => result.said).join('; '));
  },
});

interface Outcome {
  readonly vnicId: VnicId;
  readonly state: MovingVnic['state'];
  readonly said: string;
}

/** Ends early when libvirt is done with the move. */
async function breathe(context: MigrationContext): Promise<void> {
  const pause = context.clock.sleep(BREATH_MS, context.steadySignal);
  await Promise.race([context.runtime.call?.settled, pause]);
}

async function plugOne(context: MigrationContext, vnic: MovingVnic, seen: Seen): Promise<Outcome> {
  const { host, hypervisor } = await context.target();
  const job = { jobId: context.jobId, vmId: context.vmId };
  if (seen === null || (seen !== 'just_resumed' && !isActive(seen))) {
    await context.ports.setVnicActual(vnic.vnicId, 'unplugged', null);
    return {
      vnicId: vnic.vnicId,
      state: 'unplugged',
      said: `${vnic.name} not plugged: ${context.vmName} is down`,
    };
  }
  try {
    const [plugged] = await Promise.all([
      plugVnic(context, hypervisor, 'target', host.id, vnic, seen),
      context.item(vnic.vnicId, 'started', `plugging ${vnic.targetVf}`),
    ]);
    await context.item(vnic.vnicId, 'finished', `plugged on ${plugged.vf}`);
    await context.ports.setVnicActual(vnic.vnicId, 'plugged', plugged.vf);
    await context.ports.clearAlert(vnicAlert(vnic.vnicId));
    const said = `${vnic.name} on ${plugged.vf}${plugged.note ? ` (${plugged.note})` : ''}`;
    const severity = plugged.note ? 'warning' : 'normal';
    await context.ports.event(job, {
      name: 'VNIC_PLUGGED',
      severity,
      message: `Interface ${vnic.name} of ${context.vmName} was plugged: ${said}, host ${host.name}`,
      hostId: host.id,
    });
    return { vnicId: vnic.vnicId, state: 'plugged', said };
  } catch (thrown) {
    if (thrown instanceof HandoverError && thrown.code === 'CLAIM_LOST') throw thrown;
    const message =
      `vNIC ${vnic.name} of ${context.vmName} could not be plugged on ${host.name}: ` +
      `${explain(thrown)}. The VM is on its standby path; the plug is retried.`;
    await context.item(vnic.vnicId, 'failed', message);
    await context.ports.setVnicActual(vnic.vnicId, 'unplugged', null);
    await context.ports.raiseAlert(vnicAlert(vnic.vnicId), context.vmId, message);
    await context.ports.event(job, { name: 'VNIC_PLUG_FAILED', severity: 'error', message, hostId: host.id });
    return { vnicId: vnic.vnicId, state: 'unplugged', said: message };
  }
}
