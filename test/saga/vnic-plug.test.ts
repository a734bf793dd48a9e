/** A VF vNIC that its user takes out of a VM, and plugs again. */
import { afterEach, describe, expect, test } from 'vitest';
import type { NewVnic } from '../../src/app/use-cases.ts';
import type { VnicId, VnicProfileId } from '../../src/base/ids.ts';
import { destroyDomain } from '../../src/simhost/lifecycle.ts';
import { formatXml } from '../../src/simhost/xml.ts';
import { eventually } from '../support/eventually.ts';
import { failureOf, MigrationWorld, type WorldOptions } from '../support/migration-world.ts';
import { CALLER } from '../support/virtual-world.ts';
import { takeVfOut } from '../support/take-vf-out.ts';
import { aliasOf, POOL, vfOf, VLAN } from '../support/sim-vms.ts';

let world: MigrationWorld;
const start = async (options: WorldOptions = { vms: [{ name: 'web-1' }] }): Promise<void> => {
  world = await MigrationWorld.start(options);
};
afterEach(() => world.close());

const ATTACH = 'domainAttachDeviceFlags';
const REFUSAL = { type: 'refuse', libvirtCode: 1, message: 'internal error: the guest said no' } as const;
const SLOW_GUEST: WorldOptions = {
  vms: [{ name: 'web-1', guest: { unplug: { type: 'answer', minMs: 20_000, maxMs: 20_000 } } }],
};
const unplugged = { plugged: false, actual: 'unplugged', vf: null };

/** Its VFs are expected nowhere at the end. */
const takeOut = async (): Promise<void> => {
  await world.setPlugged('web-1', false);
  world.allowed.unplugged.add('web-1');
};

describe('a vNIC that is unplugged', () => {
  test('is out of the guest and of the definition when the answer comes, and stays known', async () => {
    await start();
    await takeOut();
    expect(world.vfs('host-a', 'web-1')).toEqual({});
    expect((await world.vnics('web-1'))[0]).toMatchObject({ name: 'nic2', ...unplugged });
    // A look at the host finds no trace of it.
    await world.useCases.refreshHost(CALLER, world.hostId('host-a'));
    expect((await world.vnics('web-1'))[0]).toMatchObject({ name: 'nic2', ...unplugged });
  });

  test('gives its VF back to its host driver where libvirt does not', async () => {
    await start({ vms: [{ name: 'web-1', managed: false }] });
    await takeOut();
    expect(world.host('host-a').hardware.vf(vfOf(0))?.driver).not.toBe('vfio-pci');
  });

  test('is not plugged by a move, nor named by the definition on the target', async () => {
    await start();
    await takeOut();
    const job = await world.migrated('web-1');
    expect(job.state).toBe('succeeded');
    expect(world.vfs('host-b', 'web-1')).toEqual({});
    expect((await world.vnics('web-1'))[0]).toMatchObject(unplugged);
  });

  test('holds a move up until the guest has given it back', async () => {
    await start(SLOW_GUEST);
    const leaving = takeOut();
    await eventually('it is leaving', async () => (await world.vnics('web-1'))[0]?.plugged === false);
    const refusal = await failureOf(world.migrate('web-1'));
    expect(refusal.message).toMatch(/vNIC nic2 .* is being unplugged/);
    await leaving;
  });

  test('leaves its VF alone where another VM got it before it was cleaned', async () => {
    await start({ vms: [...(SLOW_GUEST.vms ?? []), { name: 'web-2', vfs: [1] }] });
    const leaving = takeOut();
    await eventually('the guest was asked', () => world.guest('web-1').pendingUnplugs.length > 0);
    await world.stopEngine();
    await eventually('it is out', () => Object.keys(world.vfs('host-a', 'web-1')).length === 0);
    const endThief = await world.steal('host-a', [0]);
    const vf = world.host('host-a').hardware.vf(vfOf(0));
    if (vf) Object.assign(vf, { mac: '52:54:00:99:99:99', vlan: VLAN });
    world.startEngine();
    await leaving;
    expect([vf?.mac, vf?.vlan]).toEqual(['52:54:00:99:99:99', VLAN]);
    await endThief();
  });

  test('that the guest keeps stays plugged, with an error that says so', async () => {
    await start({ vms: [{ name: 'web-1', guest: { unplug: { type: 'never' } } }] });
    world.allowed.lostRequests = true;
    const { code, message } = await failureOf(world.setPlugged('web-1', false));
    expect(code).toBe('UNPLUG_TIMED_OUT');
    expect(message).toMatch(/^the guest did not give vNIC nic2 of web-1 back within 40 s: .* still attached/);
    expect((await world.vnics('web-1'))[0]).toMatchObject({ plugged: true, vf: vfOf(0) });
    expect(world.vfs('host-a', 'web-1')).toEqual({ [aliasOf(0)]: vfOf(0) });
  });

  test('is taken out by the engine that comes after one that was stopped meanwhile', async () => {
    await start(SLOW_GUEST);
    const leaving = takeOut();
    await eventually('it is leaving', async () => (await world.vnics('web-1'))[0]?.plugged === false);
    await world.stopEngine();
    world.startEngine();
    await leaving;
  });

  test('can not be while the VM moves', async () => {
    await start();
    const { job, letGo } = await world.inTransfer('web-1');
    const [vnic] = await world.vnics('web-1');
    const remove = world.useCases.removeVnic(CALLER, world.vmId('web-1'), vnic?.id as VnicId);
    expect(await failureOf(remove)).toMatchObject({ code: 'VM_ALREADY_MIGRATING' });
    expect(formatXml(world.domain('host-a', 'web-1')?.config as never)).toContain(vnic?.mac);
    expect(await failureOf(world.setPlugged('web-1', false))).toMatchObject({ code: 'VM_ALREADY_MIGRATING' });
    letGo();
    expect((await world.ended(job)).state).toBe('succeeded');
    expect((await world.vnics('web-1'))[0]).toMatchObject({ plugged: true, actual: 'plugged' });
  });
});

describe('a vNIC that is plugged again', () => {
  test('is in the guest with all it had, and in the definition', async () => {
    await start();
    const before = (await world.vnics('web-1'))[0];
    await world.setPlugged('web-1', false);
    await world.setPlugged('web-1', true);
    expect((await world.vnics('web-1'))[0]).toEqual({ ...before, kept: true });
    expect(world.vfs('host-a', 'web-1')).toEqual({ [aliasOf(0)]: vfOf(0) });
  });

  test('is on its pool again in the definition', async () => {
    await start({ vms: [{ name: 'web-1', pool: true }] });
    await world.setPlugged('web-1', false);
    await world.setPlugged('web-1', true);
    const config = formatXml(world.domain('host-a', 'web-1')?.config as never);
    expect(config).toContain(`<source network='${POOL}'/>`);
  });

  test('stays as it is where the guest has it still, and is wanted again', async () => {
    await start({ vms: [{ name: 'web-1', guest: { unplug: { type: 'never' } } }] });
    world.allowed.lostRequests = true;
    await failureOf(world.setPlugged('web-1', false));
    await world.setPlugged('web-1', true);
    expect((await world.vnics('web-1'))[0]).toMatchObject({ plugged: true, vf: vfOf(0) });
    expect(world.vfs('host-a', 'web-1')).toEqual({ [aliasOf(0)]: vfOf(0) });
  });

  test('and was wanted before goes on being tried when one try more fails', async () => {
    await start();
    const allow = world.fleet.faults.add({ procedure: ATTACH, effect: REFUSAL });
    await takeVfOut(world, 'host-a', 'web-1');
    await eventually('an alert', async () => (await world.alerts()).length > 0);
    const { message } = await failureOf(world.setPlugged('web-1', true));
    expect(message).toContain('goes on being tried: vNIC nic2 of web-1 is not plugged on host-a');
    expect((await world.vnics('web-1'))[0]).toMatchObject({ plugged: true });
    allow();
    await eventually('plugged', async () => (await world.vnics('web-1'))[0]?.actual === 'plugged');
  });

  test('is refused without anything changed where no VF is free', async () => {
    await start({ vms: [{ name: 'web-1' }], vfCount: 1 });
    await takeOut();
    const endThief = await world.steal('host-a', [0]);
    await world.useCases.refreshHost(CALLER, world.hostId('host-a'));
    const { code, message } = await failureOf(world.setPlugged('web-1', true));
    expect(code).toBe('NO_VF_FITS');
    expect(message).toContain('There is no free virtual function which is suitable for virtual nic nic2');
    expect((await world.vnics('web-1'))[0]).toMatchObject(unplugged);
    await endThief();
  });

  test('is tried at once, however long the pauses of earlier tries had become', async () => {
    await start();
    const allow = world.fleet.faults.add({ procedure: ATTACH, effect: REFUSAL });
    await takeVfOut(world, 'host-a', 'web-1');
    await eventually('a long pause', async () => {
      const [message = ''] = await world.alerts();
      return Date.parse(/Next try at (\S+Z)/.exec(message)?.[1] ?? '') - world.clock.now() > 100_000;
    });
    await world.setPlugged('web-1', false);
    allow();
    const beganMs = world.clock.now();
    await world.setPlugged('web-1', true);
    expect(world.clock.now() - beganMs).toBeLessThan(60_000);
  });

  test('and refused by libvirt is left unplugged, with the reason and no alert', async () => {
    await start();
    await takeOut();
    const allow = world.fleet.faults.add({ procedure: ATTACH, effect: REFUSAL });
    const { code, message } = await failureOf(world.setPlugged('web-1', true));
    expect(code).toBe('VNIC_NOT_PLUGGED');
    expect(message).toContain('the guest said no');
    expect((await world.vnics('web-1'))[0]).toMatchObject(unplugged);
    allow();
  });
});

test('of a VM that is down, the definition is changed', async () => {
  await start();
  const { guest } = world.domain('host-a', 'web-1') ?? {};
  expect(guest).toBeDefined();
  await destroyDomain(world.host('host-a'), world.domain('host-a', 'web-1') as never);
  world.allowed.down.add('web-1');
  await world.until('it is known to be down', async () => (await world.vm('web-1')).status === 'down');
  await takeOut();
  expect((await world.vnics('web-1'))[0]).toMatchObject(unplugged);
  world.allowed.unplugged.delete('web-1');
  await world.setPlugged('web-1', true);
});

describe('a vNIC that is added', () => {
  const profileId = async () => {
    const profiles = await world.useCases.listVnicProfiles(CALLER);
    return profiles.find(({ passThrough }) => passThrough)?.id as VnicProfileId;
  };
  const add = async (more: Partial<NewVnic> = {}) =>
    world.useCases.addVnic(CALLER, world.vmId('web-1'), {
      name: 'fast',
      model: null,
      profileId: await profileId(),
      ...more,
    });

  test('is in the running guest on the VLAN of its network, moves with it, and is removed', async () => {
    await start();
    const added = await add();
    expect(added).toMatchObject({ name: 'fast', plugged: true, actual: 'plugged', vlan: VLAN });
    expect(Object.values(world.vfs('host-a', 'web-1'))).toContain(added.vf);
    expect(formatXml(world.domain('host-a', 'web-1')?.config as never)).toContain(added.mac);
    expect(await world.migrated('web-1')).toMatchObject({ state: 'succeeded' });
    const onTarget = world.vfs('host-b', 'web-1');
    expect(new Set(Object.keys(onTarget))).toEqual(new Set([aliasOf(0), added.alias]));

    const remove = () => world.useCases.removeVnic(CALLER, world.vmId('web-1'), added.id);
    const { code, message } = await failureOf(remove());
    expect(code).toBe('IN_USE');
    expect(message).toContain('unplug it first: handover vm nic unplug web-1 fast');
    await world.useCases.setVnicPlugged(CALLER, world.vmId('web-1'), added.id, false);
    await remove();
    expect(await world.vnics('web-1')).toHaveLength(1);
    expect(formatXml(world.domain('host-b', 'web-1')?.config as never)).not.toContain(added.mac);
  });

  test('and cannot be plugged is not added', async () => {
    await start({ vms: [{ name: 'web-1' }], vfCount: 1 });
    expect(await failureOf(add())).toMatchObject({ code: 'NO_VF_FITS' });
    expect(await world.vnics('web-1')).toHaveLength(1);
  });

  test('has a name and a MAC of its own, and a passthrough profile', async () => {
    await start();
    const [known] = await world.vnics('web-1');
    const refused = async (more: Partial<NewVnic>) => (await failureOf(add(more))).code;
    expect(await refused({ name: 'nic2' })).toBe('ALREADY_EXISTS');
    expect(await refused({ name: 'a b' })).toBe('INVALID_INPUT');
    expect(await refused({ mac: known?.mac ?? '' })).toBe('ALREADY_EXISTS');
    expect(await refused({ mac: '53:54:00:00:00:01' })).toBe('INVALID_INPUT');
    const ordinary = (await world.useCases.listVnicProfiles(CALLER)).find((each) => !each.passThrough);
    expect(await refused({ profileId: ordinary?.id as VnicProfileId })).toBe('VNIC_PROFILE_MISMATCH');
    expect(await world.vnics('web-1')).toHaveLength(1);
  });
});
