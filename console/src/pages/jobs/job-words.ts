/** A job in sentences: where it stands, and what changed between two looks at it. Pure. */
import type { AlertView, JobView } from '../../../../src/api/types/job-view.ts';
import { stepCount, stepNumber, stepTitle } from './job-steps.ts';

/** How much of the memory is across, 0 to 1; null: not known. */
export function memorySent({ progress }: Pick<JobView, 'progress'>): number | null {
  if (progress === null || progress.bytesTotal <= 0) return null;
  return Math.min(1, Math.max(0, 1 - progress.bytesRemaining / progress.bytesTotal));
}

/** What it is called: `migration`. */
export const nounOf = ({ kind }: Pick<JobView, 'kind'>): string =>
  kind === 'drill_vm' ? 'drill' : 'migration';

/** `host-a to host-b`, or `drill on host-a`. */
export const wayText = ({ kind, source, target }: Pick<JobView, 'kind' | 'source' | 'target'>): string =>
  kind === 'drill_vm' ? `drill on ${source}` : `${source} to ${target ?? 'a host that is not chosen yet'}`;

/**
 * How far it is, 0 to 1, by its steps; the memory counts within the transfer. Of one taken back: how far it
 * still is.
 */
export function jobProgress(job: JobView): number {
  if (job.state === 'succeeded') return 1;
  if (job.step === null) return 0;
  const within = job.step === 'transfer' && !job.pivoted ? (memorySent(job) ?? 0) : 0;
  return (Math.max(0, stepNumber(job, job.step) - 1) + within) / stepCount(job);
}

/** Where a live job stands: `Transfer (7 of 10), 43 % of the memory sent`. */
export function standText(job: JobView): string {
  if (job.state === 'queued') return job.waitReason === null ? 'Begins' : `Waits: ${job.waitReason}`;
  if (job.step === null) return 'Comes to its end';
  const step = `${stepTitle(job.step)} (${stepNumber(job, job.step)} of ${stepCount(job)})`;
  if (job.state === 'undoing') return `Takes back: ${step}`;
  if (job.state === 'needs_operator') return `Stopped at: ${step}`;
  const sent = job.step === 'transfer' ? memorySent(job) : null;
  return sent === null ? step : `${step}, ${Math.floor(sent * 100)} % of the memory sent`;
}

/** What a list says of a job: where it stands, how it ended and why. */
export function outcomeText(job: JobView): string {
  const { state, error, source, target, vnics } = job;
  if (state === 'needs_operator') return error?.message ?? standText(job);
  if (!job.ended) return standText(job);
  if (state === 'failed') return error?.message ?? 'It was given up.';
  if (state === 'cancelled') return `The VM stayed on ${source}.`;
  if (job.kind === 'drill_vm') return 'Everything is as it was.';
  const out = vnics.filter((vnic) => vnic.state !== 'plugged').map((vnic) => vnic.name);
  return out.length === 0
    ? `The VM moved to ${target ?? 'its target'}.`
    : `The VM arrived on ${target ?? 'its target'} without ${out.join(', ')} in its VF.`;
}

/** How it ended, or stopped, as a sentence. */
function endText(job: JobView): string {
  const where = job.kind === 'drill_vm' ? `on ${job.source}` : `from ${wayText(job)}`;
  const way = `The ${nounOf(job)} of ${job.vm} ${where}`;
  switch (job.state) {
    case 'succeeded':
      return `${way} succeeded.`;
    case 'failed':
      return `${way} failed. ${job.error?.message ?? ''}`.trim();
    case 'cancelled':
      return `${way} was cancelled; the VM stayed on ${job.source}.`;
    case 'needs_operator':
      return `${way} stopped and needs you. ${job.error?.message ?? ''}`.trim();
    default:
      return '';
  }
}

/** What somebody who listens is told of a change; empty: nothing worth it. */
export function changeText(before: JobView, after: JobView): string {
  const isOver = after.ended || after.state === 'needs_operator';
  if (isOver) return before.state === after.state ? '' : endText(after);
  const said: string[] = [];
  if (after.state === 'undoing' && before.state !== 'undoing') {
    const stays = after.kind === 'drill_vm' ? 'as it was' : 'on its source';
    said.push(`The ${nounOf(after)} is taken back; the VM stays ${stays}.`);
  }
  if (after.pivoted && !before.pivoted && after.kind === 'migrate_vm')
    said.push(`${after.vm} runs on ${after.target ?? 'the target'}.`);
  const isElsewhere = before.step !== after.step || before.state !== after.state;
  if (isElsewhere && after.step !== null) {
    said.push(`Step ${stepTitle(after.step)} ${after.state === 'undoing' ? 'is taken back' : 'has begun'}.`);
  }
  if (after.waitReason !== null && after.waitReason !== before.waitReason)
    said.push(`Waits: ${after.waitReason}.`);
  return said.join(' ');
}

/** The job an alert is about, from its key; null: none. */
export const jobOfAlert = ({ key }: Pick<AlertView, 'key'>): string | null =>
  /^(?:job|hold|source):(.+)$/.exec(key)?.[1] ?? null;
