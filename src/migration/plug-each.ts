/**
 * Plugging all vNICs of a job on the VFs that are reserved for them, at once. Every one is tried even if
 * another failed. One that could not be plugged stands under an alert and is retried by the reconciler.
 * Callers: the plug steps of a migration and of a drill.
 */
import { explain, isCode } from '../base/errors.ts';
import type { PciAddress, VnicId } from '../base/ids.ts';
import { type Domain, isActive } from '../model/domain.ts';
import type { MovingVnic } from '../model/job.ts';
import { finished, skipped, type StepResult } from '../saga/definition.ts';
import { vnicAlert } from './alerts.ts';
import { runHooks } from './hooks.ts';
import type { MigrationContext } from './port.ts';
import { plugVnic, saveVnics, vnicsOf } from './vnics.ts';

/** What is known of the domain: seen now, gone, or just resumed here with nothing plugged by anybody yet. */
export type SeenToPlug = Domain | null | 'just_resumed';

/**
 * Plugs each, on the target, while the guest is left alone, then runs the operator's hooks; `before` is what
 * was said so far. `beside` is begun after the plugs and waited for with them: every millisecond before a
 * plug is one without the VF, and the job's own records do not come before it either. Throws
 * `CLAIM_LOST` and `STORE_UNAVAILABLE`, and what `beside` throws.
 */
export async function plugEach(
  context: MigrationContext,
  seen: SeenToPlug,
  before: readonly string[],
  beside: () => Promise<unknown> = async () => undefined,
): Promise<StepResult> {
  const moving = vnicsOf(context);
  const release = await context.runtime.traffic?.leaveAlone();
  const plugAskedAt = context.data.plugAskedAt ?? context.clock.now();
  const plugs = moving.map((vnic) => plugOne(context, vnic, seen));
  const [results] = await Promise.all([
    Promise.all(plugs).finally(release),
    context.save({ plugAskedAt }),
    beside(),
  ]);
  await saveVnics(context, new Map(results.map((result) => [result.vnicId, outcomeOf(result)])));
  await context.save({ plugTried: true });
  if (moving.length === 0) return skipped([...before, 'no VF to plug'].join('; '));
  const after = await runHooks(context, 'after-plug');
  return finished([...before, ...results.map((result) => result.said), ...after].join('; '));
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

async function plugOne(context: MigrationContext, vnic: MovingVnic, seen: SeenToPlug): Promise<Outcome> {
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
