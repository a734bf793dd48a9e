/** What a migration does when the guest keeps a VF, or a stranger takes one. */
import { afterEach, describe, expect, test } from 'vitest';
import { PROMPT_UNPLUG } from '../../src/simhost/inventory.ts';
import { destroyDomain } from '../../src/simhost/lifecycle.ts';
import { eventually } from '../support/eventually.ts';
import { failureOf, MigrationWorld, type WorldOptions } from '../support/migration-world.ts';
import { aliasOf, vfOf } from '../support/sim-vms.ts';

let world: MigrationWorld;
const start = async (options: WorldOptions): Promise<void> => {
  world = await MigrationWorld.start(options);
};
afterEach(() => world.close());

const numberOf = (vf: string | undefined): number => Number(vf?.at(-1));

test('a limit for the guest that cannot be meant is refused in the unit it is given in', async () => {
  await start({ vms: [{ name: 'web-1' }] });
  const { code, message } = await failureOf(world.migrate('web-1', { unplugTimeoutMs: 500 }));
  expect(code).toBe('INVALID_INPUT');
  expect(message).toBe('the unplug timeout is 0.5 s; it must be from 1 to 600 s');
});

describe('a guest that keeps its VF', () => {
  test('never answers has it pending, and gets it plugged again whenever it lets go', async () => {
    await start({ vms: [{ name: 'web-1', guest: { unplug: { type: 'never' } } }] });
    const job = await world.migrated('web-1', { unplugTimeoutMs: 2_000 });
    expect(job).toMatchObject({ state: 'failed', error: { code: 'UNPLUG_TIMED_OUT' } });
    expect(job.error?.message).toContain('within 2 s');
    expect(await world.store.reservations.list()).toEqual([]);
    const [vnic] = await world.vnics('web-1');
    expect(vnic).toMatchObject({ plugged: true, actual: 'unplug_pending', vf: vfOf(0) });
    expect(await world.alerts()).toEqual([expect.stringContaining(`still attached to ${vfOf(0)}`)]);
    expect(await world.said(job, 'UNPLUG_PENDING')).toHaveLength(1);
    world.guest('web-1').unplug = PROMPT_UNPLUG;
    world.guest('web-1').answerPending();
    await eventually('plugged again', async () => (await world.vnics('web-1'))[0]?.actual === 'plugged');
    await eventually('the alert cleared', async () => (await world.alerts()).length === 0);
    expect(world.runsOn('web-1')).toEqual(['host-a']);
  });

  test('never answers is asked again by the next migration, and moves once it answers', async () => {
    await start({ vms: [{ name: 'web-1', guest: { unplug: { type: 'never' } } }] });
    const first = await world.migrated('web-1', { unplugTimeoutMs: 2_000 });
    expect(first).toMatchObject({ state: 'failed', error: { code: 'UNPLUG_TIMED_OUT' } });
    world.guest('web-1').unplug = PROMPT_UNPLUG;
    const job = await world.migrate('web-1');
    await world.begun(job, 'unplug');
    world.guest('web-1').answerPending();
    expect(await world.ended(job)).toMatchObject({ state: 'succeeded' });
    expect((await world.vnics('web-1'))[0]).toMatchObject({ actual: 'plugged' });
    expect(await world.alerts()).toEqual([]);
  });

  test('is pending once the job is given up, and gets its VF again whenever it lets go', async () => {
    await start({ vms: [{ name: 'web-1', guest: { unplug: { type: 'never' } } }] });
    const job = await world.migrate('web-1');
    await eventually('the guest asked', () => world.guest('web-1').pendingUnplugs.length > 0);
    const effect = { type: 'refuse', libvirtCode: 1, message: 'the disk is full' } as const;
    const mend = world.fleet.faults.add({ procedure: 'domainGetXmlDesc', host: 'host-a', effect });
    await eventually('it stopped', async () => (await world.job(job)).state === 'needs_operator');
    await world.abandon(job);
    mend();
    expect((await world.vnics('web-1'))[0]).toMatchObject({ actual: 'unplug_pending', vf: vfOf(0) });
    expect((await world.said(job, 'LEFT_BEHIND')).join()).toContain('may give it back at any time');
    world.guest('web-1').unplug = PROMPT_UNPLUG;
    world.guest('web-1').answerPending();
    await eventually('plugged again', async () => (await world.vnics('web-1'))[0]?.actual === 'plugged');
    expect(aliasOf(0) in world.vfs('host-a', 'web-1')).toBe(true);
  });

  test('never answers and is powered off is pending no more, and there is no alert', async () => {
    await start({ vms: [{ name: 'web-1', guest: { unplug: { type: 'never' } } }] });
    await world.migrated('web-1', { unplugTimeoutMs: 2_000 });
    const domain = world.domain('host-a', 'web-1');
    world.allowed.down.add('web-1');
    if (domain) await destroyDomain(world.host('host-a'), domain);
    await eventually('down', async () => (await world.vnics('web-1'))[0]?.actual === 'unplugged');
    await eventually('the alert cleared', async () => (await world.alerts()).length === 0);
  });

  test('ends the job at once when it refuses, stays plugged, and may be asked again', async () => {
    await start({ vms: [{ name: 'web-1', guest: { unplug: { type: 'refuse', afterMs: 100 } } }] });
    const job = await world.migrated('web-1');
    expect(job).toMatchObject({ state: 'failed', error: { code: 'UNPLUG_TIMED_OUT' } });
    expect(job.error?.message).toContain('refused');
    expect((await world.vnics('web-1'))[0]).toMatchObject({ actual: 'plugged', vf: vfOf(0) });
    world.guest('web-1').unplug = PROMPT_UNPLUG;
    expect(await world.migrated('web-1')).toMatchObject({ state: 'succeeded' });
  });

  test('that gave its first vNIC back and refuses the second has the first again', async () => {
    await start({ vms: [{ name: 'web-1', vfs: [0, 1] }] });
    const guest = world.guest('web-1');
    guest.unplug = { type: 'answer', minMs: 200, maxMs: 200 };
    world.host('host-a').listen((event) => {
      if (event.type === 'deviceRemoved') guest.unplug = { type: 'refuse', afterMs: 100 };
    });
    const job = await world.migrated('web-1');
    expect(job).toMatchObject({ state: 'failed', error: { code: 'UNPLUG_TIMED_OUT' } });
    expect(world.vfs('host-a', 'web-1')).toEqual({ [aliasOf(0)]: vfOf(0), [aliasOf(1)]: vfOf(1) });
  });

  test('when libvirt refuses to ask it, is not taken for one that may still give it back', async () => {
    await start({ vms: [{ name: 'web-1', vfs: [0, 1] }] });
    world.fleet.faults.add({
      procedure: 'domainDetachDeviceAlias',
      nth: 2,
      effect: { type: 'refuse', libvirtCode: 68, message: 'cannot acquire state change lock' },
    });
    expect(await world.migrated('web-1')).toMatchObject({ state: 'failed' });
    await eventually('both plugged', async () =>
      (await world.vnics('web-1')).every((vnic) => vnic.actual === 'plugged'),
    );
    expect(await world.migrated('web-1')).toMatchObject({ state: 'succeeded' });
  });
});

describe('a VF that a stranger takes', () => {
  test('on the target after it was reserved is replaced by another that fits', async () => {
    await start({ vms: [{ name: 'web-1' }] });
    const { job, letGo } = await world.inTransfer('web-1');
    const planned = (await world.job(job)).data.vnics?.[0]?.targetVf;
    await world.steal('host-b', [numberOf(planned)]);
    letGo();
    expect(await world.ended(job)).toMatchObject({ state: 'succeeded' });
    expect(world.vfs('host-b', 'web-1')[aliasOf(0)]).not.toBe(planned);
    expect(await world.said(job, 'VNIC_PLUGGED')).toEqual([expect.stringContaining('on another VF')]);
  });

  /** A move that ends without a VF for the vNIC; the returned function frees some. */
  const arriveWithoutVf = async (options: Partial<WorldOptions> & Pick<WorldOptions, 'vms'>) => {
    await start({ vfCount: 2, ...options });
    const { job, letGo } = await world.inTransfer('web-1', { to: 'host-b' });
    const endStranger = await world.steal('host-b', [0, 1]);
    letGo();
    expect(await world.ended(job)).toMatchObject({ state: 'succeeded' });
    return { job, endStranger };
  };

  test('with none left leaves the vNIC unplugged under an alert, until a VF is free again', async () => {
    const { job, endStranger } = await arriveWithoutVf({ vms: [{ name: 'web-1' }] });
    expect(world.runsOn('web-1')).toEqual(['host-b']);
    expect((await world.vnics('web-1'))[0]).toMatchObject({ plugged: true, actual: 'unplugged', vf: null });
    expect(await world.alerts()).toEqual([expect.stringContaining('nic2 of web-1')]);
    expect(await world.heard(job, 'NOT_ALL_VNICS_PLUGGED')).toHaveLength(1);
    await endStranger();
    await eventually('plugged', async () => (await world.vnics('web-1'))[0]?.actual === 'plugged');
    await eventually('the alert cleared', async () => (await world.alerts()).length === 0);
  });

  test('with none left is plugged later, too, where the alias was one of libvirt', async () => {
    const { endStranger } = await arriveWithoutVf({ vms: [{ name: 'web-1', userAliases: false }] });
    expect((await world.vnics('web-1'))[0]).toMatchObject({ plugged: true, actual: 'unplugged' });
    await endStranger();
    await eventually('plugged', async () => (await world.vnics('web-1'))[0]?.actual === 'plugged');
  });

  test('with none left does not keep the VM from a host that has some', async () => {
    await arriveWithoutVf({ vms: [{ name: 'web-1' }], hostCount: 3 });
    const job = await world.migrated('web-1', { to: 'host-c' });
    expect(job).toMatchObject({ state: 'succeeded', error: null });
    expect(job.data.vnics).toEqual([expect.objectContaining({ sourceVf: null, state: 'plugged' })]);
    expect(Object.keys(world.vfs('host-c', 'web-1'))).toEqual([aliasOf(0)]);
    await eventually('the alert cleared', async () => (await world.alerts()).length === 0);
  });

  test('with none left, a move away that fails leaves the vNIC to be plugged where the VM is', async () => {
    const { endStranger } = await arriveWithoutVf({ vms: [{ name: 'web-1' }], hostCount: 3 });
    const procedure = 'domainMigratePerform3Params';
    const effect = { type: 'refuse', libvirtCode: 9, message: 'operation failed' } as const;
    world.fleet.faults.add({ procedure, effect });
    expect(await world.migrated('web-1', { to: 'host-c' })).toMatchObject({ state: 'failed' });
    await endStranger();
    await eventually('plugged', async () => (await world.vnics('web-1'))[0]?.actual === 'plugged');
    expect(Object.keys(world.vfs('host-b', 'web-1'))).toEqual([aliasOf(0)]);
  });

  test('on the source while it is away is replaced there when the move is undone', async () => {
    await start({ vms: [{ name: 'web-1' }] });
    const { job } = await world.inTransfer('web-1');
    await world.steal('host-a', [0]);
    expect(await world.cancel('web-1')).toMatchObject({ id: job.id });
    expect(await world.ended(job)).toMatchObject({ state: 'cancelled' });
    const { [aliasOf(0)]: now } = world.vfs('host-a', 'web-1');
    expect(now).toBeDefined();
    expect(now).not.toBe(vfOf(0));
    const undone = (await world.steps(job)).find((step) => step.name === 'unplug');
    expect(undone?.message).toContain('on another VF than planned');
  });
});
