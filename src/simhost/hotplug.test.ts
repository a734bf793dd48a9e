/** Plug and unplug on a simulated host, through the real client. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Domain, type LibvirtClient, libvirtCodeOf, procedures } from '../libvirt/index.ts';
import { SimWorld } from '../../test/support/sim-fleet.ts';

const LIVE = 1;
const VF = '0000:3b:0a.0';

/** A vNIC as the engine plugs it. */
function vnicXml(options: { alias?: string; fn?: number; slot?: string; managed?: string } = {}): string {
  const { alias = 'ua-vf0', fn = 0, slot = '8', managed = 'yes' } = options;
  return `<interface type='hostdev' managed='${managed}'>
    <source><address type='pci' domain='0x0000' bus='0x3b' slot='0x0a' function='0x${fn}'/></source>
    <mac address='52:54:00:aa:01:01'/><vlan><tag id='42'/></vlan>
    <alias name='${alias}'/><address type='pci' domain='0' bus='0' slot='${slot}' function='0'/></interface>`;
}

describe('unplug and plug', () => {
  let world: SimWorld;
  let a: LibvirtClient;
  let web: Domain;

  beforeEach(async () => {
    world = new SimWorld();
    a = await world.watch('host-a');
    web = await world.domain(a, 'web-1');
  });
  afterEach(() => world.close());

  const vf = (address = VF) => world.fleet.host('host-a').hardware.vf(address);
  const attach = (xml: string, flags = LIVE) =>
    world.run(a.call(procedures.domainAttachDeviceFlags, { dom: web, xml, flags }));
  const detachAlias = (alias = 'ua-vf0') =>
    world.run(a.call(procedures.domainDetachDeviceAlias, { dom: web, alias, flags: LIVE }));
  const guest = () => world.fleet.host('host-a').byUuid(web.uuid).guest;
  const codeOf = async (call: Promise<unknown>) => libvirtCodeOf(await call.catch((error: unknown) => error));

  test('asking by alias returns at once; the guest gives the VF back a little later', async () => {
    const startMs = world.clock.monotonicMs();
    await detachAlias();
    expect(world.clock.monotonicMs() - startMs).toBeLessThan(50);
    expect(await world.xml(a, web)).toContain('ua-vf0');
    await world.until('the removal', () => world.saw('host-a', 'deviceRemoved', 'ua-vf0'));
    expect(world.clock.monotonicMs() - startMs).toBeLessThan(1000);
    expect(await world.xml(a, web)).not.toContain('ua-vf0');
    expect(vf()).toMatchObject({ driver: 'iavf', mac: '00:00:00:00:00:00', vlan: 0, holder: null });
  });

  test('a live unplug leaves the definition as it is', async () => {
    await detachAlias();
    await world.until('the removal', () => world.saw('host-a', 'deviceRemoved'));
    expect(await world.xml(a, web, true)).toContain('ua-vf0');
  });

  test('plugging sets driver, MAC and VLAN and tells it', async () => {
    await detachAlias();
    await world.until('the removal', () => world.saw('host-a', 'deviceRemoved'));
    await attach(vnicXml({ fn: 3 }));
    expect(vf('0000:3b:0a.3')).toMatchObject({ driver: 'vfio-pci', mac: '52:54:00:aa:01:01', vlan: 42 });
    expect(world.saw('host-a', 'deviceAdded', 'ua-vf0')).toBe(true);
    expect(await world.xml(a, web)).toMatch(/bus='0x3b' slot='0x0a' function='0x3'/);
  });

  describe('while a guest ignores the unplug', () => {
    beforeEach(async () => {
      const domain = guest();
      if (domain) domain.unplug = { type: 'never' };
      await detachAlias();
    });

    test('the same alias is refused as not unique (67)', async () => {
      expect(await codeOf(attach(vnicXml({ fn: 3, slot: '9' })))).toBe(67);
    });

    test('the same VF under another alias is refused as in use (55), naming the domain', async () => {
      const refused = attach(vnicXml({ alias: 'ua-other', slot: '9' }));
      await expect(refused).rejects.toThrow(`PCI device ${VF} is in use by driver QEMU, domain web-1`);
      expect(await codeOf(attach(vnicXml({ alias: 'ua-other', slot: '9' })))).toBe(55);
    });

    test('asking again is accepted, by alias at once and by XML after 5 s, without effect', async () => {
      await detachAlias();
      const startMs = world.clock.monotonicMs();
      const xml = vnicXml();
      await world.run(a.call(procedures.domainDetachDeviceFlags, { dom: web, xml, flags: LIVE }));
      expect(world.clock.monotonicMs() - startMs).toBeGreaterThanOrEqual(5000);
      expect(await world.xml(a, web)).toContain('ua-vf0');
      expect(vf()?.holder?.domain).toBe('web-1');
    });

    test('it may answer much later, after a pause too', async () => {
      await world.run(a.call(procedures.domainSuspend, { dom: web }));
      const late = guest();
      if (late) late.unplug = { type: 'answer', minMs: 100, maxMs: 100 };
      late?.answerPending();
      await world.clock.advance(60_000);
      expect(world.saw('host-a', 'deviceRemoved')).toBe(false);
      await world.run(a.call(procedures.domainResume, { dom: web }));
      await world.until('the late removal', () => world.saw('host-a', 'deviceRemoved'));
      expect(vf()?.holder).toBeNull();
    });
  });

  test('a guest that refuses is told as an event and keeps the device', async () => {
    const domain = guest();
    if (domain) domain.unplug = { type: 'refuse', afterMs: 300 };
    await detachAlias();
    await world.until('the refusal', () => world.saw('host-a', 'deviceRemovalFailed', 'ua-vf0'));
    expect(await world.xml(a, web)).toContain('ua-vf0');
  });

  test('refused with the code and words of libvirt', async () => {
    const cases: [xml: string, code: number, words: string][] = [
      [vnicXml({ alias: 'ua-x', slot: '3', fn: 4 }), 27, 'double use of PCI Address 0000:00:03.0'],
      [vnicXml({ alias: 'ua-x', slot: '9', fn: 1 }), 55, 'in use by driver QEMU, domain db-1'],
      [vnicXml({ alias: 'ua-x', slot: '9', fn: 4, managed: 'no' }), 55, 'must be manually detached'],
      [vnicXml({ alias: 'ua-x', slot: '9' }).replace('0x3b', '0x3c'), 38, 'Device 0000:3c:0a.0 not found'],
      ["<interface type='bridge'><source bridge='br9'/></interface>", 38, "on 'br9': No such device"],
      ['<interface', 35, 'root element'],
    ];
    for (const [xml, code, words] of cases) {
      const call = attach(xml);
      await expect(call).rejects.toThrow(words);
      expect(await codeOf(call)).toBe(code);
    }
    const missing = a.call(procedures.domainDetachDeviceAlias, { dom: web, alias: 'ua-none', flags: LIVE });
    expect(await codeOf(world.run(missing))).toBe(99);
  });

  test(
    'managed=no takes a VF that was detached from its host driver before, and leaves it ' + 'bound',
    async () => {
      const name = 'pci_0000_3b_0a_4';
      await world.run(a.call(procedures.nodeDeviceDetachFlags, { name, driver: null, flags: 0 }));
      expect(vf('0000:3b:0a.4')?.driver).toBe('vfio-pci');
      await attach(vnicXml({ alias: 'ua-vf1', slot: '9', fn: 4, managed: 'no' }));
      await detachAlias('ua-vf1');
      await world.until('the removal', () => world.saw('host-a', 'deviceRemoved', 'ua-vf1'));
      expect(vf('0000:3b:0a.4')?.driver).toBe('vfio-pci');
      await world.run(a.call(procedures.nodeDeviceReAttach, { name }));
      expect(vf('0000:3b:0a.4')?.driver).toBe('iavf');
    },
  );

  test('a q35 guest takes as many devices as it has free root ports', async () => {
    const xml = `<domain type='kvm'><name>q</name><memory unit='MiB'>256</memory>
      <os><type machine='q35'>hvm</type></os><devices>
      <controller type='pci' index='1' model='pcie-root-port'/>
      <controller type='pci' index='2' model='pcie-root-port'/></devices></domain>`;
    const { dom } = await world.run(a.call(procedures.domainCreateXml, { xml, flags: 0 }));
    const nic = (alias: string) =>
      world.run(
        a.call(procedures.domainAttachDeviceFlags, {
          dom,
          xml: `<interface type='bridge'><source bridge='prod'/><alias name='${alias}'/></interface>`,
          flags: LIVE,
        }),
      );
    // The balloon sits in the first port.
    await nic('ua-one');
    await expect(nic('ua-two')).rejects.toThrow('No more available PCI slots');
  });

  test('plug with --config too changes the definition, and only if the live part went well', async () => {
    await expect(attach(vnicXml({ alias: 'ua-vf1', slot: '9', fn: 1 }), 3)).rejects.toThrow('in use');
    expect(await world.xml(a, web, true)).not.toContain('ua-vf1');
    await attach(vnicXml({ alias: 'ua-vf1', slot: '9', fn: 4 }), 3);
    expect(await world.xml(a, web, true)).toContain('ua-vf1');
  });
});
