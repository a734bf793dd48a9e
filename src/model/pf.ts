/**
 * Physical functions, virtual functions and what is known of them on one host. Observed facts, never wishes.
 * `null` means unknown (the host cannot be asked), never "fine".
 */
import type { Mac, PciAddress } from '../base/ids.ts';

/** Settings of a VF kept by its PF (`ip link show PF`). Rates in Mbit/s, 0 = unlimited. */
export interface VfAttributes {
  readonly mac: Mac | null;
  /** 0 = untagged. */
  readonly vlan: number;
  readonly trust: boolean;
  readonly spoofCheck: boolean;
  readonly linkState: 'auto' | 'enable' | 'disable';
  readonly rateMbitMin: number;
  readonly rateMbitMax: number;
}

/** One virtual function of a host. */
export interface Vf {
  readonly pciAddress: PciAddress;
  /** Position among its PF's VFs, from 0; the number `ip link` and netlink call "vf N". */
  readonly index: number;
  /** Kernel driver bound now: null = none. */
  readonly driver: string | null;
  /** Name of its network device on the host, if it has one. */
  readonly netdev: string | null;
  /** Why that netdev is in use by the host ("has the address 10.0.0.5"), null = not in use. */
  readonly netdevUse: string | null;
  readonly iommuGroup: number | null;
  /** Another function sits in the same IOMMU group, so it cannot be given away alone. */
  readonly iommuGroupShared: boolean;
  readonly numaNode: number | null;
  /** null = unknown, the host channel is missing. */
  readonly attributes: VfAttributes | null;
}

/** One SR-IOV capable physical function, with every VF that exists now. */
export interface Pf {
  /** Name of its network device, e.g. `ens1f0`. */
  readonly name: string;
  readonly pciAddress: PciAddress;
  readonly mac: Mac | null;
  readonly driver: string | null;
  readonly numaNode: number | null;
  /** Link detected; null = unknown. */
  readonly carrier: boolean | null;
  readonly mtu: number | null;
  /** sriov_totalvfs. */
  readonly vfCountMax: number;
  readonly vfs: readonly Vf[];
}

/**
 * MACs that mean "no address set on this VF": drivers write zeros, libvirt writes 02:00:00:00:00:00
 * (virNetDevSetVfConfig retry).
 */
export function isEmptyMac(mac: string | null): boolean {
  return mac === null || mac === '00:00:00:00:00:00' || mac === '02:00:00:00:00:00';
}

/** Finds a VF and its PF by address; null if the host has no such VF. */
export function findVf(pfs: readonly Pf[], pciAddress: PciAddress): { pf: Pf; vf: Vf } | null {
  for (const pf of pfs) {
    const vf = pf.vfs.find((candidate) => candidate.pciAddress === pciAddress);
    if (vf) return { pf, vf };
  }
  return null;
}
