/**
 * The steps of a migration or a drill as the timeline shows them: those that were done, the one that runs,
 * and those to come; below unplug and plug a part for every vNIC. Pure.
 */
import type { JobView } from '../../../../src/api/types/job-view.ts';
import type { StepView } from './job-queries.ts';

/**
 * In the order of the engine: what each is there for. A step it has and that is not here is shown as well.
 */
const OF_MIGRATION: Readonly<Record<string, string>> = {
  reserve: 'Holds a VF of the target for every vNIC, and those of the source for the way back.',
  preflight: 'Checks what can be checked without touching anything.',
  disks: 'Makes empty images on the target, if storage is copied.',
  shift: 'Moves traffic to the standby.',
  unplug: 'Asks the guest to give its VFs back.',
  recheck: 'Asks libvirt for what the VFs had hidden from it.',
  transfer: 'Sends the memory until the guest runs on the target; from there only forward.',
  plug: 'Gives every vNIC its VF of the target.',
  verify: 'Looks for traffic on the new VFs.',
  release: 'Clears the source and frees its VFs.',
};
const OF_DRILL: Readonly<Record<string, string>> = {
  reserve: 'Holds the VFs it has, so that nobody takes them while they are out.',
  preflight: 'Looks whether a standby carries the traffic.',
  shift: 'Moves traffic to the standby.',
  unplug: 'Asks the guest to give its VFs back.',
  plug: 'Gives every vNIC the same VF again.',
  verify: 'Sends the traffic over the VFs again, and looks for it there.',
  settle: 'Looks whether everything is as it was.',
};
const aboutOf = ({ kind }: Pick<JobView, 'kind'>) => (kind === 'drill_vm' ? OF_DRILL : OF_MIGRATION);

/** So many steps the job has. */
export const stepCount = (job: Pick<JobView, 'kind'>): number => Object.keys(aboutOf(job)).length;

/** How a step is shown; words are those of `StateLabel`. */
export type RowState = StepView['state'] | 'pending' | 'waiting' | 'undoing' | 'unreached';

/** A step or the part of one. */
export interface TimelineRow {
  /** Unique within the timeline. */
  readonly key: string;
  readonly title: string;
  readonly state: RowState;
  /** What it did or why it failed; of one to come what it is there for. */
  readonly text: string;
  readonly attempts: number;
  /** ms since 1970; null: not begun, and for the end still going on. */
  readonly startMs: number | null;
  readonly endMs: number | null;
  readonly parts: readonly TimelineRow[];
}

/** `transfer` as a title. */
export const stepTitle = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1);

/** Place of a step among all, from 1; 0: not one of those known here. */
export const stepNumber = (job: Pick<JobView, 'kind'>, name: string): number =>
  Object.keys(aboutOf(job)).indexOf(name) + 1;

/** All rows of a job. */
export function timelineOf(job: JobView): readonly TimelineRow[] {
  const about = aboutOf(job);
  const whole = job.steps.filter((step) => step.vnic === null);
  const others = whole.map(({ name }) => name).filter((name) => !(name in about));
  return [...Object.keys(about), ...others].map((name) => {
    const step = whole.find((each) => each.name === name);
    return { ...rowOf(job, step, name, stepTitle(name), about[name] ?? ''), parts: partsOf(job, step, name) };
  });
}

function partsOf(job: JobView, step: StepView | undefined, name: string): readonly TimelineRow[] {
  if ((name !== 'unplug' && name !== 'plug') || step?.state === 'skipped') return [];
  return job.vnics.flatMap((vnic) => {
    const part = job.steps.find((each) => each.name === name && each.vnic === vnic.name);
    if (part === undefined && name === 'unplug' && vnic.sourceVf === null) return [];
    const about = name === 'plug' ? `VF ${vnic.targetVf}` : `VF ${vnic.sourceVf}`;
    return [{ ...rowOf(job, part, `${name} ${vnic.name}`, vnic.name, about), parts: [] }];
  });
}

function rowOf(
  job: JobView,
  step: StepView | undefined,
  key: string,
  title: string,
  about: string,
): Omit<TimelineRow, 'parts'> {
  if (step === undefined) {
    const state = job.ended || job.state === 'undoing' ? 'unreached' : 'pending';
    return { key, title, state, text: about, attempts: 0, startMs: null, endMs: null };
  }
  return {
    key,
    title,
    state: shownState(job, step),
    text: step.message ?? about,
    attempts: step.attempts,
    startMs: Date.parse(step.startedAt),
    endMs: endOf(job, step),
  };
}

function shownState(job: JobView, step: StepView): RowState {
  if (job.state === 'undoing' && step.vnic === null && job.step === step.name && step.state !== 'undone')
    return 'undoing';
  if (step.state !== 'started') return step.state;
  if (job.state === 'queued') return 'waiting';
  // It was cut off, and what is left of it is taken back or was given up.
  return job.ended || job.state === 'needs_operator' ? 'failed' : 'started';
}

function endOf(job: JobView, step: StepView): number | null {
  return step.endedAt === null ? stoodStillMs(job) : Date.parse(step.endedAt);
}

/** When it ended, or stopped for an operator: nothing ticks from there. Null: it goes on. */
export function stoodStillMs({ state, endedAt, steps }: JobView): number | null {
  if (endedAt !== null) return Date.parse(endedAt);
  const ends = steps.flatMap((step) => (step.endedAt === null ? [] : [Date.parse(step.endedAt)]));
  return state === 'needs_operator' && ends.length > 0 ? Math.max(...ends) : null;
}
