/**
 * The reserve step's other half: is there room in the two hosts' queues, which host, which VFs; then one
 * transaction. Choosing and reserving happen under one lock of this engine, so that its own jobs do not race
 * each other; the database's unique key on (host, VF) decides between engines.
 */
import { HandoverError, isCode } from '../base/errors.ts';
import type { HostId, JobId, PciAddress } from '../base/ids.ts';
import type { MigrateParams, MovingVnic, Reservation, Job } from '../model/job.ts';
import type { MigrationPlan, VfAssignment } from '../model/plan.ts';
import type { Vm } from '../model/vm.ts';
import type { Reserved } from '../migration/port.ts';
import { candidatesFor } from '../scheduler/judge-host.ts';
import { type PlanFacts, planMigration } from '../scheduler/plan-migration.ts';
import { planFacts } from './facts.ts';
import type { AppParts } from './parts.ts';

const WAIT_DELAY_MS = 1_000;
/** A VF can be lost to another engine between choice and transaction; then the choice is made again. */
const CHOICES_MAX = 5;

/** One line of people waiting; a promise chain, released in order. */
export class Turnstile {
  #last: Promise<unknown> = Promise.resolve();

  /** Runs `work` after all earlier ones have ended. */
  through<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(work, work);
    this.#last = mine.catch(() => undefined);
    return mine;
  }
}

/** Chooses and reserves. Throws `VM_NOT_MIGRATABLE` or `NO_HOST_FITS` with every reason. */
export async function reserveMigration(
  parts: AppParts,
  job: { jobId: JobId; epoch: number; params: MigrateParams },
): Promise<Reserved> {
  for (let choice = 1; ; choice++) {
    const facts = await planFacts(parts, job.params.vmId, job.jobId);
    const live = await parts.store.jobs.list({ live: true });
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
    const vnics = chosen.assignment.map((each) => moving(facts.vm, each));
    try {
      const reservations = bothSides(job, chosen.hostId, vnics);
      await parts.store.reservations.reserve(job.jobId, job.epoch, chosen.hostId, reservations);
    } catch (thrown) {
      if (isCode(thrown, 'VF_TAKEN') && choice < CHOICES_MAX) continue;
      throw thrown;
    }
    const warnings = [...plan.warnings, ...chosen.warnings].map((warning) => warning.message);
    return { kind: 'reserved', targetHostId: chosen.hostId, protocol: chosen.protocol, vnics, warnings };
  }
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
  // Only jobs that have reserved hold a place. One that is about to look for itself does not: two that wait
  // for the same host would count each other for ever.
  const reserved = new Set([...facts.reservations.values()].map((each) => each.jobId));
  const running = live.filter(
    (job) => job.id !== self && (reserved.has(job.id) || job.data.targetHostId !== undefined),
  );
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
        each.sourceHostId === job.params.sourceHostId && (each.state === 'queued' || each.id === job.jobId),
    )
    .sort((a, b) => a.createdAt - b.createdAt);
  const place = queue.findIndex((each) => each.id === job.jobId) + 1;
  return { kind: 'wait', reason: `${because} (place ${Math.max(place, 1)})`, delayMs: WAIT_DELAY_MS };
}

function moving(vm: Vm, assigned: VfAssignment): MovingVnic {
  const vnic = vm.vnics.find((each) => each.id === assigned.vnicId);
  if (!vnic || vnic.alias === null)
    throw new HandoverError('ASSERTION_FAILED', `vNIC ${assigned.vnicName} was planned without an alias`);
  return {
    vnicId: vnic.id,
    name: vnic.name,
    alias: vnic.alias,
    mac: vnic.mac,
    managed: vnic.managed,
    vlan: vnic.vlan,
    guestAddress: vnic.guestAddress,
    traitsXml: vnic.traitsXml,
    pool: vnic.pool,
    sourcePf: assigned.sourcePf,
    sourceVf: assigned.sourceVf,
    targetPf: assigned.targetPf,
    targetVf: assigned.targetVf,
    state: 'plugged',
  };
}

function bothSides(
  job: { jobId: JobId; params: MigrateParams },
  targetHostId: HostId,
  vnics: readonly MovingVnic[],
): Reservation[] {
  const common = { jobId: job.jobId, vmId: job.params.vmId };
  return vnics.flatMap((vnic) => [
    { ...common, vnicId: vnic.vnicId, hostId: targetHostId, vf: vnic.targetVf, side: 'target' as const },
    {
      ...common,
      vnicId: vnic.vnicId,
      hostId: job.params.sourceHostId,
      vf: vnic.sourceVf,
      side: 'source' as const,
    },
  ]);
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
      await parts.store.reservations.reserve(
        job.jobId,
        job.epoch,
        side === 'target' ? hostId : await targetOf(parts, job.jobId),
        [reservation],
      );
      return { pf: pf.name, vf: vf.pciAddress };
    } catch (thrown) {
      if (!isCode(thrown, 'VF_TAKEN')) throw thrown;
    }
  }
  return null;
}

async function targetOf(parts: AppParts, jobId: JobId): Promise<HostId> {
  const job = await parts.store.jobs.get(jobId);
  if (!job?.targetHostId) throw new HandoverError('ASSERTION_FAILED', `job ${jobId} has no target`);
  return job.targetHostId;
}
