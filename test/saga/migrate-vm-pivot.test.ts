/**
 * Rows of the pivot table that only violence on a host leads to; the same on real hosts:
 * `docs/internals/pivot-on-the-lab.md`. The other rows are in `migrate-vm-transfer.test.ts`.
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { killLibvirtd, killQemu, startLibvirtd } from '../../src/simhost/machine.ts';
import type { Job } from '../../src/model/job.ts';
import { eventually } from '../support/eventually.ts';
import { MigrationWorld } from '../support/migration-world.ts';
import { aliasOf, vfOf } from '../support/sim-vms.ts';

let world: MigrationWorld;
beforeEach(async () => {
  world = await MigrationWorld.start({ vms: [{ name: 'web-1' }] });
});
afterEach(() => world.close());

const killOn = (host: string): void => {
  const domain = world.domain(host, 'web-1');
  if (domain) killQemu(world.host(host), domain);
};
const arrived = () => eventually('the guest on the target', () => world.runsOn('web-1').includes('host-b'));
const goneFromSource = () =>
  eventually('gone from the source', () => world.domain('host-a', 'web-1') === undefined);

describe('a target whose QEMU dies after the guest arrived', () => {
  beforeEach(() => {
    world.allowed.down.add('web-1');
  });
  async function expectLost(job: Job): Promise<void> {
    const ended = await world.ended(job);
    expect(ended).toMatchObject({ state: 'failed', error: { code: 'MIGRATION_FAILED' } });
    expect(ended.error?.message).toContain('start it again on host-b');
    expect(await world.store.reservations.list()).toEqual([]);
    expect(await world.alerts()).toEqual([]);
    await eventually('known as down', async () => (await world.vm('web-1')).status === 'down');
    expect((await world.vm('web-1')).hostId).toBe(world.hostId('host-b'));
    expect((await world.vnics('web-1')).map((vnic) => vnic.actual)).toEqual(['unplugged']);
  }

  test('while its VF is plugged has lost the VM: the job fails and no VF counts as plugged', async () => {
    world.slowAttach('host-b', 5_000);
    const job = await world.migrate('web-1');
    await world.begun(job, 'plug');
    await goneFromSource();
    killOn('host-b');
    await expectLost(job);
    expect(await world.heard(job, 'MIGRATION_FAILED')).toHaveLength(1);
  });

  test('while no engine runs has lost the VM, and the next engine says so', async () => {
    const { job, letGo } = await world.inTransfer('web-1');
    await world.stopEngine();
    letGo();
    await goneFromSource();
    killOn('host-b');
    world.startEngine();
    await expectLost(job);
  });
});

test('a source that libvirt resumed while the target is silent is told of at once', async () => {
  world.allowed.twoCopies = true;
  const job = await world.migrate('web-1');
  await arrived();
  killLibvirtd(world.host('host-b'), null);
  await eventually('both run', () => world.runsOn('web-1').length === 2);
  await eventually('an alert', async () =>
    (await world.alerts()).find((message) =>
      message.includes('had arrived on host-b, which does not answer'),
    ),
  );
  // Not after the plug, which is repeated for minutes.
  expect(['transfer', 'plug']).toContain((await world.steps(job)).at(-1)?.name);
  startLibvirtd(world.host('host-b'));
  await eventually('one runs', () => world.runsOn('web-1').length === 1);
  expect(await world.ended(job)).toMatchObject({ state: 'succeeded' });
  expect(await world.said(job, 'TWO_COPIES_ENDED')).toHaveLength(1);
  expect(world.runsOn('web-1')).toEqual(['host-b']);
});

describe('a source that stands still without a job', () => {
  test('while the guest runs on the target is ended', async () => {
    const job = await world.migrate('web-1');
    await arrived();
    killLibvirtd(world.host('host-a'), 5_000);
    expect(await world.ended(job)).toMatchObject({ state: 'succeeded' });
    expect(world.domain('host-a', 'web-1')).toBeUndefined();
    expect(Object.keys(world.vfs('host-b', 'web-1'))).toEqual([aliasOf(0)]);
  });

  test('is left alone while the target is silent, and runs again once the VM is gone there', async () => {
    world.fleet.faults.add({ procedure: 'domainMigrateFinish3Params', host: 'host-b', delayMs: 60_000 });
    const job = await world.migrate('web-1');
    await eventually('it stands still', () => world.runsOn('web-1').length === 0);
    await eventually(
      'the target is asked to let it run',
      () => world.domain('host-a', 'web-1')?.transfer?.phase === 'done',
    );
    killLibvirtd(world.host('host-b'), null);
    killLibvirtd(world.host('host-a'), 0);
    await eventually('an alert', async () =>
      (await world.alerts()).find((message) => message.includes('Nothing is resumed')),
    );
    expect(world.runsOn('web-1')).toEqual([]);
    killOn('host-b');
    startLibvirtd(world.host('host-b'));
    expect(await world.ended(job)).toMatchObject({ state: 'failed' });
    expect(world.runsOn('web-1')).toEqual(['host-a']);
    expect(world.vfs('host-a', 'web-1')).toEqual({ [aliasOf(0)]: vfOf(0) });
  });
});
