/**
 * XML that Handover writes: the `<interface>` of a VF to plug, and the definition a persistent VM gets on its
 * target. Pure. Everything that is not about the named vNICs comes out exactly as it went in, in its order,
 * unknown elements too.
 */
import { HandoverError } from '../base/errors.ts';
import type { PciAddress } from '../base/ids.ts';
import {
  append,
  attr,
  child,
  children,
  element,
  parseXml,
  replaceChild,
  setAttr,
  writeXml,
  type XmlElement,
} from '../libvirt/xml/index.ts';
import type { DefinedVf, VfPlug } from './port.ts';
import { parseHostXml, pciAddressAttributes } from './xml-values.ts';

/** `<interface type='hostdev'>` for a hot-plug. `guestAddress` null lets libvirt choose. */
export const interfaceXml = (plug: VfPlug): string => writeXml(buildInterface(plug));

/** What a definition has of a VF: its pool's interface if it keeps one. */
export const definitionXml = (vnic: DefinedVf): string =>
  writeXml(vnic.pool === null ? buildInterface(vnic) : buildPoolInterface(vnic, vnic.pool));

/**
 * The definition with these VFs, as the next start is to have them: each desired passthrough vNIC, found by
 * MAC, names its new VF; one that keeps its pool is left as it is; a desired one the definition lacks is
 * added. Throws `PROTOCOL_VIOLATION` if `definition` is no domain.
 */
export function definitionWithVfs(definition: string, vnics: readonly DefinedVf[]): string {
  const root = parseHostXml(definition, 'domain');
  const devices = devicesOf(root);
  for (const vnic of vnics) {
    const defined = findInterface(devices, vnic);
    if (!defined)
      append(devices, vnic.pool === null ? buildInterface(vnic) : buildPoolInterface(vnic, vnic.pool));
    else if (vnic.pool === null) nameVf(devices, defined, vnic);
    else namePool(devices, defined, vnic, vnic.pool);
  }
  return writeXml(root);
}

/**
 * The `<interface>` of a VF (or of a pool of them) with this MAC, as the definition has it; null if it has
 * none.
 */
export function definedInterfaceXml(
  definition: string,
  vnic: Pick<DefinedVf, 'mac' | 'definedPool'>,
): string | null {
  const defined = findInterface(devicesOf(parseHostXml(definition, 'domain')), vnic);
  return defined && writeXml(defined);
}

/** Points a defined interface at another VF, whatever it named before. */
function nameVf(devices: XmlElement, defined: XmlElement, vnic: VfPlug): void {
  if (attr(defined, 'type') !== 'hostdev') {
    replaceChild(devices, defined, buildInterface(vnic));
    return;
  }
  const address = child(child(defined, 'source'), 'address');
  if (!address) {
    throw new HandoverError('PROTOCOL_VIOLATION', `the interface ${vnic.mac} of a definition names no VF`);
  }
  for (const [name, value] of Object.entries(pciAddressAttributes(vnic.vf))) setAttr(address, name, value);
}

/**
 * Leaves an interface on its pool; one that names a VF although the pool shall be kept becomes a pool
 * interface.
 */
function namePool(devices: XmlElement, defined: XmlElement, vnic: VfPlug, pool: string): void {
  if (!isOnPool(defined, pool)) replaceChild(devices, defined, buildPoolInterface(vnic, pool));
}

const isOnPool = (each: XmlElement, pool: string): boolean =>
  attr(each, 'type') === 'network' && attr(child(each, 'source'), 'network') === pool;

function buildInterface(plug: VfPlug): XmlElement {
  return element('interface', { type: 'hostdev', managed: plug.managed ? 'yes' : 'no' }, [
    element('mac', { address: plug.mac }),
    element('source', {}, [element('address', { type: 'pci', ...pciAddressAttributes(plug.vf) })]),
    ...vlanElements(plug.vlan),
    ...traitsOf(plug),
    element('alias', { name: plug.alias }),
    ...addressElements(plug.guestAddress),
  ]);
}

function buildPoolInterface(plug: VfPlug, pool: string): XmlElement {
  return element('interface', { type: 'network' }, [
    element('mac', { address: plug.mac }),
    element('source', { network: pool }),
    ...vlanElements(plug.vlan),
    element('alias', { name: plug.alias }),
    ...addressElements(plug.guestAddress),
  ]);
}

const traitsOf = (plug: VfPlug): XmlElement[] => children(parseXml(`<traits>${plug.traitsXml}</traits>`));

const vlanElements = (vlan: number | null): XmlElement[] =>
  vlan === null ? [] : [element('vlan', {}, [element('tag', { id: String(vlan) })])];

const addressElements = (address: PciAddress | null): XmlElement[] =>
  address === null ? [] : [element('address', { type: 'pci', ...pciAddressAttributes(address) })];

function devicesOf(root: XmlElement): XmlElement {
  const devices = child(root, 'devices');
  if (devices) return devices;
  throw new HandoverError('PROTOCOL_VIOLATION', 'the host sent a domain without <devices>');
}

/**
 * By MAC, passthrough interfaces first: a teaming pair or a bond of equal MACs has an ordinary interface with
 * the same address, and that one must never be turned into a VF.
 */
function findInterface(
  devices: XmlElement,
  { mac, definedPool }: Pick<DefinedVf, 'mac' | 'definedPool'>,
): XmlElement | null {
  const same = children(devices, 'interface').filter(
    (each) => attr(child(each, 'mac'), 'address')?.toLowerCase() === mac,
  );
  return (
    same.find((each) => attr(each, 'type') === 'hostdev') ??
    same.find((each) => definedPool !== null && isOnPool(each, definedPool)) ??
    null
  );
}
