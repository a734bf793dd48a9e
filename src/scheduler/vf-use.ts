/**
 * Which VFs of a host are free, and for every other one why not, in a sentence a person can act on. Pure.
 *
 * Free means: no active domain and no definition with autostart names it, no reservation holds it, its IOMMU
 * group is its own, and it has no driver, a VFIO driver, or a network driver whose netdev the host does not
 * use. oVirt's "has a visible host NIC" does not apply: VFs pre-bound to vfio-pci are normal on plain libvirt
 * hosts.
 */
import type { JobId, PciAddress, VmId } from '../base/ids.ts';
import { isActive, pciAddressesOf } from '../model/domain.ts';
import type { HostInventory } from '../model/host.ts';
import type { Reservation } from '../model/job.ts';
import type { Vf } from '../model/pf.ts';

export interface VfUse {
  readonly pciAddress: PciAddress;
  /** `host`: the host itself uses its netdev. `unusable`: foreign driver, or not alone in its IOMMU group. */
  readonly state: 'free' | 'reserved' | 'attached' | 'host' | 'unusable';
  /** Who or why; null for a free one. */
  readonly reason: string | null;
  /** Whom it is attached to, or reserved for. */
  readonly vmId: VmId | null;
  /** The job that reserved it. */
  readonly jobId: JobId | null;
}

/** A domain that keeps a VF from being free. */
export interface VfUser {
  readonly vmId: VmId;
  readonly name: string;
  /** Attached to a running domain now; false = only named by a definition that starts by itself. */
  readonly live: boolean;
}

/** The domains that keep each VF of the host busy. `forVm`: its own definition keeps none from it. */
export function vfUsers(
  inventory: Pick<HostInventory, 'domains'>,
  forVm: VmId | null = null,
): Map<PciAddress, VfUser> {
  const users = new Map<PciAddress, VfUser>();
  for (const domain of inventory.domains) {
    const { live, config } = pciAddressesOf(domain);
    const named = isActive(domain) ? live : [];
    for (const address of named) users.set(address, { vmId: domain.uuid, name: domain.name, live: true });
    if (!domain.autostart || domain.uuid === forVm) continue;
    for (const address of config) {
      if (!users.has(address)) users.set(address, { vmId: domain.uuid, name: domain.name, live: false });
    }
  }
  return users;
}

/** What one VF is used for. `forJob`: reservations of this job do not count against it. */
export function vfUse(
  vf: Vf,
  user: VfUser | undefined,
  reservation: Reservation | undefined,
  forJob: JobId | null = null,
): VfUse {
  const nobodys = { pciAddress: vf.pciAddress, vmId: null, jobId: null };
  if (user) {
    const reason = user.live
      ? `attached to ${user.name}`
      : `named by ${user.name}, which starts by itself with the host`;
    return { ...nobodys, state: 'attached', reason, vmId: user.vmId };
  }
  if (reservation && (reservation.jobId === null || reservation.jobId !== forJob)) {
    const holder = reservation.jobId === null ? 'for a vNIC being plugged' : `by job ${reservation.jobId}`;
    const { vmId, jobId } = reservation;
    return { ...nobodys, state: 'reserved', reason: `reserved ${holder}`, vmId, jobId };
  }
  return { ...nobodys, ...ownUse(vf) };
}

/** What the VF itself says, whoever may want it. */
function ownUse(vf: Vf): Pick<VfUse, 'state' | 'reason'> {
  if (vf.iommuGroupShared) {
    const group = vf.iommuGroup ?? '?';
    const reason = `its IOMMU group ${group} holds other devices, so it cannot be given away alone`;
    return { state: 'unusable', reason };
  }
  if (vf.driver === null || /vfio/.test(vf.driver)) return { state: 'free', reason: null };
  if (vf.netdev === null) {
    const reason = `it is bound to ${vf.driver}, which is neither a network driver nor vfio-pci`;
    return { state: 'unusable', reason };
  }
  return vf.netdevUse === null
    ? { state: 'free', reason: null }
    : { state: 'host', reason: `the host uses its netdev ${vf.netdev}: it ${vf.netdevUse}` };
}
