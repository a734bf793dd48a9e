/**
 * The reserve step's other half: is there room in the two hosts' queues, which host, which VFs; then one
 * transaction. Nothing is locked while it chooses. The transaction is refused if a place was given to anybody
 * since the facts were read, by this engine or by another, and the choice is made again: so limits hold
 * however many engines there are, and one that stands still keeps nobody waiting.
 */
import { HandoverError, isCode } from '../base/errors.ts';
import type { HostId, JobId, PciAddress } from '../base/ids.ts';
import type { MigrateParams, MovingVnic, Reservation, Job } from '../model/job.ts';
import type { MigrationPlan, VfAssignment } from '../model/plan.ts';
import { aliasToPlug, type Vm } from '../model/vm.ts';
import type { Reserved } from '../migration/port.ts';
import { candidatesFor } from '../scheduler/judge-host.ts';
import { type PlanFacts, planMigration } from '../scheduler/plan-migration.ts';
import { planFacts } from './facts.ts';
import type { AppParts } from './parts.ts';

/** Before a job that waits looks again. */
export const WAIT_DELAY_MS = 1_000;
/** Somebody else gets a place in each round that is lost, so a crowd thins out; the rest wait a moment. */
export const CHOICES_MAX = 5;

/** Chooses and reserves. Throws `VM_NOT_MIGRATABLE` or `NO_HOST_FITS` with every reason. */
export async function reserveMigration(
  parts: AppParts,
  job: { jobId: JobId; epoch: number; params: MigrateParams },
): Promise<Reserved> {
  for (let choice = 1; choice <= CHOICES_MAX; choice++) {
    const version = await parts.store.reservations.version();
    const facts = await planFacts(parts, job.params.vmId, job.jobId);
    const live = await parts.store.jobs.list({ live: true });
    const held = [...facts.reservations.values()].find(
      (each) => each.jobId === null && each.vmId === job.params.vmId,
    );
    if (held) return wait(`one of its vNICs is being plugged on ${held.vf}`, live, job);
    const options = { targetHostId: job.params.targetHostId, copyStorage: job.params.copyStorage };
    const full = fullHosts(facts, live, job.jobId);
    const outgoing = full.get(job.params.sourceHostId)?.outgoing;
    if (outgoing) return wait(outgoing, live, job);
    const plan = planMigration(facts, options);
    refuseImpossible(plan);
    const free = plan.hosts.filter((host) => host.fits && !full.get(host.hostId)?.incoming);
    const chosen = free.sort((a, b) => a.score - b.score)[0];
    if (!chosen) {
      const busy = plan.hosts.find((host) => host.fits);
      return wait((busy && full.get(busy.hostId)?.incoming) ?? 'all hosts that fit are busy', live, job);
    }
    const vnics = chosen.assignment.map((each) => moving(facts, each));
    try {
      const reservations = bothSides(job, chosen.hostId, vnics);
      await parts.store.reservations.reserve(job.jobId, job.epoch, chosen.hostId, reservations, version);
    } catch (thrown) {
      if (isCode(thrown, 'VF_TAKEN', 'CHOICE_OUTDATED')) continue;
      throw thrown;
    }
    // What is missing in the guest is looked at anew by preflight, which says it.
    const warnings = [...plan.warnings, ...chosen.warnings]
      .filter(({ code }) => code !== 'no_standby')
      .map(({ message }) => message);
    return { kind: 'reserved', targetHostId: chosen.hostId, protocol: chosen.protocol, vnics, warnings };
  }
  return wait('many migrations reserve at once', await parts.store.jobs.list({ live: true }), job);
}

/** Refuses with all there is to say. Also used when a migration is asked for. */
export function refuseImpossible(plan: MigrationPlan): void {
  if (plan.refusals.length > 0) {
    throw new HandoverError('VM_NOT_MIGRATABLE', plan.refusals.map((reason) => reason.message).join(' '), {
      detail: { plan },
    });
  }
  if (plan.possible) return;
  const only = plan.hosts.length === 1 ? plan.hosts[0] : undefined;
  if (only?.reasons.length === 1 && only.reasons[0]?.code === 'is_source') {
    throw new HandoverError('TARGET_IS_SOURCE', only.reasons[0].message);
  }
  const others = plan.hosts.filter((host) => host.hostId !== plan.sourceHostId);
  const why = others.map(
    (host) => `${host.hostName}: ${host.reasons.map((reason) => reason.message).join('; ')}`,
  );
  const text = others.length === 0 ? 'there is no other host' : why.join(' | ');
  throw new HandoverError('NO_HOST_FITS', `no host can take ${plan.vmName} (${text})`, { detail: { plan } });
}

type Full = { outgoing?: string; incoming?: string };

/** Hosts that have as many migrations as they may, and the sentence that says so. */
function fullHosts(facts: PlanFacts, live: readonly Job[], self: JobId): Map<HostId, Full> {
  // Only jobs that have a place count. One that is about to look for itself does not: two that wait for the
  // same host would count each other for ever.
  const running = live.filter((job) => job.id !== self && job.targetHostId !== null);
  const full = new Map<HostId, Full>();
  for (const host of facts.hosts) {
    const leaving = running.filter((job) => job.sourceHostId === host.id).length;
    const entering = running.filter((job) => job.targetHostId === host.id).length;
    full.set(host.id, {
      ...(leaving >= host.outgoingMax
        ? { outgoing: `${leaving} migration${leaving === 1 ? '' : 's'} already leave ${host.name}` }
        : {}),
      ...(entering >= host.incomingMax
        ? { incoming: `${entering} migration${entering === 1 ? '' : 's'} already enter ${host.name}` }
        : {}),
    });
  }
  return full;
}

function wait(because: string, live: readonly Job[], job: { jobId: JobId; params: MigrateParams }): Reserved {
  const queue = live
    .filter(
      (each) =>
        each.kind === 'migrate_vm' &&
        each.sourceHostId === job.params.sourceHostId &&
        (each.state === 'queued' || each.id === job.jobId),
    )
    .sort((a, b) => a.createdAt - b.createdAt);
  const place = queue.findIndex((each) => each.id === job.jobId) + 1;
  return { kind: 'wait', reason: `${because} (place ${Math.max(place, 1)})`, delayMs: WAIT_DELAY_MS };
}

/** A vNIC as the job takes it along. */
export function moving({ vm, profiles }: PlanFacts, assigned: VfAssignment): MovingVnic {
  const vnic = vm.vnics.find((each) => each.id === assigned.vnicId);
  if (!vnic) throw new HandoverError('ASSERTION_FAILED', `vNIC ${assigned.vnicName} is not of ${vm.name}`);
  return {
    vnicId: vnic.id,
    name: vnic.name,
    alias: aliasToPlug(vnic),
    mac: vnic.mac,
    managed: vnic.managed,
    vlan: vnic.vlan,
    profileId: vnic.profileId,
    networkId: (vnic.profileId && profiles.get(vnic.profileId)?.networkId) ?? null,
    guestAddress: vnic.guestAddress,
    traitsXml: vnic.traitsXml,
    pool: vnic.pool,
    sourcePf: assigned.sourcePf,
    sourceVf: assigned.sourceVf,
    targetPf: assigned.targetPf,
    targetVf: assigned.targetVf,
    state: assigned.sourceVf === null ? 'unplugged' : 'plugged',
  };
}

function bothSides(
  job: { jobId: JobId; params: MigrateParams },
  targetHostId: HostId,
  vnics: readonly MovingVnic[],
): Reservation[] {
  const common = { jobId: job.jobId, vmId: job.params.vmId, hostId: targetHostId, side: 'target' as const };
  const there = vnics.map(({ vnicId, targetVf }) => ({ ...common, vnicId, vf: targetVf }));
  return [...there, ...sourceSide(job, vnics)];
}

/** Reservations of the VFs that the VM has, for the way back. */
export function sourceSide(
  { jobId, params }: { jobId: JobId; params: MigrateParams },
  vnics: readonly MovingVnic[],
): Reservation[] {
  const common = { jobId, vmId: params.vmId, hostId: params.sourceHostId, side: 'source' as const };
  return vnics.flatMap(({ vnicId, sourceVf }) =>
    sourceVf === null ? [] : [{ ...common, vnicId, vf: sourceVf }],
  );
}

/** Another free VF for one vNIC on a host, reserved for the job; null if none fits. */
export async function reserveReplacement(
  parts: AppParts,
  job: { jobId: JobId; epoch: number; vmId: Vm['id'] },
  hostId: HostId,
  side: 'source' | 'target',
  vnic: Pick<MovingVnic, 'vnicId'>,
  not: readonly PciAddress[],
): Promise<{ pf: string; vf: PciAddress } | null> {
  const facts = await planFacts(parts, job.vmId, null);
  const host = facts.hosts.find((each) => each.id === hostId);
  const stored = facts.vm.vnics.find((each) => each.id === vnic.vnicId);
  if (!host?.inventory || !stored) return null;
  for (const { pf, vf } of candidatesFor(facts, host, stored)) {
    if (not.includes(vf.pciAddress)) continue;
    const reservation: Reservation = {
      hostId,
      vf: vf.pciAddress,
      jobId: job.jobId,
      vmId: job.vmId,
      vnicId: vnic.vnicId,
      side,
    };
    try {
      await parts.store.reservations.reserveAnother(job.jobId, job.epoch, reservation);
      return { pf: pf.name, vf: vf.pciAddress };
    } catch (thrown) {
      if (!isCode(thrown, 'VF_TAKEN')) throw thrown;
    }
  }
  return null;
}
