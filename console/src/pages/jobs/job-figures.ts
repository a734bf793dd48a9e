/** What is measured of a job besides its steps. Pure. */
import type { JobView } from '../../../../src/api/types/job-view.ts';
import { stoodStillMs } from './job-steps.ts';

const msOf = (iso: string | null): number | null => (iso === null ? null : Date.parse(iso));

/** How long it has been going, or took; null: it waits. */
export function durationMs(job: JobView, nowMs: number): number | null {
  const startMs = msOf(job.startedAt);
  return startMs === null ? null : Math.max(0, (stoodStillMs(job) ?? nowMs) - startMs);
}

/** How long traffic was on the standby. `isOver`: the VFs are in again. */
export interface OnStandby {
  readonly ms: number;
  readonly isOver: boolean;
}

/**
 * From when the guest was asked for its VFs until the last was plugged; of a job that was taken back until
 * its end. Null: it was not asked.
 */
export function onStandby(job: JobView, nowMs: number): OnStandby | null {
  const fromMs = msOf(job.moments.unplugAskedAt);
  if (fromMs === null) return null;
  const plugs = job.steps.filter(({ name, vnic }) => name === 'plug' && vnic !== null);
  const plugged = plugs.flatMap(({ state, endedAt }) =>
    state === 'finished' && endedAt !== null ? [Date.parse(endedAt)] : [],
  );
  const isPlugged = job.vnics.length > 0 && plugged.length === job.vnics.length;
  const isTakenBack = job.ended && !job.pivoted;
  const toMs = isPlugged ? Math.max(...plugged) : (stoodStillMs(job) ?? nowMs);
  return { ms: Math.max(0, toMs - fromMs), isOver: isPlugged || isTakenBack };
}

/** Until the guest runs on the target a figure of the switchover can not be known. */
export function unknownText({ ended, downtimeMs }: JobView): string {
  return ended || downtimeMs !== null ? 'not measured' : 'known at the end';
}
