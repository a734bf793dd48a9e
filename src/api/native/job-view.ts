/**
 * Jobs as the native API shows them: everything Handover knows of a migration or a drill, see
 * `../types/job-view.ts`. Pure.
 */
import { currentStep } from '../../app/live-job.ts';
import { isoTime } from '../../base/clock.ts';
import { isLive, type Job, type JobStep, type MigrationData } from '../../model/job.ts';
import type { JobView } from '../types/job-view.ts';

const timeOf = (ms: number | null): string | null => (ms === null ? null : isoTime(ms));

/** The view of a job. `hostNames` by id; a host that is gone is shown by its id. */
export function toJobView(
  job: Job,
  steps: readonly JobStep[],
  hostNames: ReadonlyMap<string, string>,
): JobView {
  const nameOf = (id: string) => hostNames.get(id) ?? id;
  const { data } = job;
  const vnics = data.vnics ?? [];
  const targetId = job.targetHostId ?? job.params.targetHostId;
  return {
    id: job.id,
    kind: job.kind,
    vm: job.vmName,
    vmId: job.vmId,
    source: nameOf(job.sourceHostId),
    sourceId: job.sourceHostId,
    target: targetId === null ? null : nameOf(targetId),
    targetId,
    step: currentStep(job),
    state: job.state,
    ended: !isLive(job.state),
    pivoted: job.pivoted,
    cancelRequested: job.cancelRequested,
    waitReason: job.waitReason,
    protocol: data.protocol ?? null,
    createdAt: isoTime(job.createdAt),
    startedAt: timeOf(job.startedAt),
    endedAt: timeOf(job.endedAt),
    steps: steps.map((step) => ({
      name: step.name,
      vnic:
        step.vnicId === null
          ? null
          : (vnics.find((each) => each.vnicId === step.vnicId)?.name ?? step.vnicId),
      state: step.state,
      attempts: step.attempts,
      message: step.message,
      startedAt: isoTime(step.startedAt),
      endedAt: timeOf(step.endedAt),
    })),
    vnics: vnics.map(({ name, mac, sourcePf, sourceVf, targetPf, targetVf, state }) => ({
      name,
      mac,
      sourcePf,
      sourceVf,
      targetPf,
      targetVf,
      state,
    })),
    progress: data.progress ?? null,
    samples: steps.length === 0 ? [] : (data.samples ?? []),
    moments: {
      unplugAskedAt: timeOf(data.unplugAskedAt ?? null),
      transferStartedAt: timeOf(data.transferStartedAt ?? null),
      resumedAt: timeOf(data.resumedAt ?? null),
      plugAskedAt: timeOf(data.plugAskedAt ?? null),
      performReturnedAt: timeOf(data.performReturnedAt ?? null),
      returnedAt: timeOf(data.returnedAt ?? null),
    },
    downtimeMs: data.downtimeMs ?? null,
    networkGapMs: data.networkGapMs ?? null,
    networkGaps: gapViews(data),
    warnings: data.warnings ?? [],
    leftBehind: data.leftBehind ?? [],
    error: job.error === null ? null : { code: job.error.code, message: job.error.message },
  };
}

/** Gaps as they were measured, vNICs by name. */
export const gapViews = ({ networkGaps = [], vnics = [] }: MigrationData): JobView['networkGaps'] =>
  networkGaps.map(({ vnicId, ...gap }) => ({
    vnic: vnicId && (vnics.find((vnic) => vnic.vnicId === vnicId)?.name ?? vnicId),
    ...gap,
  }));
