/**
 * Plug: every vNIC on its reserved VF, as soon as the guest has resumed on the target and never before, on a
 * connection other than the migrate call's. Its traffic gets a breath first: the attach makes the guest stand
 * still for a moment, and right at the resume that would lengthen the silence of the switchover. Every vNIC
 * is tried even if another failed. One that could not be plugged stands under an alert and is retried by the
 * reconciler; the VM does not go back. The operator's hooks run before and after: a failure of theirs is told
 * and changes nothing.
 */
import { explain, isCode } from '../../base/errors.ts';
import type { PciAddress, VnicId } from '../../base/ids.ts';
import { type Domain, isActive } from '../../model/domain.ts';
import type { HookPoint } from '../../model/hook.ts';
import type { MovingVnic } from '../../model/job.ts';
import { defineStep, finished, skipped } from '../../saga/definition.ts';
import { vnicAlert } from '../alerts.ts';
import { runHooks } from '../hooks.ts';
import type { MigrationContext } from '../port.ts';
import { endSecondCopyIfAny } from '../second-copy.ts';
import { plugVnic, saveVnics, vnicsOf } from '../vnics.ts';

/**
 * The breath. On the lab the longest gap was a third shorter with it, and the time without the VF the same:
 * an attach sent at once only waits for libvirt, which still finishes the move (`npm run bench --
 * migration`). No longer than the rest of the migrate call takes on a fast machine (370 ms was seen), so that
 * the attach is never what waits for that call.
 */
const BREATH_MS = 200;

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
    // Taken up from a process that died: nobody has watched how libvirt's own call ended. Not after the
    // hooks, which take their time. Never rejects.
    const copyEnded = context.runtime.call === null ? endSecondCopyIfAny(context) : null;
    const before = await arrive(context, seen);
    // Records go beside the calls, not before them: every millisecond here is one without the VF.
    const plugAskedAt = context.data.plugAskedAt ?? context.clock.now();
    const [results] = await Promise.all([
      Promise.all(moving.map((vnic) => plugOne(context, vnic, seen))),
      context.save({ plugAskedAt }),
      context.ports.setVmHost(context.vmId, host.id),
      copyEnded,
    ]);
    await saveVnics(context, new Map(results.map((result) => [result.vnicId, outcomeOf(result)])));
    await context.save({ plugTried: true });
    if (moving.length === 0) return skipped([...before, 'no VF to plug'].join('; '));
    const after = await runHooks(context, 'after-plug');
    return finished([...before, ...results.map((result) => result.said), ...after].join('; '));
  },
});

/** The breath, and beside it the hooks of the guest's arrival. What they said. */
async function arrive(context: MigrationContext, seen: Seen): Promise<readonly string[]> {
  const points: readonly HookPoint[] =
    vnicsOf(context).length > 0 ? ['after-transfer', 'before-plug'] : ['after-transfer'];
  const breath = seen === 'just_resumed' ? breathe(context) : null;
  if (points.every((point) => context.ports.hooksAt(point).length === 0)) {
    await breath;
    return [];
  }
  const run = async (): Promise<string[]> => {
    // Shown where it is for as long as they take.
    await context.ports.setVmHost(context.vmId, (await context.target()).host.id);
    const said: string[] = [];
    for (const point of points) said.push(...(await runHooks(context, point)));
    return said;
  };
  const [said] = await Promise.all([run(), breath]);
  return said;
}

interface Outcome {
  readonly vnicId: VnicId;
  readonly state: MovingVnic['state'];
  /** Where it was plugged: not always as planned. */
  readonly vf?: PciAddress;
  readonly pf?: string;
  readonly said: string;
}

const outcomeOf = ({ state, vf, pf }: Outcome): Partial<MovingVnic> => ({
  state,
  ...(vf && pf ? { targetVf: vf, targetPf: pf } : {}),
});

/** Ends early when libvirt is done with the move. */
async function breathe(context: MigrationContext): Promise<void> {
  const pause = context.clock.sleep(BREATH_MS, context.steadySignal);
  await Promise.race([context.runtime.call?.settled, pause]);
}

async function plugOne(context: MigrationContext, vnic: MovingVnic, seen: Seen): Promise<Outcome> {
  const { host, hypervisor } = await context.target();
  const there = { hypervisor, side: 'target', hostId: host.id } as const;
  const job = { jobId: context.jobId, vmId: context.vmId };
  if (seen !== 'just_resumed' && isDown(seen)) return leaveOut(context, vnic);
  try {
    const [plugged] = await Promise.all([
      plugVnic(context, { ...there, vf: vnic.targetVf, pf: vnic.targetPf }, vnic, seen),
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
    return { vnicId: vnic.vnicId, state: 'plugged', vf: plugged.vf, pf: plugged.pf, said };
  } catch (thrown) {
    // The database says nothing about the vNIC, which may be plugged: the step is repeated, and looks.
    if (isCode(thrown, 'CLAIM_LOST', 'STORE_UNAVAILABLE')) throw thrown;
    const now = await hypervisor.inspect(context.vmId).catch(() => undefined);
    if (now !== undefined && isDown(now)) return leaveOut(context, vnic);
    const message =
      `vNIC ${vnic.name} of ${context.vmName} could not be plugged on ${host.name}: ` +
      `${explain(thrown)}. The VM is on its standby path. Next try when this job has ended.`;
    await context.item(vnic.vnicId, 'failed', message);
    await context.ports.setVnicActual(vnic.vnicId, 'unplugged', null);
    await context.ports.raiseAlert(vnicAlert(vnic.vnicId), context.vmId, message);
    await context.ports.event(job, { name: 'VNIC_PLUG_FAILED', severity: 'error', message, hostId: host.id });
    return { vnicId: vnic.vnicId, state: 'unplugged', said: message };
  }
}

const isDown = (domain: Domain | null): boolean => domain === null || !isActive(domain);

/**
 * Of a VM that went down: nothing to be tried again, and no alert. The release step says what became of it.
 */
async function leaveOut(context: MigrationContext, vnic: MovingVnic): Promise<Outcome> {
  await context.ports.setVnicActual(vnic.vnicId, 'unplugged', null);
  const said = `${vnic.name} not plugged: ${context.vmName} is down`;
  await context.item(vnic.vnicId, 'skipped', said);
  return { vnicId: vnic.vnicId, state: 'unplugged', said };
}
