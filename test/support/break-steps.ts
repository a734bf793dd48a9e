/**
 * Breaks a migration at one place: a step, before or after it acted or after that was recorded, forward or in
 * its undo. Once; then all goes on by itself. Used by the saga harness.
 */
import type { Store } from '../../src/app/store-port.ts';
import { HandoverError } from '../../src/base/errors.ts';
import type { MigrationContext } from '../../src/migration/port.ts';
import type { Step } from '../../src/saga/definition.ts';
import type { EngineProcess } from './engine-process.ts';
import type { VirtualWorld } from './virtual-world.ts';

/** Where and how. */
export interface Breach {
  readonly step: string;
  /** In its undo. */
  readonly undo: boolean;
  readonly point: 'before' | 'after' | 'recorded';
  /** `crash`: the engine is killed and another started. `repeat`: it acts twice. */
  readonly act: 'fail' | 'repeat' | 'crash';
  /** Another step, which fails whenever it runs: there is something to undo. */
  readonly failing?: string;
}

/** What may go wrong with the undo of a step, in words for the name of a test. */
export const UNDO_BREACHES: readonly [Breach['act'], Breach['point'], string][] = [
  ['crash', 'before', 'its engine is killed before it undoes'],
  ['crash', 'after', 'its engine is killed after it undid, before that is recorded'],
  ['crash', 'recorded', 'its engine is killed after it is recorded'],
  ['repeat', 'after', 'it is undone twice'],
  ['fail', 'before', 'it fails before it undoes'],
  ['fail', 'after', 'it fails after it undid'],
  ['fail', 'recorded', 'the answer to its record is lost'],
];

/** Starts an engine that breaks there. The result counts how often it did. */
export function breakAt(world: VirtualWorld, breach: Breach): { times: number } {
  const broken = { times: 0 };
  const strike = async (engine: EngineProcess): Promise<void> => {
    broken.times += 1;
    if (breach.act !== 'crash') throw new HandoverError('HOST_UNREACHABLE', 'broken by the harness');
    world.killEngine(engine);
    world.startEngine();
    // Dead: whatever waits for this waits for ever.
    await new Promise<never>(() => {});
  };

  const broke = <Result>(work: Work<Result>, engine: EngineProcess): Work<Result> => {
    return async (context) => {
      if (broken.times > 0) return work(context);
      if (breach.point === 'before') await strike(engine);
      const result = await work(context);
      if (breach.point === 'recorded') return result;
      if (breach.act !== 'repeat') await strike(engine);
      broken.times += 1;
      return work(context);
    };
  };

  world.startEngine({
    around: (saga, engine) => ({
      ...saga,
      steps: saga.steps.map((step): Step<MigrationContext> => {
        if (step.name === breach.failing) return { ...step, run: fail };
        if (step.name !== breach.step) return step;
        if (!breach.undo) return { ...step, run: broke((context) => step.run(context), engine) };
        return { ...step, undo: step.undo && broke(step.undo, engine) };
      }),
    }),
    overStore: (store, engine) => (breach.point === 'recorded' ? brokenRecord(store, engine) : store),
  });
  return broken;

  function brokenRecord(store: Store, engine: EngineProcess): Store {
    const { saga } = store.jobs;
    const ends = breach.undo ? ['undone'] : ['finished', 'skipped'];
    return {
      ...store,
      jobs: {
        ...store.jobs,
        saga: {
          ...saga,
          async write(claim, patch) {
            const written = await saga.write(claim, patch);
            const { step, stepIndex } = patch;
            const ours = step?.name === breach.step && step.item === null && ends.includes(step.state);
            if (!ours || stepIndex === undefined || broken.times > 0) return written;
            if (breach.act === 'crash') await strike(engine);
            broken.times += 1;
            throw new HandoverError('STORE_UNAVAILABLE', 'the answer was lost by the harness');
          },
        },
      },
    };
  }
}

const fail = () => Promise.reject(new HandoverError('HOST_UNREACHABLE', 'made to fail by the harness'));

type Work<Result> = (context: MigrationContext) => Promise<Result>;
