/** What a drill found, told from its job: see `../types/guest-view.ts`. Pure. */
import type { PastDrill } from '../../app/drill.ts';
import { isoTime } from '../../base/clock.ts';
import type { JobStep } from '../../model/job.ts';
import type { DrillView } from '../types/guest-view.ts';
import { gapViews } from './job-view.ts';

/** The view of a drill that has ended. */
export function toDrillView({ job, steps }: PastDrill): DrillView {
  const { data } = job;
  const done = (name: string): JobStep | undefined =>
    steps.find((step) => step.name === name && step.vnicId === null && step.state === 'finished');
  const lasted = (name: string): number | null => {
    const step = done(name);
    return step?.endedAt == null ? null : step.endedAt - step.startedAt;
  };
  const pluggedAt = done('plug')?.endedAt;
  const isOver = data.returnedAt != null && pluggedAt != null;
  return {
    jobId: job.id,
    startedAt: isoTime(job.startedAt ?? job.createdAt),
    endedAt: isoTime(job.endedAt ?? job.createdAt),
    ok: job.state === 'succeeded',
    reason: job.state === 'succeeded' ? null : (job.error?.message ?? `it was ${job.state}`),
    durationsMs: {
      shift: lasted('shift'),
      unplug: lasted('unplug'),
      plug: lasted('plug'),
      return: isOver ? Math.max(0, (data.returnedAt ?? 0) - pluggedAt) : null,
    },
    networkGapMs: data.networkGapMs ?? null,
    networkGaps: gapViews(data),
    doubts: [
      ...(data.standbyDoubt ? [data.standbyDoubt] : []),
      ...(data.networkGaps ? [] : ['no engine watched the traffic from the beginning to the end']),
    ],
  };
}
