/** Single acts on a host whose answer is lost or refused, and what others do to a VM on the way. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { destroyDomain, suspendDomain } from '../../src/simhost/lifecycle.ts';
import { eventually } from '../support/eventually.ts';
import { MigrationWorld } from '../support/migration-world.ts';
import { aliasOf, vfOf } from '../support/sim-vms.ts';

let world: MigrationWorld;
beforeEach(async () => {
  world = await MigrationWorld.start({ vms: [{ name: 'web-1', vfs: [0, 1] }] });
});
afterEach(() => world.close());

const expectMoved = (): void => {
  expect(world.runsOn('web-1')).toEqual(['host-b']);
  expect(Object.keys(world.vfs('host-b', 'web-1')).sort()).toEqual([aliasOf(0), aliasOf(1)]);
};
const expectHome = (): void => {
  expect(world.runsOn('web-1')).toEqual(['host-a']);
  expect(world.vfs('host-a', 'web-1')).toEqual({ [aliasOf(0)]: vfOf(0), [aliasOf(1)]: vfOf(1) });
};

describe('the answer', () => {
  test.each(['domainDetachDeviceAlias', 'domainAttachDeviceFlags'])(
    'to %s is lost once, and the VM moves all the same',
    async (procedure) => {
      world.fleet.faults.add({ procedure, nth: 1, effect: { type: 'dropReply' } });
      expect(await world.migrated('web-1')).toMatchObject({ state: 'succeeded' });
      expectMoved();
    },
  );

  test('to a plug is lost in the undo, and both VFs are back', async () => {
    world.fleet.faults.add({
      procedure: 'domainAttachDeviceFlags',
      host: 'host-a',
      nth: 1,
      effect: { type: 'dropReply' },
    });
    const { job } = await world.inTransfer('web-1');
    await world.cancel('web-1');
    expect(await world.ended(job)).toMatchObject({ state: 'cancelled' });
    expectHome();
  });

  test('to the start of the target is lost, and nothing is left there', async () => {
    world.fleet.faults.add({
      procedure: 'domainMigratePrepare3Params',
      host: 'host-b',
      effect: { type: 'dropReply' },
    });
    expect(await world.migrated('web-1')).toMatchObject({ state: 'failed' });
    expectHome();
  });
});

describe('libvirtd restarted', () => {
  const restartBy = (procedure: string, host: string): void => {
    const effect = { type: 'restartLibvirtd', restartAfterMs: 2_000 } as const;
    world.fleet.faults.add({ procedure, host, nth: 1, effect });
  };

  test.each(['domainMigratePrepare3Params', 'domainMigrateFinish3Params'])(
    'on the target by %s undoes the move',
    async (procedure) => {
      restartBy(procedure, 'host-b');
      expect(await world.migrated('web-1')).toMatchObject({ state: 'failed' });
      expectHome();
    },
  );

  test('on the target by the plug is waited for, and the copy that libvirt resumed ended', async () => {
    world.allowed.twoCopies = true;
    restartBy('domainAttachDeviceFlags', 'host-b');
    expect(await world.migrated('web-1')).toMatchObject({ state: 'succeeded' });
    expectMoved();
  });

  test('on the source while the guest is asked leaves the VM there with its VFs', async () => {
    // Nobody knows whether the guest was asked, so a vNIC may be waited for.
    world.allowed.notPlugged.add('web-1');
    restartBy('domainDetachDeviceAlias', 'host-a');
    expect(await world.migrated('web-1')).toMatchObject({ state: 'failed' });
    expectHome();
  });
});

describe('somebody', () => {
  test('pauses the VM with virsh in transfer: it moves', async () => {
    const { job, letGo } = await world.inTransfer('web-1');
    const domain = world.domain('host-a', 'web-1');
    if (domain) await suspendDomain(world.host('host-a'), domain);
    letGo();
    expect(await world.ended(job)).toMatchObject({ state: 'succeeded' });
    expectMoved();
  });

  test('destroys the VM on the target right after the pivot: it is down, and nothing is left', async () => {
    world.slowAttach('host-b', 3_000);
    const job = await world.migrate('web-1');
    await world.begun(job, 'plug');
    await eventually('gone from the source', () => world.domain('host-a', 'web-1') === undefined);
    const domain = world.domain('host-b', 'web-1');
    world.allowed.down.add('web-1');
    if (domain) await destroyDomain(world.host('host-b'), domain);
    await world.ended(job);
    expect(await world.store.reservations.list()).toEqual([]);
  });
});
