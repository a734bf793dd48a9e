/**
 * Every step of a drill, broken at every point, by every means, as `harness.test.ts` does it with a
 * migration. Whatever happened: the VM runs where it was, has the VFs it had, and nothing is held.
 */
import { afterEach, describe, expect, test } from 'vitest';
import { DRILL_STEPS } from '../../src/migration/drill-vm.ts';
import type { Job } from '../../src/model/job.ts';
import { type Breach, breakAt, UNDO_BREACHES } from '../support/break-steps.ts';
import { simVmFleet, vfOf } from '../support/sim-vms.ts';
import { CALLER, VirtualWorld } from '../support/virtual-world.ts';

let world: VirtualWorld;
afterEach(() => world.close());

/** Drills a VM with two VFs, broken at one place. */
async function drilled(breach: Breach): Promise<Job> {
  const inventory = simVmFleet({ vms: [{ name: 'web-1', vfs: [0, 1] }], hostCount: 2, vfCount: 4 });
  world = await VirtualWorld.begin({ seed: 1, inventory });
  const broken = breakAt(world, breach);
  const asked = await world.run('the drill is accepted', world.useCases.drillVm(CALLER, world.vmId('web-1')));
  for (;;) {
    const job = await world.store.jobs.get(asked.id);
    if (job?.endedAt != null) {
      expect(broken.times).toBe(1);
      return job;
    }
    await world.clock.advance(500);
  }
}

async function expectAsBefore(): Promise<void> {
  const domain = world.fleet.host('host-a').domains.get(world.vmId('web-1'));
  expect([...(domain?.vfs.values() ?? [])]).toEqual([vfOf(0), vfOf(1)]);
  expect(await world.store.reservations.list()).toEqual([]);
  expect(await world.brokenAtRest(120_000)).toEqual([]);
  expect(world.broken).toEqual([]);
}

const names = (steps: typeof DRILL_STEPS): string[] => steps.map((step) => step.name);
const pivot = DRILL_STEPS.findIndex(({ kind }) => kind === 'pivot');
const before = names(DRILL_STEPS.slice(0, pivot));
const withUndo = names(DRILL_STEPS.filter(({ undo }) => undo !== null));

describe('on the way there', () => {
  const passes: [Breach['act'], Breach['point'], string][] = [
    ['crash', 'before', 'its engine is killed before it acts'],
    ['crash', 'after', 'its engine is killed after it acted, before that is recorded'],
    ['crash', 'recorded', 'its engine is killed after it is recorded'],
    ['repeat', 'after', 'it is run twice'],
    ['fail', 'recorded', 'the answer to its record is lost'],
  ];
  describe.each(passes)('%s %s: %3$s', (act, point) => {
    test.each(names(DRILL_STEPS))('in %s, and the drill succeeds all the same', async (step) => {
      const job = await drilled({ step, undo: false, act, point });
      expect(job).toMatchObject({ state: 'succeeded', error: null });
      await expectAsBefore();
    });
  });

  describe.each(['before', 'after'] as const)('fail %s it acts', (point) => {
    test.each([...before, 'plug'])('in %s, and the VM has its VFs', async (step) => {
      const job = await drilled({ step, undo: false, act: 'fail', point });
      expect(job).toMatchObject({ state: 'failed', error: { code: 'HOST_UNREACHABLE' } });
      await expectAsBefore();
    });

    test.each(['verify', 'settle'])('in %s, and it is repeated', async (step) => {
      const job = await drilled({ step, undo: false, act: 'fail', point });
      expect(job).toMatchObject({ state: 'succeeded' });
      await expectAsBefore();
    });
  });
});

describe('on the way back, with both VFs out', () => {
  describe.each(UNDO_BREACHES)('%s %s: %3$s', (act, point) => {
    test.each(withUndo)('in %s, and the VM has its VFs', async (step) => {
      const job = await drilled({ step, undo: true, act, point, failing: 'plug' });
      expect(job).toMatchObject({ state: 'failed', error: { code: 'HOST_UNREACHABLE' } });
      await expectAsBefore();
    });
  });
});
