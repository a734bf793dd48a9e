/** Migrations that copy local disks. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { destroyDomain } from '../../src/simhost/lifecycle.ts';
import { eventually } from '../support/eventually.ts';
import { MigrationWorld } from '../support/migration-world.ts';
import { aliasOf, vfOf } from '../support/sim-vms.ts';

const DISK = '/var/lib/libvirt/images/web-1.qcow2';

let world: MigrationWorld;
beforeEach(async () => {
  world = await MigrationWorld.start({ vms: [{ name: 'web-1', disk: DISK }] });
});
afterEach(() => world.close());

test('a local disk is copied, and the original named', async () => {
  const job = await world.migrated('web-1', { copyStorage: true });
  expect(job).toMatchObject({ state: 'succeeded' });
  expect(world.host('host-b').files.has(DISK)).toBe(true);
  expect(await world.heard(job, 'LEFT_BEHIND')).toEqual([expect.stringContaining(DISK)]);
});

test('a path that exists on the target is refused and left as it is', async () => {
  world.host('host-b').files.set(DISK, 4096);
  const job = await world.migrated('web-1', { copyStorage: true });
  expect(job).toMatchObject({ state: 'failed', error: { code: 'MIGRATION_REFUSED' } });
  expect(job.error?.message).toContain(`${DISK} already exists on host-b`);
  expect(world.host('host-b').files.get(DISK)).toBe(4096);
  expect((await world.steps(job)).map((step) => step.name)).not.toContain('unplug');
});

test('the image made on the target goes away with a failed transfer', async () => {
  world.fleet.faults.add({
    procedure: 'domainMigratePerform3Params',
    effect: { type: 'refuse', libvirtCode: 9, message: 'operation failed' },
  });
  expect(await world.migrated('web-1', { copyStorage: true })).toMatchObject({ state: 'failed' });
  expect(world.host('host-b').files.has(DISK)).toBe(false);
  expect(world.host('host-a').files.has(DISK)).toBe(true);
  expect(world.vfs('host-a', 'web-1')).toEqual({ [aliasOf(0)]: vfOf(0) });
});

test('an image that a stranger made at the same moment is not removed', async () => {
  const { files } = world.host('host-b');
  const has = files.has.bind(files);
  // Looked for and not there; the stranger's comes before ours is created.
  vi.spyOn(files, 'has').mockImplementationOnce((path) => {
    const there = has(path);
    files.set(DISK, 4096);
    return there;
  });
  const job = await world.migrated('web-1', { copyStorage: true });
  expect(job).toMatchObject({ state: 'failed', error: { code: 'ALREADY_EXISTS' } });
  expect(files.get(DISK)).toBe(4096);
});

test('a guest that moved and was shut off there before anybody looked keeps its disk', async () => {
  const { job, letGo } = await world.inTransfer('web-1', { copyStorage: true });
  await world.stopEngine();
  letGo();
  await eventually('gone from the source', () => world.domain('host-a', 'web-1') === undefined);
  const domain = world.domain('host-b', 'web-1');
  world.allowed.down.add('web-1');
  if (domain) await destroyDomain(world.host('host-b'), domain);
  world.startEngine();
  const { error } = await world.ended(job);
  expect(error?.message).toContain('start it again on host-b');
  expect(world.host('host-b').files.has(DISK)).toBe(true);
  expect(await world.heard(job, 'LEFT_BEHIND')).toEqual([
    expect.stringContaining(`${DISK} on host-b is kept`),
  ]);
  await world.until('shown as down', async () => (await world.vm('web-1')).status === 'down');
  expect((await world.vm('web-1')).hostId).toBe(world.hostId('host-b'));
});

test('the plan says beforehand whether a disk has to be copied, and whether its path is free', async () => {
  expect(await world.planned('web-1')).toEqual([
    `the disk ${DISK} is not on host-b; share the storage or use --copy-storage`,
  ]);
  expect(await world.planned('web-1', { copyStorage: true })).toEqual([]);
  world.host('host-b').files.set(DISK, 4096);
  expect(await world.planned('web-1', { copyStorage: true })).toEqual([
    `${DISK} already exists on host-b; move it away or leave out --copy-storage`,
  ]);
  expect(await world.planned('web-1')).toEqual([]);
});

test('a local disk without leave to copy it is refused before anything is touched', async () => {
  const job = await world.migrated('web-1');
  expect(job).toMatchObject({ state: 'failed', error: { code: 'MIGRATION_REFUSED' } });
  expect(job.error?.message).toContain('use --copy-storage');
});
