/**
 * PCI addresses of simulated hosts and guests: `dddd:bb:ss.f`, libvirt's `<address>` elements and node device
 * names.
 */
import { refuse } from './refusal.ts';
import { element, type XmlElement } from './xml.ts';

const ADDRESS = /^([0-9a-f]{4}):([0-9a-f]{2}):([0-9a-f]{2})\.([0-7])$/;

interface Parts {
  readonly domain: number;
  readonly bus: number;
  readonly slot: number;
  readonly fn: number;
}

function parts(address: string): Parts {
  const match = ADDRESS.exec(address);
  if (!match) throw refuse('internal', `malformed PCI address '${address}'`);
  const [, domain = '', bus = '', slot = '', fn = ''] = match;
  return {
    domain: parseInt(domain, 16),
    bus: parseInt(bus, 16),
    slot: parseInt(slot, 16),
    fn: parseInt(fn, 16),
  };
}

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0');

/** Joins the four numbers. */
export function pciAddress(domain: number, bus: number, slot: number, fn: number): string {
  return `${hex(domain, 4)}:${hex(bus, 2)}:${hex(slot, 2)}.${fn}`;
}

/** The address `count` functions further on, carrying into slot and bus as SR-IOV's routing ids do. */
export function pciPlus(address: string, count: number): string {
  const { domain, bus, slot, fn } = parts(address);
  const routingId = bus * 256 + slot * 8 + fn + count;
  return pciAddress(domain, routingId >> 8, (routingId >> 3) & 31, routingId & 7);
}

/** `pci_0000_3b_02_1`. */
export function nodeDeviceName(address: string): string {
  return `pci_${address.replaceAll(/[:.]/g, '_')}`;
}

/** Attributes of an `<address>` element, without `type`. */
function attributesOf(address: string): Record<string, string> {
  const { domain, bus, slot, fn } = parts(address);
  return {
    domain: `0x${hex(domain, 4)}`,
    bus: `0x${hex(bus, 2)}`,
    slot: `0x${hex(slot, 2)}`,
    function: `0x${fn}`,
  };
}

/** `<address domain=.../>` as host devices have it. */
export function hostAddressElement(address: string): XmlElement {
  return element('address', attributesOf(address));
}

/** `<address type='pci' domain=.../>` as a domain's devices and sources have it. */
export function guestAddressElement(address: string, multifunction = false): XmlElement {
  return element('address', {
    type: 'pci',
    ...attributesOf(address),
    ...(multifunction ? { multifunction: 'on' } : {}),
  });
}

/** Reads any `<address>` element with PCI numbers, decimal or 0x-hex; undefined if it is of another kind. */
export function addressOf(at: XmlElement | undefined): string | undefined {
  if (!at || (at.attributes.get('type') ?? 'pci') !== 'pci') return undefined;
  const number = (name: string): number => {
    const value = Number(at.attributes.get(name) ?? '0');
    if (!Number.isInteger(value) || value < 0)
      throw refuse('xml', `Cannot parse <address> '${name}' attribute`);
    return value;
  };
  if (!at.attributes.has('bus') && !at.attributes.has('slot')) return undefined;
  return pciAddress(number('domain'), number('bus'), number('slot'), number('function'));
}
