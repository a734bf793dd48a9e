/** Acts on VFs, against simulated hosts. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FREE_VF, plugOf, SimHypervisors, WEB, WEB_VF } from '../../test/support/sim-hypervisors.ts';
import type { PciAddress } from '../base/ids.ts';
import { LIBVIRT_CODE, libvirtCodeOf } from '../libvirt/index.ts';
import { pciAddressesOf } from '../model/domain.ts';

let sim: SimHypervisors;
beforeEach(() => {
  sim = new SimHypervisors();
});
afterEach(() => sim.close());

/** As the next look at host-a tells. */
async function driverOf(at: PciAddress): Promise<string | null | undefined> {
  const { pfs } = await sim.run(sim.a.observe());
  return pfs.flatMap(({ vfs }) => vfs).find((vf) => vf.pciAddress === at)?.driver;
}

describe('VFs', () => {
  test('one has its settings, looked at before or not; one that is not there has none', async () => {
    const used = { mac: '52:54:00:aa:01:01' };
    expect(await sim.run(sim.a.vfAttributes(WEB_VF))).toMatchObject(used);
    expect(await sim.run(sim.a.vfAttributes('0000:7f:00.0' as PciAddress))).toBeNull();
    await sim.run(sim.a.observe());
    expect(await sim.run(sim.a.vfAttributes(WEB_VF))).toMatchObject(used);
  });

  test('unplugged is empty again; asking twice, or when it is gone, does no harm', async () => {
    await sim.run(sim.a.requestUnplug(WEB, 'ua-vf0'));
    await sim.run(sim.a.requestUnplug(WEB, 'ua-vf0'));
    await sim.unplugWeb();
    await sim.run(sim.a.requestUnplug(WEB, 'ua-vf0'));
    expect(await sim.run(sim.a.vfAttributes(WEB_VF))).toMatchObject({ mac: '00:00:00:00:00:00', vlan: 0 });
    const { pfs, domains } = await sim.run(sim.a.observe());
    expect(pfs.flatMap(({ vfs }) => vfs.map((vf) => vf.pciAddress))).toContain(WEB_VF);
    const named = domains.map(pciAddressesOf);
    expect(named.filter(({ live }) => live.includes(WEB_VF))).toEqual([]);
    expect(named.filter(({ config }) => config.includes(WEB_VF))).toHaveLength(1);
  });

  test('plugged is where it was in the guest', async () => {
    await sim.unplugWeb();
    expect(await sim.run(sim.a.plug(WEB, plugOf()))).toEqual({ guestAddress: '0000:00:08.0' });
    expect(await sim.run(sim.a.vfAttributes(FREE_VF))).toMatchObject({ mac: '52:54:00:aa:01:01', vlan: 42 });
  });

  test('gets another place in the guest when its own was taken', async () => {
    await sim.unplugWeb();
    const { guestAddress } = await sim.run(
      sim.a.plug(WEB, plugOf({ guestAddress: '0000:00:03.0' as PciAddress })),
    );
    expect(guestAddress).not.toBeNull();
    expect(guestAddress).not.toBe('0000:00:03.0');
  });

  test('taken for a start that is refused are all given back, also where one of them cannot be', async () => {
    const [first, second] = [FREE_VF, WEB_VF];
    await sim.run(sim.a.destroy(WEB));
    const refuse = (procedure: string, message: string) =>
      sim.world.fleet.faults.add({
        procedure,
        maxCount: 1,
        effect: { type: 'refuse', libvirtCode: 1, message },
      });
    refuse('domainCreateWithFlags', 'no memory');
    refuse('nodeDeviceReAttach', 'in use');
    const error = await sim.failureOf(sim.a.start(WEB, [first, second]));
    expect(error).toMatchObject({ code: 'REPLY_LOST', message: expect.stringContaining('in use') as string });
    const drivers = [await driverOf(first), await driverOf(second)];
    expect(drivers.filter((driver) => driver !== 'vfio-pci')).toHaveLength(1);
  });

  test('used by somebody else is refused with libvirt’s code, and nothing changed', async () => {
    await sim.unplugWeb();
    const error = await sim.failureOf(sim.a.plug(WEB, plugOf({ vf: '0000:3b:0a.1' as PciAddress })));
    expect(libvirtCodeOf(error)).toBe(LIBVIRT_CODE.operationInvalid);
    expect(error.message).toMatch(/^host-a refused to plug VF 0000:3b:0a\.1/);
    expect((await sim.run(sim.a.inspect(WEB)))?.interfaces).toHaveLength(1);
  });

  test('managed=no is taken from its driver for the plug and given back after a refusal', async () => {
    const unmanaged = plugOf({ managed: false });
    expect(await driverOf(FREE_VF)).toBe('iavf');
    expect(libvirtCodeOf(await sim.failureOf(sim.a.plug(WEB, unmanaged)))).toBe(
      LIBVIRT_CODE.configUnsupported,
    );
    expect(await driverOf(FREE_VF)).toBe('iavf');
    await sim.unplugWeb();
    await sim.run(sim.a.plug(WEB, unmanaged));
    expect(await driverOf(FREE_VF)).toBe('vfio-pci');
    await sim.run(sim.a.requestUnplug(WEB, 'ua-vf0'));
    await sim.world.clock.advance(5000);
    expect(await driverOf(FREE_VF)).toBe('vfio-pci');
    await sim.run(sim.a.reattachVf(FREE_VF));
    expect(await driverOf(FREE_VF)).toBe('iavf');
  });

  test('after a plug whose answer is lost the VF is not taken from the domain', async () => {
    await sim.unplugWeb();
    sim.world.fleet.faults.add({
      procedure: 'domainAttachDeviceFlags',
      effect: { type: 'dropReply' },
      nth: 1,
    });
    const error = await sim.failureOf(sim.a.plug(WEB, plugOf({ managed: false })));
    expect(error.kind).toBe('outcome_unknown');
    expect((await sim.run(sim.a.inspect(WEB)))?.interfaces.some((each) => each.vf === FREE_VF)).toBe(true);
  });

  test('a daemon that cannot be asked after the plug leaves an unknown outcome too', async () => {
    await sim.unplugWeb();
    await sim.run(sim.a.inspect(WEB));
    sim.world.fleet.faults.add({
      procedure: 'domainAttachDeviceFlags',
      delayMs: 1000,
    });
    const plugging = sim.failureOf(sim.a.plug(WEB, plugOf()));
    sim.world.fleet.faults.add({ procedure: 'domainGetXmlDesc', nth: 1, effect: { type: 'dropRequest' } });
    expect((await plugging).kind).toBe('outcome_unknown');
  });

  test('a reset clears what a stranger left', async () => {
    const vf = sim.world.fleet.host('host-a').hardware.vfs.find((each) => each.pciAddress === FREE_VF);
    if (!vf) expect.unreachable();
    vf.mac = '52:54:00:11:22:33';
    vf.vlan = 7;
    await sim.run(sim.a.resetVf(FREE_VF));
    expect(await sim.run(sim.a.vfAttributes(FREE_VF))).toMatchObject({
      mac: '00:00:00:00:00:00',
      vlan: 0,
    });
    expect((await sim.failureOf(sim.a.resetVf('0000:7f:00.0' as PciAddress))).code).toBe('NOT_FOUND');
  });
});
