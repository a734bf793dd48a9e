/**
 * The saga runner on real PostgreSQL with a toy saga: order, undo, cancel, waiting, and taking up what
 * another left.
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { HandoverError } from '../../src/base/errors.ts';
import type { JobId } from '../../src/base/ids.ts';
import { silentLog } from '../../src/base/log.ts';
import type { Job, MigrateParams, MigrationData } from '../../src/model/job.ts';
import { defineStep, finished, type StepContext, type StepKind } from '../../src/saga/definition.ts';
import type { Saga } from '../../src/saga/job-run.ts';
import { type Runner, startRunner } from '../../src/saga/runner.ts';
import { eventually } from '../support/eventually.ts';
import { aHost, migrateParams, newId } from '../support/builders.ts';
import { connectTo, freshStore } from '../support/postgres.ts';

type Context = StepContext<MigrateParams, MigrationData>;
type Act = (context: Context) => Promise<void> | void;

const { store, connection } = await freshStore();
const OPTIONS = { leaseMs: 2_000, pollMs: 20, jobsMax: 8 };
let trace: string[] = [];
const runners: Runner[] = [];

beforeEach(() => {
  trace = [];
});
afterEach(async () => {
  await Promise.all(runners.splice(0).map((runner) => runner.stop()));
});

/** A step that writes its name down, does what `acts` says, and is undone by writing that down too. */
function step(name: string, kind: StepKind, acts: { run?: Act; undo?: Act } = {}) {
  return defineStep<Context, null>({
    name,
    kind,
    inspect: async () => null,
    async run(context) {
      trace.push(name);
      await acts.run?.(context);
      return finished(`${name} done`);
    },
    ...(kind === 'forward'
      ? {}
      : {
          async undo(context: Context) {
            trace.push(`undo ${name}`);
            await acts.undo?.(context);
            return finished(`${name} undone`);
          },
        }),
  });
}

function run(steps: Saga<MigrateParams, MigrationData, Context>['steps'], owner = 'a'): Runner {
  const saga = { name: 'migrate_vm', steps, context: async (base: Context) => base };
  const runner = startRunner([saga], store.jobs.saga, systemClock, silentLog, { ...OPTIONS, owner });
  runners.push(runner);
  return runner;
}

let jobs = 0;

async function newJob(): Promise<JobId> {
  jobs += 1;
  const host = aHost(jobs);
  await store.hosts.add(host);
  return (await store.jobs.add(newId<JobId>(), migrateParams(host.id), 'web-1', null)).id;
}

const ended = (id: JobId): Promise<Job> =>
  eventually(`job ${id} to end`, async () => {
    const job = await store.jobs.get(id);
    return job && ['succeeded', 'failed', 'cancelled', 'needs_operator'].includes(job.state) ? job : null;
  });

describe('the runner', () => {
  test('runs the steps in order and records each', async () => {
    const id = await newJob();
    run([step('one', 'reversible'), step('two', 'pivot'), step('three', 'forward')]);
    expect(await ended(id)).toMatchObject({ state: 'succeeded', pivoted: true });
    expect(trace).toEqual(['one', 'two', 'three']);
    expect((await store.jobs.steps(id)).map((each) => [each.name, each.state])).toEqual([
      ['one', 'finished'],
      ['two', 'finished'],
      ['three', 'finished'],
    ]);
  });

  test('undoes from the failed step backwards and keeps why it failed', async () => {
    const id = await newJob();
    const fail = () => {
      throw new HandoverError('MIGRATION_REFUSED', 'no');
    };
    run([step('one', 'reversible'), step('two', 'reversible', { run: fail }), step('three', 'pivot')]);
    expect(await ended(id)).toMatchObject({
      state: 'failed',
      error: { code: 'MIGRATION_REFUSED', message: 'no' },
    });
    expect(trace).toEqual(['one', 'two', 'undo two', 'undo one']);
  });

  test('a pivot that fails is undone like a step before it', async () => {
    const id = await newJob();
    const fail = () => {
      throw new HandoverError('MIGRATION_FAILED', 'stayed');
    };
    run([step('one', 'reversible'), step('two', 'pivot', { run: fail }), step('three', 'forward')]);
    expect((await ended(id)).state).toBe('failed');
    expect(trace).toEqual(['one', 'two', 'undo two', 'undo one']);
  });

  test('repeats a forward step until it works, and never undoes after the pivot', async () => {
    const id = await newJob();
    let failures = 2;
    const flaky = () => {
      if (failures-- > 0) throw new HandoverError('HOST_UNREACHABLE', 'away');
    };
    run([step('one', 'reversible'), step('two', 'pivot'), step('three', 'forward', { run: flaky })]);
    expect((await ended(id)).state).toBe('succeeded');
    expect(trace).toEqual(['one', 'two', 'three', 'three', 'three']);
  });

  test('a forward step may end the job as failed, and nothing is undone', async () => {
    const id = await newJob();
    const lost = defineStep<Context, null>({
      name: 'three',
      kind: 'forward',
      inspect: async () => null,
      run: async () => ({ state: 'failed', error: new HandoverError('MIGRATION_FAILED', 'went down') }),
    });
    run([step('one', 'reversible'), step('two', 'pivot'), lost, step('four', 'forward')]);
    expect(await ended(id)).toMatchObject({
      state: 'failed',
      pivoted: true,
      error: { message: 'went down' },
    });
    expect(trace).toEqual(['one', 'two']);
  });

  test('stands still while the database is away, and repeats the step instead of failing it', async () => {
    const id = await newJob();
    let away = 2;
    const ask = () => {
      if (away-- > 0) throw new HandoverError('STORE_UNAVAILABLE', 'the database does not answer');
    };
    run([step('one', 'reversible'), step('two', 'reversible', { run: ask }), step('three', 'pivot')]);
    expect(await ended(id)).toMatchObject({ state: 'succeeded', error: null });
    expect(trace).toEqual(['one', 'two', 'two', 'two', 'three']);
  });

  test('a cancel reaches the running step and ends the job as cancelled', async () => {
    const id = await newJob();
    const untilCancelled: Act = (context) => context.clock.sleep(30_000, context.signal);
    run([
      step('one', 'reversible'),
      step('two', 'reversible', { run: untilCancelled }),
      step('three', 'pivot'),
    ]);
    await eventually('step two', async () => (trace.includes('two') ? true : null));
    expect(await store.jobs.requestCancel(id)).toBe('accepted');
    expect(await ended(id)).toMatchObject({ state: 'cancelled', error: { code: 'CANCELLED' } });
    expect(trace).toEqual(['one', 'two', 'undo two', 'undo one']);
  });

  test('a cancel after the pivot is too late and changes nothing', async () => {
    const id = await newJob();
    let go: () => void = () => {};
    const held = new Promise<void>((resolve) => {
      go = resolve;
    });
    run([step('one', 'reversible'), step('two', 'pivot'), step('three', 'forward', { run: () => held })]);
    await eventually('step three', async () => (trace.includes('three') ? true : null));
    expect(await store.jobs.requestCancel(id)).toBe('too_late');
    go();
    expect((await ended(id)).state).toBe('succeeded');
  });

  test('an undo that can not succeed parks the job, and a retry goes on with the undo', async () => {
    const id = await newJob();
    let broken = true;
    const fail = () => {
      throw new HandoverError('MIGRATION_FAILED', 'stayed');
    };
    const undo = () => {
      if (broken) throw new HandoverError('LIBVIRT_REFUSED', 'stuck');
    };
    run([step('one', 'reversible', { undo }), step('two', 'reversible', { run: fail })]);
    expect((await ended(id)).state).toBe('needs_operator');
    broken = false;
    await store.jobs.retry(id);
    const job = await eventually('the job to fail', async () => {
      const now = await store.jobs.get(id);
      return now?.state === 'failed' ? now : null;
    });
    expect(job.error?.code).toBe('MIGRATION_FAILED');
    expect(trace).toEqual(['one', 'two', 'undo two', 'undo one', 'undo one']);
  });

  test('a stopped engine leaves the job where it was and the next one goes on there', async () => {
    const id = await newJob();
    const hang: Act = (context) => context.clock.sleep(30_000, context.steadySignal);
    const first = run([
      step('one', 'reversible'),
      step('two', 'reversible', { run: hang }),
      step('three', 'pivot'),
    ]);
    await eventually('step two', async () => (trace.includes('two') ? true : null));
    await first.stop();
    expect((await store.jobs.get(id))?.state).toBe('running');
    run([step('one', 'reversible'), step('two', 'reversible'), step('three', 'pivot')], 'b');
    expect((await ended(id)).state).toBe('succeeded');
    expect(trace).toEqual(['one', 'two', 'two', 'three']);
  });

  test('a step that has to wait puts the job back in the queue with its reason', async () => {
    const id = await newJob();
    let full = true;
    const reserve = defineStep<Context, null>({
      name: 'reserve',
      kind: 'reversible',
      inspect: async () => null,
      run: async () => (full ? { state: 'wait', reason: 'host-a is busy', delayMs: 50 } : finished()),
    });
    run([reserve]);
    await eventually('the reason', async () => {
      const job = await store.jobs.get(id);
      return job?.state === 'queued' && job.waitReason === 'host-a is busy' ? job : null;
    });
    full = false;
    expect((await ended(id)).state).toBe('succeeded');
  });

  test('an owner whose job was taken by another stops at once and writes nothing more', async () => {
    const id = await newJob();
    let seen: unknown = null;
    const stuck: Act = (context) =>
      context.clock.sleep(30_000, context.steadySignal).catch((reason) => {
        seen = reason;
        throw reason;
      });
    run([step('one', 'reversible', { run: stuck })]);
    await eventually('step one', async () => (trace.includes('one') ? true : null));
    const taken =
      `update jobs set epoch = epoch + 1, owner = 'thief', lease_until = now() + ` +
      `interval '1 hour' where id = $1`;
    await connectTo(connection, (client) => client.query(taken, [id]));
    await eventually('the loss to be noticed', async () => (seen === null ? null : true));
    expect(seen).toMatchObject({ code: 'CLAIM_LOST' });
    expect(trace).toEqual(['one']);
    expect((await store.jobs.steps(id)).map((each) => each.state)).toEqual(['started']);
  });
});
