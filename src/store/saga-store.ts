/**
 * Jobs as the saga runner sees them: claimed with a lease, fenced by an epoch. Used through `openStore` only.
 *
 * Every write names id, epoch and owner in its `where`; a replica that lost its claim changes nothing,
 * however late it wakes. Leases are measured by the database's clock alone, so replicas need not agree on the
 * time; the owner's own copy (`leaseUntilMs`) is counted from before it asked and therefore ends first.
 */
import type { Clock } from '../base/clock.ts';
import { HandoverError } from '../base/errors.ts';
import type { MigrateParams, MigrationData } from '../model/job.ts';
import type { Claim, SagaPatch, SagaStepRecord, SagaStore } from '../saga/port.ts';
import { type Db, json, type Sql } from './db.ts';
import { type JobRow, toSagaJob } from './job-row.ts';
import { NOTIFY_JOB, type WakeListener } from './wake-listener.ts';

/**
 * SKIP LOCKED: claimers that come at once take different jobs instead of waiting for the same. Oldest first.
 */
const CLAIM_NEXT = `
  update jobs set owner = $1, lease_until = now() + $2 * interval '1 millisecond', epoch = epoch + 1
  where id = (
    select id from jobs
    where state in ('queued', 'running', 'undoing')
      and (owner is null or lease_until < now())
      and (run_after is null or run_after <= now())
    order by created_at, id limit 1
    for update skip locked)
  returning *`;

/** $1 id, $2 epoch, $3 owner. */
const HOLDS_CLAIM = 'id = $1 and epoch = $2 and owner = $3';

/**
 * `pivoted` is one-way. A write that ends the job or sets it aside gives the claim up; one that parks it
 * remembers what it was doing. A job that is queued again has not started. $4 state, $5 step index, $6
 * pivoted, $7 set error, $8 error, $9 data, $10 wait reason, $11 wait ms, $12 ends, $13 gives up the claim.
 */
const WRITE_JOB = `
  update jobs set
    state = coalesce($4, state),
    resume_state = case
      when $4 = 'needs_operator' and state <> 'needs_operator' then state
      else resume_state end,
    step_index = coalesce($5, step_index),
    pivoted = pivoted or coalesce($6, false),
    error = case when $7 then $8::jsonb else error end,
    data = data || coalesce($9::jsonb, '{}'),
    wait_reason = case when $4 is null then wait_reason else $10 end,
    run_after = now() + $11 * interval '1 millisecond',
    started_at = case
      when $4 = 'queued' then null
      when $4 in ('running', 'undoing') then coalesce(started_at, now())
      else started_at end,
    ended_at = case when $12 then now() end,
    owner = case when $13 then null else owner end,
    lease_until = case when $13 then null else lease_until end
  where ${HOLDS_CLAIM}
  returning *`;

/** Runs after the job's row is locked by the write, so `number` cannot be given twice. */
const WRITE_STEP = `
  insert into job_steps (job_id, number, name, item, state, attempts, message, started_at, ended_at)
  select $1, coalesce(max(number), 0) + 1, $2, $3, $4, case when $4 = 'started' then 1 else 0 end, $5, now(),
    case when $4 = 'started' then null else now() end
  from job_steps where job_id = $1
  on conflict on constraint job_steps_one_row_per_item do update set
    state = excluded.state,
    message = excluded.message,
    attempts = job_steps.attempts + excluded.attempts,
    ended_at = case excluded.state
      when 'started' then null
      when 'undone' then coalesce(job_steps.ended_at, now())
      else now() end`;

const ENDED = ['succeeded', 'failed', 'cancelled'];

/** The `jobs.saga` part of the store. */
export function sagaStore(
  db: Db,
  clock: Clock,
  wakes: WakeListener,
): SagaStore<MigrateParams, MigrationData> {
  return {
    async claimNext(owner, leaseMs) {
      const askedAtMs = clock.monotonicMs();
      const row = await db.first<JobRow>(CLAIM_NEXT, [owner, leaseMs]);
      if (row === null) return null;
      const claim: Claim = { jobId: row.id, epoch: row.epoch, owner, leaseUntilMs: askedAtMs + leaseMs };
      return { claim, job: toSagaJob(row) };
    },

    async renew(claim, leaseMs) {
      const askedAtMs = clock.monotonicMs();
      const row = await db.first(
        `update jobs set lease_until = now() + $4 * interval '1 millisecond'
         where ${HOLDS_CLAIM} returning id`,
        [...keyOf(claim), leaseMs],
      );
      if (row === null) throw claimLost(claim);
      claim.leaseUntilMs = askedAtMs + leaseMs;
    },

    async read(claim) {
      const row = await db.first<JobRow>(`select * from jobs where ${HOLDS_CLAIM}`, keyOf(claim));
      if (row === null) throw claimLost(claim);
      return toSagaJob(row);
    },

    write: (claim, patch) => db.transaction(async (sql) => toSagaJob(await writeJob(sql, claim, patch))),

    async release(claim) {
      await db.rows(
        `with released as (
           update jobs set owner = null, lease_until = null where ${HOLDS_CLAIM} returning id)
         select ${NOTIFY_JOB} from released`,
        keyOf(claim),
      );
    },

    onWake: (wake) => wakes.onWake(wake),
  };
}

async function writeJob(sql: Sql, claim: Claim, patch: SagaPatch<MigrationData>): Promise<JobRow> {
  const state = patch.wait ? 'queued' : patch.state;
  const ends = state !== undefined && ENDED.includes(state);
  const row = await sql.first<JobRow>(WRITE_JOB, [
    ...keyOf(claim),
    state,
    patch.stepIndex,
    patch.pivoted,
    patch.error !== undefined,
    patch.error && json(patch.error),
    patch.data && json(patch.data),
    patch.wait?.reason,
    patch.wait?.delayMs,
    ends,
    ends || patch.wait !== undefined,
  ]);
  if (row === null) throw claimLost(claim);
  if (patch.step) await sql.rows(WRITE_STEP, [claim.jobId, ...stepColumns(patch.step)]);
  if (ends) {
    await sql.rows('delete from reservations where job_id = $1', [claim.jobId]);
    await sql.rows(`select ${NOTIFY_JOB} from jobs where id = $1`, [claim.jobId]);
  }
  return row;
}

const keyOf = (claim: Claim) => [claim.jobId, claim.epoch, claim.owner];

const stepColumns = (step: SagaStepRecord) => [
  step.name,
  step.item,
  step.state,
  step.message?.replaceAll('\0', '') ?? null,
];

function claimLost(claim: Claim): HandoverError {
  return new HandoverError(
    'CLAIM_LOST',
    `job ${claim.jobId} is no longer owned by ${claim.owner}; its new owner goes on from what it finds`,
    { detail: { jobId: claim.jobId, epoch: claim.epoch } },
  );
}
