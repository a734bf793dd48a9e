/** Acts on VFs, against simulated hosts. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FREE_VF, plugOf, SimHypervisors, WEB, WEB_VF } from '../../test/support/sim-hypervisors.ts';
import type { PciAddress } from '../base/ids.ts';
import { LIBVIRT_CODE, libvirtCodeOf } from '../libvirt/index.ts';

let sim: SimHypervisors;
beforeEach(() => {
  sim = new SimHypervisors();
});
afterEach(() => sim.close());

describe('VFs', () => {
  test('one in use names its domain and settings; one that is not there is null', async () => {
    expect(await sim.run(sim.a.inspectVf(WEB_VF))).toMatchObject({
      pf: 'ens1f1',
      index: 0,
      attributes: { mac: '52:54:00:aa:01:01' },
      users: [{ vmId: WEB, name: 'web-1', live: true, autostart: true }],
    });
    expect(await sim.run(sim.a.inspectVf('0000:7f:00.0' as PciAddress))).toBeNull();
  });

  test('unplugged is empty again; asking twice, or when it is gone, does no harm', async () => {
    await sim.run(sim.a.requestUnplug(WEB, 'ua-vf0'));
    await sim.run(sim.a.requestUnplug(WEB, 'ua-vf0'));
    await sim.unplugWeb();
    await sim.run(sim.a.requestUnplug(WEB, 'ua-vf0'));
    const vf = await sim.run(sim.a.inspectVf(WEB_VF));
    expect(vf?.attributes).toMatchObject({ mac: '00:00:00:00:00:00', vlan: 0 });
    expect(vf?.users).toEqual([expect.objectContaining({ vmId: WEB, live: false })]);
  });

  test('plugged is where it was in the guest', async () => {
    await sim.unplugWeb();
    expect(await sim.run(sim.a.plug(WEB, plugOf()))).toEqual({ guestAddress: '0000:00:08.0' });
    expect(await sim.run(sim.a.inspectVf(FREE_VF))).toMatchObject({
      attributes: { mac: '52:54:00:aa:01:01', vlan: 42 },
    });
  });

  test('gets another place in the guest when its own was taken', async () => {
    await sim.unplugWeb();
    const { guestAddress } = await sim.run(
      sim.a.plug(WEB, plugOf({ guestAddress: '0000:00:03.0' as PciAddress })),
    );
    expect(guestAddress).not.toBeNull();
    expect(guestAddress).not.toBe('0000:00:03.0');
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
    expect((await sim.run(sim.a.inspectVf(FREE_VF)))?.driver).toBe('iavf');
    expect(libvirtCodeOf(await sim.failureOf(sim.a.plug(WEB, unmanaged)))).toBe(
      LIBVIRT_CODE.configUnsupported,
    );
    expect((await sim.run(sim.a.inspectVf(FREE_VF)))?.driver).toBe('iavf');
    await sim.unplugWeb();
    await sim.run(sim.a.plug(WEB, unmanaged));
    expect((await sim.run(sim.a.inspectVf(FREE_VF)))?.driver).toBe('vfio-pci');
    await sim.run(sim.a.requestUnplug(WEB, 'ua-vf0'));
    await sim.world.clock.advance(5000);
    expect((await sim.run(sim.a.inspectVf(FREE_VF)))?.driver).toBe('vfio-pci');
    await sim.run(sim.a.reattachVf(FREE_VF));
    expect((await sim.run(sim.a.inspectVf(FREE_VF)))?.driver).toBe('iavf');
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
      effect: { type: 'delay', delayMs: 1000 },
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
    expect((await sim.run(sim.a.inspectVf(FREE_VF)))?.attributes).toMatchObject({
      mac: '00:00:00:00:00:00',
      vlan: 0,
    });
    expect((await sim.failureOf(sim.a.resetVf('0000:7f:00.0' as PciAddress))).code).toBe('NOT_FOUND');
  });
});
