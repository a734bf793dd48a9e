/** Claims of hosts, places of jobs and holds of the in-memory store. */
import type { HostClaim, Store, VfHold } from '../../../src/app/store-port.ts';
import { HandoverError } from '../../../src/base/errors.ts';
import type { HostId, JobId, PciAddress, VnicId } from '../../../src/base/ids.ts';
import type { Reservation } from '../../../src/model/job.ts';
import { type Held, found, type JobRow, sortedBy, type Tables } from './tables.ts';

/** The `hostClaims` part. */
export function memoryHostClaims(tables: Tables): Store['hostClaims'] {
  const { claims, clock } = tables;
  return {
    async take(owner, leaseMs) {
      const nowMs = clock.monotonicMs();
      const taken: HostClaim[] = [];
      for (const hostId of [...tables.hosts.keys()].sort()) {
        const before = claims.get(hostId);
        const mine = before?.owner === owner;
        if (before && !mine && before.leaseUntilMs >= nowMs) continue;
        const epoch = (before?.epoch ?? 0) + (mine ? 0 : 1);
        const claim = { hostId, owner, epoch, leaseUntilMs: nowMs + leaseMs };
        claims.set(hostId, claim);
        taken.push(claim);
      }
      return taken;
    },
    async release(owner) {
      for (const claim of claims.values())
        if (claim.owner === owner && claim.leaseUntilMs > Number.NEGATIVE_INFINITY)
          claims.set(claim.hostId, {
            ...claim,
            leaseUntilMs: Number.NEGATIVE_INFINITY,
            epoch: claim.epoch + 1,
          });
    },
  };
}

const keyOf = (hostId: HostId, vf: PciAddress): string => `${hostId} ${vf}`;

/** The `reservations` part. */
export function memoryReservations(tables: Tables): Store['reservations'] {
  const { reservations } = tables;
  const ours = (jobId: JobId, epoch: number): JobRow => {
    const row = tables.jobs.get(jobId);
    if (row?.epoch === epoch && row.owner !== null) return row;
    throw new HandoverError('CLAIM_LOST', `job ${jobId} is no longer owned by who reserves VFs for it`);
  };
  const refuseTaken: RefuseTaken = (hostId, vf, jobId) => {
    const holder = reservations.get(keyOf(hostId, vf));
    if (tables.planted === 'gives_twice') return;
    for (const closed of tables.closures.values())
      if (closed.hostId === hostId && closed.vfs.includes(vf) && isClosed(tables, closed))
        throw new HandoverError('VF_TAKEN', `the number of VFs of the PF of ${vf} is being changed`);
    if (!holder || isVoid(tables, holder) || (jobId !== null && holder.jobId === jobId)) return;
    throw new HandoverError('VF_TAKEN', `VF ${vf} was taken by another migration meanwhile`, {
      detail: { hostId, vf },
    });
  };
  const refuseGone = ({ hostId }: Reservation): void => void found(tables.hosts.get(hostId), 'host', hostId);
  return {
    list: async (filter = {}) =>
      sortedBy(reservations.values(), (each) => keyOf(each.hostId, each.vf))
        .filter((each) => filter.hostId === undefined || each.hostId === filter.hostId)
        .filter((each) => filter.jobId === undefined || each.jobId === filter.jobId)
        .filter((each) => !isVoid(tables, each))
        .map(({ hostEpoch: _, ...each }) => each),

    version: async () => tables.placesVersion,

    async reserve(jobId, epoch, targetHostId, wanted, version) {
      if (version !== tables.placesVersion && tables.planted !== 'gives_twice')
        throw new HandoverError('CHOICE_OUTDATED', 'another migration got a place meanwhile; choose again');
      const row = ours(jobId, epoch);
      wanted.forEach(refuseGone);
      for (const { hostId, vf } of wanted) refuseTaken(hostId, vf, jobId);
      tables.placesVersion += 1;
      tables.free(jobId);
      for (const each of wanted)
        reservations.set(keyOf(each.hostId, each.vf), { ...each, jobId, hostEpoch: null });
      row.job = { ...row.job, targetHostId };
    },

    async reserveAnother(jobId, epoch, wanted) {
      ours(jobId, epoch);
      refuseGone(wanted);
      refuseTaken(wanted.hostId, wanted.vf, jobId);
      reservations.set(keyOf(wanted.hostId, wanted.vf), { ...wanted, jobId, hostEpoch: null });
    },

    release: async (jobId, side) => tables.free(jobId, side),

    ...memoryHolds(tables, refuseTaken),
    ...memoryClosures(tables),
  };
}

const isClosed = (tables: Tables, closed: { readonly leaseUntilMs: number }): boolean =>
  closed.leaseUntilMs > tables.clock.monotonicMs();

function memoryClosures(tables: Tables): Pick<Store['reservations'], 'close' | 'reopen'> {
  return {
    async close(closure, leaseMs) {
      const { hostId, pf, vfs } = closure;
      found(tables.hosts.get(hostId), 'host', hostId);
      for (const vf of vfs) {
        const holder = tables.reservations.get(keyOf(hostId, vf));
        if (holder && !isVoid(tables, holder)) throw new HandoverError('IN_USE', `VF ${vf} is reserved`);
      }
      const before = tables.closures.get(keyOf(hostId, pf));
      if (before && isClosed(tables, before))
        throw new HandoverError('IN_USE', `the number of VFs of the PF at ${pf} is being changed already`);
      tables.closures.set(keyOf(hostId, pf), {
        ...closure,
        leaseUntilMs: tables.clock.monotonicMs() + leaseMs,
      });
    },
    async reopen(closureId) {
      for (const [key, { id }] of tables.closures) if (id === closureId) tables.closures.delete(key);
    },
  };
}

type RefuseTaken = (hostId: HostId, vf: PciAddress, jobId: JobId | null) => void;

function memoryHolds(
  tables: Tables,
  refuseTaken: RefuseTaken,
): Pick<Store['reservations'], 'hold' | 'endHold'> {
  const { reservations } = tables;
  return {
    async hold(claim, { vmId, vnicId, vf }) {
      const { hostId, epoch } = claim;
      const now = tables.claims.get(hostId);
      if (now?.owner !== claim.owner || now.epoch !== epoch || now.leaseUntilMs <= tables.clock.monotonicMs())
        throw hostLost(claim);
      const vm = tables.vms.get(vmId);
      if (vm?.hostId !== hostId) throw new HandoverError('NOT_FOUND', `there is no VM ${vmId} on ${hostId}`);
      for (const { job } of tables.live.values())
        if (job.vmId === vmId)
          throw new HandoverError('VM_ALREADY_MIGRATING', `job ${job.id} of VM ${vmId} has not ended yet`);
      const vnic = tables.vnics.get(vmId)?.find((each) => each.id === vnicId);
      if (!vnic || (!vnic.plugged && vnic.actual !== 'unplug_pending'))
        throw new HandoverError('NOT_FOUND', `there is no desired vNIC ${vnicId}`);
      refuseTaken(hostId, vf, null);
      tables.placesVersion += 1;
      const held: Held = { hostId, vf, jobId: null, vmId, vnicId, side: 'source', hostEpoch: epoch };
      reservations.set(keyOf(hostId, vf), held);
    },

    async endHold(claim, { vnicId, vf }: VfHold, actual) {
      const key = keyOf(claim.hostId, vf);
      const held = reservations.get(key);
      if (held?.vnicId !== vnicId || held.hostEpoch !== claim.epoch || isVoid(tables, held))
        throw hostLost(claim);
      tables.placesVersion += 1;
      reservations.delete(key);
      const vnic = tables.vnics.get(held.vmId)?.find((each) => each.id === vnicId);
      const leaves = actual === 'plugged' && vnic?.plugged === false;
      const now = leaves ? 'unplug_pending' : actual;
      if (vnic) tables.changeVnic(vnicId, { actual: now, vf: actual === 'plugged' ? vf : null });
    },
  };
}

/** A VF is held for the vNIC at this moment. */
export const isHeld = (tables: Tables, vnicId: VnicId): boolean =>
  [...tables.reservations.values()].some(
    (each) => each.vnicId === vnicId && each.jobId === null && !isVoid(tables, each),
  );

/** A hold under a claim that has ended is nobody's. */
export function isVoid(tables: Tables, { jobId, hostId, hostEpoch }: Held): boolean {
  if (jobId !== null) return false;
  const claim = tables.claims.get(hostId);
  return claim?.epoch !== hostEpoch || claim.leaseUntilMs <= tables.clock.monotonicMs();
}

const hostLost = ({ hostId, owner }: HostClaim): HandoverError =>
  new HandoverError('CLAIM_LOST', `host ${hostId} is no longer owned by ${owner}`);
