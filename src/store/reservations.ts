/**
 * VFs held for live jobs. Their primary key is promise 2: one VF of one host, one job. Used through
 * `openStore` only.
 */
import type { Store } from '../app/store-port.ts';
import { HandoverError } from '../base/errors.ts';
import type { HostId, JobId, PciAddress, VmId, VnicId } from '../base/ids.ts';
import type { Reservation } from '../model/job.ts';
import { type Db, json, type Sql } from './db.ts';

interface ReservationRow {
  readonly host_id: HostId;
  readonly vf: PciAddress;
  readonly job_id: JobId;
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

/**
 * In the order of the key, so that two jobs after the same VFs wait for each other in one direction only. A
 * VF the job holds already (the step is repeated after a crash) is taken again; one that another job holds is
 * not returned.
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
        `select * from reservations
         where ($1::uuid is null or host_id = $1) and ($2::uuid is null or job_id = $2) order by host_id, vf`,
        [filter.hostId, filter.jobId],
      );
      return rows.map(toReservation);
    },

    async reserve(jobId, epoch, targetHostId, reservations) {
      await db.transaction(async (sql) => {
        // Removing a host waits for this lock, then finds the job.
        const hosts = [targetHostId, ...reservations.map((each) => each.hostId)];
        await sql.rows('select from hosts where id = any($1::uuid[]) order by id for key share', [hosts]);
        const job = await sql.first(
          `update jobs set target_host_id = $3
           where id = $1 and epoch = $2 and owner is not null returning id`,
          [jobId, epoch, targetHostId],
        );
        if (job === null) {
          throw new HandoverError(
            'CLAIM_LOST',
            `job ${jobId} is no longer owned by who reserves VFs for it`,
            {
              detail: { jobId, epoch },
            },
          );
        }
        await insertReservations(sql, jobId, reservations);
      });
    },

    async release(jobId, side) {
      await db.rows('delete from reservations where job_id = $1 and ($2::text is null or side = $2)', [
        jobId,
        side,
      ]);
    },
  };
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
  const missingHost = () =>
    new HandoverError('NOT_FOUND', `a host of the VFs to reserve for job ${jobId} is no longer there`);
  const held = await sql.rows<{ host_id: HostId; vf: PciAddress }>(RESERVE, [json(rows)], {
    reservations_host: missingHost,
  });
  const taken = reservations.find(
    (each) => !held.some((row) => row.host_id === each.hostId && row.vf === each.vf),
  );
  if (taken) {
    throw new HandoverError('VF_TAKEN', `VF ${taken.vf} was taken by another migration meanwhile`, {
      detail: { hostId: taken.hostId, vf: taken.vf },
    });
  }
}
