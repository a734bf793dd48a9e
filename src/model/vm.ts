/**
 * VMs and their vNICs: what the user owns. *Desired* plugged state (`plugged`) and *actual* state (`actual`)
 * are separate; a migration never changes the desired one.
 */
import type { HostId, Mac, PciAddress, VmId, VnicId, VnicProfileId } from '../base/ids.ts';

/** What a VM is doing, in oVirt's words. */
export const VM_STATUSES = [
  'up',
  'down',
  'paused',
  'migrating',
  'powering_down',
  'unknown',
  'not_responding',
] as const;
export type VmStatus = (typeof VM_STATUSES)[number];

/**
 * Where a vNIC really is. `unplug_pending`: the guest was asked and has not given it back yet. `degraded`:
 * seen not to carry traffic.
 */
export const VNIC_ACTUALS = ['plugged', 'unplugged', 'unplug_pending', 'degraded'] as const;
export type VnicActual = (typeof VNIC_ACTUALS)[number];

/** One network interface of a VM. */
export interface Vnic {
  readonly id: VnicId;
  readonly vmId: VmId;
  /** `nic1`, unique in its VM. */
  readonly name: string;
  /**
   * libvirt alias, the handle for unplug and for matching observations; null if the device has no alias that
   * lasts.
   */
  readonly alias: string | null;
  readonly mac: Mac;
  /** Passthrough: a VF. Otherwise an ordinary (standby) interface. */
  readonly passthrough: boolean;
  /** `virtio`, `e1000e`..., null for passthrough. */
  readonly model: string | null;
  /** Bridge or libvirt network it hangs on (ordinary vNICs). */
  readonly bridge: string | null;
  readonly profileId: VnicProfileId | null;
  /** Desired. False and `unplug_pending`: its user took it out, and the guest has not given it back yet. */
  readonly plugged: boolean;
  /** Its user plugged or unplugged it here: it stays known while no domain shows it. */
  readonly kept: boolean;
  readonly actual: VnicActual;
  /** The VF it is attached to now. */
  readonly vf: PciAddress | null;
  readonly managed: boolean;
  readonly vlan: number | null;
  readonly guestAddress: PciAddress | null;
  /** See `DomainInterface.traitsXml`. */
  readonly traitsXml: string;
  /** The definition names a hostdev network pool. */
  readonly pool: string | null;
  /** An ordinary one that its user took out: the `<interface>` to plug again, with all it had. */
  readonly unpluggedXml: string | null;
  /** Why this kind of device can never be moved by Handover (teaming pair, plain hostdev); null = it can. */
  readonly blocker: string | null;
}

/** The alias a device of this vNIC is plugged with: its own, or one made of its id. */
export const aliasToPlug = (vnic: Pick<Vnic, 'id' | 'alias'>): string => vnic.alias ?? `ua-${vnic.id}`;

/** What is known of a VM itself, without what belongs to it: a long list needs no more. */
export type VmHead = Omit<Vm, 'vnics' | 'staleOn'>;

export interface Vm {
  readonly id: VmId;
  readonly name: string;
  readonly hostId: HostId | null;
  /** As observed; `migrating` is derived from a live job, never stored. */
  readonly status: VmStatus;
  /** Its user asked for its start, which neither succeeded nor failed yet. */
  readonly starting: boolean;
  readonly memoryKiB: number;
  readonly vcpus: number;
  readonly vnics: readonly Vnic[];
  /** Hosts that hold a stale second definition of this UUID. */
  readonly staleOn: readonly HostId[];
}
