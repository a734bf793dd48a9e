/**
 * The devices of one simulated host: PFs, VFs, cards, bridges. What a VF's PF keeps for it (MAC, VLAN,
 * trust...), the driver it is bound to, and which domain holds it. Nothing here waits; callers decide when
 * things happen.
 *
 * Invariant: `holder` is set exactly while a domain of this host has the VF in its live definition.
 */
import { assert } from '../base/assert.ts';
import { pciPlus } from './pci.ts';
import type { SimBridgeSpec, SimHostSpec, SimNicSpec, SimPfSpec } from './inventory.ts';
import { refuse } from './refusal.ts';

/** A VF whose PF keeps no administrative MAC for it. */
export const EMPTY_MAC = '00:00:00:00:00:00';
/** Drivers that hand a device to a guest; a device bound to one has no netdev. */
const GUEST_DRIVERS = new Set(['vfio-pci', 'mlx5_vfio_pci', 'pci-stub', 'ice-vfio-pci', 'qat_vfio_pci']);

/** A virtual function and what its PF keeps for it. VLAN 0 is untagged, rates 0 unlimited. */
export interface SimVf {
  readonly pciAddress: string;
  readonly index: number;
  readonly pf: SimPf;
  readonly iommuGroup: number;
  /** MAC its netdev has while no administrative one is set. */
  readonly ownMac: string;
  /** Bound now; null = none. */
  driver: string | null;
  /** Administrative MAC and VLAN, kept by the PF. */
  mac: string;
  vlan: number;
  trust: boolean;
  spoofCheck: boolean;
  linkState: 'auto' | 'enable' | 'disable';
  rateMbitMin: number;
  rateMbitMax: number;
  /** Addresses the host itself gave to the VF's netdev; such a VF is not free. */
  netdevAddresses: string[];
  holder: VfHolder | null;
}

/** Who has a VF, and what it looked like before. */
export interface VfHolder {
  readonly domain: string;
  readonly restore: { readonly driver: string | null; readonly mac: string; readonly vlan: number };
}

/** A physical function with the VFs that exist now. */
export interface SimPf {
  readonly spec: SimPfSpec;
  /** Its own; those of its VFs follow it. */
  readonly iommuGroup: number;
  carrier: boolean;
  readonly vfs: SimVf[];
}

/** How a domain takes a VF. */
export interface VfClaim {
  readonly domain: string;
  readonly managed: boolean;
  /** null: leave MAC and VLAN alone (a plain hostdev). */
  readonly mac: string | null;
  readonly vlan: number;
  /** `<driver model=...>`, null = libvirt chooses. */
  readonly driverModel: string | null;
}

/** The devices of one host. */
export class SimHardware {
  readonly pfs: readonly SimPf[];
  readonly nics: readonly SimNicSpec[];
  readonly bridges: Map<string, SimBridgeSpec>;

  constructor(spec: SimHostSpec) {
    let iommuGroup = 41;
    this.pfs = spec.pfs.map((pf) => {
      const made: SimPf = { spec: pf, iommuGroup, carrier: pf.carrier, vfs: [] };
      for (let index = 0; index < pf.vfCount; index++)
        made.vfs.push(idleVf(made, index, iommuGroupOf(made, index)));
      iommuGroup += 1 + pf.vfCountMax;
      return made;
    });
    this.nics = spec.nics;
    this.bridges = new Map(spec.bridges.map((bridge) => [bridge.name, bridge]));
  }

  /** Every VF of the host; their number may change. */
  get vfs(): SimVf[] {
    return this.pfs.flatMap((pf) => pf.vfs);
  }

  /** The VF at an address, undefined if there is none. */
  vf(pciAddress: string): SimVf | undefined {
    for (const pf of this.pfs) for (const vf of pf.vfs) if (vf.pciAddress === pciAddress) return vf;
    return undefined;
  }

  /** The PF of a name. */
  pf(name: string): SimPf | undefined {
    return this.pfs.find((pf) => pf.spec.name === name);
  }

  /** Refuses as libvirt would if a domain cannot take the VF now. Changes nothing. */
  checkClaim(pciAddress: string, claim: VfClaim): SimVf {
    const vf = this.vf(pciAddress);
    if (!vf) {
      if (claim.mac !== null && this.pfs.some((pf) => pf.spec.pciAddress === pciAddress)) {
        throw refuse(
          'config_unsupported',
          'Interface type hostdev is currently supported on SR-IOV Virtual Functions only',
        );
      }
      throw refuse(
        'system',
        `Device ${pciAddress} not found: could not access /sys/bus/pci/devices/${pciAddress}/config: ` +
          'No such file or directory',
      );
    }
    if (vf.holder) {
      throw refuse(
        'operation_invalid',
        `PCI device ${pciAddress} is in use by driver QEMU, domain ${vf.holder.domain}`,
      );
    }
    if (!claim.managed && !GUEST_DRIVERS.has(vf.driver ?? '')) {
      throw refuse(
        'operation_invalid',
        `Unmanaged PCI device ${pciAddress} must be manually detached from the host`,
      );
    }
    return vf;
  }

  /** Gives the VF to a domain: driver, MAC and VLAN. */
  claim(pciAddress: string, claim: VfClaim): SimVf {
    const vf = this.checkClaim(pciAddress, claim);
    vf.holder = { domain: claim.domain, restore: { driver: vf.driver, mac: vf.mac, vlan: vf.vlan } };
    if (claim.managed) vf.driver = claim.driverModel ?? bestGuestDriver(vf);
    if (claim.mac !== null) {
      vf.mac = claim.mac;
      vf.vlan = claim.vlan;
    }
    return vf;
  }

  /** Takes the VF back as it was before; no holder is no error. */
  release(pciAddress: string): void {
    const vf = this.vf(pciAddress);
    if (!vf?.holder) return;
    const { driver, mac, vlan } = vf.holder.restore;
    vf.holder = null;
    vf.driver = driver;
    vf.mac = mac;
    vf.vlan = vlan;
  }

  /** Takes a device from its host driver (virNodeDeviceDetachFlags). */
  bindForGuests(vf: SimVf, driver: string | null): void {
    if (vf.holder) this.#refuseInUse(vf);
    vf.driver = driver ?? 'vfio-pci';
  }

  /** Gives a device back to its host driver (virNodeDeviceReAttach). */
  bindForHost(vf: SimVf): void {
    if (vf.holder) this.#refuseInUse(vf);
    vf.driver = vf.pf.spec.vfDriver;
  }

  /**
   * As the kernel does when `sriov_numvfs` is written: all go, then so many come. A VF that a guest has would
   * keep the real kernel waiting for ever, so that is a mistake of whoever asks.
   */
  setVfCount(pf: SimPf, count: number): void {
    const held = pf.vfs.find((vf) => vf.holder);
    assert(!held, `VF ${held?.pciAddress} is removed while ${held?.holder?.domain} has it`);
    pf.vfs.length = 0;
    for (let index = 0; index < count; index++) pf.vfs.push(idleVf(pf, index, iommuGroupOf(pf, index)));
  }

  #refuseInUse(vf: SimVf): never {
    throw refuse(
      'operation_invalid',
      `PCI device ${vf.pciAddress} is in use by driver QEMU, domain ${vf.holder?.domain ?? ''}`,
    );
  }
}

/** Name of the VF's netdev on the host; null while a guest driver or none is bound. */
export function vfNetdev(vf: SimVf): string | null {
  return vf.driver === null || GUEST_DRIVERS.has(vf.driver) ? null : `${vf.pf.spec.name}v${vf.index}`;
}

function bestGuestDriver(vf: SimVf): string {
  return vf.pf.spec.vfMigratable && vf.pf.spec.driver === 'mlx5_core' ? 'mlx5_vfio_pci' : 'vfio-pci';
}

const iommuGroupOf = (pf: SimPf, index: number): number => pf.iommuGroup + 1 + index;

function idleVf(pf: SimPf, index: number, iommuGroup: number): SimVf {
  const { spec } = pf;
  const lastByte = (parseInt(spec.mac.slice(-2), 16) + index + 1) & 0xff;
  return {
    pciAddress: pciPlus(spec.firstVf, index * spec.vfStride),
    index,
    pf,
    iommuGroup,
    // Locally administered, as drivers make them up; derived from the PF so that runs repeat.
    ownMac: `06${spec.mac.slice(2, -2)}${lastByte.toString(16).padStart(2, '0')}`,
    driver: spec.vfDriver,
    mac: EMPTY_MAC,
    vlan: 0,
    trust: false,
    spoofCheck: true,
    linkState: 'auto',
    rateMbitMin: 0,
    rateMbitMax: 0,
    netdevAddresses: [],
    holder: null,
  };
}
