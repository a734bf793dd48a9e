/**
 * Claims jobs and drives them, several at a time. Any number of runners may share one store; a claim's lease is renewed while its
 * job runs, and a claim that could not be renewed in time is treated as lost before anybody else can have it.
 */
import { type Clock } from '../base/clock.ts';
import { explain, isCode } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { StepContext } from './definition.ts';
import { JobRun, type Saga } from './job-run.ts';
import type { SagaStore } from './port.ts';

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

export const RUNNER_DEFAULTS: Omit<RunnerOptions, 'owner'> = { leaseMs: 10_000, pollMs: 1_000, jobsMax: 64 };

export interface Runner {
  /** Stops claiming, gives every running job up (another replica, or the next start, goes on) and resolves when all have stopped. */
  stop(): Promise<void>;
}

/** Starts a runner. */
export function startRunner<Params, Data, Context extends StepContext<Params, Data>>(
  saga: Saga<Params, Data, Context>,
  store: SagaStore<Params, Data>,
  clock: Clock,
  log: Log,
  options: RunnerOptions,
): Runner {
  const runs = new Map<JobRun<Params, Data, Context>, Promise<void>>();
  const parts = { saga, store, clock, log, leaseMarginMs: options.leaseMs / 5 };
  const stopping = new AbortController();
  let wakeUp: () => void = () => {};

  async function renewUntilDone(run: JobRun<Params, Data, Context>, done: AbortSignal): Promise<void> {
    for (;;) {
      await clock.sleep(options.leaseMs / 4, done);
      const askedAt = clock.monotonicMs();
      try {
        await store.renew(run.claim, options.leaseMs);
        run.claim.leaseUntilMs = askedAt + options.leaseMs;
        await run.refresh();
      } catch (error) {
        if (isCode(error, 'CLAIM_LOST')) {
          run.lose('another replica took it');
          return;
        }
        // The database is away: the lease runs on; JobRun stops by itself when it ends.
        log.warn('lease not renewed', { jobId: run.claim.jobId, error: explain(error) });
      }
    }
  }

  async function driveOne(run: JobRun<Params, Data, Context>): Promise<void> {
    const done = new AbortController();
    const renewal = renewUntilDone(run, done.signal).catch(() => undefined);
    await run.drive();
    done.abort();
    await renewal;
    // A run that ended with its claim lost has nothing to give back.
    await store.release(run.claim).catch((error) => {
      if (!isCode(error, 'CLAIM_LOST'))
        log.warn('claim not given back; its lease will run out', { error: explain(error) });
    });
    runs.delete(run);
    wakeUp();
  }

  async function claimAll(): Promise<void> {
    while (runs.size < options.jobsMax && !stopping.signal.aborted) {
      const askedAt = clock.monotonicMs();
      const claimed = await store.claimNext(options.owner, options.leaseMs);
      if (!claimed) return;
      claimed.claim.leaseUntilMs = askedAt + options.leaseMs;
      const run = new JobRun(parts, claimed.claim, claimed.job);
      runs.set(run, driveOne(run));
    }
  }

  const unsubscribe = store.onWake(() => {
    wakeUp();
    for (const run of runs.keys()) void run.refresh().catch(() => undefined);
  });

  const loop = (async () => {
    while (!stopping.signal.aborted) {
      const woken = new AbortController();
      wakeUp = () => woken.abort();
      try {
        await claimAll();
      } catch (error) {
        log.warn('no jobs could be claimed', { error: explain(error) });
      }
      const either = AbortSignal.any([woken.signal, stopping.signal]);
      await clock.sleep(options.pollMs, either).catch(() => undefined);
    }
  })();

  return {
    async stop() {
      stopping.abort();
      unsubscribe();
      for (const run of runs.keys()) run.lose('this engine is stopping');
      await loop;
      await Promise.all(runs.values());
    },
  };
}
