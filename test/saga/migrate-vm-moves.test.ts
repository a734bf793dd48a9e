/** Whole migrations that succeed, of every kind of VM that is promised. */
import { afterEach, expect, test } from 'vitest';
import { attribute, children, find } from '../../src/simhost/xml.ts';
import { MigrationWorld, type WorldOptions } from '../support/migration-world.ts';
import { aliasOf, POOL, vfOf } from '../support/sim-vms.ts';

let world: MigrationWorld;
const start = async (options: WorldOptions): Promise<void> => {
  world = await MigrationWorld.start(options);
};
afterEach(() => world.close());

/** The first VF of web-1 as a host's live definition has it. */
const firstVf = (host: string) =>
  children(find(world.domain(host, 'web-1')?.live ?? undefined, 'devices'), 'interface').find(
    (each) => attribute(each, 'alias', 'name') === aliasOf(0),
  );

test('a VM with a VF moves to the other host and comes back', async () => {
  await start({ vms: [{ name: 'web-1' }] });
  const there = await world.migrated('web-1');
  expect(there).toMatchObject({ state: 'succeeded', error: null, pivoted: true });
  expect(world.runsOn('web-1')).toEqual(['host-b']);
  expect(Object.keys(world.vfs('host-b', 'web-1'))).toEqual([aliasOf(0)]);
  const [vnic] = await world.vnics('web-1');
  const onVf = firstVf('host-b');
  expect(attribute(onVf, 'address', 'slot'), 'the same place in the guest').toBe('0x08');
  expect(attribute(onVf, 'mac', 'address')).toBe(vnic?.mac);
  expect((await world.vm('web-1')).hostId).toBe(world.hostId('host-b'));

  const back = await world.migrated('web-1');
  expect(back).toMatchObject({ state: 'succeeded', error: null });
  expect(world.runsOn('web-1')).toEqual(['host-a']);
  expect(await world.heard(back, 'MIGRATION_DONE')).toHaveLength(1);
});

test('two vNICs of a VM move together, each on a VF of its own', async () => {
  await start({ vms: [{ name: 'web-1', vfs: [0, 2] }] });
  expect(await world.migrated('web-1')).toMatchObject({ state: 'succeeded' });
  const vfs = world.vfs('host-b', 'web-1');
  expect(Object.keys(vfs).sort()).toEqual([aliasOf(0), aliasOf(1)]);
  expect(new Set(Object.values(vfs)).size).toBe(2);
});

test('a VF that libvirt does not manage goes back to its host driver when its VM leaves', async () => {
  await start({ vms: [{ name: 'web-1', managed: false }] });
  expect(world.host('host-a').hardware.vf(vfOf(0))?.driver).toBe('vfio-pci');
  expect(await world.migrated('web-1')).toMatchObject({ state: 'succeeded' });
  expect(world.host('host-a').hardware.vf(vfOf(0))?.driver).toBe('iavf');
  const [vf = ''] = Object.values(world.vfs('host-b', 'web-1'));
  expect(world.host('host-b').hardware.vf(vf)?.driver).toBe('vfio-pci');
  expect(await world.migrated('web-1')).toMatchObject({ state: 'succeeded' });
});

test('a vNIC on a pool of VFs moves, and its definition keeps the pool', async () => {
  await start({ vms: [{ name: 'web-1', pool: true }] });
  expect(await world.migrated('web-1')).toMatchObject({ state: 'succeeded' });
  expect(Object.keys(world.vfs('host-b', 'web-1'))).toEqual([aliasOf(0)]);
  const definition = world.domain('host-b', 'web-1')?.config ?? undefined;
  const sources = children(find(definition, 'devices'), 'interface').map((each) =>
    attribute(each, 'source', 'network'),
  );
  expect(sources).toContain(POOL);
});

test('a transient VM moves, keeps the option ROM of its VF, and leaves no definition anywhere', async () => {
  await start({ vms: [{ name: 'web-1', transient: true }] });
  expect(await world.migrated('web-1')).toMatchObject({ state: 'succeeded' });
  expect(world.domain('host-a', 'web-1')).toBeUndefined();
  expect(world.domain('host-b', 'web-1')?.config).toBeNull();
  expect(attribute(firstVf('host-b'), 'rom', 'bar')).toBe('off');
});

test('autostart goes along', async () => {
  await start({ vms: [{ name: 'web-1', autostart: true }] });
  expect(await world.migrated('web-1')).toMatchObject({ state: 'succeeded' });
  expect(world.domain('host-b', 'web-1')?.autostart).toBe(true);
});

test('two VMs leave the same host at once and never meet on a VF', async () => {
  await start({ vms: [{ name: 'web-1' }, { name: 'web-2', vfs: [1] }], vfCount: 2 });
  const jobs = [await world.migrate('web-1'), await world.migrate('web-2')];
  for (const job of jobs) expect(await world.ended(job)).toMatchObject({ state: 'succeeded' });
  const taken = ['web-1', 'web-2'].flatMap((vm) => Object.values(world.vfs('host-b', vm)));
  expect(new Set(taken)).toEqual(new Set([vfOf(0), vfOf(1)]));
});

test('the third migration of a host waits with its place in the queue and then runs', async () => {
  await start({ vms: [{ name: 'web-1' }, { name: 'web-2', vfs: [1] }, { name: 'web-3', vfs: [2] }] });
  const first = await world.inTransfer('web-1');
  const second = await world.inTransfer('web-2');
  const third = await world.migrate('web-3');
  await world.until('the third waits', async () => {
    const { state, waitReason } = await world.job(third);
    return state === 'queued' && waitReason === '2 migrations already leave host-a (place 1)';
  });
  expect(await world.store.reservations.list({ jobId: third.id })).toEqual([]);
  first.letGo();
  second.letGo();
  for (const job of [first.job, second.job, third])
    expect(await world.ended(job)).toMatchObject({ state: 'succeeded' });
  expect(world.runsOn('web-3')).toEqual(['host-b']);
});

test('a VM that is shown as up is moved on, or changed, while its last move still tidies up', async () => {
  await start({ vms: [{ name: 'web-1' }] });
  const there = await world.migrate('web-1', { to: 'host-b' });
  await world.until('it is shown as up', async () => (await world.vm('web-1')).status === 'up');
  const back = await world.migrate('web-1', { to: 'host-a' });
  expect((await world.job(there)).state).toBe('succeeded');
  await world.until('it is shown as up', async () => (await world.vm('web-1')).status === 'up');
  await world.setPlugged('web-1', false);
  expect((await world.job(back)).state).toBe('succeeded');
  await world.setPlugged('web-1', true);
});
