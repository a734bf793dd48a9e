/** Ordinary vNICs that a user adds, takes out, plugs again and removes. */
import { afterEach, describe, expect, test } from 'vitest';
import type { NewVnic } from '../../src/app/use-cases.ts';
import type { VnicProfileId } from '../../src/base/ids.ts';
import type { Vnic } from '../../src/model/vm.ts';
import { append, children, element, find, formatXml } from '../../src/simhost/xml.ts';
import { failureOf, MigrationWorld, type WorldOptions } from '../support/migration-world.ts';
import { aliasOf, vfOf } from '../support/sim-vms.ts';
import { CALLER } from '../support/virtual-world.ts';

let world: MigrationWorld;
const start = async (options: WorldOptions = { vms: [{ name: 'web-1' }] }): Promise<void> => {
  world = await MigrationWorld.start(options);
};
afterEach(() => world.close());

const ordinary = async (): Promise<Vnic[]> =>
  (await world.vm('web-1')).vnics.filter((vnic) => !vnic.passthrough);
const profileId = async (passThrough: boolean): Promise<VnicProfileId> => {
  const profiles = await world.useCases.listVnicProfiles(CALLER);
  return profiles.find((profile) => profile.passThrough === passThrough)?.id as VnicProfileId;
};
const add = async (more: Partial<NewVnic> = {}): Promise<Vnic> =>
  world.useCases.addVnic(CALLER, world.vmId('web-1'), {
    name: 'standby',
    model: 'virtio',
    profileId: await profileId(false),
    ...more,
  });
const setPlugged = (vnic: Vnic, plugged: boolean) =>
  world.useCases.setVnicPlugged(CALLER, world.vmId('web-1'), vnic.id, plugged);
const live = (host = 'host-a') => formatXml(world.domain(host, 'web-1')?.live as never);
const config = (host = 'host-a') => formatXml(world.domain(host, 'web-1')?.config as never);
/** The one the VM came with. */
const standby = async (): Promise<Vnic> => (await ordinary())[0] as Vnic;

describe('an ordinary vNIC that is added', () => {
  test('is on the bridge of its network, in the guest and in the definition, and moves along', async () => {
    await start();
    const added = await add();
    expect(added).toMatchObject({
      name: 'standby',
      plugged: true,
      actual: 'plugged',
      bridge: 'prod',
      vf: null,
    });
    for (const xml of [live(), config()]) expect(xml).toContain(`<alias name='ua-${added.id}'/>`);
    expect((await world.migrated('web-1')).state).toBe('succeeded');
    expect(live('host-b')).toContain(added.mac);
    expect((await ordinary()).map((vnic) => vnic.name)).toContain('standby');
  });

  test('may be left unplugged, and is plugged later', async () => {
    await start();
    const added = await add({ plugged: false });
    expect(added).toMatchObject({ plugged: false, actual: 'unplugged' });
    expect(live()).not.toContain(added.mac);
    await setPlugged(added, true);
    expect(live()).toContain(added.mac);
  });

  test('is not added where its host has no such bridge', async () => {
    await start();
    const { id } = await world.useCases.addNetwork(CALLER, { name: 'elsewhere' });
    const profile = await world.useCases.addVnicProfile(CALLER, { name: 'elsewhere', networkId: id });
    const refusal = await failureOf(add({ profileId: profile.id }));
    expect(refusal.message).toMatch(/^host host-a has no bridge elsewhere, .*it has: .*prod/);
    expect(await ordinary()).toHaveLength(1);
  });

  test('is not added on a passthrough profile', async () => {
    await start();
    const refusal = await failureOf(add({ profileId: await profileId(true) }));
    expect(refusal).toMatchObject({ code: 'VNIC_PROFILE_MISMATCH' });
  });

  test('and refused by libvirt is not added', async () => {
    await start();
    const effect = { type: 'refuse', libvirtCode: 1, message: 'internal error: no slot' } as const;
    const allow = world.fleet.faults.add({ procedure: 'domainAttachDeviceFlags', effect });
    expect((await failureOf(add())).message).toContain('no slot');
    expect(await ordinary()).toHaveLength(1);
    allow();
    await add();
  });
});

describe('an ordinary vNIC whose plug', () => {
  test('was done although its answer is lost is added, once', async () => {
    await start();
    const procedure = 'domainAttachDeviceFlags';
    world.fleet.faults.add({ procedure, maxCount: 1, effect: { type: 'dropReply' } });
    const added = await add();
    expect(added).toMatchObject({ actual: 'plugged', plugged: true });
    expect(await ordinary()).toHaveLength(2);
  });

  test('finds its place taken gets another', async () => {
    await start();
    const vnic = await standby();
    await setPlugged(vnic, false);
    const effect = {
      type: 'refuse',
      libvirtCode: 27,
      message: 'Attempted double use of PCI Address',
    } as const;
    world.fleet.faults.add({ procedure: 'domainAttachDeviceFlags', maxCount: 1, effect });
    await setPlugged(await standby(), true);
    expect(live()).toContain(vnic.mac);
  });
});

describe('an ordinary vNIC that is unplugged', () => {
  test('and shares its MAC with a VF leaves that as it is in the definition, over a start too', async () => {
    await start({ vms: [{ name: 'web-1', oneMac: true }] });
    const definition = () => world.domain('host-a', 'web-1')?.config as never;
    const hostdev = () => /<interface type='hostdev'.*?<\/interface>/s.exec(formatXml(definition()))?.[0];
    const device = children(find(definition(), 'devices'), 'interface').find(
      (each) => each.attributes.get('type') === 'hostdev',
    );
    append(device as never, element('bandwidth', {}, []));
    await setPlugged(await standby(), false);
    const before = hostdev();
    await world.useCases.stopVm(CALLER, world.vmId('web-1'));
    await world.useCases.startVm(CALLER, world.vmId('web-1'));
    expect(hostdev()).toBe(before);
    expect(before).toContain('<bandwidth');
    await setPlugged(await standby(), true);
  });

  test('is out of guest and definition, stays known, and is plugged again as it was', async () => {
    await start();
    const before = { live: live(), config: config(), vnic: await standby() };
    await setPlugged(before.vnic, false);
    for (const xml of [live(), config()]) expect(xml).not.toContain(before.vnic.mac);
    expect(await standby()).toMatchObject({ name: before.vnic.name, plugged: false, actual: 'unplugged' });
    await world.useCases.refreshHost(CALLER, world.hostId('host-a'));
    await setPlugged(await standby(), true);
    const interfaceOf = (xml: string) =>
      /<interface type='bridge'>(?:(?!<\/interface>).)*<\/interface>/s
        .exec(xml)?.[0]
        .replace(/<target[^>]*>/, '');
    expect(interfaceOf(live())).toBe(interfaceOf(before.live));
    expect(interfaceOf(config())).toBe(interfaceOf(before.config));
    expect(await standby()).toMatchObject({ id: before.vnic.id, plugged: true, actual: 'plugged' });
  });

  test('leaves a VF with the same MAC alone', async () => {
    await start({ vms: [{ name: 'web-1', oneMac: true }] });
    await setPlugged(await standby(), false);
    expect(world.vfs('host-a', 'web-1')).toEqual({ [aliasOf(0)]: vfOf(0) });
    expect(config()).toContain("type='hostdev'");
    expect(live()).not.toContain("type='bridge'");
    await setPlugged(await standby(), true);
    expect(live()).toContain("type='bridge'");
  });

  test('leaves a VF of a pool with the same MAC alone', async () => {
    await start({ vms: [{ name: 'web-1', oneMac: true, pool: true }] });
    await setPlugged(await standby(), false);
    expect(config()).toContain("type='network'");
    expect(Object.keys(world.vfs('host-a', 'web-1'))).toHaveLength(1);
    await setPlugged(await standby(), true);
  });

  test('that the guest keeps stays plugged, with an error that says so', async () => {
    await start({ vms: [{ name: 'web-1', guest: { unplug: { type: 'never' } } }] });
    const refusal = await failureOf(setPlugged(await standby(), false));
    expect(refusal).toMatchObject({ code: 'UNPLUG_TIMED_OUT' });
    expect(refusal.message).toMatch(/^the guest did not give vNIC nic1 of web-1 back within 40 s/);
    expect(await standby()).toMatchObject({ plugged: true, actual: 'plugged' });
    expect(config()).toContain("type='bridge'");
  });

  test('of a VM that is down changes its definition', async () => {
    await start();
    await world.useCases.stopVm(CALLER, world.vmId('web-1'));
    world.allowed.down.add('web-1');
    const vnic = await standby();
    await setPlugged(vnic, false);
    expect(config()).not.toContain(vnic.mac);
    await setPlugged(vnic, true);
    expect(config()).toContain(vnic.mac);
  });

  test('is refused while the VM moves', async () => {
    await start();
    const { job, letGo } = await world.inTransfer('web-1');
    expect(await failureOf(setPlugged(await standby(), false))).toMatchObject({
      code: 'VM_ALREADY_MIGRATING',
    });
    letGo();
    await world.ended(job);
  });

  test('is removed for good, and one that is plugged is not', async () => {
    await start();
    const added = await add();
    const remove = () => world.useCases.removeVnic(CALLER, world.vmId('web-1'), added.id);
    expect(await failureOf(remove())).toMatchObject({ code: 'IN_USE' });
    await setPlugged(added, false);
    await remove();
    expect(await ordinary()).toHaveLength(1);
    expect(config()).not.toContain(added.mac);
  });
});
