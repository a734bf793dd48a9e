/**
 * `/jobs` and `/jobs/ID/steps` in oVirt's words only: what Handover knows beyond them (VFs, figures, queue
 * place) is in
 * `/api/jobs/ID`. A skipped step is `finished`, an undone one `aborted`; our phase is in the step's
 * description.
 */
import type { JobState, JobStep, StepState, Job } from '../../model/job.ts';
import { notFound } from './look.ts';
import { type Call, intQuery, many, one, param, type Route } from './route.ts';
import { jobType, stepType } from './schema/index.ts';
import { stableId } from './stable-id.ts';
import { userRef } from './users.ts';
import type { Entity } from './wire/fields.ts';

type OvirtStatus = 'started' | 'finished' | 'failed' | 'aborted';

const JOB_STATUS: Readonly<Record<JobState, OvirtStatus>> = {
  queued: 'started',
  running: 'started',
  undoing: 'started',
  // Still live: it waits for `job retry` or `job abandon`.
  needs_operator: 'started',
  succeeded: 'finished',
  failed: 'failed',
  cancelled: 'aborted',
};

const STEP_STATUS: Readonly<Record<StepState, OvirtStatus>> = {
  started: 'started',
  finished: 'finished',
  skipped: 'finished',
  failed: 'failed',
  undone: 'aborted',
};

/** Phases of a migration and a drill by their step's name: oVirt's type and a phrase for a person. */
const PHASES: Readonly<Record<string, { type: 'validating' | 'executing' | 'finalizing'; phrase: string }>> =
  {
    reserve: { type: 'validating', phrase: 'Reserving virtual functions' },
    preflight: { type: 'validating', phrase: 'Checking source and target' },
    disks: { type: 'executing', phrase: 'Preparing copies of local disks' },
    shift: { type: 'executing', phrase: 'Moving traffic to the standby path' },
    unplug: { type: 'executing', phrase: 'Unplugging virtual functions' },
    recheck: { type: 'validating', phrase: 'Checking again without virtual functions' },
    transfer: { type: 'executing', phrase: 'Moving the running VM' },
    plug: { type: 'executing', phrase: 'Plugging virtual functions' },
    verify: { type: 'finalizing', phrase: 'Verifying traffic' },
    release: { type: 'finalizing', phrase: 'Releasing the source' },
    settle: { type: 'finalizing', phrase: 'Comparing with what was before' },
  };

/** A job as oVirt shows it. `hostNames` by id; `now` in wall-clock ms. */
export function toJob(job: Job, hostNames: ReadonlyMap<string, string>, now: number): Entity<typeof jobType> {
  const href = `jobs/${job.id}`;
  const name = (id: string | null) => (id === null ? null : (hostNames.get(id) ?? id));
  const source = name(job.sourceHostId);
  const target = name(job.targetHostId ?? job.params.targetHostId);
  const to = target === null ? '' : ` to Host ${target}`;
  const deed =
    job.kind === 'drill_vm'
      ? `Rehearsing on Host ${source} a migration of VM ${job.vmName}`
      : `Migrating VM ${job.vmName} from Host ${source}${to}`;
  const waiting = job.state === 'queued' && job.waitReason !== null ? ` (waiting: ${job.waitReason})` : '';
  return {
    id: job.id,
    href,
    auto_cleared: true,
    description: `${deed}${waiting}`,
    end_time: job.endedAt,
    external: false,
    last_updated: job.endedAt ?? now,
    start_time: job.startedAt ?? job.createdAt,
    status: JOB_STATUS[job.state],
    link: [{ rel: 'steps', href: `${href}/steps` }],
  };
}

const stepId = (step: JobStep): string => stableId('step', step.jobId, step.number);

/** A step as oVirt shows it; `vnicNames` by id. Steps of one vNIC are below the step of the phase. */
export function toStep(
  step: JobStep,
  all: readonly JobStep[],
  vnicNames: ReadonlyMap<string, string>,
): Entity<typeof stepType> {
  const href = `jobs/${step.jobId}/steps`;
  const phase = PHASES[step.name];
  const parent =
    step.vnicId === null ? undefined : all.find((each) => each.name === step.name && each.vnicId === null);
  const vnic = step.vnicId === null ? '' : ` of ${vnicNames.get(step.vnicId) ?? step.vnicId}`;
  const skipped = step.state === 'skipped' ? ' (skipped)' : '';
  const message = step.message === null ? '' : `: ${step.message}`;
  return {
    id: stepId(step),
    href: `${href}/${stepId(step)}`,
    description: `${step.name}${vnic} - ${phase?.phrase ?? step.name}${skipped}${message}`,
    end_time: step.endedAt,
    external: false,
    job: { id: step.jobId, href: `jobs/${step.jobId}` },
    number: step.number,
    parent_step: parent ? { id: stepId(parent), href: `${href}/${stepId(parent)}` } : null,
    start_time: step.startedAt,
    status: STEP_STATUS[step.state],
    type: phase?.type ?? 'executing',
  };
}

async function stepsOf(call: Call): Promise<Entity<typeof stepType>[]> {
  const { job, steps } = await call.look.job(param(call, 'jobId'));
  const moving = (job.data.vnics ?? []).map((each): [string, string] => [each.vnicId, each.name]);
  return steps.map((step) => toStep(step, steps, new Map(moving)));
}

/** The routes of jobs. `now` is the wall clock in ms. */
export function jobRoutes(now: () => number): readonly Route[] {
  const withOwner = async (call: Call, job: Job): Promise<Entity<typeof jobType>> => {
    const hostNames = new Map(
      (await call.look.hosts()).map((host): [string, string] => [host.id, host.name]),
    );
    return { ...toJob(job, hostNames, now()), owner: userRef(call.caller.user) };
  };
  return [
    {
      method: 'GET',
      path: 'jobs',
      run: async (call) => {
        const limit = intQuery(call, 'max');
        const jobs = await call.useCases.listJobs(
          call.caller,
          limit !== null && limit > 0 && !call.query.get('search') ? { limit } : {},
        );
        const newestFirst = [...jobs].sort((a, b) => b.createdAt - a.createdAt);
        return many(jobType, await Promise.all(newestFirst.map((job) => withOwner(call, job))));
      },
    },
    {
      method: 'GET',
      path: 'jobs/:jobId',
      run: async (call) => {
        const { job } = await call.look.job(param(call, 'jobId'));
        return one(jobType, await withOwner(call, job));
      },
    },
    { method: 'GET', path: 'jobs/:jobId/steps', run: async (call) => many(stepType, await stepsOf(call)) },
    {
      method: 'GET',
      path: 'jobs/:jobId/steps/:stepId',
      run: async (call) => {
        const id = param(call, 'stepId');
        const step = (await stepsOf(call)).find((each) => each.id === id);
        if (!step) throw notFound('step', id);
        return one(stepType, step);
      },
    },
  ];
}
