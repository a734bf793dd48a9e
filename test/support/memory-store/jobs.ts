/** Jobs of the in-memory store: as users see them, and as the saga runner does. */
import type { Store } from '../../../src/app/store-port.ts';
import { HandoverError } from '../../../src/base/errors.ts';
import type { HostId, JobId, VnicId } from '../../../src/base/ids.ts';
import {
  isLive,
  type Job,
  type MigrateParams,
  type MigrationData,
  type NewJob,
} from '../../../src/model/job.ts';
import type { Claim, SagaJob, SagaPatch, SagaStepRecord, SagaStore } from '../../../src/saga/port.ts';
import { found, given, type JobRow, type Tables } from './tables.ts';

/** The `jobs` part. */
export function memoryJobs(tables: Tables): Store['jobs'] {
  const { jobs, live } = tables;
  const row = (id: JobId): JobRow => found(jobs.get(id), 'job', id);
  return {
    async list(filter = {}) {
      const among = filter.live === true ? live : jobs;
      const wanted = [...among.values()]
        .map((each) => each.job)
        .filter((job) => filter.vmId === undefined || job.vmId === filter.vmId)
        .filter((job) => filter.vmIds === undefined || filter.vmIds.includes(job.vmId))
        .filter((job) => filter.kind === undefined || job.kind === filter.kind)
        .filter((job) => filter.live === undefined || isLive(job.state) === filter.live);
      return wanted.reverse().slice(0, filter.limit);
    },
    get: async (id) => jobs.get(id)?.job ?? null,
    steps: async (id) => [...(jobs.get(id)?.steps ?? [])],
    add: async (...job) => addJob(tables, ...job),
    async requestCancel(id) {
      const asked = row(id);
      const { state, pivoted } = asked.job;
      if (pivoted || !['queued', 'running', 'undoing'].includes(state)) return 'too_late';
      asked.job = { ...asked.job, cancelRequested: true };
      asked.runAfterMs = null;
      tables.wake();
      return 'accepted';
    },
    async retry(id) {
      const parked = row(id);
      if (parked.job.state !== 'needs_operator') throw notResumable(parked.job);
      giveUp(parked);
      parked.runAfterMs = null;
      parked.job = { ...parked.job, state: parked.resumeState };
      tables.wake();
      return parked.job;
    },
    async abandon(id, leftBehind, alertKeys) {
      const left = row(id);
      const waits = left.job.state === 'needs_operator' || alertKeys.some((key) => tables.alerts.has(key));
      if (!isLive(left.job.state) || !waits) throw notResumable(left.job);
      giveUp(left);
      left.epoch += 1;
      left.job = {
        ...left.job,
        state: 'failed',
        endedAt: tables.clock.now(),
        data: { ...left.job.data, leftBehind },
      };
      end(tables, id);
      return left.job;
    },
    async promisedMemoryKiB(except) {
      const promised = new Map<HostId, number>();
      for (const { job } of live.values()) {
        const vm = tables.vms.get(job.vmId);
        if (job.targetHostId !== null && job.id !== except && vm)
          promised.set(job.targetHostId, (promised.get(job.targetHostId) ?? 0) + vm.memoryKiB);
      }
      return promised;
    },
    saga: memorySaga(tables),
  };
}

function addJob(tables: Tables, ...[id, params, vmName, correlationId, kind = 'migrate_vm']: NewJob): Job {
  for (const hostId of [params.sourceHostId, params.targetHostId])
    if (hostId !== null) found(tables.hosts.get(hostId), 'host', hostId);
  for (const { job } of tables.live.values())
    if (job.vmId === params.vmId)
      throw new HandoverError('VM_ALREADY_MIGRATING', `VM ${vmName} has a job that has not ended yet`);
  const job: Job = {
    id,
    kind,
    vmId: params.vmId,
    vmName,
    state: 'queued',
    params,
    data: {},
    sourceHostId: params.sourceHostId,
    targetHostId: null,
    stepIndex: 0,
    pivoted: false,
    cancelRequested: false,
    waitReason: null,
    error: null,
    correlationId,
    createdAt: tables.clock.now(),
    startedAt: null,
    endedAt: null,
  };
  const row: JobRow = {
    job,
    owner: null,
    leaseUntilMs: 0,
    epoch: 0,
    runAfterMs: null,
    resumeState: 'running',
    steps: [],
  };
  tables.jobs.set(id, row);
  tables.live.set(id, row);
  tables.wake();
  return job;
}

function notResumable(job: Job): HandoverError {
  return new HandoverError('JOB_NOT_RESUMABLE', `job ${job.id} is ${job.state}`);
}

function giveUp(row: JobRow): void {
  row.owner = null;
  row.leaseUntilMs = 0;
}

function end(tables: Tables, id: JobId): void {
  tables.live.delete(id);
  tables.free(id);
  tables.wake();
}

// ---- the runner's view ----

function memorySaga(tables: Tables): SagaStore<MigrateParams, MigrationData> {
  const { clock } = tables;
  const held = (claim: Claim): JobRow => {
    const row = tables.jobs.get(claim.jobId as JobId);
    if (row && row.epoch === claim.epoch && row.owner === claim.owner) return row;
    throw new HandoverError('CLAIM_LOST', `job ${claim.jobId} is no longer owned by ${claim.owner}`);
  };
  return {
    async claimNext(owner, leaseMs) {
      const nowMs = clock.monotonicMs();
      for (const row of tables.live.values()) {
        if (row.job.state === 'needs_operator') continue;
        if (row.owner !== null && row.leaseUntilMs >= nowMs) continue;
        if (row.runAfterMs !== null && row.runAfterMs > nowMs) continue;
        row.owner = owner;
        row.leaseUntilMs = nowMs + leaseMs;
        row.epoch += 1;
        const claim = { jobId: row.job.id, epoch: row.epoch, owner, leaseUntilMs: row.leaseUntilMs };
        return { claim, job: sagaJob(row.job) };
      }
      return null;
    },
    async renew(claim, leaseMs) {
      claim.leaseUntilMs = clock.monotonicMs() + leaseMs;
      held(claim).leaseUntilMs = claim.leaseUntilMs;
    },
    read: async (claim) => sagaJob(held(claim).job),
    async write(claim, patch) {
      const row = held(claim);
      writeJob(tables, row, patch);
      return sagaJob(row.job);
    },
    async release(claim) {
      const row = tables.jobs.get(claim.jobId as JobId);
      if (row?.epoch !== claim.epoch || row.owner !== claim.owner) return;
      giveUp(row);
      tables.wake();
    },
    onWake(wake) {
      tables.wakes.add(wake);
      return () => tables.wakes.delete(wake);
    },
  };
}

const sagaJob = (job: Job): SagaJob<MigrateParams, MigrationData> => ({
  id: job.id,
  kind: job.kind,
  state: job.state,
  params: job.params,
  data: job.data,
  stepIndex: job.stepIndex,
  pivoted: job.pivoted,
  cancelRequested: job.cancelRequested,
  error: job.error,
});

function writeJob(tables: Tables, row: JobRow, patch: SagaPatch<MigrationData>): void {
  const { job } = row;
  const now = tables.clock.now();
  const state = patch.wait ? 'queued' : patch.state;
  const ends = state !== undefined && !isLive(state);
  if (state === 'needs_operator' && job.state !== 'needs_operator') row.resumeState = job.state;
  row.runAfterMs = patch.wait ? tables.clock.monotonicMs() + patch.wait.delayMs : null;
  row.job = {
    ...job,
    state: state ?? job.state,
    stepIndex: patch.stepIndex ?? job.stepIndex,
    pivoted: job.pivoted || (patch.pivoted ?? false),
    error: patch.error === undefined ? job.error : patch.error,
    data: patch.data ? { ...job.data, ...given(patch.data) } : job.data,
    waitReason: state === undefined ? job.waitReason : (patch.wait?.reason ?? null),
    startedAt: startedAt(job, state, now),
    endedAt: ends ? now : null,
  };
  if (ends || patch.wait) giveUp(row);
  if (patch.step) writeStep(row, patch.step, now);
  if (ends) end(tables, job.id);
}

function startedAt(job: Job, state: Job['state'] | undefined, now: number): number | null {
  if (state === 'queued') return null;
  return state === 'running' || state === 'undoing' ? (job.startedAt ?? now) : job.startedAt;
}

function writeStep(row: JobRow, record: SagaStepRecord, now: number): void {
  const begins = record.state === 'started';
  const vnicId = record.item as VnicId | null;
  const at = row.steps.findIndex((step) => step.name === record.name && step.vnicId === vnicId);
  const known = row.steps[at];
  const step = {
    jobId: row.job.id,
    number: known?.number ?? row.steps.length + 1,
    name: record.name,
    vnicId,
    state: record.state,
    attempts: (known?.attempts ?? 0) + (begins ? 1 : 0),
    message: record.message,
    startedAt: known?.startedAt ?? now,
    endedAt: begins ? null : record.state === 'undone' ? (known?.endedAt ?? now) : now,
  };
  row.steps = at < 0 ? [...row.steps, step] : row.steps.with(at, step);
}
