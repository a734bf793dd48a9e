/**
 * Claims jobs and drives them, several at a time. Any number of runners may share one store; a claim's lease
 * is renewed while its job runs, and a claim that could not be renewed in time is treated as lost before
 * anybody else can have it.
 */
import { assert } from '../base/assert.ts';
import { Bell } from '../base/bell.ts';
import type { Clock } from '../base/clock.ts';
import { explain, isCode } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { StepContext } from './definition.ts';
import { JobRun, type JobRunParts, type Saga } from './job-run.ts';
import type { SagaStore } from './port.ts';

/** How one replica works. */
export interface RunnerOptions {
  /** Names this replica in claims. */
  readonly owner: string;
  /** A dead replica's job is taken up this long after its last renewal. */
  readonly leaseMs: number;
  /** How often to look for due jobs when nothing woke us. */
  readonly pollMs: number;
  /** Jobs driven at once, at most. */
  readonly jobsMax: number;
}

/** A dead replica is noticed after 10 s. */
export const RUNNER_DEFAULTS: Omit<RunnerOptions, 'owner'> = { leaseMs: 10_000, pollMs: 1_000, jobsMax: 64 };

export interface Runner {
  /**
   * Stops claiming, gives every running job up (another replica, or the next start, goes on) and resolves
   * when all have stopped.
   */
  stop(): Promise<void>;
}

/** Starts a runner of these sagas; a job is run by the one that its kind names. */
export function startRunner<Params, Data, Context extends StepContext<Params, Data>>(
  sagas: readonly Saga<Params, Data, Context>[],
  store: SagaStore<Params, Data>,
  clock: Clock,
  log: Log,
  options: RunnerOptions,
): Runner {
  return new JobRunner(sagas, { store, clock, log, leaseMarginMs: options.leaseMs / 5 }, options);
}

class JobRunner<Params, Data, Context extends StepContext<Params, Data>> implements Runner {
  readonly #sagas: readonly Saga<Params, Data, Context>[];
  readonly #parts: Omit<JobRunParts<Params, Data, Context>, 'saga'>;
  readonly #options: RunnerOptions;
  readonly #runs = new Map<JobRun<Params, Data, Context>, Promise<void>>();
  readonly #stopping = new AbortController();
  readonly #bell = new Bell();
  readonly #unsubscribe: () => void;
  readonly #loop: Promise<void>;

  constructor(
    sagas: readonly Saga<Params, Data, Context>[],
    parts: Omit<JobRunParts<Params, Data, Context>, 'saga'>,
    options: RunnerOptions,
  ) {
    this.#sagas = sagas;
    this.#parts = parts;
    this.#options = options;
    this.#unsubscribe = parts.store.onWake(() => {
      this.#bell.ring();
      // A cancel may be what woke us; a refresh that fails is made up for by the next renewal.
      for (const run of this.#runs.keys())
        void run.refresh().catch((error: unknown) => this.#note(run, error));
    });
    this.#loop = this.#claimUntilStopped();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#unsubscribe();
    const loseAll = (): void => {
      for (const run of this.#runs.keys()) run.lose('this engine is stopping');
    };
    loseAll();
    await this.#loop;
    // One more may have been claimed meanwhile.
    loseAll();
    await Promise.all(this.#runs.values());
  }

  async #claimUntilStopped(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        await this.#claimAll();
      } catch (error) {
        this.#parts.log.warn('no jobs could be claimed', { error: explain(error) });
      }
      await this.#bell.wait(this.#parts.clock, this.#options.pollMs, signal).catch(() => signal.aborted);
    }
  }

  async #claimAll(): Promise<void> {
    const { owner, leaseMs, jobsMax } = this.#options;
    while (this.#runs.size < jobsMax && !this.#stopping.signal.aborted) {
      const claimed = await this.#parts.store.claimNext(owner, leaseMs);
      if (!claimed) return;
      const { claim, job } = claimed;
      const saga = this.#sagas.find(({ name }) => name === job.kind);
      assert(saga, `job ${job.id} is of no known kind: ${job.kind}`);
      const run = new JobRun({ ...this.#parts, saga }, claim, job);
      this.#runs.set(run, this.#driveOne(run));
    }
  }

  async #driveOne(run: JobRun<Params, Data, Context>): Promise<void> {
    const done = new AbortController();
    const renewal = this.#renewUntilDone(run, done.signal);
    await run.drive();
    done.abort();
    await renewal;
    // A run that ended, or lost its claim, has nothing to give back.
    await this.#parts.store.release(run.claim).catch((error: unknown) => this.#note(run, error));
    this.#runs.delete(run);
    this.#bell.ring();
  }

  async #renewUntilDone(run: JobRun<Params, Data, Context>, done: AbortSignal): Promise<void> {
    const { leaseMs } = this.#options;
    for (;;) {
      await this.#parts.clock.sleep(leaseMs / 4, done).catch(() => done.aborted);
      if (done.aborted) return;
      try {
        await this.#parts.store.renew(run.claim, leaseMs);
        await run.refresh();
      } catch (error) {
        if (isCode(error, 'CLAIM_LOST')) {
          run.lose('another replica took it');
          return;
        }
        // The database is away: the lease runs on, and the run stops by itself when it ends.
        this.#note(run, error);
      }
    }
  }

  #note(run: JobRun<Params, Data, Context>, error: unknown): void {
    if (isCode(error, 'CLAIM_LOST')) return;
    this.#parts.log.warn('the store did not answer for a job', {
      jobId: run.claim.jobId,
      error: explain(error),
    });
  }
}
