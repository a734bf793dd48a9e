/** How long a migration will take, told from those that went before. Pure, but for reading the jobs. */
import type { VmId } from '../base/ids.ts';
import type { Job } from '../model/job.ts';
import type { AppParts } from './parts.ts';

/** Medians of migrations that succeeded; ms. */
export interface Expectation {
  /** From its start to its end. */
  readonly durationMs: number;
  /** From asking the guest for its VFs to plugging them on the target; null if none of them had a VF. */
  readonly standbyMs: number | null;
  /** So many migrations are behind it. */
  readonly jobs: number;
  /** They were all of this VM; else of any. */
  readonly ofThisVm: boolean;
}

/** Newest jobs that are looked at. */
const JOBS_MAX = 50;

/** Null if nothing was migrated yet. */
export async function expectMigration({ store }: AppParts, vmId: VmId): Promise<Expectation | null> {
  const kind = 'migrate_vm';
  const own = expectationOf(await store.jobs.list({ vmId, kind, limit: JOBS_MAX }));
  if (own) return { ...own, ofThisVm: true };
  const any = expectationOf(await store.jobs.list({ kind, limit: JOBS_MAX }));
  return any && { ...any, ofThisVm: false };
}

/** What is looked at of a job. */
type Past = Pick<Job, 'state' | 'startedAt' | 'endedAt' | 'data'>;

/** Of the jobs that succeeded; null without any. */
export function expectationOf(jobs: readonly Past[]): Omit<Expectation, 'ofThisVm'> | null {
  const succeeded = jobs.filter(({ state }) => state === 'succeeded');
  const durationMs = median(succeeded.flatMap(({ startedAt, endedAt }) => between(startedAt, endedAt)));
  if (durationMs === null) return null;
  const standbyMs = median(succeeded.flatMap(({ data }) => between(data.unplugAskedAt, data.plugAskedAt)));
  return { durationMs, standbyMs, jobs: succeeded.length };
}

const between = (from: number | null | undefined, to: number | null | undefined): number[] =>
  from == null || to == null ? [] : [to - from];

function median(values: readonly number[]): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? null;
}
