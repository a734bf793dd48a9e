/**
 * What a saga is: a list of steps, each of which looks before it acts. No virtualization words here.
 *
 * `inspect` answers "what is true out there now?"; `run` and `undo` get its answer and begin from it, so
 * repeating either after a crash is safe. `reversible` steps are undone when a later one fails; after the
 * `pivot` step there is only forward.
 */
import type { Clock } from '../base/clock.ts';
import type { HandoverError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { SagaStepState } from './port.ts';

/** What may happen to a step after it ran. */
export const STEP_KINDS = ['reversible', 'pivot', 'forward'] as const;
export type StepKind = (typeof STEP_KINDS)[number];

/** What a step may use of the runner. */
export interface StepContext<Params, Data> {
  readonly jobId: string;
  readonly epoch: number;
  readonly params: Params;
  /** What was saved so far; replaced by each `save`. */
  readonly data: Data;
  readonly clock: Clock;
  readonly log: Log;
  /**
   * Aborts with `CANCELLED` when a cancel is asked for before the pivot, with `CLAIM_LOST` when the job is no
   * longer ours.
   */
  readonly signal: AbortSignal;
  /** Throws `CLAIM_LOST` unless the lease is still ours: called before every act on the world. */
  readonly assertHeld: (this: void) => void;
  /** Keeps facts for after a crash, before they are acted on. Epoch-checked. */
  save(data: Partial<Data>): Promise<void>;
  /** Records the state of one item (a vNIC) of the running step. */
  item(item: string, state: SagaStepState, message: string | null): Promise<void>;
  /**
   * The same step context, deaf to cancel: for what must end once it began. Still aborts when the claim is
   * lost.
   */
  readonly steadySignal: AbortSignal;
}

/** How a run or undo ended well. `wait` puts the whole job back in the queue. */
export type StepResult =
  | { readonly state: 'finished' | 'skipped'; readonly message: string | null }
  | { readonly state: 'wait'; readonly reason: string; readonly delayMs: number };

/**
 * How a run ended. `failed`, of a forward step only: it did its work, and what the job was for has failed all
 * the same. The job ends so and nothing is undone.
 */
export type RunResult = StepResult | { readonly state: 'failed'; readonly error: HandoverError };

/** The step did its work. */
export const finished = (message: string | null = null): StepResult => ({ state: 'finished', message });
/** There was nothing to do, and why. */
export const skipped = (message: string): StepResult => ({ state: 'skipped', message });

/** One step as its file writes it; `Seen` is what its `inspect` found. */
export interface StepDefinition<Context, Seen> {
  readonly name: string;
  readonly kind: StepKind;
  inspect(context: Context): Promise<Seen>;
  run(context: Context, seen: Seen): Promise<RunResult>;
  /** Takes back what `run` did, wholly or in part; absent = there is nothing to take back. */
  undo?(context: Context, seen: Seen): Promise<StepResult>;
}

/** A step as the runner sees it: inspection is part of both calls. */
export interface Step<Context> {
  readonly name: string;
  readonly kind: StepKind;
  run(context: Context): Promise<RunResult>;
  readonly undo: ((context: Context) => Promise<StepResult>) | null;
}

/** Ties `inspect` to `run` and `undo`. */
export function defineStep<Context, Seen>(step: StepDefinition<Context, Seen>): Step<Context> {
  const undo = step.undo?.bind(step);
  return {
    name: step.name,
    kind: step.kind,
    run: async (context) => step.run(context, await step.inspect(context)),
    undo: undo ? async (context) => undo(context, await step.inspect(context)) : null,
  };
}
