/**
 * Transfers that fail, or whose end nobody is told: where the VM is gets decided by looking at both hosts.
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createDomain, destroyDomain, shutdownDomain, undefineDomain } from '../../src/simhost/lifecycle.ts';
import { killLibvirtd, startLibvirtd } from '../../src/simhost/machine.ts';
import type { Job } from '../../src/model/job.ts';
import { aCaller } from '../support/builders.ts';
import { eventually } from '../support/eventually.ts';
import { failureOf, MigrationWorld } from '../support/migration-world.ts';
import { aliasOf, strangerXml, vfOf } from '../support/sim-vms.ts';

let world: MigrationWorld;
beforeEach(async () => {
  world = await MigrationWorld.start({ vms: [{ name: 'web-1' }] });
});
afterEach(() => world.close());

/** Back as it was: on the source, on the VF it had. */
function expectHome(): void {
  expect(world.runsOn('web-1')).toEqual(['host-a']);
  expect(world.vfs('host-a', 'web-1')).toEqual({ [aliasOf(0)]: vfOf(0) });
}
function expectMoved(): void {
  expect(world.runsOn('web-1')).toEqual(['host-b']);
  expect(Object.keys(world.vfs('host-b', 'web-1'))).toEqual([aliasOf(0)]);
}
const holdAlert = (): Promise<string> =>
  eventually('an alert that the job waits', async () =>
    (await world.alerts()).find((message) => message.includes('waits: ')),
  );

describe('a transfer that fails', () => {
  test('because the source refuses it is undone', async () => {
    world.fleet.faults.add({
      procedure: 'domainMigratePerform3Params',
      effect: { type: 'refuse', libvirtCode: 9, message: 'operation failed: no route' },
    });
    const job = await world.migrated('web-1');
    expect(job).toMatchObject({ state: 'failed', error: { code: 'MIGRATION_FAILED' } });
    expect(job.error?.message).toContain('no route');
    expectHome();
  });

  test('because the target ran out of memory meanwhile is undone', async () => {
    world.guest('web-1').unplug = { type: 'answer', minMs: 3_000, maxMs: 3_000 };
    const job = await world.migrate('web-1');
    await eventually('the guest asked', () => world.guest('web-1').pendingUnplugs.length > 0);
    const large = strangerXml(9, []).replace("unit='MiB'>256", "unit='GiB'>126");
    await createDomain(world.host('host-b'), large, 0);
    const ended = await world.ended(job);
    expect(ended).toMatchObject({ state: 'failed', error: { code: 'MIGRATION_FAILED' } });
    expect(ended.error?.message).toContain('Cannot allocate memory');
    expectHome();
  });

  test.each(['host-a', 'host-b'])('because libvirtd of %s was restarted is undone', async (host) => {
    const { job, letGo } = await world.inTransfer('web-1');
    killLibvirtd(world.host(host), 1_000);
    letGo();
    expect(await world.ended(job)).toMatchObject({ state: 'failed' });
    expectHome();
  });

  test('that takes longer than its limit is aborted and undone', async () => {
    const { job } = await world.inTransfer('web-1', { transferTimeoutMs: 3_000 });
    expect(await world.ended(job)).toMatchObject({ state: 'failed', error: { code: 'CONVERGENCE_FAILED' } });
    expectHome();
  });
});

describe('an answer that got lost', () => {
  beforeEach(() => {
    world.fleet.faults.add({
      procedure: 'domainMigratePerform3Params',
      host: 'host-a',
      effect: { type: 'dropReply' },
    });
  });

  test('of a transfer that went well does not matter: the VM is seen on the target', async () => {
    expect(await world.migrated('web-1')).toMatchObject({ state: 'succeeded' });
    expectMoved();
  });

  test('of a transfer that failed does not matter: the VM is seen on the source', async () => {
    world.fleet.faults.add({
      procedure: 'domainMigratePrepare3Params',
      host: 'host-b',
      effect: { type: 'refuse', libvirtCode: 1, message: 'internal error: no' },
    });
    expect(await world.migrated('web-1')).toMatchObject({ state: 'failed' });
    expectHome();
  });
});

describe('a source that libvirt resumed although the guest runs on the target', () => {
  beforeEach(() => {
    world.allowed.twoCopies = true;
    world.fleet.faults.add({
      procedure: 'domainMigrateFinish3Params',
      host: 'host-b',
      effect: { type: 'dropReply' },
    });
  });
  const bothRun = (): boolean => world.runsOn('web-1').length === 2;

  test('is ended at once, and it is said', async () => {
    const changes: { atMs: number; both: boolean }[] = [];
    world.host('host-a').listen(() => {
      if (bothRun() !== (changes.at(-1)?.both ?? false))
        changes.push({ atMs: world.clock.monotonicMs(), both: bothRun() });
    });
    const job = await world.migrated('web-1');
    expect(job).toMatchObject({ state: 'succeeded' });
    expect(changes.map(({ both }) => both)).toEqual([true, false]);
    const overlapMs = (changes[1]?.atMs ?? 0) - (changes[0]?.atMs ?? 0);
    expect(overlapMs, 'on the fast clock').toBeLessThan(3_000);
    expect(await world.said(job, 'TWO_COPIES_ENDED')).toHaveLength(1);
    expectMoved();
  });

  test('is ended by the next engine if the first did not live to see it, even at a second try', async () => {
    world.fleet.faults.add({
      procedure: 'domainDestroyFlags',
      host: 'host-a',
      nth: 1,
      effect: { type: 'refuse', libvirtCode: 38, message: 'Failed to terminate process with SIGKILL' },
    });
    const job = await world.migrate('web-1');
    await eventually('the guest on the target', () => world.runsOn('web-1').includes('host-b'));
    await world.stopEngine();
    await eventually('both run', bothRun);
    world.startEngine();
    await eventually('one runs', () => !bothRun());
    expect(await world.ended(job)).toMatchObject({ state: 'succeeded' });
    expect(await world.said(job, 'TWO_COPIES_ENDED')).toHaveLength(1);
    expectMoved();
  });
});

test('a source that runs while the target lost the VM is left alone until the job is abandoned', async () => {
  world.allowed.twoCopies = true;
  world.fleet.faults.add({
    procedure: 'domainMigrateFinish3Params',
    host: 'host-b',
    effect: { type: 'dropReply' },
  });
  const allow = world.fleet.faults.add({
    procedure: 'domainDestroyFlags',
    host: 'host-a',
    effect: { type: 'refuse', libvirtCode: 38, message: 'Failed to terminate process with SIGKILL' },
  });
  const job = await world.migrate('web-1');
  await world.begun(job, 'release');
  await eventually('both run', () => world.runsOn('web-1').length === 2);
  const copy = world.domain('host-b', 'web-1');
  if (copy) await destroyDomain(world.host('host-b'), copy);
  if (copy) undefineDomain(world.host('host-b'), copy);
  const alert = await eventually('an alert', async () =>
    (await world.alerts()).find((message) => message.includes('had arrived on host-b')),
  );
  // Not sooner: a destroy decided on while both ran may still be on its way.
  allow();
  expect(alert).toContain(`handover job abandon ${job.id}`);
  await world.abandon(job);
  await eventually('plugged at home', () => aliasOf(0) in world.vfs('host-a', 'web-1'));
  await eventually('no alert left', async () => (await world.alerts()).length === 0);
  expect(world.runsOn('web-1')).toEqual(['host-a']);
});

test('a host that takes part keeps its name and address until the migration has ended', async () => {
  const { job, letGo } = await world.inTransfer('web-1');
  const refused = { code: 'IN_USE', message: expect.stringContaining(job.id) as string };
  for (const host of ['host-a', 'host-b'])
    await expect(world.rename(host, 'other')).rejects.toMatchObject(refused);
  letGo();
  expect(await world.ended(job)).toMatchObject({ state: 'succeeded' });
  await world.rename('host-a', 'other');
});

test('lost events only make a migration slower', async () => {
  for (const event of ['deviceRemoved', 'lifecycle', 'jobCompleted', 'deviceAdded'])
    world.fleet.faults.add({ event, effect: { type: 'loseEvent' } });
  expect(await world.migrated('web-1')).toMatchObject({ state: 'succeeded' });
  expectMoved();
});

describe('a cancel', () => {
  test('while the guest is asked for its VF ends the job on the source', async () => {
    world.guest('web-1').unplug = { type: 'answer', minMs: 4_000, maxMs: 4_000 };
    const job = await world.migrate('web-1');
    await eventually('the guest asked', () => world.guest('web-1').pendingUnplugs.length > 0);
    await world.cancel('web-1');
    expect(await world.ended(job)).toMatchObject({ state: 'cancelled' });
    expect(await world.heard(job, 'MIGRATION_CANCELLED')).toHaveLength(1);
    await eventually('the VF back', () => world.vfs('host-a', 'web-1')[aliasOf(0)] === vfOf(0));
  });

  test('in transfer ends the job on the source', async () => {
    const { job } = await world.inTransfer('web-1');
    await world.cancel('web-1');
    expect(await world.ended(job)).toMatchObject({ state: 'cancelled', error: { code: 'CANCELLED' } });
    expectHome();
  });

  test('after the pivot is refused, and the job succeeds', async () => {
    world.slowAttach('host-b', 5_000);
    const job = await world.migrate('web-1');
    await world.begun(job, 'plug');
    expect(await failureOf(world.useCases.cancelJob(aCaller(), job.id))).toMatchObject({
      code: 'CANCEL_TOO_LATE',
      kind: 'conflict',
    });
    expect(await world.ended(job)).toMatchObject({ state: 'succeeded' });
  });

  test('of a job that has ended is refused as such', async () => {
    const job = await world.migrated('web-1');
    const { code, message } = await failureOf(world.useCases.cancelJob(aCaller(), job.id));
    expect(code).toBe('VM_NOT_MIGRATING');
    expect(message).toContain(
      `there is no migration of web-1 under way (job ${job.id} has ended: succeeded)`,
    );
  });

  test('that loses the race against the pivot is refused, and an event says so', async () => {
    world.fleet.faults.add({
      procedure: 'domainAbortJob',
      delayMs: 5_000,
    });
    const { job, letGo } = await world.inTransfer('web-1');
    const cancelled = failureOf(world.cancel('web-1'));
    await eventually('the cancel asked for', async () => (await world.job(job)).cancelRequested);
    letGo();
    expect(await cancelled).toMatchObject({ code: 'CANCEL_TOO_LATE' });
    expect(await world.ended(job)).toMatchObject({ state: 'succeeded' });
    expect(await world.said(job, 'MIGRATION_CANCEL_FAILED')).toHaveLength(1);
  });
});

describe('a VM that somebody ends while it moves', () => {
  const expectDown = async (job: Job): Promise<void> => {
    world.allowed.down.add('web-1');
    const ended = await world.ended(job);
    expect(ended.state).toBe('failed');
    expect(ended.error?.message).toMatch(/shut off|stopped/);
    expect(await world.store.reservations.list()).toEqual([]);
  };

  test('with virsh destroy in transfer is down, and the job says so', async () => {
    const { job } = await world.inTransfer('web-1');
    const domain = world.domain('host-a', 'web-1');
    if (domain) await destroyDomain(world.host('host-a'), domain);
    await expectDown(job);
  });

  test('by a shutdown in transfer is down, and the job says so', async () => {
    const { job } = await world.inTransfer('web-1');
    const domain = world.domain('host-a', 'web-1');
    if (domain) shutdownDomain(world.host('host-a'), domain);
    await expectDown(job);
  });

  test('while its VF is asked for is down, and the job says so', async () => {
    world.guest('web-1').unplug = { type: 'never' };
    const job = await world.migrate('web-1');
    await eventually('the guest asked', () => world.guest('web-1').pendingUnplugs.length > 0);
    const domain = world.domain('host-a', 'web-1');
    if (domain) await destroyDomain(world.host('host-a'), domain);
    await expectDown(job);
  });
});

describe('a host that does not answer in transfer', () => {
  test.each(['host-a', 'host-b'])('(%s, its libvirtd dead) is waited for under an alert', async (host) => {
    const { job, letGo } = await world.inTransfer('web-1');
    killLibvirtd(world.host(host), null);
    letGo();
    expect(await holdAlert()).toContain('does not answer');
    expect((await world.job(job)).state).toBe('running');
    startLibvirtd(world.host(host));
    expect(await world.ended(job)).toMatchObject({ state: 'failed' });
    expectHome();
  });

  test('(the target, cut off from the engine) is waited for, and the VM found there', async () => {
    const { job, letGo } = await world.inTransfer('web-1');
    const mend = await world.lines.cut('host-b');
    letGo();
    expect(await holdAlert()).toContain('the target does not answer');
    expect(world.runsOn('web-1')).toEqual(['host-b']);
    mend();
    expect(await world.ended(job)).toMatchObject({ state: 'succeeded' });
    expectMoved();
  });

  test('(its libvirtd dead for good) need not be waited for: the job can be abandoned', async () => {
    const { job, letGo } = await world.inTransfer('web-1');
    killLibvirtd(world.host('host-b'), null);
    letGo();
    await holdAlert();
    await world.abandon(job);
    expect(await world.ended(job)).toMatchObject({ state: 'failed' });
    await eventually('plugged again at home', () => aliasOf(0) in world.vfs('host-a', 'web-1'));
    await eventually('no alert left', async () => (await world.alerts()).length === 0);
    startLibvirtd(world.host('host-b'));
  });

  test('(the source, cut off from the engine) does not keep the VM from its new VF', async () => {
    const { job, letGo } = await world.inTransfer('web-1');
    const mend = await world.lines.cut('host-a');
    letGo();
    await eventually('plugged on the target', () => aliasOf(0) in world.vfs('host-b', 'web-1'));
    await eventually('an alert', async () =>
      (await world.alerts()).some((message) => message.includes('host-a does not answer')),
    );
    mend();
    expect(await world.ended(job)).toMatchObject({ state: 'succeeded' });
    expectMoved();
  });
});
