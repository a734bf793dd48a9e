/**
 * The pivot: where is the VM? Decided by looking at both hosts, never from memory of what was asked. Pure;
 * each row is a test.
 *
 * The source is looked at first and the target after it: a source seen gone because the VM moved is then
 * always followed by a target seen running. A target that ran even for a moment wins, because the guest's
 * clients have talked to it.
 */
import type { Domain } from '../model/domain.ts';

/** What the source can show. */
export const SOURCE_STATES = ['running', 'paused', 'shut_off', 'absent', 'unreachable'] as const;
/**
 * What the target can show. `paused_never_run`: incoming, never resumed. `crashed`: shut off after it ran
 * here.
 */
export const TARGET_STATES = ['running', 'paused_never_run', 'crashed', 'absent', 'unreachable'] as const;

/** The source's half of the truth; `job`: a migration job is active on it. */
export interface SourceSide {
  readonly state: (typeof SOURCE_STATES)[number];
  readonly job: boolean;
}

/** The target's half. */
export interface TargetSide {
  readonly state: (typeof TARGET_STATES)[number];
}

/** What to do, and why in words for records and messages. */
export type Decision =
  /** Something is still going on: look again. */
  | { readonly do: 'wait'; readonly because: string }
  /** The VM stays on the source. */
  | {
      readonly do: 'undo';
      readonly destroyTarget: boolean;
      readonly resumeSource: boolean;
      readonly because: string;
    }
  /**
   * The VM is on the target. `source`: already gone, to be destroyed now, or dealt with when it can be seen.
   */
  | {
      readonly do: 'forward';
      readonly source: 'gone' | 'destroy' | 'later';
      readonly overlap: boolean;
      readonly because: string;
    }
  /** Nobody can know yet: act on nothing, keep everything, tell somebody. */
  | { readonly do: 'hold'; readonly because: string }
  /** The VM runs nowhere any more. */
  | { readonly do: 'lost'; readonly destroyTarget: boolean; readonly because: string };

const NEVER_RUN_REASONS = new Set(['migration', 'migrating', 'starting_up']);
const CRASH_REASONS = new Set(['crashed', 'failed']);

/** A source's domain as the table sees it. */
export function sourceSide(domain: Domain | null, job: boolean): SourceSide {
  if (domain === null) return { state: 'absent', job: false };
  if (domain.state === 'paused') return { state: 'paused', job };
  if (domain.state === 'shut_off' || domain.state === 'crashed') return { state: 'shut_off', job: false };
  return { state: 'running', job };
}

/** A target's domain as the table sees it. A definition that was never started counts as absent. */
export function targetSide(domain: Domain | null): TargetSide {
  if (domain === null) return { state: 'absent' };
  if (domain.state === 'shut_off' || domain.state === 'crashed') {
    return { state: CRASH_REASONS.has(domain.stateReason) ? 'crashed' : 'absent' };
  }
  if (domain.state === 'paused' && NEVER_RUN_REASONS.has(domain.stateReason))
    return { state: 'paused_never_run' };
  if (domain.state === 'no_state') return { state: 'paused_never_run' };
  // Paused for any other reason (a user, an I/O error): it has run here.
  return { state: 'running' };
}

/** The table of what to do. */
export function decidePivot(source: SourceSide, target: TargetSide): Decision {
  if (target.state === 'running') return targetRuns(source);
  if (target.state === 'unreachable') {
    return { do: 'hold', because: `the source is ${source.state} and the target does not answer` };
  }
  switch (source.state) {
    case 'running':
      if (source.job) return { do: 'wait', because: 'the memory is being copied' };
      return {
        do: 'undo',
        destroyTarget: target.state === 'paused_never_run',
        resumeSource: false,
        because: `the VM runs on the source and is ${target.state} on the target`,
      };
    case 'paused':
      if (source.job) return { do: 'wait', because: 'the VM stands still for the switchover' };
      if (target.state === 'crashed') {
        return {
          do: 'hold',
          because: 'the VM stands still on the source and crashed on the target after it ran there',
        };
      }
      return {
        do: 'undo',
        destroyTarget: target.state === 'paused_never_run',
        resumeSource: true,
        because: `the VM stands still on the source with no job left and is ${target.state} on the target`,
      };
    case 'absent':
    case 'shut_off':
      return {
        do: 'lost',
        destroyTarget: target.state === 'paused_never_run',
        because: `the VM is ${source.state} on the source and ${target.state} on the target`,
      };
    case 'unreachable':
      return {
        do: 'hold',
        because: `the source does not answer and the VM is ${target.state} on the target`,
      };
  }
}

function targetRuns(source: SourceSide): Decision {
  switch (source.state) {
    case 'running':
      if (source.job) return { do: 'wait', because: 'both sides report running while a job is active' };
      return {
        do: 'forward',
        source: 'destroy',
        overlap: true,
        because: 'the VM runs on both hosts; the target wins',
      };
    case 'paused':
      return source.job
        ? { do: 'forward', source: 'later', overlap: false, because: 'the VM runs on the target' }
        : {
            do: 'forward',
            source: 'destroy',
            overlap: false,
            because: 'the VM runs on the target; a paused copy is left on the source',
          };
    case 'absent':
    case 'shut_off':
      return {
        do: 'forward',
        source: 'gone',
        overlap: false,
        because: 'the VM runs on the target and is gone from the source',
      };
    case 'unreachable':
      return {
        do: 'forward',
        source: 'later',
        overlap: false,
        because: 'the VM runs on the target; the source does not answer',
      };
  }
}
