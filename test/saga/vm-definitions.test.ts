/** VMs that a user adds from a definition, and removes again. */
import { afterEach, describe, expect, test } from 'vitest';
import type { NewVm } from '../../src/app/use-cases.ts';
import type { Vm } from '../../src/model/vm.ts';
import { defineDomain, startDomain } from '../../src/simhost/lifecycle.ts';
import { formatXml } from '../../src/simhost/xml.ts';
import { failureOf, MigrationWorld, type WorldOptions } from '../support/migration-world.ts';
import { uuidOf, vfOf, vmXml } from '../support/sim-vms.ts';
import { CALLER } from '../support/virtual-world.ts';

let world: MigrationWorld;
const start = async (options: WorldOptions = { vms: [{ name: 'web-1' }] }): Promise<void> => {
  world = await MigrationWorld.start(options);
};
afterEach(() => world.close());

/** A VM of no world, on the VF with this number. */
const NEW = vmXml({ name: 'new-1', vfs: [1] }, 7);
const add = (vm: Partial<NewVm> = {}): Promise<Vm> =>
  world.useCases.addVm(CALLER, { definition: NEW, hostId: world.hostId('host-a'), ...vm });
const remove = (vm: Pick<Vm, 'id'>) => world.useCases.removeVm(CALLER, vm.id);
const namesNow = async () => (await world.useCases.listVms(CALLER)).map((vm) => vm.name);
const defined = (host: string, vm: Pick<Vm, 'id'>) => world.host(host).domains.get(vm.id);

describe('a VM that is added', () => {
  test('is known, down, with its vNICs and their profiles, when the answer comes', async () => {
    await start();
    const vm = await add();
    expect(vm).toMatchObject({
      id: uuidOf(7),
      name: 'new-1',
      status: 'down',
      hostId: world.hostId('host-a'),
    });
    const profiles = await world.useCases.listVnicProfiles(CALLER);
    const nameOf = (id: string | null) => profiles.find((profile) => profile.id === id)?.name;
    expect(vm.vnics.map((vnic) => [vnic.passthrough, nameOf(vnic.profileId)])).toEqual([
      [false, 'prod'],
      [true, 'prod-vf'],
    ]);
  });

  test('is started with a VF that is free, whichever its definition names, and moves', async () => {
    await start();
    const vm = await add({ definition: vmXml({ name: 'new-1', vfs: [0] }, 7) });
    await world.useCases.startVm(CALLER, vm.id);
    expect([...(defined('host-a', vm)?.vfs.values() ?? [])]).not.toEqual([vfOf(0)]);
    const { state } = await world.ended(await world.useCases.migrateVm(CALLER, vm.id, {}));
    expect(state).toBe('succeeded');
    expect(defined('host-b', vm)?.guest?.running).toBe(true);
  });

  test('may be given another name, and an id where its definition has none', async () => {
    await start();
    const definition = NEW.replace(/<uuid>.*<\/uuid>/, '').replace("type='kvm'", "type='kvm' id='9'");
    const vm = await add({ definition, name: 'copy of new' });
    expect(vm.name).toBe('copy of new');
    expect(vm.id).not.toBe(uuidOf(7));
    expect(formatXml(defined('host-a', vm)?.config as never)).not.toContain("id='9'");
  });

  test('needs no host to be named where there is one only', async () => {
    await start({ vms: [], hostCount: 1 });
    expect((await add({ hostId: null })).hostId).toBe(world.hostId('host-a'));
  });

  test.each([
    ['no XML', 'web-1', 'INVALID_INPUT', /definition of the VM can not be used: the XML cannot be read/],
    ['another document', '<network/>', 'INVALID_INPUT', /it is <network>, not <domain>.*virsh dumpxml/],
    ['no name', '<domain><devices/></domain>', 'INVALID_INPUT', /a VM's name is 1 to 200 characters/],
    ['a path as name', NEW.replace('new-1', '../new'), 'INVALID_INPUT', /without a slash/],
    ['a bad id', NEW.replace(/<uuid>.*<\/uuid>/, '<uuid>7</uuid>'), 'INVALID_INPUT', /"7" is not a UUID/],
    [
      'an id in use',
      NEW.replace(uuidOf(7), uuidOf(0)),
      'ALREADY_EXISTS',
      /the id .* is web-1's; leave the <uuid> out/,
    ],
    ['a name in use', NEW.replace('new-1', 'web-1'), 'ALREADY_EXISTS', /a VM named web-1 already/],
    [
      'a MAC in use',
      vmXml({ name: 'new-1' }, 0).replace(uuidOf(0), uuidOf(7)),
      'ALREADY_EXISTS',
      /MAC address .* is that of nic1 of web-1/,
    ],
  ] as const)('with %s is refused, and defined nowhere', async (_what, definition, code, message) => {
    await start();
    const refusal = await failureOf(add({ definition }));
    expect(refusal).toMatchObject({ code, message: expect.stringMatching(message) as string });
    expect(await namesNow()).toEqual(['web-1']);
    expect(world.host('host-a').domains.size).toBe(1);
  });

  test('without a host is refused where there are several', async () => {
    await start();
    expect((await failureOf(add({ hostId: null }))).message).toMatch(/name the one it shall be on/);
  });

  test('with the id of one on its host that nobody has seen yet is refused', async () => {
    await start();
    await add();
    await world.store.vms.remove(uuidOf(7));
    const refusal = await failureOf(add({ name: 'other' }));
    expect(refusal).toMatchObject({ code: 'ALREADY_EXISTS' });
    expect(world.host('host-a').byUuid(uuidOf(7)).name).toBe('new-1');
  });

  test('on a host that does not answer is refused with what it said', async () => {
    await start();
    await world.useCases.setMaintenance(CALLER, world.hostId('host-b'), true);
    const refusal = await failureOf(add({ hostId: world.hostId('host-b') }));
    expect(refusal.message).toMatch(/host host-b is maintenance .*activate it, or name another/);
  });
});

describe('a VM that is removed', () => {
  test('is gone from the list and from its host, and may be added again', async () => {
    await start();
    await remove(await add());
    expect(await namesNow()).toEqual(['web-1']);
    expect(defined('host-a', { id: uuidOf(7) })).toBeUndefined();
    await world.useCases.refreshHost(CALLER, world.hostId('host-a'));
    expect(await namesNow()).toEqual(['web-1']);
    await add();
  });

  test('is removed from every host that defines it', async () => {
    await start();
    const vm = await add();
    defineDomain(world.host('host-b'), NEW);
    await world.useCases.refreshHost(CALLER, world.hostId('host-b'));
    await remove(vm);
    expect(defined('host-a', vm) ?? defined('host-b', vm)).toBeUndefined();
  });

  test('is refused while it runs, and stays defined', async () => {
    await start();
    const refusal = await failureOf(remove({ id: world.vmId('web-1') }));
    expect(refusal).toMatchObject({ code: 'VM_STATUS_WRONG' });
    expect(refusal.message).toMatch(/^Cannot remove VM\. VM is running\. web-1 is up; stop it first/);
    expect(world.domain('host-a', 'web-1')?.config).not.toBeNull();
  });

  test('is refused, and stays defined, where somebody started it by hand', async () => {
    await start();
    const vm = await add();
    await startDomain(world.host('host-a'), world.host('host-a').byUuid(vm.id), 0);
    expect(await failureOf(remove(vm))).toMatchObject({ code: 'VM_STATUS_WRONG' });
    expect(defined('host-a', vm)?.config).not.toBeNull();
  });

  test('is refused, and defined again, where it was started in the very moment', async () => {
    await start();
    const vm = await add();
    const host = world.host('host-a');
    world.fleet.faults.add({ procedure: 'domainUndefineFlags', maxCount: 1, delayMs: 2_000 });
    const removing = failureOf(remove(vm));
    await world.until('it is asked for', () => world.fleet.faults.list().some(({ applied }) => applied > 0));
    await startDomain(host, host.byUuid(vm.id), 0);
    expect(await removing).toMatchObject({ code: 'VM_STATUS_WRONG' });
    expect(defined('host-a', vm)?.config).not.toBeNull();
  });

  test('is not started meanwhile', async () => {
    await start();
    const vm = await add();
    world.fleet.faults.add({ procedure: 'domainUndefineFlags', maxCount: 1, delayMs: 2_000 });
    const removing = remove(vm);
    await world.until('it is asked for', () => world.fleet.faults.list().some(({ applied }) => applied > 0));
    const refusal = await failureOf(world.useCases.startVm(CALLER, vm.id));
    expect(refusal).toMatchObject({ code: 'VM_STATUS_WRONG' });
    expect(refusal.message).toContain('is being removed');
    await removing;
    expect(defined('host-a', vm)).toBeUndefined();
  });

  test('is refused while libvirt keeps something of it, with its words, and stays as it was', async () => {
    await start();
    const vm = await add();
    const message = 'Requested operation is not valid: cannot undefine domain with a managed save image';
    const allow = world.fleet.faults.add({
      procedure: 'domainUndefineFlags',
      effect: { type: 'refuse', libvirtCode: 55, message },
    });
    expect((await failureOf(remove(vm))).message).toContain('managed save image');
    expect(await world.useCases.getVm(CALLER, vm.id)).toMatchObject({ vnics: vm.vnics });
    allow();
    await remove(vm);
  });

  test('is refused while it moves', async () => {
    await start();
    const { job, letGo } = await world.inTransfer('web-1');
    expect(await failureOf(remove({ id: world.vmId('web-1') }))).toMatchObject({
      code: 'VM_ALREADY_MIGRATING',
    });
    letGo();
    await world.ended(job);
  });
});
