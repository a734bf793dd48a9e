/**
 * Jobs as users see them. The runner's view of the same rows is in `saga-store.ts`. Used through `openStore`
 * only.
 */
import type { Store } from '../app/store-port.ts';
import type { Clock } from '../base/clock.ts';
import { HandoverError } from '../base/errors.ts';
import { type HostId, isUuid, type JobId, type VnicId } from '../base/ids.ts';
import type { Job, JobFilter, JobStep, NewJob, StepState } from '../model/job.ts';
import { type Db, json, type Sql, toMs, toMsOrNull } from './db.ts';
import { type JobRow, toJob } from './job-row.ts';
import { sagaStore } from './saga-store.ts';
import { NOTIFY_JOB, type WakeListener } from './wake-listener.ts';

interface StepRow {
  readonly job_id: JobId;
  readonly number: number;
  readonly name: string;
  readonly item: string | null;
  readonly state: StepState;
  readonly attempts: number;
  readonly message: string | null;
  readonly started_at: Date;
  readonly ended_at: Date | null;
}

const toStep = (row: StepRow): JobStep => ({
  jobId: row.job_id,
  number: row.number,
  name: row.name,
  vnicId: row.item as VnicId | null,
  state: row.state,
  attempts: row.attempts,
  message: row.message,
  startedAt: toMs(row.started_at),
  endedAt: toMsOrNull(row.ended_at),
});

async function listJobs(db: Db, filter: JobFilter): Promise<Job[]> {
  const rows = await db.rows<JobRow>(
    `select * from jobs
     where ($1::uuid is null or vm_id = $1) and ($2::boolean is null or (ended_at is null) = $2)
       and ($4::uuid[] is null or vm_id = any($4)) and ($5::text is null or kind = $5)
     order by created_at desc, id limit $3`,
    [filter.vmId, filter.live, filter.limit, filter.vmIds, filter.kind],
  );
  return rows.map(toJob);
}

/**
 * The `jobs` part of the store. `list` is newest first. `requestCancel`, `retry` and `abandon` throw
 * `NOT_FOUND` for an unknown job; a parked job (`needs_operator`) takes no cancel: it is retried or
 * abandoned.
 */
export function jobStore(db: Db, clock: Clock, wakes: WakeListener): Store['jobs'] {
  return {
    list: async (filter = {}) => await listJobs(db, filter),

    async get(id) {
      if (!isUuid(id)) return null;
      const row = await db.first<JobRow>('select * from jobs where id = $1', [id]);
      return row && toJob(row);
    },

    async steps(id) {
      if (!isUuid(id)) return [];
      const rows = await db.rows<StepRow>('select * from job_steps where job_id = $1 order by number', [id]);
      return rows.map(toStep);
    },

    add: (...job) => addJob(db, job),
    requestCancel: (id) => requestCancel(db, id),

    async retry(id) {
      const row = await db.first<JobRow>(
        `with retried as (
           update jobs set state = resume_state, owner = null, lease_until = null, run_after = null
           where id = $1 and state = 'needs_operator' returning *)
         select retried.*, ${NOTIFY_JOB} from retried`,
        [id],
      );
      return row ? toJob(row) : await notResumable(db, id);
    },

    async abandon(id, leftBehind, alertKeys) {
      return await db.transaction(async (sql) => {
        const row = await sql.first<JobRow>(
          `with abandoned as (
             update jobs set state = 'failed', ended_at = now(), owner = null, lease_until = null,
               epoch = epoch + 1, data = data || $2::jsonb
             where id = $1 and ended_at is null
               and (state = 'needs_operator' or exists (select 1 from alerts where key = any($3)))
             returning *)
           select abandoned.*, ${NOTIFY_JOB} from abandoned`,
          [id, json({ leftBehind }), alertKeys],
        );
        if (row === null) return await notResumable(sql, id);
        await sql.rows('delete from reservations where job_id = $1', [id]);
        return toJob(row);
      });
    },

    async promisedMemoryKiB(except) {
      const rows = await db.rows<{ host_id: HostId; memory_kib: number }>(
        `select j.target_host_id as host_id, sum(v.memory_kib)::bigint as memory_kib
         from jobs j join vms v on v.id = j.vm_id
         where j.ended_at is null and j.target_host_id is not null and j.id is distinct from $1
         group by j.target_host_id`,
        [except],
      );
      return new Map(rows.map((row) => [row.host_id, row.memory_kib]));
    },

    saga: sagaStore(db, clock, wakes),
  };
}

async function addJob(db: Db, job: NewJob): Promise<Job> {
  const [id, params, vmName, correlationId, kind = 'migrate_vm'] = job;
  return await db.transaction(async (sql) => {
    // Removing a host waits for this lock, then finds the job.
    const hostIds = [params.sourceHostId, ...(params.targetHostId ? [params.targetHostId] : [])];
    const hosts = await sql.rows<{ id: HostId }>(
      'select id from hosts where id = any($1::uuid[]) order by id for key share',
      [hostIds],
    );
    const missing = hostIds.find((each) => !hosts.some((host) => host.id === each));
    if (missing) throw new HandoverError('NOT_FOUND', `there is no host ${missing}`);
    const row = await sql.first<JobRow>(
      `with added as (
         insert into jobs
           (id, kind, vm_id, vm_name, state, params, source_host_id, correlation_id)
         values ($1, $7, $2, $3, 'queued', $4, $5, $6) returning *)
       select added.*, ${NOTIFY_JOB} from added`,
      [id, params.vmId, vmName, json(params), params.sourceHostId, correlationId, kind],
      {
        jobs_one_live_per_vm: () =>
          new HandoverError('VM_ALREADY_MIGRATING', `VM ${vmName} has a job that has not ended yet`),
      },
    );
    return toJob(row as JobRow);
  });
}

/**
 * One statement: whether the job had pivoted is decided by the row's lock, not by an earlier look. A job that
 * waits its turn is due at once, so that the cancel does not wait with it.
 */
async function requestCancel(db: Db, id: JobId): Promise<'accepted' | 'too_late'> {
  const row = await db.first(
    `with cancelled as (
       update jobs set cancel_requested = true, run_after = null
       where id = $1 and state in ('queued', 'running', 'undoing') and not pivoted returning id)
     select ${NOTIFY_JOB} from cancelled`,
    [id],
  );
  if (row !== null) return 'accepted';
  await expectJob(db, id);
  return 'too_late';
}

async function notResumable(sql: Sql, id: JobId): Promise<never> {
  const { state } = await expectJob(sql, id);
  throw new HandoverError(
    'JOB_NOT_RESUMABLE',
    `job ${id} is ${state}; only a job that needs an operator can be retried, and only that or one that ` +
      `waits under an alert can be abandoned`,
  );
}

async function expectJob(sql: Sql, id: JobId): Promise<{ state: string }> {
  const row = await sql.first<{ state: string }>('select state from jobs where id = $1', [id]);
  if (row === null) throw new HandoverError('NOT_FOUND', `there is no job ${id}`);
  return row;
}
