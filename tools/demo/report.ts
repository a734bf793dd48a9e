/**
 * What one migration looked like: the form of `--json`, taken from the engine's job and, where it can be
 * measured, from outside.
 */
import type { JobView } from '../../src/api/types/job-view.ts';
import type { ProbeRecord } from '../../lab/probe-record.ts';

/** Figures of a probe and a TCP connection that crossed the migration; null where a mode cannot measure. */
export interface Measured {
  /** Absent: as the engine measured it. */
  readonly networkGapMs?: JobView['networkGapMs'];
  readonly probe: { readonly intervalMs: number; readonly sent: number; readonly received: number } | null;
  readonly tcp: { readonly survived: boolean; readonly bytes: number } | null;
}

/** For modes and migrations that cannot be measured. */
export const NOTHING_MEASURED: Measured = { probe: null, tcp: null };

/** One migration as `--json` shows it. */
export interface MigrationReport
  extends Omit<Measured, 'networkGapMs'>,
    Pick<JobView, 'networkGapMs' | 'networkGaps'> {
  readonly vm: string;
  readonly source: string;
  readonly target: string | null;
  readonly state: 'succeeded' | 'failed' | 'cancelled' | 'needs_operator';
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  readonly steps: readonly {
    readonly name: string;
    readonly state: string;
    readonly startedAt: string;
    readonly endedAt: string | null;
    readonly message: string | null;
  }[];
  readonly vnics: readonly {
    readonly name: string;
    readonly mac: string;
    readonly sourceVf: string | null;
    readonly targetVf: string;
    readonly state: string;
  }[];
  readonly downtimeMs: number | null;
  readonly warnings: readonly string[];
  readonly error: JobView['error'];
}

/** The whole of `--json`. */
export interface DemoReport {
  readonly mode: 'lab' | 'simulated';
  readonly migrations: readonly MigrationReport[];
}

/** The report of one ended job. */
export function migrationReport(job: JobView, measured: Measured): MigrationReport {
  const { vm, source, target, startedAt, endedAt, downtimeMs, warnings, error } = job;
  const { networkGapMs, networkGaps: gaps } = job;
  const steps = job.steps
    .filter((step) => step.vnic === null)
    .map(({ name, state, startedAt: from, endedAt: to, message }) => ({
      name,
      state,
      startedAt: from,
      endedAt: to,
      message,
    }));
  const vnics = job.vnics.map(({ name, mac, sourceVf, targetVf, state }) => ({
    name,
    mac,
    sourceVf,
    targetVf,
    state,
  }));
  const state =
    job.ended || job.state === 'needs_operator' ? (job.state as MigrationReport['state']) : 'failed';
  return {
    vm,
    source,
    target,
    state,
    startedAt,
    endedAt,
    steps,
    vnics,
    downtimeMs,
    warnings,
    error,
    networkGapMs,
    // Measured from outside by the demo itself, nothing is left to doubt.
    networkGaps: measured.networkGapMs === undefined ? gaps : [],
    ...measured,
  };
}

/**
 * The longest silence each phase brought about: unplug until the transfer begins, transfer until the plug
 * begins, plug until the job ends. A silence belongs to the phase in which it began.
 */
export function networkGaps(
  job: JobView,
  record: ProbeRecord,
  untilMs: number,
): NonNullable<JobView['networkGapMs']> {
  const begun = (name: string): number | null => {
    const step = job.steps.find((each) => each.name === name && each.vnic === null);
    return step ? Date.parse(step.startedAt) : null;
  };
  const startMs = Date.parse(job.startedAt ?? job.createdAt);
  const marks = [
    begun('unplug') ?? untilMs,
    begun('transfer') ?? untilMs,
    begun('plug') ?? untilMs,
    untilMs,
  ] as const;
  const gap = (fromMs: number, toMs: number) => Math.round(record.longestGapBegun(fromMs, toMs));
  return {
    unplug: gap(marks[0], marks[1]),
    switchover: gap(marks[1], marks[2]),
    plug: gap(marks[2], marks[3]),
    longest: gap(startMs, untilMs),
  };
}
