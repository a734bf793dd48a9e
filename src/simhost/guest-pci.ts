/**
 * Where devices sit in a guest's PCI topology, as libvirt places them: i440fx has one bus of hot-pluggable
 * slots, q35 one device per pcie-root-port. A definition gets the root ports it needs; a running guest has
 * only those it was started with.
 */
import { addressOf, guestAddressElement, pciAddress } from './pci.ts';
import { refuse } from './refusal.ts';
import { append, attribute, children, element, find, textOf, type XmlElement } from './xml.ts';

/** Slots 0 to 2 of bus 0 hold the chip set and the video card. */
const FIRST_FREE_SLOT = 3;
const LAST_SLOT = 31;
/** libvirt puts root ports in functions of slots from here on. */
const FIRST_PORT_SLOT = 2;

/**
 * Makes sure a device that is a PCI function has an address nobody else has. `hotplug`: no new root ports.
 */
export function ensureGuestAddress(domain: XmlElement, device: XmlElement, hotplug: boolean): void {
  if (!isPciDevice(device)) return;
  const used = usedAddresses(domain, device);
  const wanted = addressOf(find(device, 'address'));
  if (wanted !== undefined) {
    if (used.has(wanted)) throw refuse('xml', `Attempted double use of PCI Address ${wanted}`);
    checkBus(domain, wanted);
    return;
  }
  const builtIn = builtInAddress(domain, device);
  const free = builtIn !== null && !used.has(builtIn) ? builtIn : freeAddress(domain, used, hotplug);
  append(device, guestAddressElement(free));
}

/** True if the machine type is a q35 one. */
export function isQ35(domain: XmlElement): boolean {
  return (attribute(domain, 'os', 'type', 'machine') ?? '').includes('q35');
}

/** Root ports by bus number: their index is the number of the bus behind them. */
function rootPorts(domain: XmlElement): number[] {
  return children(find(domain, 'devices'), 'controller')
    .filter((each) => attribute(each, 'type') === 'pci' && attribute(each, 'model') === 'pcie-root-port')
    .map((each) => Number(attribute(each, 'index')));
}

function usedAddresses(domain: XmlElement, except: XmlElement): Set<string> {
  const addresses = children(find(domain, 'devices'))
    .filter((device) => device !== except)
    .map((device) => addressOf(find(device, 'address')));
  return new Set(addresses.filter((address) => address !== undefined));
}

function checkBus(domain: XmlElement, address: string): void {
  const bus = parseInt(address.slice(5, 7), 16);
  const buses = isQ35(domain) ? [0, ...rootPorts(domain)] : [0];
  if (!buses.includes(bus)) {
    throw refuse('xml', `Invalid PCI address ${address}. bus must be <= ${Math.max(...buses)}`);
  }
}

function freeAddress(domain: XmlElement, used: ReadonlySet<string>, hotplug: boolean): string {
  if (!isQ35(domain)) {
    for (let slot = FIRST_FREE_SLOT; slot <= LAST_SLOT; slot++) {
      const address = pciAddress(0, 0, slot, 0);
      if (!used.has(address)) return address;
    }
    throw refuse('internal', 'No more available PCI slots');
  }
  const ports = rootPorts(domain);
  const free = ports.find((bus) => ![...used].some((address) => parseInt(address.slice(5, 7), 16) === bus));
  if (free !== undefined) return pciAddress(0, free, 0, 0);
  if (hotplug) throw refuse('internal', 'No more available PCI slots');
  return pciAddress(0, addRootPort(domain, ports), 0, 0);
}

function addRootPort(domain: XmlElement, ports: readonly number[]): number {
  const index = Math.max(0, ...ports) + 1;
  const position = ports.length;
  const slot = FIRST_PORT_SLOT + (position >> 3);
  const fn = position & 7;
  const devices = find(domain, 'devices') ?? append(domain, element('devices'));
  append(
    devices,
    element('controller', { type: 'pci', index, model: 'pcie-root-port' }, [
      element('model', { name: 'pcie-root-port' }),
      element('target', { chassis: index, port: `0x${(slot * 8 + fn).toString(16)}` }),
      guestAddressElement(pciAddress(0, 0, slot, fn), fn === 0),
    ]),
  );
  return index;
}

/** The video card and the chip set's own controllers have fixed places. */
function builtInAddress(domain: XmlElement, device: XmlElement): string | null {
  const q35 = isQ35(domain);
  if (device.name === 'video') return pciAddress(0, 0, q35 ? 1 : 2, 0);
  if (device.name !== 'controller') return null;
  const type = attribute(device, 'type');
  if (type === 'sata' && q35) return pciAddress(0, 0, 0x1f, 2);
  if (type === 'ide' && !q35) return pciAddress(0, 0, 1, 1);
  if (type === 'usb' && !q35) return pciAddress(0, 0, 1, 2);
  return null;
}

const PCI_CONTROLLERS = new Set(['usb', 'sata', 'ide', 'virtio-serial', 'scsi']);

function isPciDevice(device: XmlElement): boolean {
  switch (device.name) {
    case 'interface':
    case 'video':
    case 'rng':
    case 'sound':
    case 'shmem':
    case 'vsock':
      return attribute(device, 'model', 'type') !== 'none';
    case 'hostdev':
      return attribute(device, 'type') === 'pci';
    case 'disk':
      return attribute(device, 'target', 'bus') === 'virtio';
    case 'memballoon':
      return attribute(device, 'model') !== 'none';
    case 'controller':
      return PCI_CONTROLLERS.has(attribute(device, 'type') ?? '') && attribute(device, 'model') !== 'none';
    default:
      return false;
  }
}

/** Name of a device for messages: its alias, MAC or element name. */
export function describeDevice(device: XmlElement): string {
  return (
    attribute(device, 'alias', 'name') ?? attribute(device, 'mac', 'address') ?? textOf(device) ?? device.name
  );
}
