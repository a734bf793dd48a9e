/**
 * Domain XML as facts: what `virDomainGetXMLDesc` says, live or inactive, in Handover's words. Pure.
 * Source of the format: libvirt docs/formatdomain.rst; live XML resolves a pool interface to the VF it got,
 * so its pool is only known from the definition (`domain-look.ts` joins the two).
 */
import { HandoverError } from '../base/errors.ts';
import { isUuid, type PciAddress, parseMac, type VmId } from '../base/ids.ts';
import { attr, child, children, textOf, writeXml, type XmlElement } from '../libvirt/xml/index.ts';
import type { DomainDisk, DomainInterface } from '../model/domain.ts';
import { parseHostXml, pciAddressOf } from './xml-values.ts';
import { remembering } from './remember.ts';

/**
 * Our element in a domain's `<metadata>`: `<handover:vnics><handover:vnic mac='...'
 * profile='...'/></handover:vnics>`.
 */
export const METADATA_NAMESPACE = 'https://handover.dev/xmlns/domain/1';

const AGENT_CHANNEL = 'org.qemu.guest_agent.0';
const KIB_BY_UNIT: Readonly<Record<string, number>> = {
  b: 1 / 1024,
  bytes: 1 / 1024,
  KB: 1000 / 1024,
  k: 1,
  KiB: 1,
  MB: 1e6 / 1024,
  M: 1024,
  MiB: 1024,
  GB: 1e9 / 1024,
  G: 1024 ** 2,
  GiB: 1024 ** 2,
  TB: 1e12 / 1024,
  T: 1024 ** 3,
  TiB: 1024 ** 3,
};

const HOTPLUG_PORTS: readonly string[] = ['pcie-root-port', 'pcie-switch-downstream-port'];
/** See `DomainInterface.traitsXml`. */
const TRAITS: readonly string[] = ['driver', 'rom', 'boot', 'acpi'];
/** No host has more; bounds what a silly range can cost. */
const CPUS_MAX = 16_384;

/** What one XML description of a domain says. */
export interface DomainDescription {
  /** It has an id: QEMU existed when it was written. */
  readonly live: boolean;
  readonly uuid: VmId;
  readonly name: string;
  readonly memoryKiB: number;
  readonly vcpus: number;
  readonly arch: string;
  readonly machine: string;
  /** Nodes that `<numatune>` binds memory to. */
  readonly memoryNodes: readonly number[];
  /** Host CPUs that `<vcpu cpuset>` or `<vcpupin>` allow; empty = any. */
  readonly cpus: readonly number[];
  readonly interfaces: readonly DomainInterface[];
  readonly hostdevs: readonly PciAddress[];
  readonly disks: readonly DomainDisk[];
  /** PCIe ports that hot-plug can use and nothing sits in; null = no PCIe root. */
  readonly freePciePorts: number | null;
  /** Guest addresses of all devices, for finding a free place. */
  readonly guestAddresses: ReadonlySet<PciAddress>;
  readonly agentConnected: boolean;
}

/** Reads a domain's XML. Throws `PROTOCOL_VIOLATION` if it is not one. */
export const readDomainXml = remembering((xml): DomainDescription => {
  const root = parseHostXml(xml, 'domain');
  const uuid = textOf(child(root, 'uuid')).toLowerCase();
  const devices = child(root, 'devices');
  if (!isUuid(uuid)) throw new HandoverError('PROTOCOL_VIOLATION', 'the host sent a domain without a UUID');
  const type = child(child(root, 'os'), 'type');
  return {
    live: attr(root, 'id') !== undefined,
    uuid: uuid as VmId,
    name: textOf(child(root, 'name')),
    memoryKiB: memoryOf(root),
    vcpus: Number(attr(child(root, 'vcpu'), 'current') ?? textOf(child(root, 'vcpu'))) || 1,
    arch: attr(type, 'arch') ?? '',
    machine: attr(type, 'machine') ?? '',
    memoryNodes: numberList(attr(child(child(root, 'numatune'), 'memory'), 'nodeset')),
    cpus: cpusOf(root),
    interfaces: children(devices, 'interface').flatMap((each) => interfaceOf(each, profilesOf(root))),
    hostdevs: children(devices, 'hostdev').flatMap(
      (each) => (attr(each, 'type') === 'pci' && pciAddressOf(child(child(each, 'source'), 'address'))) || [],
    ),
    disks: children(devices, 'disk').flatMap(diskOf),
    freePciePorts: freePciePortsOf(devices),
    guestAddresses: new Set(deviceAddresses(devices)),
    agentConnected: children(devices, 'channel').some((channel) => {
      const target = child(channel, 'target');
      return attr(target, 'name') === AGENT_CHANNEL && attr(target, 'state') === 'connected';
    }),
  };
});

/** Profile by MAC from our metadata, whatever prefix it was written with. */
function profilesOf(root: XmlElement): ReadonlyMap<string, string> {
  const metadata = child(root, 'metadata');
  const profiles = new Map<string, string>();
  for (const vnics of children(metadata)) {
    if (namespaceOf(vnics, [metadata, root]) !== METADATA_NAMESPACE || localName(vnics) !== 'vnics') continue;
    for (const vnic of children(vnics)) {
      const mac = parseMac(attr(vnic, 'mac') ?? '');
      const profile = attr(vnic, 'profile');
      if (localName(vnic) === 'vnic' && mac !== null && profile) profiles.set(mac, profile);
    }
  }
  return profiles;
}

const localName = (element: XmlElement) => element.name.slice(element.name.indexOf(':') + 1);

/** The namespace an element's prefix stands for, declared on itself or on `around`. */
function namespaceOf(element: XmlElement, around: readonly (XmlElement | undefined)[]): string | undefined {
  const colon = element.name.indexOf(':');
  const declaration = colon < 0 ? 'xmlns' : `xmlns:${element.name.slice(0, colon)}`;
  for (const scope of [element, ...around]) {
    const value = scope && attr(scope, declaration);
    if (value !== undefined) return value;
  }
  return undefined;
}

function memoryOf(root: XmlElement): number {
  const memory = child(root, 'memory');
  const unit = attr(memory, 'unit') ?? 'KiB';
  return Math.ceil(Number(textOf(memory)) * (KIB_BY_UNIT[unit] ?? 1)) || 0;
}

function cpusOf(root: XmlElement): number[] {
  const pins = children(child(root, 'cputune'), 'vcpupin').flatMap((pin) => numberList(attr(pin, 'cpuset')));
  return pins.length > 0 ? [...new Set(pins)] : numberList(attr(child(root, 'vcpu'), 'cpuset'));
}

function interfaceOf(element: XmlElement, profiles: ReadonlyMap<string, string>): DomainInterface[] {
  const mac = parseMac(attr(child(element, 'mac'), 'address') ?? '');
  // libvirt gives every interface a MAC; what has none is nothing Handover could recognise again.
  if (mac === null) return [];
  const source = child(element, 'source');
  const type = attr(element, 'type') ?? '';
  const driver = child(element, 'driver');
  const teaming = attr(child(element, 'teaming'), 'type');
  return [
    {
      kind: type === 'hostdev' || type === 'bridge' || type === 'network' ? type : 'other',
      alias: attr(child(element, 'alias'), 'name') ?? null,
      mac,
      managed: attr(element, 'managed') === 'yes',
      vf: type === 'hostdev' ? pciAddressOf(child(source, 'address')) : null,
      network: attr(source, 'network') ?? null,
      bridge: attr(source, 'bridge') ?? null,
      vlan: vlanOf(element),
      guestAddress: pciAddressOf(child(element, 'address')),
      traitsXml: children(element)
        .filter(({ name }) => TRAITS.includes(name))
        .map(writeXml)
        .join(''),
      model: attr(child(element, 'model'), 'type') ?? null,
      driver: attr(driver, 'model') ?? attr(driver, 'name') ?? null,
      teaming: teaming === 'persistent' || teaming === 'transient' ? teaming : null,
      profile: profiles.get(mac) ?? null,
    },
  ];
}

/** The one tag of an access port. A trunk has no single tag; libvirt refuses it for VFs. */
function vlanOf(element: XmlElement): number | null {
  const tags = children(child(element, 'vlan'), 'tag');
  const tag = tags.length === 1 ? Number(attr(tags[0], 'id')) : Number.NaN;
  return Number.isInteger(tag) && tag > 0 ? tag : null;
}

function diskOf(element: XmlElement): DomainDisk[] {
  const target = attr(child(element, 'target'), 'dev');
  if (!target) return [];
  const driver = child(element, 'driver');
  const source = child(element, 'source');
  const type = attr(element, 'type');
  const device = attr(element, 'device') ?? 'disk';
  return [
    {
      target,
      source: attr(source, 'file') ?? attr(source, 'dev') ?? attr(source, 'name') ?? volumeOf(source),
      kind: type === 'file' || type === 'block' || type === 'network' ? type : 'other',
      format: attr(driver, 'type') ?? null,
      device: device === 'cdrom' || device === 'floppy' || device === 'lun' ? device : 'disk',
      readonly: child(element, 'readonly') !== undefined,
      shareable: child(element, 'shareable') !== undefined,
      cache: attr(driver, 'cache') ?? null,
    },
  ];
}

function volumeOf(source: XmlElement | undefined): string | null {
  const pool = attr(source, 'pool');
  const volume = attr(source, 'volume');
  return pool && volume ? `${pool}/${volume}` : null;
}

function deviceAddresses(devices: XmlElement | undefined): PciAddress[] {
  return children(devices).flatMap((device) => pciAddressOf(child(device, 'address')) ?? []);
}

/**
 * Bus N is behind the port controller with index N, so a port is free when no device has an address on its
 * bus.
 */
function freePciePortsOf(devices: XmlElement | undefined): number | null {
  const controllers = children(devices, 'controller').filter((each) => attr(each, 'type') === 'pci');
  if (!controllers.some((each) => attr(each, 'model') === 'pcie-root')) return null;
  const taken = new Set(deviceAddresses(devices).map((address) => Number.parseInt(address.slice(5, 7), 16)));
  return controllers.filter(
    (each) =>
      HOTPLUG_PORTS.includes(attr(each, 'model') ?? '') &&
      attr(child(each, 'target'), 'hotplug') !== 'off' &&
      !taken.has(Number(attr(each, 'index'))),
  ).length;
}

/** `0-3,^2,8` -> 0 1 3 8. */
function numberList(text: string | undefined): number[] {
  const numbers = new Set<number>();
  for (const part of (text ?? '').split(',')) {
    const match = /^(\^?)(\d+)(?:-(\d+))?$/.exec(part.trim());
    if (!match) continue;
    const first = Number(match[2]);
    const last = Math.min(Number(match[3] ?? first), first + CPUS_MAX);
    for (let each = first; each <= last; each++) {
      if (match[1]) numbers.delete(each);
      else numbers.add(each);
    }
  }
  return [...numbers];
}
