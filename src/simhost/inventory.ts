/**
 * What a simulated fleet consists of: the input of `createSimFleet`. Plain data, so that a file or a test can
 * give it. Sizes in KiB, rates in MiB/s, times in ms.
 */

/** A physical function and the VFs that exist when the simulation begins. */
export interface SimPfSpec {
  readonly name: string;
  /** `0000:3b:00.0`. */
  readonly pciAddress: string;
  readonly mac: string;
  readonly driver: string;
  /** PCI ids: `0x8086`, `0x1572`; VFs have `vfDeviceId`. */
  readonly vendorId: string;
  readonly deviceId: string;
  readonly vfDeviceId: string;
  readonly numaNode: number;
  readonly vfCountMax: number;
  readonly vfCount: number;
  /** Address of VF 0; the following ones are `vfStride` functions further each. */
  readonly firstVf: string;
  readonly vfStride: number;
  /**
   * Driver an idle VF is bound to; null = none (autoprobe off). A network driver gives it a netdev
   * `<pf>v<N>`.
   */
  readonly vfDriver: string | null;
  /** Kernel and VF can save device state: libvirt then does not refuse to migrate with the VF in. */
  readonly vfMigratable: boolean;
  readonly carrier: boolean;
  readonly mtu: number;
}

/** An ordinary network card. */
export interface SimNicSpec {
  readonly name: string;
  readonly pciAddress: string;
  readonly mac: string;
  readonly driver: string;
  readonly carrier: boolean;
}

/** A bridge of a host. */
export interface SimBridgeSpec {
  readonly name: string;
  readonly mac: string;
  /** Netdevs in it; `eno1.42` is a VLAN device of `eno1` and comes into being by being named here. */
  readonly uplinks: readonly string[];
  readonly mtu: number;
}

/** A libvirt network of forward mode hostdev whose VFs are those of a PF. */
export interface SimPoolSpec {
  readonly name: string;
  readonly uuid: string;
  readonly pf: string;
}

/** A host as it is when the simulation begins. */
export interface SimHostSpec {
  /** Also its hostname. */
  readonly name: string;
  readonly uuid: string;
  /** Other names under which hosts dial it (`10.77.0.11`); its own name always works. */
  readonly addresses: readonly string[];
  /** 11003000 = 11.3.0. */
  readonly libvirtVersion: number;
  readonly qemuVersion: number;
  readonly cpuModel: string;
  readonly cpuVendor: string;
  /** CPU flags; a host can run the CPU of another if it has all of the other's. */
  readonly cpuFeatures: readonly string[];
  readonly cpuCount: number;
  readonly numaNodeCount: number;
  readonly memoryKiB: number;
  readonly nics: readonly SimNicSpec[];
  readonly pfs: readonly SimPfSpec[];
  readonly bridges: readonly SimBridgeSpec[];
  readonly pools: readonly SimPoolSpec[];
  /** What the migration network carries. */
  readonly migrationMiBps: number;
}

/**
 * What a guest does when its host asks for a device. `answer`: gives it back after a while drawn from the
 * range;
 * `never`: ignores it; `refuse`: says no (libvirt's event "device removal failed").
 */
export type UnplugBehaviour =
  | { readonly type: 'answer'; readonly minMs: number; readonly maxMs: number }
  | { readonly type: 'never' }
  | { readonly type: 'refuse'; readonly afterMs: number };

/**
 * A guest that gives back what it is asked for within 200 to 700 ms, as q35 and i440fx guests with ACPI do.
 */
export const PROMPT_UNPLUG: UnplugBehaviour = { type: 'answer', minMs: 200, maxMs: 700 };

/** What runs in a domain. */
export interface SimGuestSpec {
  readonly unplug: UnplugBehaviour;
  /** A guest agent runs in it. */
  readonly agent: boolean;
  /** MiB that must be transferred; what the guest never touched costs nothing. */
  readonly memoryUsedMiB: number;
  /** MiB/s of memory the guest dirties while it runs. */
  readonly dirtyMiBps: number;
  /** IPv4 address of its bond (or only interface), with prefix. */
  readonly address: string | null;
}

/** How a guest behaves that nobody described. */
export const ORDINARY_GUEST: SimGuestSpec = {
  unplug: PROMPT_UNPLUG,
  agent: true,
  memoryUsedMiB: 1200,
  dirtyMiBps: 40,
  address: null,
};

/** A domain as it is when the simulation begins. */
export interface SimDomainSpec {
  readonly host: string;
  /** The definition, as given to `virsh define`. */
  readonly xml: string;
  readonly running: boolean;
  readonly autostart: boolean;
  readonly guest: SimGuestSpec;
}

/** All of a fleet. */
export interface SimFleetSpec {
  readonly hosts: readonly SimHostSpec[];
  readonly domains: readonly SimDomainSpec[];
}
