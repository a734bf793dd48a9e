/** Starting, shutting down and stopping VMs that own VFs. */
import { afterEach, describe, expect, test } from 'vitest';
import type { VmStatus } from '../../src/model/vm.ts';
import { failureOf, MigrationWorld, type WorldOptions } from '../support/migration-world.ts';
import { CALLER } from '../support/virtual-world.ts';
import { aliasOf, vfOf } from '../support/sim-vms.ts';

let world: MigrationWorld;
const start = async (options: WorldOptions = { vms: [{ name: 'web-1' }] }): Promise<void> => {
  world = await MigrationWorld.start(options);
};
afterEach(() => world.close());

const started = () => world.useCases.startVm(CALLER, world.vmId('web-1'));
const statusOf = async () => (await world.vm('web-1')).status;
const known = (status: VmStatus) =>
  world.until(`it is known to be ${status}`, async () => (await statusOf()) === status);
/** Expected to be down at the end unless it is started again. */
const stopped = async (): Promise<void> => {
  await world.useCases.stopVm(CALLER, world.vmId('web-1'));
  world.allowed.down.add('web-1');
};
const startedAgain = async () => {
  const vm = await started();
  world.allowed.down.delete('web-1');
  return vm;
};

describe('a VM that is stopped', () => {
  test('is down with its VF free when the answer comes', async () => {
    await start();
    await stopped();
    expect(await statusOf()).toBe('down');
    expect((await world.vnics('web-1'))[0]).toMatchObject({ plugged: true, vf: null });
  });

  test('shuts down by itself when its guest is asked', async () => {
    await start();
    await world.useCases.shutdownVm(CALLER, world.vmId('web-1'));
    world.allowed.down.add('web-1');
    await known('down');
  });

  test('is not stopped while it moves', async () => {
    await start();
    const { job, letGo } = await world.inTransfer('web-1');
    const refusal = await failureOf(world.useCases.stopVm(CALLER, world.vmId('web-1')));
    expect(refusal).toMatchObject({ code: 'VM_ALREADY_MIGRATING' });
    expect(refusal.message).toContain('handover vm cancel web-1');
    letGo();
    expect((await world.ended(job)).state).toBe('succeeded');
  });
});

describe('a VM that is started', () => {
  test('runs with the VF it had when the answer comes', async () => {
    await start();
    await stopped();
    expect((await startedAgain()).status).toBe('up');
    expect(world.vfs('host-a', 'web-1')).toEqual({ [aliasOf(0)]: vfOf(0) });
    expect((await world.vnics('web-1'))[0]).toMatchObject({ actual: 'plugged', vf: vfOf(0) });
  });

  test('gets another VF where its own was taken, and its definition names that', async () => {
    await start();
    await stopped();
    const endThief = await world.steal('host-a', [0]);
    await startedAgain();
    const { [aliasOf(0)]: vf } = world.vfs('host-a', 'web-1');
    expect(vf).not.toBe(vfOf(0));
    expect((await world.vnics('web-1'))[0]).toMatchObject({ actual: 'plugged', vf });
    await endThief();
  });

  test('gets VFs that libvirt does not take from their host drivers itself', async () => {
    await start({ vms: [{ name: 'web-1', vfs: [0, 1], managed: false }] });
    await stopped();
    await startedAgain();
    expect(Object.keys(world.vfs('host-a', 'web-1'))).toHaveLength(2);
  });

  test('does not get back what its user unplugged', async () => {
    await start();
    await world.setPlugged('web-1', false);
    world.allowed.unplugged.add('web-1');
    await stopped();
    await startedAgain();
    expect(world.vfs('host-a', 'web-1')).toEqual({});
  });

  test('nor what its user unplugged while it went down', async () => {
    await start({ vms: [{ name: 'web-1', guest: { unplug: { type: 'never' } } }] });
    const leaving = world.setPlugged('web-1', false);
    await world.until('it is leaving', async () => (await world.vnics('web-1'))[0]?.plugged === false);
    await stopped();
    await leaving;
    world.allowed.unplugged.add('web-1');
    await startedAgain();
    expect(world.vfs('host-a', 'web-1')).toEqual({});
  });

  test('keeps no vNIC of another VM waiting', async () => {
    await start({ vms: [{ name: 'web-1' }, { name: 'web-2', vfs: [1] }] });
    await stopped();
    world.fleet.faults.add({ procedure: 'domainCreateWithFlags', maxCount: 1, delayMs: 100_000 });
    const starting = startedAgain();
    await world.until('it is being started', async () => (await world.store.reservations.list()).length > 0);
    await world.setPlugged('web-2', false);
    await world.setPlugged('web-2', true);
    expect((await world.vm('web-1')).status).toBe('down');
    await starting;
  });

  test('and for which no VF is free stays down, with the reason and nothing held', async () => {
    await start({ vms: [{ name: 'web-1' }], vfCount: 1 });
    await stopped();
    const endThief = await world.steal('host-a', [0]);
    const { code, message } = await failureOf(started());
    expect(code).toBe('VM_NOT_STARTED');
    expect(message).toMatch(/^web-1 was not started on host-a: There is no free virtual function .* nic2/);
    expect(await world.store.reservations.list()).toEqual([]);
    expect(await world.alerts()).toEqual([]);
    await endThief();
    await startedAgain();
  });

  test('and refused by libvirt stays down, with its words', async () => {
    await start();
    await stopped();
    const refuse = { type: 'refuse', libvirtCode: 1, message: 'internal error: no memory' } as const;
    const allow = world.fleet.faults.add({ procedure: 'domainCreateWithFlags', effect: refuse });
    expect((await failureOf(started())).message).toContain('no memory');
    expect(await statusOf()).toBe('down');
    allow();
    await startedAgain();
  });

  test('whose answer is lost is seen running', async () => {
    await start();
    await stopped();
    world.fleet.faults.add({
      procedure: 'domainCreateWithFlags',
      maxCount: 1,
      effect: { type: 'dropReply' },
    });
    expect((await startedAgain()).status).toBe('up');
    expect((await world.vnics('web-1'))[0]).toMatchObject({ actual: 'plugged' });
  });

  test('is started by the engine that comes after one that was stopped meanwhile', async () => {
    await start();
    await stopped();
    await world.stopEngine();
    const starting = startedAgain();
    world.startEngine();
    expect((await starting).status).toBe('up');
  });

  test('is refused while it runs', async () => {
    await start();
    expect(await failureOf(started())).toMatchObject({ code: 'VM_STATUS_WRONG' });
  });
});
