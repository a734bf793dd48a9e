/**
 * Rehearsing what a migration does to a VM's network: whether it can be, the job, its VFs, and what the last
 * one found. The job itself is `migration/drill-vm.ts`.
 */
import { HandoverError, isCode } from '../base/errors.ts';
import type { JobId, VmId } from '../base/ids.ts';
import type { Job, JobStep, MigrateParams, MovingVnic } from '../model/job.ts';
import type { ReservedOwn } from '../migration/port.ts';
import { vnicRefusals } from '../scheduler/judge-vm.ts';
import type { PlanFacts } from '../scheduler/plan-migration.ts';
import { planFacts } from './facts.ts';
import { standbyOf } from './guest.ts';
import { jobInTheWay, refuseWhileMoving } from './live-job.ts';
import { migrateParams } from './migrate-params.ts';
import type { AppParts } from './parts.ts';
import { CHOICES_MAX, moving, sourceSide, WAIT_DELAY_MS } from './reserve-migration.ts';
import type { Caller } from './use-cases.ts';

/** A drill that has ended, with its steps. */
export interface PastDrill {
  readonly job: Job;
  readonly steps: readonly JobStep[];
}

/**
 * Accepts the job. Throws `DRILL_REFUSED`, `VM_STATUS_WRONG`, `VM_ALREADY_MIGRATING`, and what
 * looking at the guest throws.
 */
export async function drillVm(parts: AppParts, caller: Caller, vmId: VmId): Promise<Job> {
  refuseWhileMoving(await jobInTheWay(parts, vmId));
  const { vm } = ownVfs(await planFacts(parts, vmId, null));
  if (vm.hostId === null) throw new HandoverError('ASSERTION_FAILED', `${vm.name} is up without a host`);
  const params = migrateParams(vm, vm.hostId, { targetHostId: vm.hostId });
  const { missing } = await standbyOf(parts, vmId);
  if (missing.length > 0) throw new HandoverError('DRILL_REFUSED', noStandby(vm.name, missing));
  const id = parts.random.uuid() as JobId;
  return await parts.store.jobs.add(id, params, vm.name, caller.correlationId, 'drill_vm');
}

const noStandby = (vmName: string, missing: readonly string[]): string =>
  `a drill would cut ${vmName} off the network: ${missing.join('; ')}`;

/** What the VM has. Throws with every reason why it cannot be taken out for a while. */
function ownVfs(facts: PlanFacts): { readonly vm: PlanFacts['vm']; readonly vnics: MovingVnic[] } {
  const { vm } = facts;
  if (vm.status !== 'up') {
    const what = `${vm.name} is ${vm.status}, and a drill takes VFs out of a running guest`;
    const fix = vm.status === 'down' ? `start it first: handover vm start ${vm.name}` : 'wait until it is up';
    throw new HandoverError('VM_STATUS_WRONG', `${what}; ${fix}`);
  }
  const plugged = vm.vnics.filter((vnic) => vnic.passthrough && vnic.vf !== null);
  if (plugged.length === 0)
    throw new HandoverError('DRILL_REFUSED', `${vm.name} has no VF plugged, so there is nothing to rehearse`);
  const reasons = plugged.flatMap((vnic) => vnicRefusals(facts, vnic)).map(({ message }) => message);
  for (const { name, mac } of plugged.filter(({ actual }) => actual === 'unplug_pending')) {
    reasons.push(
      `vNIC ${name} (${mac}): the guest was asked to give its VF back before and has not done so; see ` +
        `the alert`,
    );
  }
  if (reasons.length > 0)
    throw new HandoverError('DRILL_REFUSED', `${vm.name} can not be drilled: ${reasons.join('; ')}`);
  const pfs = facts.hosts.find((host) => host.id === vm.hostId)?.inventory?.pfs ?? [];
  const vnics = plugged.flatMap(({ id, name, vf }): MovingVnic[] => {
    if (vf === null) return [];
    const pf = pfs.find(({ vfs }) => vfs.some(({ pciAddress }) => pciAddress === vf))?.name ?? 'unknown';
    const own = { sourceVf: vf, sourcePf: pf, targetVf: vf, targetPf: pf };
    return [moving(facts, { vnicId: id, vnicName: name, ...own })];
  });
  return { vm, vnics };
}

/** Reserves them for the job, which gets no place on any host: nothing moves. Throws as `drillVm`. */
export async function reserveDrill(
  parts: AppParts,
  job: { readonly jobId: JobId; readonly epoch: number; readonly params: MigrateParams },
): Promise<ReservedOwn> {
  const { store } = parts;
  for (let choice = 1; choice <= CHOICES_MAX; choice++) {
    const version = await store.reservations.version();
    const facts = await planFacts(parts, job.params.vmId, job.jobId);
    const held = [...facts.reservations.values()].find(
      (each) => each.jobId === null && each.vmId === job.params.vmId,
    );
    if (held) return wait(`one of its vNICs is being plugged on ${held.vf}`);
    const { vnics } = ownVfs(facts);
    try {
      await store.reservations.reserve(job.jobId, job.epoch, null, sourceSide(job, vnics), version);
    } catch (thrown) {
      if (isCode(thrown, 'VF_TAKEN', 'CHOICE_OUTDATED')) continue;
      throw thrown;
    }
    return { kind: 'reserved', vnics };
  }
  return wait('many jobs reserve at once');
}

const wait = (reason: string): ReservedOwn => ({ kind: 'wait', reason, delayMs: WAIT_DELAY_MS });

/** The VM's last one that has ended; null if there was none. */
export async function lastDrill({ store }: AppParts, vmId: VmId): Promise<PastDrill | null> {
  const [job] = await store.jobs.list({ vmId, kind: 'drill_vm', live: false, limit: 1 });
  return job ? { job, steps: await store.jobs.steps(job.id) } : null;
}
