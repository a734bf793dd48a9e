/**
 * Node devices of a simulated host: names, parents and XML of PCI functions and network devices, as libvirt's
 * udev driver gives them.
 */
import { LIST_NODE_DEVICES } from '../libvirt/procedures/flags.ts';
import { type SimPf, type SimVf, vfNetdev } from './hardware.ts';
import type { SimHost } from './host.ts';
import type { SimNicSpec } from './inventory.ts';
import { hostAddressElement, nodeDeviceName } from './pci.ts';
import { refuse } from './refusal.ts';
import { element, formatXml, type XmlElement } from './xml.ts';

interface NodeDevice {
  readonly name: string;
  readonly kind: 'system' | 'pci' | 'net';
  readonly parent: string | null;
  readonly xml: () => XmlElement;
  /** Printed once. */
  text?: string;
}

/** The devices of a host by name, for as long as nothing they show has changed. */
interface KnownDevices {
  readonly state: string;
  readonly devices: ReadonlyMap<string, NodeDevice>;
}

const known = new WeakMap<SimHost, KnownDevices>();

const ROOT_PORT = 'computer';

const netName = (netdev: string, mac: string): string => `net_${netdev}_${mac.replaceAll(':', '_')}`;

/** All devices, as they are now. Looked at for every question, and most of them change nothing. */
function nodeDevices(host: SimHost): ReadonlyMap<string, NodeDevice> {
  const state = stateOf(host);
  const before = known.get(host);
  if (before?.state === state) return before.devices;
  const devices = new Map(listDevices(host).map((device) => [device.name, device]));
  known.set(host, { state, devices });
  return devices;
}

/** All of a host's devices that can change. */
function stateOf({ hardware }: SimHost): string {
  let state = `${hardware.nics.map((nic) => nic.carrier).join()} ${[...hardware.bridges.keys()].join()}`;
  for (const pf of hardware.pfs) {
    state += ` ${pf.carrier}`;
    for (const vf of pf.vfs) state += `,${vf.driver}`;
  }
  return state;
}

function listDevices(host: SimHost): NodeDevice[] {
  const devices: NodeDevice[] = [
    {
      name: 'computer',
      kind: 'system',
      parent: null,
      xml: () => element('device', {}, [element('name', {}, ['computer'])]),
    },
  ];
  for (const nic of host.hardware.nics)
    devices.push(nicPci(nic), netOf(nic.name, nic.mac, nic.pciAddress, nic.carrier));
  for (const pf of host.hardware.pfs) {
    const { spec } = pf;
    devices.push(pfPci(pf), netOf(spec.name, spec.mac, spec.pciAddress, pf.carrier));
    for (const vf of pf.vfs) {
      devices.push(vfPci(vf));
      const netdev = vfNetdev(vf);
      if (netdev !== null) devices.push(netOf(netdev, vf.ownMac, vf.pciAddress, false));
    }
  }
  for (const bridge of host.hardware.bridges.values()) {
    devices.push({
      name: netName(bridge.name, bridge.mac),
      kind: 'net',
      parent: 'computer',
      xml: () => netXml(netName(bridge.name, bridge.mac), 'computer', bridge.name, bridge.mac, true, false),
    });
  }
  return devices;
}

/** virConnectListAllNodeDevices. */
export function listNodeDevices(host: SimHost, flags: number): string[] {
  const mask = { system: LIST_NODE_DEVICES.system, pci: LIST_NODE_DEVICES.pci, net: LIST_NODE_DEVICES.net };
  return [...nodeDevices(host).values()]
    .filter((device) => flags === 0 || (flags & mask[device.kind]) !== 0)
    .map((device) => device.name);
}

function lookup(host: SimHost, name: string): NodeDevice {
  const device = nodeDevices(host).get(name);
  if (!device) throw refuse('no_node_device', `no node device with matching name '${name}'`);
  return device;
}

/** virNodeDeviceLookupByName: refuses what does not exist. */
export function checkNodeDevice(host: SimHost, name: string): string {
  return lookup(host, name).name;
}

/** virNodeDeviceGetParent. */
export function nodeDeviceParent(host: SimHost, name: string): string | null {
  return lookup(host, name).parent;
}

/** virNodeDeviceGetXMLDesc. */
export function nodeDeviceXml(host: SimHost, name: string): string {
  const device = lookup(host, name);
  device.text ??= formatXml(device.xml());
  return device.text;
}

/** The VF of a node device name; refuses others, which the simulation never detaches. */
export function vfOfNodeDevice(host: SimHost, name: string): SimVf {
  checkNodeDevice(host, name);
  const vf = host.hardware.vfs.find((each) => nodeDeviceName(each.pciAddress) === name);
  if (!vf)
    throw refuse('no_support', `only virtual functions can be detached in the simulation, not '${name}'`);
  return vf;
}

function pciXml(facts: {
  address: string;
  driver: string | null;
  vendor: string;
  product: string;
  iommuGroup: number;
  numaNode: number;
  group: readonly string[];
  capability: XmlElement | null;
}): XmlElement {
  const [domain = '', bus = '', rest = ''] = facts.address.split(':');
  const [slot = '', fn = ''] = rest.split('.');
  const decimal = (hex: string): string => String(parseInt(hex, 16));
  const name = nodeDeviceName(facts.address);
  return element('device', {}, [
    element('name', {}, [name]),
    element('path', {}, [`/sys/devices/pci0000:00/0000:00:01.0/${facts.address}`]),
    element('parent', {}, [ROOT_PORT]),
    ...(facts.driver === null ? [] : [element('driver', {}, [element('name', {}, [facts.driver])])]),
    element('capability', { type: 'pci' }, [
      element('class', {}, ['0x020000']),
      element('domain', {}, [decimal(domain)]),
      element('bus', {}, [decimal(bus)]),
      element('slot', {}, [decimal(slot)]),
      element('function', {}, [decimal(fn)]),
      element('product', { id: facts.product }),
      element('vendor', { id: facts.vendor }),
      ...(facts.capability ? [facts.capability] : []),
      element('iommuGroup', { number: facts.iommuGroup }, facts.group.map(hostAddressElement)),
      element('numa', { node: facts.numaNode }),
    ]),
  ]);
}

function nicPci(nic: SimNicSpec): NodeDevice {
  const xml = () =>
    pciXml({
      address: nic.pciAddress,
      driver: nic.driver,
      vendor: '0x8086',
      product: '0x15f3',
      iommuGroup: 20,
      numaNode: 0,
      group: [nic.pciAddress],
      capability: null,
    });
  return { name: nodeDeviceName(nic.pciAddress), kind: 'pci', parent: ROOT_PORT, xml };
}

function pfPci(pf: SimPf): NodeDevice {
  const { spec } = pf;
  const xml = () =>
    pciXml({
      address: spec.pciAddress,
      driver: spec.driver,
      vendor: spec.vendorId,
      product: spec.deviceId,
      iommuGroup: pf.iommuGroup,
      numaNode: spec.numaNode,
      group: [spec.pciAddress],
      capability: element(
        'capability',
        { type: 'virt_functions', maxCount: spec.vfCountMax },
        pf.vfs.map((vf) => hostAddressElement(vf.pciAddress)),
      ),
    });
  return { name: nodeDeviceName(spec.pciAddress), kind: 'pci', parent: ROOT_PORT, xml };
}

function vfPci(vf: SimVf): NodeDevice {
  const { spec, vfs } = vf.pf;
  const xml = () =>
    pciXml({
      address: vf.pciAddress,
      driver: vf.driver,
      vendor: spec.vendorId,
      product: spec.vfDeviceId,
      iommuGroup: vf.iommuGroup,
      numaNode: spec.numaNode,
      group: vfs.filter((each) => each.iommuGroup === vf.iommuGroup).map((each) => each.pciAddress),
      capability: element('capability', { type: 'phys_function' }, [hostAddressElement(spec.pciAddress)]),
    });
  return { name: nodeDeviceName(vf.pciAddress), kind: 'pci', parent: ROOT_PORT, xml };
}

function netOf(netdev: string, mac: string, pciAddress: string, up: boolean): NodeDevice {
  const name = netName(netdev, mac);
  const parent = nodeDeviceName(pciAddress);
  return { name, kind: 'net', parent, xml: () => netXml(name, parent, netdev, mac, up, true) };
}

function netXml(
  name: string,
  parent: string,
  netdev: string,
  mac: string,
  up: boolean,
  physical: boolean,
): XmlElement {
  return element('device', {}, [
    element('name', {}, [name]),
    element('path', {}, [`/sys/class/net/${netdev}`]),
    element('parent', {}, [parent]),
    element('capability', { type: 'net' }, [
      element('interface', {}, [netdev]),
      element('address', {}, [mac]),
      element('link', up ? { ...(physical ? { speed: 25000 } : {}), state: 'up' } : { state: 'down' }),
      ...(physical ? [element('capability', { type: '80203' })] : []),
    ]),
  ]);
}
