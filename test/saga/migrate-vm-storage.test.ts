/** Migrations that copy local disks. */
import { afterEach, beforeEach, expect, test } from 'vitest';
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

test('a local disk without leave to copy it is refused before anything is touched', async () => {
  const job = await world.migrated('web-1');
  expect(job).toMatchObject({ state: 'failed', error: { code: 'MIGRATION_REFUSED' } });
  expect(job.error?.message).toContain('use --copy-storage');
});
