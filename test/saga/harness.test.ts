/**
 * Every step of a migration, broken at every point, by every means: it fails, is repeated, or its engine is
 * killed there and another takes the job up. Also while it undoes. Afterwards the hosts and the store must be
 * as the promises say (`promises.ts`), whatever happened; and the job must end as it should.
 */
import { afterEach, describe, expect, test } from 'vitest';
import { MIGRATION_STEPS } from '../../src/migration/migrate-vm.ts';
import type { MigrationContext } from '../../src/migration/port.ts';
import type { Job } from '../../src/model/job.ts';
import type { Step } from '../../src/saga/definition.ts';
import { type Breach, breakAt, UNDO_BREACHES } from '../support/break-steps.ts';
import { simVmFleet, vfOf } from '../support/sim-vms.ts';
import { CALLER, VirtualWorld } from '../support/virtual-world.ts';

let world: VirtualWorld;
afterEach(() => world.close());

/** Moves a VM with two VFs from host-a to host-b, broken at one place. */
async function moved(breach: Breach, options: { readonly transferRefused: boolean }): Promise<Job> {
  const inventory = simVmFleet({ vms: [{ name: 'web-1', vfs: [0, 1] }], hostCount: 2, vfCount: 4 });
  world = await VirtualWorld.begin({ seed: 1, inventory });
  if (options.transferRefused) {
    const refuse = { type: 'refuse', libvirtCode: 9, message: 'operation failed: no' } as const;
    world.fleet.faults.add({ procedure: 'domainMigratePerform3Params', effect: refuse });
  }
  const broken = breakAt(world, breach);
  const asked = await world.run(
    'the migration is accepted',
    world.useCases.migrateVm(CALLER, world.vmId('web-1'), { targetHostId: world.hostId('host-b') }),
  );
  for (;;) {
    const job = await world.store.jobs.get(asked.id);
    if (job?.endedAt != null) {
      expect(broken.times).toBe(1);
      return job;
    }
    await world.clock.advance(500);
  }
}

/** At once: what the job itself did. Then at rest, when the reconciler had its time. */
async function expectPromisesKept(host: string): Promise<void> {
  const domain = world.fleet.host(host).domains.get(world.vmId('web-1'));
  expect(domain?.guest?.running).toBe(true);
  expect(domain?.vfs.size).toBe(2);
  expect(domain?.guest?.upDelayMs).toBe(0);
  if (host === 'host-a') expect([...(domain?.vfs.values() ?? [])]).toEqual([vfOf(0), vfOf(1)]);
  expect(await world.brokenAtRest(120_000)).toEqual([]);
  expect(world.broken).toEqual([]);
}

const name = (step: Step<MigrationContext>): string => step.name;
const before = MIGRATION_STEPS.filter((step) => step.kind === 'reversible').map(name);
const pivotAndAfter = MIGRATION_STEPS.filter((step) => step.kind !== 'reversible').map(name);
const after = MIGRATION_STEPS.filter((step) => step.kind === 'forward').map(name);
const withUndo = MIGRATION_STEPS.filter((step) => step.undo !== null).map(name);

describe('on the way there', () => {
  const passes: [Breach['act'], Breach['point'], string][] = [
    ['crash', 'before', 'its engine is killed before it acts'],
    ['crash', 'after', 'its engine is killed after it acted, before that is recorded'],
    ['crash', 'recorded', 'its engine is killed after it is recorded'],
    ['repeat', 'after', 'it is run twice'],
    ['fail', 'recorded', 'the answer to its record is lost'],
  ];
  describe.each(passes)('%s %s: %3$s', (act, point) => {
    test.each([...before, ...pivotAndAfter])('in %s, and the VM moves all the same', async (step) => {
      const job = await moved({ step, undo: false, act, point }, { transferRefused: false });
      expect(job).toMatchObject({ state: 'succeeded', error: null });
      await expectPromisesKept('host-b');
    });
  });

  describe.each(['before', 'after'] as const)('fail %s it acts', (point) => {
    test.each(before)('in %s, and the VM stays with its VFs', async (step) => {
      const job = await moved({ step, undo: false, act: 'fail', point }, { transferRefused: false });
      expect(job).toMatchObject({ state: 'failed', error: { code: 'HOST_UNREACHABLE' } });
      await expectPromisesKept('host-a');
    });

    test.each(after)('in %s after the pivot, and it is repeated', async (step) => {
      const job = await moved({ step, undo: false, act: 'fail', point }, { transferRefused: false });
      expect(job).toMatchObject({ state: 'succeeded' });
      await expectPromisesKept('host-b');
    });
  });

  test('fail before the pivot acts, and the VM stays with its VFs', async () => {
    const breach = { step: 'transfer', undo: false, act: 'fail', point: 'before' } as const;
    expect(await moved(breach, { transferRefused: false })).toMatchObject({ state: 'failed' });
    await expectPromisesKept('host-a');
  });
});

describe('on the way back', () => {
  describe.each(UNDO_BREACHES)('%s %s: %3$s', (act, point) => {
    test.each(withUndo)('in %s, and the VM stays with its VFs', async (step) => {
      const job = await moved({ step, undo: true, act, point }, { transferRefused: true });
      expect(job).toMatchObject({ state: 'failed', error: { code: 'MIGRATION_FAILED' } });
      await expectPromisesKept('host-a');
    });
  });
});
