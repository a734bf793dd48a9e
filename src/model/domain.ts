/**
 * A domain: libvirt's object for a VM on one host, as observed there. During a migration a VM has two of
 * them. Pure data; the hypervisor part fills it, everybody reads it.
 */
import type { Mac, PciAddress, VmId } from '../base/ids.ts';

/** libvirt's domain states (virDomainState), by name. */
export const DOMAIN_STATES = [
  'no_state',
  'running',
  'blocked',
  'paused',
  'shutdown',
  'shut_off',
  'crashed',
  'pm_suspended',
] as const;
export type DomainState = (typeof DOMAIN_STATES)[number];

/**
 * How a domain's interface reaches the network. `hostdev`: a VF named by address; `hostdev_pool`: a VF
 * libvirt picked from a network pool.
 */
export const INTERFACE_KINDS = ['hostdev', 'hostdev_pool', 'bridge', 'network', 'other'] as const;
export type InterfaceKind = (typeof INTERFACE_KINDS)[number];

/** One `<interface>` of a domain. */
export interface DomainInterface {
  readonly kind: InterfaceKind;
  /** Device alias; live devices always have one, inactive ones only if it is a user alias (`ua-...`). */
  readonly alias: string | null;
  readonly mac: Mac;
  /** managed='yes': libvirt binds and unbinds the VF's driver itself. */
  readonly managed: boolean;
  /** The VF behind it; null for other kinds and for an inactive pool interface. */
  readonly vf: PciAddress | null;
  /** libvirt network name (pool or virtual network). */
  readonly network: string | null;
  readonly bridge: string | null;
  /** VLAN tag, null = untagged. */
  readonly vlan: number | null;
  /** Guest PCI address `dddd:bb:ss.f`, null if none is written. */
  readonly guestAddress: PciAddress | null;
  /** The guest address was in the definition (pinned) rather than chosen by libvirt. */
  readonly model: string | null;
  /**
   * What else of its XML the guest can see or its driver needs, and is to be there again at every plug: its
   * `<driver>`, `<rom>`, `<boot>` and `<acpi>`, as written; '' = none.
   */
  readonly traitsXml: string;
  /** `<driver model=...>` or `<driver name=...>` of a hostdev interface. */
  readonly driver: string | null;
  readonly teaming: 'persistent' | 'transient' | null;
  /** Profile named in the domain's metadata for this interface (our namespace). */
  readonly profile: string | null;
}

/** One `<disk>` of a domain that has a source. */
export interface DomainDisk {
  /** `vda`. */
  readonly target: string;
  /** Path, or a name for network disks; null for an empty drive. */
  readonly source: string | null;
  readonly kind: 'file' | 'block' | 'network' | 'other';
  readonly format: string | null;
  readonly device: 'disk' | 'cdrom' | 'floppy' | 'lun';
  readonly readonly: boolean;
  readonly shareable: boolean;
  /** `<driver cache=...>`; null = hypervisor default. */
  readonly cache: string | null;
}

/** What is true of one domain on one host at one moment. */
export interface Domain {
  readonly uuid: VmId;
  readonly name: string;
  readonly state: DomainState;
  /**
   * libvirt's reason for the state, by name: `migrating`, `crashed`, `unpaused`, `migration`,
   * `starting_up`...; 'unknown' otherwise.
   */
  readonly stateReason: string;
  readonly persistent: boolean;
  readonly autostart: boolean;
  readonly memoryKiB: number;
  readonly vcpus: number;
  readonly arch: string;
  /** `pc-i440fx-10.0`, `pc-q35-10.0`... */
  readonly machine: string;
  /** NUMA nodes its memory or CPUs are bound to; empty = anywhere. */
  readonly numaNodes: readonly number[];
  /** Live interfaces, or those of the definition if it is not running. */
  readonly interfaces: readonly DomainInterface[];
  /** Interfaces of the inactive definition; empty for a transient domain. */
  readonly configInterfaces: readonly DomainInterface[];
  /** Plain `<hostdev type='pci'>` addresses of the live (or only) definition. */
  readonly hostdevs: readonly PciAddress[];
  readonly configHostdevs: readonly PciAddress[];
  readonly disks: readonly DomainDisk[];
  /**
   * Free hot-plug slots of the guest: number of PCIe root ports nothing sits in; null = not limited (i440fx).
   */
  readonly freePciePorts: number | null;
  /** Guest agent channel present and connected. */
  readonly agentConnected: boolean;
}

/** True while QEMU exists for it. */
export const isActive = (domain: Pick<Domain, 'state'>): boolean =>
  !['shut_off', 'crashed', 'no_state'].includes(domain.state);

/** Disks that have to be on storage both hosts share, or be copied: writable ones of the domain. */
export const disksToCopy = (disks: readonly DomainDisk[]): DomainDisk[] =>
  disks.filter((disk) => disk.device === 'disk' && disk.source !== null && !disk.readonly && !disk.shareable);

/** Aliases the user gave last for the life of the definition; libvirt's own (`net0`, `hostdev0`) do not. */
export const isUserAlias = (alias: string | null): alias is string => alias?.startsWith('ua-') ?? false;

/** Every VF or PCI device a domain names, live and in its definition. */
export function pciAddressesOf(domain: Domain): { live: PciAddress[]; config: PciAddress[] } {
  const of = (interfaces: readonly DomainInterface[], hostdevs: readonly PciAddress[]) => [
    ...interfaces.flatMap((each) => (each.vf ? [each.vf] : [])),
    ...hostdevs,
  ];
  return {
    live: isActive(domain) ? of(domain.interfaces, domain.hostdevs) : [],
    config: of(domain.configInterfaces, domain.configHostdevs),
  };
}
