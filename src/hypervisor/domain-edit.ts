/**
 * XML that Handover writes: the `<interface>` of a VF to plug, and the definition a persistent VM gets on its
 * target. Pure. Everything that is not about the named vNICs comes out exactly as it went in, in its order,
 * unknown elements too.
 */
import { HandoverError } from '../base/errors.ts';
import type { Mac, PciAddress } from '../base/ids.ts';
import {
  append,
  attr,
  child,
  children,
  cloneElement,
  element,
  replaceChild,
  setAttr,
  writeXml,
  type XmlElement,
} from '../libvirt/xml/index.ts';
import type { VfPlug } from './port.ts';
import { parseHostXml, pciAddressAttributes } from './xml-values.ts';

/** What of a defined `<interface>` the guest can see, or the driver needs, besides what `VfPlug` names. */
const KEPT_AT_PLUG: readonly string[] = ['driver', 'rom', 'boot', 'acpi'];

/**
 * `<interface type='hostdev'>` for a hot-plug. `definition` (the domain's inactive XML, null for a transient
 * domain) lends what else was set for that MAC: option ROM, boot order, ACPI index, driver model.
 * `guestAddress` null lets libvirt choose.
 */
export function interfaceXml(plug: VfPlug, definition: string | null): string {
  const defined = definition ? findInterface(devicesOf(parseHostXml(definition, 'domain')), plug.mac) : null;
  const kept = children(defined ?? undefined).filter((each) => KEPT_AT_PLUG.includes(each.name));
  return writeXml(buildInterface(plug, kept.map(cloneElement)));
}

/**
 * The definition for the target: each desired passthrough vNIC, found by MAC, names its new VF; one that
 * keeps its pool is left as it is; a desired one the definition lacks is added. Throws `PROTOCOL_VIOLATION`
 * if `definition` is no domain.
 */
export function definitionForTarget(
  definition: string,
  vnics: readonly (VfPlug & { readonly pool: string | null })[],
): string {
  const root = parseHostXml(definition, 'domain');
  const devices = devicesOf(root);
  for (const vnic of vnics) {
    const defined = findInterface(devices, vnic.mac);
    if (!defined)
      append(devices, vnic.pool === null ? buildInterface(vnic, []) : buildPoolInterface(vnic, vnic.pool));
    else if (vnic.pool === null) nameVf(devices, defined, vnic);
    else namePool(devices, defined, vnic, vnic.pool);
  }
  return writeXml(root);
}

/** Points a defined interface at another VF, whatever it named before. */
function nameVf(devices: XmlElement, defined: XmlElement, vnic: VfPlug): void {
  if (attr(defined, 'type') !== 'hostdev') {
    const kept = children(defined).filter((each) => KEPT_AT_PLUG.includes(each.name));
    replaceChild(devices, defined, buildInterface(vnic, kept.map(cloneElement)));
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
  const onPool = attr(defined, 'type') === 'network' && attr(child(defined, 'source'), 'network') === pool;
  if (!onPool) replaceChild(devices, defined, buildPoolInterface(vnic, pool));
}

function buildInterface(plug: VfPlug, kept: readonly XmlElement[]): XmlElement {
  return element('interface', { type: 'hostdev', managed: plug.managed ? 'yes' : 'no' }, [
    element('mac', { address: plug.mac }),
    element('source', {}, [element('address', { type: 'pci', ...pciAddressAttributes(plug.vf) })]),
    ...vlanElements(plug.vlan),
    ...kept,
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
function findInterface(devices: XmlElement, mac: Mac): XmlElement | null {
  const same = children(devices, 'interface').filter(
    (each) => attr(child(each, 'mac'), 'address')?.toLowerCase() === mac,
  );
  return (
    same.find((each) => attr(each, 'type') === 'hostdev') ??
    same.find((each) => attr(each, 'type') === 'network' && !child(each, 'teaming')) ??
    null
  );
}
