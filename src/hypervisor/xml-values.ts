/**
 * What the XML readers of this folder share: documents a host sent, and PCI addresses as libvirt writes them,
 * `<address [type='pci'] domain='0x0000' bus='0x3b' slot='0x02' function='0x1'/>`. Pure.
 * Numbers may be hex with 0x or decimal in what people wrote; libvirt itself prints hex.
 */
import { HandoverError } from '../base/errors.ts';
import { type PciAddress, parsePciAddress } from '../base/ids.ts';
import { attr, parseXml, type XmlElement } from '../libvirt/xml/index.ts';
import { pciParts } from './names.ts';

/**
 * Parses XML that a host sent, with root element `rootName`. Throws `PROTOCOL_VIOLATION` if it is anything
 * else.
 */
export function parseHostXml(xml: string, rootName: string): XmlElement {
  let root: XmlElement;
  try {
    root = parseXml(xml);
  } catch (cause) {
    throw new HandoverError('PROTOCOL_VIOLATION', `the host sent a <${rootName}> that cannot be read`, {
      cause,
    });
  }
  if (root.name === rootName) return root;
  throw new HandoverError(
    'PROTOCOL_VIOLATION',
    `the host sent <${root.name}> where <${rootName}> was expected`,
  );
}

/** Reads an `<address>`; null if it is none of PCI or lacks a part. An absent domain is 0, as in libvirt. */
export function pciAddressOf(address: XmlElement | undefined): PciAddress | null {
  if (!address || (attr(address, 'type') ?? 'pci') !== 'pci') return null;
  const domain = numberOf(attr(address, 'domain') ?? '0');
  const bus = numberOf(attr(address, 'bus'));
  const slot = numberOf(attr(address, 'slot'));
  const fn = numberOf(attr(address, 'function') ?? '0');
  if (domain === null || bus === null || slot === null || fn === null) return null;
  return parsePciAddress(`${hex(domain, 4)}:${hex(bus, 2)}:${hex(slot, 2)}.${fn.toString(16)}`);
}

/** The attributes of an `<address>` for that function, in libvirt's order. */
export function pciAddressAttributes(pciAddress: PciAddress): Readonly<Record<string, string>> {
  const parts = pciParts(pciAddress);
  return {
    domain: `0x${parts.domain}`,
    bus: `0x${parts.bus}`,
    slot: `0x${parts.slot}`,
    function: `0x${parts.function}`,
  };
}

function numberOf(text: string | undefined): number | null {
  return text !== undefined && /^(0x[0-9a-f]+|[0-9]+)$/i.test(text) ? Number(text) : null;
}

const hex = (value: number, width: number) => value.toString(16).padStart(width, '0');
