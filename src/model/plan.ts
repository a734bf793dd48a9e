/**
 * The answer of the scheduler: may this VM move, where to, which VF for which vNIC, and why not elsewhere.
 * Pure data.
 */
import type { HostId, PciAddress, VmId, VnicId } from '../base/ids.ts';

/** One refusal or warning: a machine-readable code and one sentence a person can act on. */
export interface PlanReason {
  /** `vnic_profile_missing`, `profile_not_migratable`, `no_free_vf`, `bridge_missing`, `host_down`... */
  readonly code: string;
  readonly message: string;
  readonly vnicId?: VnicId;
}

/** The VF one vNIC would get. */
export interface VfAssignment {
  readonly vnicId: VnicId;
  readonly vnicName: string;
  /** Null for one that is out although it is desired. */
  readonly sourceVf: PciAddress | null;
  readonly sourcePf: string;
  readonly targetPf: string;
  readonly targetVf: PciAddress;
}

/** One host as a target. */
export interface HostVerdict {
  readonly hostId: HostId;
  readonly hostName: string;
  readonly fits: boolean;
  /** Why it does not fit; empty if it does. */
  readonly reasons: readonly PlanReason[];
  readonly warnings: readonly PlanReason[];
  /** Complete if `fits`. */
  readonly assignment: readonly VfAssignment[];
  /**
   * How source reaches target: `p2p`, or `direct` driven by the engine because the hosts cannot reach each
   * other.
   */
  readonly protocol: 'p2p' | 'direct';
  /** Lower is better; comparable within one plan only. */
  readonly score: number;
}

/** The whole answer for one VM. */
export interface MigrationPlan {
  readonly vmId: VmId;
  readonly vmName: string;
  readonly sourceHostId: HostId | null;
  readonly sourceHostName: string | null;
  /** The VM may move and some host fits. */
  readonly possible: boolean;
  /** Reasons that hold for every host. */
  readonly refusals: readonly PlanReason[];
  readonly warnings: readonly PlanReason[];
  readonly hosts: readonly HostVerdict[];
  /** Best host that fits; null if none does. */
  readonly chosen: HostId | null;
}
