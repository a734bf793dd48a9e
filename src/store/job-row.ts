/** A row of `jobs` and the two nouns it stands for: the job as users see it, and as the saga runner does. */
import type { ErrorRecord } from '../base/errors.ts';
import type { HostId, JobId, VmId } from '../base/ids.ts';
import type { Job, JobKind, JobState, MigrateParams, MigrationData } from '../model/job.ts';
import type { SagaJob } from '../saga/port.ts';
import { toMs, toMsOrNull } from './db.ts';

/** The columns read; `select *` has a few more. */
export interface JobRow {
  readonly id: JobId;
  readonly kind: JobKind;
  readonly vm_id: VmId;
  readonly vm_name: string;
  readonly state: JobState;
  readonly params: MigrateParams;
  readonly data: MigrationData;
  readonly source_host_id: HostId;
  readonly target_host_id: HostId | null;
  readonly step_index: number;
  readonly pivoted: boolean;
  readonly cancel_requested: boolean;
  readonly wait_reason: string | null;
  readonly error: ErrorRecord | null;
  readonly correlation_id: string | null;
  readonly created_at: Date;
  readonly started_at: Date | null;
  readonly ended_at: Date | null;
  readonly owner: string | null;
  readonly epoch: number;
}

/** The job as users see it. */
export const toJob = (row: JobRow): Job => ({
  id: row.id,
  kind: row.kind,
  vmId: row.vm_id,
  vmName: row.vm_name,
  state: row.state,
  params: row.params,
  data: row.data,
  sourceHostId: row.source_host_id,
  targetHostId: row.target_host_id,
  stepIndex: row.step_index,
  pivoted: row.pivoted,
  cancelRequested: row.cancel_requested,
  waitReason: row.wait_reason,
  error: row.error,
  correlationId: row.correlation_id,
  createdAt: toMs(row.created_at),
  startedAt: toMsOrNull(row.started_at),
  endedAt: toMsOrNull(row.ended_at),
});

/** The job as the saga runner sees it. */
export const toSagaJob = (row: JobRow): SagaJob<MigrateParams, MigrationData> => ({
  id: row.id,
  kind: row.kind,
  state: row.state,
  params: row.params,
  data: row.data,
  stepIndex: row.step_index,
  pivoted: row.pivoted,
  cancelRequested: row.cancel_requested,
  error: row.error,
});
