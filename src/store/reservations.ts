/**
 * VFs held for live jobs and for single plugs. Their primary key is promise 2: one VF of one host, one
 * holder. Used through `openStore` only.
 *
 * Whatever gives a place away locks the one row of `places` first, so these transactions come one after the
 * other: a choice made from facts that are older than its row's number is refused, and limits that no key can
 * express (migrations per host, memory, a VM with a job or with a hold) hold for any number of engines.
 */
import type { HostClaim, Store, VfClosure, VfHold } from '../app/store-port.ts';
import { HandoverError } from '../base/errors.ts';
import type { HostId, JobId, PciAddress, VmId, VnicId } from '../base/ids.ts';
import type { Reservation } from '../model/job.ts';
import { type Db, expectFound, json, type Sql } from './db.ts';

interface ReservationRow {
  readonly host_id: HostId;
  readonly vf: PciAddress;
  readonly job_id: JobId | null;
  readonly vm_id: VmId;
  readonly vnic_id: VnicId;
  readonly side: 'source' | 'target';
}

const toReservation = (row: ReservationRow): Reservation => ({
  hostId: row.host_id,
  vf: row.vf,
  jobId: row.job_id,
  vmId: row.vm_id,
  vnicId: row.vnic_id,
  side: row.side,
});

/** Of a row of `reservations r`: nobody's any more, because the claim it was made under has ended. */
const IS_VOID = `r.job_id is null and not exists (
  select from host_claims c
  where c.host_id = r.host_id and c.epoch = r.host_epoch and c.lease_until > now())`;

/**
 * In the order of the key, so that two jobs after the same VFs wait for each other in one direction only. A
 * VF the job holds already is taken again; one that another holds is not returned.
 */
const RESERVE = `
  insert into reservations (host_id, vf, job_id, vm_id, vnic_id, side)
  select host_id, vf, job_id, vm_id, vnic_id, side
  from jsonb_populate_recordset(null::reservations, $1) order by host_id, vf
  on conflict (host_id, vf) do update
    set vm_id = excluded.vm_id, vnic_id = excluded.vnic_id, side = excluded.side
    where reservations.job_id = excluded.job_id
  returning host_id, vf`;

/** The `reservations` part of the store. */
export function reservationStore(db: Db): Store['reservations'] {
  return {
    async list(filter = {}) {
      const rows = await db.rows<ReservationRow>(
        `select * from reservations r
         where ($1::uuid is null or host_id = $1) and ($2::uuid is null or job_id = $2) and not (${IS_VOID})
         order by host_id, vf`,
        [filter.hostId, filter.jobId],
      );
      return rows.map(toReservation);
    },

    async version() {
      return (await db.first<{ version: number }>('select version from places'))?.version ?? 0;
    },

    async reserve(jobId, epoch, targetHostId, reservations, version) {
      await db.transaction(async (sql) => {
        await nextPlacesVersion(sql, version);
        await lockHosts(
          sql,
          [targetHostId, ...reservations.map((each) => each.hostId)].filter((id) => id !== null),
        );
        const job = await sql.first(
          `update jobs set target_host_id = $3
           where id = $1 and epoch = $2 and owner is not null returning id`,
          [jobId, epoch, targetHostId],
        );
        if (job === null) throw jobLost(jobId, epoch);
        await sql.rows('delete from reservations where job_id = $1', [jobId]);
        await insertReservations(sql, jobId, reservations);
      });
    },

    async reserveAnother(jobId, epoch, reservation) {
      await db.transaction(async (sql) => {
        await lockHosts(sql, [reservation.hostId]);
        // Whoever ends the job waits for this lock, then frees this one too.
        const job = await sql.first(
          'select from jobs where id = $1 and epoch = $2 and owner is not null for share',
          [jobId, epoch],
        );
        if (job === null) throw jobLost(jobId, epoch);
        await insertReservations(sql, jobId, [reservation]);
      });
    },

    async release(jobId, side) {
      await db.rows('delete from reservations where job_id = $1 and ($2::text is null or side = $2)', [
        jobId,
        side,
      ]);
    },

    hold: (claim, hold) => db.transaction((sql) => takeHold(sql, claim, hold)),
    endHold: (claim, hold, actual) => db.transaction((sql) => endHold(sql, claim, hold, actual)),
    close: (closure, leaseMs) => db.transaction((sql) => closeVfs(sql, closure, leaseMs)),

    async reopen(closureId) {
      await db.rows('delete from closed_vfs where change_id = $1', [closureId]);
    },
  };
}

/**
 * Counts on from `version`, or from whatever it is. The row is locked until the transaction ends. Throws
 * `CHOICE_OUTDATED`.
 */
export async function nextPlacesVersion(sql: Sql, version: number | null): Promise<void> {
  const row = await sql.first(
    'update places set version = version + 1 where $1::bigint is null or version = $1 returning version',
    [version],
  );
  if (row === null) {
    throw new HandoverError(
      'CHOICE_OUTDATED',
      'another migration got a place since hosts and VFs were chosen; choose again',
    );
  }
}

/** Removing a host waits for this lock, then finds the job. */
async function lockHosts(sql: Sql, hostIds: readonly HostId[]): Promise<void> {
  await sql.rows('select from hosts where id = any($1::uuid[]) order by id for key share', [hostIds]);
}

async function insertReservations(
  sql: Sql,
  jobId: JobId,
  reservations: readonly Reservation[],
): Promise<void> {
  const rows = reservations.map((each) => ({
    host_id: each.hostId,
    vf: each.vf,
    job_id: jobId,
    vm_id: each.vmId,
    vnic_id: each.vnicId,
    side: each.side,
  }));
  await removeVoid(sql, [...new Set(reservations.map((each) => each.hostId))]);
  const held = await sql.rows<{ host_id: HostId; vf: PciAddress }>(RESERVE, [json(rows)], {
    reservations_host: () =>
      new HandoverError('NOT_FOUND', `a host of the VFs to reserve for job ${jobId} is no longer there`),
  });
  const lost = reservations.find(
    (each) => !held.some((row) => row.host_id === each.hostId && row.vf === each.vf),
  );
  if (lost) throw taken(lost.hostId, lost.vf);
  for (const { hostId, vf } of reservations) await refuseClosed(sql, hostId, vf);
}

/** To be asked after the host is locked: closing locks it too, so one of the two sees the other. */
async function refuseClosed(sql: Sql, hostId: HostId, vf: PciAddress): Promise<void> {
  const closed = await sql.first(
    'select from closed_vfs where host_id = $1 and $2 = any(vfs) and lease_until > now()',
    [hostId, vf],
  );
  if (closed === null) return;
  throw new HandoverError('VF_TAKEN', `the number of VFs of the PF of ${vf} is being changed`, {
    detail: { hostId, vf },
  });
}

async function closeVfs(sql: Sql, { id, hostId, pf, vfs }: VfClosure, leaseMs: number): Promise<void> {
  expectFound(await sql.first('select from hosts where id = $1 for update', [hostId]), 'host', hostId);
  const held = await sql.first<{ vf: PciAddress; job_id: JobId | null }>(
    `select vf, job_id from reservations r
     where host_id = $1 and vf = any($2::text[]) and not (${IS_VOID}) limit 1`,
    [hostId, vfs],
  );
  if (held !== null) {
    const holder = held.job_id === null ? 'for a vNIC being plugged' : `by job ${held.job_id}`;
    throw new HandoverError('IN_USE', `VF ${held.vf} is reserved ${holder}; try again when that has ended`);
  }
  const closed = await sql.first(
    `insert into closed_vfs (host_id, pf, vfs, change_id, lease_until)
     values ($1, $2, $3, $4, now() + $5 * interval '1 ms')
     on conflict (host_id, pf) do update
       set vfs = excluded.vfs, change_id = excluded.change_id, lease_until = excluded.lease_until
       where closed_vfs.lease_until <= now()
     returning pf`,
    [hostId, pf, vfs, id, leaseMs],
  );
  if (closed === null) {
    throw new HandoverError('IN_USE', `the number of VFs of the PF at ${pf} is being changed already`);
  }
}

async function removeVoid(sql: Sql, hostIds: readonly HostId[]): Promise<void> {
  await sql.rows(`delete from reservations r where r.host_id = any($1::uuid[]) and ${IS_VOID}`, [hostIds]);
}

async function takeHold(sql: Sql, claim: HostClaim, { vmId, vnicId, vf }: VfHold): Promise<void> {
  await nextPlacesVersion(sql, null);
  const mine = await sql.first(
    'select from host_claims where host_id = $1 and owner = $2 and epoch = $3 and lease_until > now()',
    [claim.hostId, claim.owner, claim.epoch],
  );
  if (mine === null) throw hostLost(claim);
  expectFound(
    await sql.first('select from vms where id = $1 and host_id = $2', [vmId, claim.hostId]),
    `VM on host ${claim.hostId}`,
    vmId,
  );
  // A job that is added after this look reserves after this transaction, and then finds the hold.
  const job = await sql.first<{ id: JobId }>('select id from jobs where vm_id = $1 and ended_at is null', [
    vmId,
  ]);
  if (job !== null) throw vmHasJob(job.id, vmId);
  // Its user may have changed their mind since it was chosen for; one that leaves is held to be cleaned up.
  expectFound(
    await sql.first(`select from vnics where id = $1 and (plugged or actual = 'unplug_pending')`, [vnicId]),
    'desired vNIC',
    vnicId,
  );
  await removeVoid(sql, [claim.hostId]);
  const held = await sql.first(
    `insert into reservations (host_id, vf, host_epoch, vm_id, vnic_id, side)
     values ($1, $2, $3, $4, $5, 'source') on conflict do nothing returning vf`,
    [claim.hostId, vf, claim.epoch, vmId, vnicId],
  );
  if (held === null) throw taken(claim.hostId, vf);
  await refuseClosed(sql, claim.hostId, vf);
}

async function endHold(
  sql: Sql,
  claim: HostClaim,
  { vnicId, vf }: VfHold,
  actual: 'plugged' | 'unplugged',
): Promise<void> {
  // What is known of the VM changes: whoever chose before must not reserve for what it was.
  await nextPlacesVersion(sql, null);
  const ended = await sql.first(
    `delete from reservations r
     where host_id = $1 and vf = $2 and vnic_id = $3 and job_id is null and host_epoch = $4
       and not (${IS_VOID}) returning vf`,
    [claim.hostId, vf, vnicId, claim.epoch],
  );
  if (ended === null) throw hostLost(claim);
  // Plugged for a user who does not want it any more: it leaves again.
  await sql.rows(
    `update vnics set vf = $3,
       actual = case when $2 = 'plugged' and not plugged then 'unplug_pending' else $2 end
     where id = $1`,
    [vnicId, actual, actual === 'plugged' ? vf : null],
  );
}

/** For a condition over `vnics n`: a VF is held for it at this moment, so it may become plugged. */
export const IS_HELD = `exists (
  select from reservations r where r.vnic_id = n.id and r.job_id is null and not (${IS_VOID}))`;

/** Why nothing else may change a VM now. */
export const vmHasJob = (jobId: JobId, vmId: VmId): HandoverError =>
  new HandoverError('VM_ALREADY_MIGRATING', `job ${jobId} of VM ${vmId} has not ended yet`);

const taken = (hostId: HostId, vf: PciAddress): HandoverError =>
  new HandoverError('VF_TAKEN', `VF ${vf} was taken by another migration meanwhile`, {
    detail: { hostId, vf },
  });

const jobLost = (jobId: JobId, epoch: number): HandoverError =>
  new HandoverError('CLAIM_LOST', `job ${jobId} is no longer owned by who reserves VFs for it`, {
    detail: { jobId, epoch },
  });

const hostLost = ({ hostId, owner, epoch }: HostClaim): HandoverError =>
  new HandoverError('CLAIM_LOST', `host ${hostId} is no longer owned by ${owner}`, {
    detail: { hostId, epoch },
  });
