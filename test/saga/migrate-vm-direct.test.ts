/** Migrations driven by the engine itself, where the source's libvirtd cannot dial the target's. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { aCaller } from '../support/builders.ts';
import { eventually } from '../support/eventually.ts';
import { MigrationWorld } from '../support/migration-world.ts';
import { aliasOf, vfOf } from '../support/sim-vms.ts';

let world: MigrationWorld;
beforeEach(async () => {
  world = await MigrationWorld.start({ vms: [{ name: 'web-1' }] });
  const peerUri = 'qemu+tls://nobody-knows-it/system';
  const caller = aCaller();
  await world.useCases.updateHost(caller, world.hostId('host-b'), { peerUri });
  await world.useCases.testPeers(caller, world.hostId('host-a'));
});
afterEach(() => world.close());

test('a VM moves all the same', async () => {
  const job = await world.migrated('web-1');
  expect(job).toMatchObject({ state: 'succeeded', data: { protocol: 'direct' } });
  expect(world.runsOn('web-1')).toEqual(['host-b']);
});

test('a cancel in transfer ends the job on the source', async () => {
  const { job } = await world.inTransfer('web-1');
  await world.cancel('web-1');
  expect(await world.ended(job)).toMatchObject({ state: 'cancelled' });
  expect(world.vfs('host-a', 'web-1')).toEqual({ [aliasOf(0)]: vfOf(0) });
});

test('an engine stopped in transfer undoes the move when it is started again', async () => {
  const { job, letGo } = await world.inTransfer('web-1');
  await world.stopEngine();
  letGo();
  await eventually('nothing left on the target', () => world.domain('host-b', 'web-1') === undefined);
  world.startEngine();
  expect(await world.ended(job)).toMatchObject({ state: 'failed' });
  expect(world.vfs('host-a', 'web-1')).toEqual({ [aliasOf(0)]: vfOf(0) });
});
