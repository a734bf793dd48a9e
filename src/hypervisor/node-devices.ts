/**
 * Node device XML as facts: PCI functions with driver, IOMMU group, NUMA node and SR-IOV, and network
 * devices; and their assembly into PFs, VFs and ordinary NICs. Pure.
 * Source: libvirt docs/formatnode.rst. `virt_functions` lists VFs in index order; `maxCount` is
 * sriov_totalvfs. libvirt reads driver and SR-IOV state from sysfs at each call, so these are not stale.
 */
import { HandoverError } from '../base/errors.ts';
import { type PciAddress, parseMac } from '../base/ids.ts';
import { attr, child, children, textOf, type XmlElement } from '../libvirt/xml/index.ts';
import type { HostNic } from '../model/host.ts';
import type { Pf, Vf } from '../model/pf.ts';
import { type LinkTable, netdevUseOf } from './link-facts.ts';
import { pciAddressOfNodeDevice } from './names.ts';
import { parseHostXml, pciAddressOf } from './xml-values.ts';
import { remembering } from './remember.ts';

/** A PCI function of a host. */
export interface PciDevice {
  readonly pciAddress: PciAddress;
  readonly driver: string | null;
  readonly iommuGroup: number | null;
  /** Every function in its IOMMU group, itself included. */
  readonly iommuGroupMembers: readonly PciAddress[];
  readonly numaNode: number | null;
  /** A PCI bridge or port: it may share a group with a VF without harm. */
  readonly isBridge: boolean;
  /** Not null: SR-IOV capable, with the VFs that exist now in index order. */
  readonly virtualFunctions: { readonly max: number; readonly addresses: readonly PciAddress[] } | null;
  /** Not null: it is a VF of that function. */
  readonly physicalFunction: PciAddress | null;
}

/** A network device of a host. */
export interface NetDevice {
  readonly name: string;
  readonly mac: string | null;
  /** The PCI function it belongs to; null for bridges, bonds, taps... */
  readonly pciAddress: PciAddress | null;
  /** The kernel's operstate is `up`. */
  readonly up: boolean | null;
}

/** Reads the XML of a `pci` node device. Throws `PROTOCOL_VIOLATION` if it is none. */
export const readPciDevice = remembering((xml): PciDevice => {
  const root = parseHostXml(xml, 'device');
  const pci = capability(root, 'pci');
  const pciAddress = pci && addressOf(pci);
  if (!pci || !pciAddress) throw notA('PCI function');
  const group = child(pci, 'iommuGroup');
  const functions = capability(pci, 'virt_functions');
  const parent = capability(pci, 'phys_function');
  return {
    pciAddress,
    driver: textOf(child(child(root, 'driver'), 'name')) || null,
    iommuGroup: integer(attr(group, 'number')),
    iommuGroupMembers: addresses(group),
    numaNode: integer(attr(child(pci, 'numa'), 'node')),
    isBridge: textOf(child(pci, 'class')).startsWith('0x0604'),
    virtualFunctions: functions
      ? { max: integer(attr(functions, 'maxCount')) ?? 0, addresses: addresses(functions) }
      : null,
    physicalFunction: pciAddressOf(child(parent, 'address')),
  };
});

/** Reads the XML of a `net` node device. Throws `PROTOCOL_VIOLATION` if it is none. */
export const readNetDevice = remembering((xml): NetDevice => {
  const root = parseHostXml(xml, 'device');
  const net = capability(root, 'net');
  const name = textOf(child(net, 'interface'));
  if (!net || name === '') throw notA('network device');
  const state = attr(child(net, 'link'), 'state');
  return {
    name,
    mac: parseMac(textOf(child(net, 'address'))),
    pciAddress: pciAddressOfNodeDevice(textOf(child(root, 'parent'))),
    up: state === undefined || state === 'unknown' ? null : state === 'up',
  };
});

/** The devices of a host as libvirt lists them. */
export interface DeviceTable {
  readonly pci: ReadonlyMap<PciAddress, PciDevice>;
  readonly nets: readonly NetDevice[];
}

/**
 * PFs that have a netdev (libvirt needs it to set a VF's MAC), sorted by name; `links` null = no host
 * channel.
 */
export function assemblePfs(devices: DeviceTable, links: LinkTable | null): Pf[] {
  const pfs: Pf[] = [];
  for (const device of devices.pci.values()) {
    const net = devices.nets.find((each) => each.pciAddress === device.pciAddress);
    if (!device.virtualFunctions || !net) continue;
    const link = links?.links.get(net.name);
    pfs.push({
      name: net.name,
      pciAddress: device.pciAddress,
      mac: parseMac(link?.mac ?? net.mac ?? ''),
      driver: device.driver,
      numaNode: device.numaNode,
      carrier: link?.carrier ?? net.up,
      mtu: link?.mtu ?? null,
      vfCountMax: device.virtualFunctions.max,
      vfs: device.virtualFunctions.addresses.flatMap((address, index) => {
        const vf = devices.pci.get(address);
        return vf ? [assembleVf(vf, index, net.name, devices, links)] : [];
      }),
    });
  }
  return pfs.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Physical network cards that are neither PF nor VF. */
export function assembleNics(devices: DeviceTable, links: LinkTable | null): HostNic[] {
  return devices.nets.flatMap((net) => {
    if (net.pciAddress === null) return [];
    const pci = devices.pci.get(net.pciAddress);
    if (pci?.virtualFunctions || pci?.physicalFunction) return [];
    const carrier = links?.links.get(net.name)?.carrier ?? net.up;
    return [{ name: net.name, mac: net.mac, pciAddress: net.pciAddress, carrier }];
  });
}

function assembleVf(
  vf: PciDevice,
  index: number,
  pfName: string,
  devices: DeviceTable,
  links: LinkTable | null,
): Vf {
  const netdev = devices.nets.find((each) => each.pciAddress === vf.pciAddress)?.name ?? null;
  return {
    pciAddress: vf.pciAddress,
    index,
    driver: vf.driver,
    netdev,
    netdevUse: netdev !== null && links ? netdevUseOf(links, netdev) : null,
    iommuGroup: vf.iommuGroup,
    iommuGroupShared: vf.iommuGroupMembers.some(
      (member) => member !== vf.pciAddress && devices.pci.get(member)?.isBridge !== true,
    ),
    numaNode: vf.numaNode,
    attributes: links?.links.get(pfName)?.vfs.get(index) ?? null,
  };
}

const capability = (element: XmlElement, type: string) =>
  children(element, 'capability').find((each) => attr(each, 'type') === type);

/** A PCI device's own address is spread over elements in decimal. */
function addressOf(pci: XmlElement): PciAddress | null {
  const parts = [part(pci, 'domain', 4), part(pci, 'bus', 2), part(pci, 'slot', 2), part(pci, 'function', 1)];
  return pciAddressOfNodeDevice(`pci_${parts.join('_')}`);
}

const part = (pci: XmlElement, name: string, width: number) =>
  Number(textOf(child(pci, name)))
    .toString(16)
    .padStart(width, '0');

const addresses = (element: XmlElement | undefined): PciAddress[] =>
  children(element, 'address').flatMap((each) => pciAddressOf(each) ?? []);

function integer(text: string | undefined): number | null {
  return text !== undefined && /^-?\d+$/.test(text) && Number(text) >= 0 ? Number(text) : null;
}

function notA(what: string): HandoverError {
  return new HandoverError('PROTOCOL_VIOLATION', `the host sent no ${what} where one was expected`);
}
