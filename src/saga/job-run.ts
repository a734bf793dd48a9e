/**
 * One claimed job, driven to its end, to a wait, or to the loss of its claim. Used by `runner.ts` alone.
 *
 * Order of writes: a step is recorded `started` before it acts and `finished` after; a crash in between
 * repeats the step, whose
 * `inspect` finds out what happened. While undoing, `stepIndex` is the number of steps still to be undone.
 */
import { assert } from '../base/assert.ts';
import { type Clock, isoTime } from '../base/clock.ts';
import { asHandoverError, explain, HandoverError, isCode } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { Step, StepContext, StepResult } from './definition.ts';
import type { Claim, SagaJob, SagaPatch, SagaState, SagaStore } from './port.ts';

/** How long an undo or a forward step is repeated before the job is parked for an operator. */
const REPEAT_LIMIT_MS = 10 * 60_000;
const REPEAT_FIRST_MS = 1_000;
const REPEAT_FACTOR = 1.8;
const REPEAT_LONGEST_MS = 30_000;
/** While the database is away everything is tried again this often, for as long as the lease lasts. */
const STORE_AWAY_MS = 250;

/** A saga ready to run: its steps and how a context for one job is made and freed. */
export interface Saga<Params, Data, Context extends StepContext<Params, Data>> {
  readonly name: string;
  readonly steps: readonly Step<Context>[];
  /** Adds what the steps need to the runner's part of the context. */
  context(base: StepContext<Params, Data>): Promise<Context>;
  /** Called once after the job ended in `state`, was parked, or the claim was lost (null). Must not throw. */
  ended?(context: Context, state: SagaState | null, error: HandoverError | null): Promise<void>;
}

/** What a run works with; shared by all runs of a runner. */
export interface JobRunParts<Params, Data, Context extends StepContext<Params, Data>> {
  readonly saga: Saga<Params, Data, Context>;
  readonly store: SagaStore<Params, Data>;
  readonly clock: Clock;
  readonly log: Log;
  /** A claim this close to its end counts as lost: the time a call may take to reach a host. */
  readonly leaseMarginMs: number;
}

export class JobRun<Params, Data, Context extends StepContext<Params, Data>> {
  readonly #parts: JobRunParts<Params, Data, Context>;
  readonly #claim: Claim;
  readonly #cancel = new AbortController();
  readonly #steady = new AbortController();
  #job: SagaJob<Params, Data>;
  #stepName = '';
  /** What could not be done, if the job was parked. */
  #parkedBy: HandoverError | null = null;

  constructor(parts: JobRunParts<Params, Data, Context>, claim: Claim, job: SagaJob<Params, Data>) {
    this.#parts = parts;
    this.#claim = claim;
    this.#job = job;
  }

  get claim(): Claim {
    return this.#claim;
  }

  /** Tells the run that its claim is gone; it stops at once and writes nothing more. */
  lose(why: string): void {
    const error = new HandoverError('CLAIM_LOST', `job ${this.#claim.jobId} is no longer ours: ${why}`);
    this.#steady.abort(error);
    this.#cancel.abort(error);
  }

  /** Re-reads the job, so that a cancel reaches the running step. */
  async refresh(): Promise<void> {
    this.#noteCancel(await this.#parts.store.read(this.#claim));
  }

  /** Drives the job. Never throws. */
  async drive(): Promise<void> {
    const { saga, log } = this.#parts;
    let context: Context | null = null;
    let state: SagaState | null = null;
    let error: HandoverError | null = null;
    try {
      this.#noteCancel(this.#job);
      context = await saga.context(this.#base());
      state = await this.#toTheEnd(context);
      error = this.#parkedBy ?? (this.#job.error ? HandoverError.fromJSON(this.#job.error) : null);
    } catch (thrown) {
      error = asHandoverError(thrown);
      if (!isCode(thrown, 'CLAIM_LOST')) {
        log.error('job run broke off; its lease will run out and it is taken up again', {
          jobId: this.#claim.jobId,
          error: explain(thrown),
          stack: thrown instanceof Error ? thrown.stack : undefined,
        });
      }
    }
    if (context && saga.ended) await saga.ended(context, state, error);
  }

  async #toTheEnd(context: Context): Promise<SagaState> {
    const { steps } = this.#parts.saga;
    if (this.#job.state !== 'undoing') {
      await this.#write({ state: 'running' });
      while (this.#job.stepIndex < steps.length) {
        const step = steps[this.#job.stepIndex] as Step<Context>;
        const failure = await this.#runStep(context, step);
        if (failure === 'waits') return 'queued';
        if (failure === 'parked') return 'needs_operator';
        if (failure === 'failed') return 'failed';
        if (failure) {
          await this.#write({
            state: 'undoing',
            stepIndex: this.#job.stepIndex + 1,
            error: failure.toJSON(),
          });
          break;
        }
      }
    }
    if (this.#job.state === 'undoing') return this.#undoAll(context);
    await this.#write({ state: 'succeeded', error: null });
    return 'succeeded';
  }

  /** Runs one step; null = done, an error = undo from here, `failed` = the job has ended. */
  async #runStep(
    context: Context,
    step: Step<Context>,
  ): Promise<HandoverError | 'waits' | 'parked' | 'failed' | null> {
    if (step.kind !== 'forward' && this.#job.cancelRequested && !this.#cancelled())
      this.#noteCancel(this.#job);
    if (step.kind === 'reversible' && this.#cancelled()) return cancelError();
    this.#stepName = step.name;
    const started = this.#parts.clock.monotonicMs();
    for (let delayMs = REPEAT_FIRST_MS; ; delayMs = Math.min(delayMs * REPEAT_FACTOR, REPEAT_LONGEST_MS)) {
      await this.#write({ step: { name: step.name, item: null, state: 'started', message: null } });
      try {
        const result = await step.run(context);
        if (result.state === 'wait') return await this.#waitFor(step, result);
        if (result.state === 'failed') return await this.#endFailed(step, result.error);
        await this.#write({
          stepIndex: this.#job.stepIndex + 1,
          ...(step.kind === 'pivot' ? { pivoted: true } : {}),
          step: { name: step.name, item: null, state: result.state, message: result.message },
        });
        return null;
      } catch (thrown) {
        const error = this.#ours(thrown);
        const tooLong = this.#parts.clock.monotonicMs() - started > REPEAT_LIMIT_MS;
        // Nothing went wrong out there: the step stands still with the database, and looks again.
        if (error.code === 'STORE_UNAVAILABLE' && !tooLong) {
          await this.#parts.clock.sleep(STORE_AWAY_MS, this.#steady.signal);
          continue;
        }
        await this.#write({
          step: { name: step.name, item: null, state: 'failed', message: explain(error) },
        });
        if (step.kind !== 'forward') return error;
        // After the pivot there is no way back: repeat until it works, or an operator is needed.
        if (tooLong) return this.#park(error);
        await this.#parts.clock.sleep(delayMs, this.#steady.signal);
      }
    }
  }

  async #waitFor(step: Step<Context>, result: StepResult & { state: 'wait' }): Promise<'waits'> {
    await this.#write({
      state: 'queued',
      wait: { reason: result.reason, delayMs: result.delayMs },
      step: { name: step.name, item: null, state: 'started', message: result.reason },
    });
    return 'waits';
  }

  async #endFailed(step: Step<Context>, error: HandoverError): Promise<'failed'> {
    assert(step.kind === 'forward', `step ${step.name} may be undone`);
    await this.#write({
      state: 'failed',
      error: error.toJSON(),
      step: { name: step.name, item: null, state: 'failed', message: explain(error) },
    });
    return 'failed';
  }

  async #undoAll(context: Context): Promise<SagaState> {
    const { steps } = this.#parts.saga;
    while (this.#job.stepIndex > 0) {
      const step = steps[this.#job.stepIndex - 1] as Step<Context>;
      if (step.undo) {
        const parked = await this.#undoStep(context, step, step.undo);
        if (parked) return 'needs_operator';
      } else await this.#write({ stepIndex: this.#job.stepIndex - 1 });
    }
    const state = this.#job.error?.code === 'CANCELLED' ? 'cancelled' : 'failed';
    await this.#write({ state });
    return state;
  }

  async #undoStep(
    context: Context,
    step: Step<Context>,
    undo: (context: Context) => Promise<StepResult>,
  ): Promise<boolean> {
    this.#stepName = step.name;
    const started = this.#parts.clock.monotonicMs();
    for (let delayMs = REPEAT_FIRST_MS; ; delayMs = Math.min(delayMs * REPEAT_FACTOR, REPEAT_LONGEST_MS)) {
      try {
        const result = await undo(context);
        const message = result.state === 'wait' ? result.reason : result.message;
        await this.#write({
          stepIndex: this.#job.stepIndex - 1,
          ...(message === null ? {} : { step: { name: step.name, item: null, state: 'undone', message } }),
        });
        return false;
      } catch (thrown) {
        const error = this.#ours(thrown);
        const tooLong = this.#parts.clock.monotonicMs() - started > REPEAT_LIMIT_MS;
        if (tooLong || !mayPass(error)) {
          await this.#park(error);
          return true;
        }
        this.#parts.log.warn('undo will be repeated', {
          jobId: this.#claim.jobId,
          step: step.name,
          error: explain(error),
        });
        await this.#parts.clock.sleep(delayMs, this.#steady.signal);
      }
    }
  }

  async #park(error: HandoverError): Promise<'parked'> {
    this.#parkedBy = error;
    await this.#write({
      state: 'needs_operator',
      // What is taken back failed for a reason of its own, which stays; forward there is none yet.
      ...(this.#job.error === null ? { error: error.toJSON() } : {}),
      step: { name: this.#stepName, item: null, state: 'failed', message: explain(error) },
    });
    return 'parked';
  }

  /** A lost claim ends the run, whatever it was thrown as; everything else is the job's own failure. */
  #ours(thrown: unknown): HandoverError {
    if (this.#steady.signal.aborted) throw this.#steady.signal.reason;
    if (isCode(thrown, 'CLAIM_LOST')) throw thrown;
    return asHandoverError(thrown);
  }

  #cancelled(): boolean {
    return this.#cancel.signal.aborted;
  }

  #noteCancel(job: SagaJob<Params, Data>): void {
    if (job.cancelRequested && !job.pivoted && job.state !== 'undoing') this.#cancel.abort(cancelError());
  }

  #assertHeld = (): void => {
    if (this.#steady.signal.aborted) throw this.#steady.signal.reason;
    const now = this.#parts.clock.monotonicMs();
    if (now >= this.#claim.leaseUntilMs - this.#parts.leaseMarginMs) {
      this.lose(`the lease ended at ${isoTime(this.#parts.clock.now())} and was not renewed in time`);
      throw this.#steady.signal.reason;
    }
  };

  /** Writes, repeating while the database is away, for as long as the lease lasts. */
  async #write(patch: SagaPatch<Data>): Promise<void> {
    for (;;) {
      this.#assertHeld();
      try {
        this.#job = await this.#parts.store.write(this.#claim, patch);
        this.#noteCancel(this.#job);
        return;
      } catch (thrown) {
        if (!isCode(thrown, 'STORE_UNAVAILABLE')) throw thrown;
        await this.#parts.clock.sleep(STORE_AWAY_MS, this.#steady.signal);
      }
    }
  }

  #base(): StepContext<Params, Data> {
    const run = this;
    return {
      jobId: this.#claim.jobId,
      epoch: this.#claim.epoch,
      get params() {
        return run.#job.params;
      },
      get data() {
        return run.#job.data;
      },
      clock: this.#parts.clock,
      log: this.#parts.log.child({ jobId: this.#claim.jobId }),
      signal: this.#cancel.signal,
      steadySignal: this.#steady.signal,
      assertHeld: this.#assertHeld,
      save: (data) => this.#write({ data }),
      item: (item, state, message) => this.#write({ step: { name: this.#stepName, item, state, message } }),
    };
  }
}

const cancelError = (): HandoverError =>
  new HandoverError('CANCELLED', 'it was cancelled; the VM stays where it is');

/** Whether the same undo may succeed later without anybody's help. */
function mayPass(error: HandoverError): boolean {
  return ['unreachable', 'outcome_unknown', 'deadline'].includes(error.kind);
}
