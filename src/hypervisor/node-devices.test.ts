/** Node devices and networks as facts. */
import { describe, expect, test } from 'vitest';
import { isCode } from '../base/errors.ts';
import { readNetworkPool } from './capabilities-xml.ts';
import type { LinkTable } from './link-facts.ts';
import { assembleNics, assemblePfs, type DeviceTable, readNetDevice, readPciDevice } from './node-devices.ts';
import { netDevice, PF_DEVICE, PORT_DEVICE, vfDevice } from './samples.ts';

function tableOf(pci: readonly string[], nets: readonly string[]): DeviceTable {
  const devices = pci.map(readPciDevice);
  return {
    pci: new Map(devices.map((device) => [device.pciAddress, device])),
    nets: nets.map(readNetDevice),
  };
}

const PORT_ADDRESS = "<address domain='0x0000' bus='0x00' slot='0x04' function='0x0'/>";
const PF_ADDRESS = "<address domain='0x0000' bus='0x01' slot='0x00' function='0x0'/>";

describe('devices of a host', () => {
  test('a PF has its VFs in index order, with driver and NUMA node', () => {
    const table = tableOf(
      [PF_DEVICE, vfDevice(0, null), vfDevice(2, 'vfio-pci')],
      [netDevice('pf0', 'pci_0000_01_00_0')],
    );
    const [pf] = assemblePfs(table, null);
    expect(pf).toMatchObject({
      name: 'pf0',
      pciAddress: '0000:01:00.0',
      driver: 'igb',
      numaNode: 1,
      carrier: true,
      mtu: null,
      vfCountMax: 7,
    });
    expect(pf?.vfs.map((vf) => [vf.pciAddress, vf.index, vf.driver, vf.iommuGroup])).toEqual([
      ['0000:01:10.0', 0, null, 8],
      ['0000:01:10.2', 1, 'vfio-pci', 10],
    ]);
  });

  test('without host channel the settings of a VF are unknown, with it they are those of its index', () => {
    const table = tableOf(
      [PF_DEVICE, vfDevice(0, null), vfDevice(2, null)],
      [netDevice('pf0', 'pci_0000_01_00_0')],
    );
    const attributes = {
      mac: null,
      vlan: 7,
      trust: true,
      spoofCheck: false,
      linkState: 'auto' as const,
      rateMbitMin: 0,
      rateMbitMax: 0,
    };
    const link = {
      name: 'pf0',
      mac: '52:54:00:78:00:01',
      mtu: 9000,
      carrier: false,
      master: null,
      lower: null,
      kind: null,
      vfs: new Map([[1, attributes]]),
    };
    const links: LinkTable = { links: new Map([['pf0', link]]), addresses: new Map() };
    expect(assemblePfs(table, null)[0]?.vfs[1]?.attributes).toBeNull();
    const [pf] = assemblePfs(table, links);
    expect(pf).toMatchObject({ carrier: false, mtu: 9000 });
    expect(pf?.vfs.map((vf) => vf.attributes)).toEqual([null, attributes]);
  });

  test('a bridge in the IOMMU group does no harm, another function does', () => {
    const nets = [netDevice('pf0', 'pci_0000_01_00_0')];
    const shared = (others: readonly string[]) =>
      assemblePfs(tableOf([PF_DEVICE, PORT_DEVICE, vfDevice(0, null, others)], nets), null)[0]?.vfs[0]
        ?.iommuGroupShared;
    expect(shared([])).toBe(false);
    expect(shared([PORT_ADDRESS])).toBe(false);
    expect(shared([PORT_ADDRESS, PF_ADDRESS])).toBe(true);
  });

  test('a function of the group that cannot be looked at counts as shared', () => {
    const unknown = "<address domain='0x0000' bus='0x7f' slot='0x00' function='0x0'/>";
    const table = tableOf([PF_DEVICE, vfDevice(0, null, [unknown])], [netDevice('pf0', 'pci_0000_01_00_0')]);
    expect(assemblePfs(table, null)[0]?.vfs[0]?.iommuGroupShared).toBe(true);
  });

  test('a PF without a network device is none: nobody could set its VFs’ MAC', () => {
    expect(assemblePfs(tableOf([PF_DEVICE], []), null)).toEqual([]);
  });

  test('ordinary cards are listed without PFs, VFs, bridges and loopback', () => {
    const table = tableOf(
      [PF_DEVICE, vfDevice(0, 'igbvf'), PORT_DEVICE],
      [
        netDevice('pf0', 'pci_0000_01_00_0'),
        netDevice('pf0v0', 'pci_0000_01_10_0'),
        netDevice('eno1', 'pci_0000_00_04_0', 'down'),
        netDevice('br0', 'computer'),
      ],
    );
    expect(assembleNics(table, null)).toEqual([
      { name: 'eno1', mac: '52:54:00:78:00:01', pciAddress: '0000:00:04.0', carrier: false },
    ]);
    expect(assemblePfs(table, null)[0]?.vfs[0]?.netdev).toBe('pf0v0');
  });

  test('a link state the kernel does not know is unknown here too', () => {
    expect(readNetDevice(netDevice('lo', 'computer', 'unknown')).up).toBeNull();
  });

  test('another kind of device is a protocol violation', () => {
    for (const read of [() => readPciDevice(netDevice('x', 'computer')), () => readNetDevice(PF_DEVICE)]) {
      expect(() => read()).toThrow(/no (PCI function|network device)/);
    }
    try {
      readPciDevice('<device>');
      expect.unreachable();
    } catch (error) {
      expect(isCode(error, 'PROTOCOL_VIOLATION')).toBe(true);
    }
  });
});

describe('networks', () => {
  test('a network of VFs is a pool, by PF or by addresses', () => {
    expect(
      readNetworkPool(
        "<network><name>p</name><forward mode='hostdev' managed='yes'><pf dev='ens1f0'/>" +
          "<address type='pci' domain='0x0000' bus='0x01' slot='0x10' function='0x0'/></forward></network>",
      ),
    ).toEqual({ name: 'p', pf: 'ens1f0', vfs: ['0000:01:10.0'] });
  });

  test('any other network is not', () => {
    expect(readNetworkPool("<network><name>default</name><forward mode='nat'/></network>")).toBeNull();
    expect(readNetworkPool('<network><name>isolated</name></network>')).toBeNull();
  });
});
