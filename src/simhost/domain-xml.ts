/**
 * Domain XML as a simulated libvirt keeps it: a definition completed with what libvirt adds (MAC addresses,
 * PCI places, controllers), the live XML of a running domain (aliases, taps), and the forms that leave the
 * host again. Elements nobody here knows are kept where they are.
 */
import type { Random } from '../base/random.ts';
import { ensureGuestAddress } from './guest-pci.ts';
import { refuse } from './refusal.ts';
import {
  append,
  attribute,
  children,
  cloneXml,
  element,
  find,
  formatXml,
  remove,
  textOf,
  type XmlElement,
} from './xml.ts';

/** Aliases of this kind are the user's and survive in the definition. */
const USER_ALIAS = /^ua-[A-Za-z0-9_-]+$/;
const MACHINE_ALIASES: Readonly<Record<string, string>> = { pc: 'pc-i440fx-10.0', q35: 'pc-q35-10.0' };
const KIB_PER_UNIT: Readonly<Record<string, number>> = {
  b: 1 / 1024,
  bytes: 1 / 1024,
  KB: 1000 / 1024,
  k: 1,
  KiB: 1,
  MB: 1_000_000 / 1024,
  M: 1024,
  MiB: 1024,
  GB: 1_000_000_000 / 1024,
  G: 1024 * 1024,
  GiB: 1024 * 1024,
};

/** Parses and completes a definition. Refuses what libvirt would. The result is the inactive XML. */
export function completeDefinition(given: XmlElement, random: Random): XmlElement {
  if (given.name !== 'domain')
    throw refuse('xml', `unexpected root element <${given.name}>, expecting <domain>`);
  const domain = cloneXml(given);
  domain.attributes.delete('id');
  if (!textOf(domain, 'name')) throw refuse('xml', 'name is required');
  if (!find(domain, 'uuid')) domain.nodes.splice(1, 0, element('uuid', {}, [random.uuid()]));
  completeMemory(domain);
  const os = find(domain, 'os') ?? append(domain, element('os', {}, [element('type', {}, ['hvm'])]));
  const type = find(os, 'type');
  if (!type) throw refuse('xml', 'an os <type> must be specified');
  if (!type.attributes.has('arch')) type.attributes.set('arch', 'x86_64');
  const machine = type.attributes.get('machine') ?? 'pc';
  type.attributes.set('machine', MACHINE_ALIASES[machine] ?? machine);
  const devices = find(domain, 'devices') ?? append(domain, element('devices'));
  if (!find(devices, 'emulator'))
    devices.nodes.unshift(element('emulator', {}, ['/usr/bin/qemu-system-x86_64']));
  if (children(devices, 'channel').length > 0) addController(devices, 'virtio-serial');
  if (!find(devices, 'memballoon')) append(devices, element('memballoon', { model: 'virtio' }));
  const aliases = new Set<string>();
  for (const device of children(devices)) {
    if (device.name === 'interface') completeInterface(device, random);
    dropGeneratedAlias(device);
    const alias = attribute(device, 'alias', 'name');
    if (alias !== undefined && aliases.has(alias)) throw nonUniqueAlias(alias);
    if (alias !== undefined) aliases.add(alias);
  }
  // Wanted addresses first: a device without one must not take the place another one names.
  const ordered = children(devices).sort((a, b) => Number(hasAddress(b)) - Number(hasAddress(a)));
  for (const device of ordered) ensureGuestAddress(domain, device, false);
  return domain;
}

/** The refusal for an alias that a device already has. */
export function nonUniqueAlias(alias: string): Error {
  return refuse('config_unsupported', `non unique alias detected: ${alias}`);
}

const hasAddress = (device: XmlElement): boolean => find(device, 'address') !== undefined;

function completeMemory(domain: XmlElement): void {
  const memory = find(domain, 'memory');
  if (!memory) throw refuse('xml', 'missing element or attribute memory');
  for (const name of ['memory', 'currentMemory']) {
    const at = find(domain, name);
    if (!at) continue;
    const unit = at.attributes.get('unit') ?? 'KiB';
    const factor = KIB_PER_UNIT[unit];
    if (factor === undefined) throw refuse('xml', `unknown suffix '${unit}'`);
    const kib = Math.ceil(Number(textOf(at)) * factor);
    if (!Number.isFinite(kib) || kib <= 0) throw refuse('xml', `invalid value for ${name}`);
    at.attributes.set('unit', 'KiB');
    at.nodes.splice(0, at.nodes.length, String(kib));
  }
  if (!find(domain, 'currentMemory')) {
    const at = domain.nodes.indexOf(memory);
    domain.nodes.splice(at + 1, 0, element('currentMemory', { unit: 'KiB' }, [textOf(memory) ?? '']));
  }
  if (!find(domain, 'vcpu')) {
    domain.nodes.splice(domain.nodes.indexOf(memory) + 2, 0, element('vcpu', { placement: 'static' }, ['1']));
  }
}

function addController(devices: XmlElement, type: string): void {
  if (children(devices, 'controller').some((each) => attribute(each, 'type') === type)) return;
  append(devices, element('controller', { type, index: 0 }));
}

/** Gives an interface its MAC and refuses what makes no sense. */
export function completeInterface(device: XmlElement, random: Random): void {
  const type = attribute(device, 'type');
  if (type === undefined) throw refuse('xml', "missing required attribute 'type' in element 'interface'");
  if (type === 'hostdev' && !find(device, 'source', 'address')) {
    throw refuse('xml', "Missing <address> element in hostdev's <source>");
  }
  if (children(find(device, 'vlan'), 'tag').length > 1 && type === 'hostdev') {
    throw refuse('config_unsupported', 'vlan trunking is not supported by SR-IOV network devices');
  }
  if (!find(device, 'mac')) {
    const [a = 0, b = 0, c = 0] = random.bytes(3);
    const tail = [a, b, c].map((byte) => byte.toString(16).padStart(2, '0')).join(':');
    device.nodes.unshift(element('mac', { address: `52:54:00:${tail}` }));
  }
}

function dropGeneratedAlias(device: XmlElement): void {
  const alias = find(device, 'alias');
  if (alias && !USER_ALIAS.test(attribute(alias, 'name') ?? '')) remove(device, alias);
}

const ALIAS_PREFIXES: Readonly<Record<string, string>> = {
  memballoon: 'balloon',
  channel: 'channel',
  console: 'serial',
  serial: 'serial',
  input: 'input',
  rng: 'rng',
  sound: 'sound',
  video: 'video',
  watchdog: 'watchdog',
  shmem: 'shmem',
  hostdev: 'hostdev',
  vsock: 'vsock',
};

/**
 * True if the interface is a VF: named by address, or taken from a pool (the live XML then says `hostdev`).
 */
export function isHostdevInterface(device: XmlElement): boolean {
  return device.name === 'interface' && attribute(device, 'type') === 'hostdev';
}

/** Gives a live device its alias, unless the user gave one. Refuses an alias that is taken. */
export function ensureAlias(domain: XmlElement, device: XmlElement): string | null {
  const others = children(find(domain, 'devices')).filter((each) => each !== device);
  const taken = new Set(others.map((each) => attribute(each, 'alias', 'name')));
  const given = attribute(device, 'alias', 'name');
  if (given !== undefined && USER_ALIAS.test(given)) {
    if (taken.has(given)) throw nonUniqueAlias(given);
    return given;
  }
  dropGeneratedAlias(device);
  const fixed = fixedAlias(device);
  const prefix = aliasPrefix(device);
  if (fixed === null && prefix === null) return null;
  let alias = fixed ?? `${prefix ?? ''}0`;
  for (let count = 1; fixed === null && taken.has(alias); count++) alias = `${prefix ?? ''}${count}`;
  const before = children(device, 'address')[0];
  const at = before ? device.nodes.indexOf(before) : device.nodes.length;
  device.nodes.splice(at, 0, element('alias', { name: alias }));
  return alias;
}

function aliasPrefix(device: XmlElement): string | null {
  if (device.name === 'interface') return isHostdevInterface(device) ? 'hostdev' : 'net';
  return ALIAS_PREFIXES[device.name] ?? null;
}

function fixedAlias(device: XmlElement): string | null {
  if (device.name === 'disk') {
    const name = attribute(device, 'target', 'dev') ?? 'vda';
    const index = name.charCodeAt(name.length - 1) - 'a'.charCodeAt(0);
    const bus = attribute(device, 'target', 'bus') ?? 'virtio';
    return bus === 'virtio' ? `virtio-disk${index}` : `${bus}0-0-${index}`;
  }
  if (device.name === 'controller') {
    const type = attribute(device, 'type') ?? '';
    const index = attribute(device, 'index') ?? '0';
    if (type === 'pci') return attribute(device, 'model')?.endsWith('-root') ? 'pcie.0' : `pci.${index}`;
    return type === 'usb' || type === 'ide' ? type : `${type}${index}`;
  }
  return null;
}

/** The text `virDomainGetXMLDesc` gives of a running domain. */
export function liveText(live: XmlElement, id: number): string {
  const attributes = new Map([
    ['type', live.attributes.get('type') ?? 'kvm'],
    ['id', String(id)],
  ]);
  for (const [name, value] of live.attributes) if (!attributes.has(name)) attributes.set(name, value);
  return formatXml(live, attributes);
}

/** The live XML as it may leave the host: without what the target makes anew. */
export function migratableLive(live: XmlElement): XmlElement {
  const copy = cloneXml(live);
  for (const device of children(find(copy, 'devices'))) {
    dropGeneratedAlias(device);
    const target = find(device, 'target');
    if (device.name === 'interface' && attribute(target, 'dev')?.startsWith('vnet') && target)
      remove(device, target);
    if (device.name === 'channel') target?.attributes.delete('state');
  }
  return copy;
}
