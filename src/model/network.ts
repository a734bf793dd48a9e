/**
 * Networks, vNIC profiles and which networks a PF may serve. Pure rules; texts follow oVirt where clients
 * match on them.
 */
import type { HostId, NetworkId, PciAddress, VnicProfileId } from '../base/ids.ts';

export interface Network {
  readonly id: NetworkId;
  readonly name: string;
  /** VLAN tag 1..4094; null = untagged. */
  readonly vlan: number | null;
  readonly label: string | null;
  readonly mtu: number | null;
  readonly description: string | null;
}

/** What a vNIC is connected to, and how. */
export interface VnicProfile {
  readonly id: VnicProfileId;
  readonly name: string;
  readonly networkId: NetworkId;
  readonly passThrough: boolean;
  /**
   * Whether a VM with a plugged vNIC of this profile may be moved. Meaningful for passthrough profiles only,
   * true otherwise.
   */
  readonly migratable: boolean;
  readonly portMirroring: boolean;
  /** Standby profile (oVirt's failover); must be an ordinary one. */
  readonly failoverId: VnicProfileId | null;
  readonly description: string | null;
}

/** Which networks a PF's VFs may be used for. No row for a PF = all networks allowed, as oVirt starts it. */
export interface PfConfig {
  readonly hostId: HostId;
  readonly pf: PciAddress;
  readonly allNetworksAllowed: boolean;
  readonly networkIds: readonly NetworkId[];
  readonly labels: readonly string[];
}

/** True if the PF's configuration lets its VFs serve `network`; a vNIC without a network fits any PF. */
export function pfAllows(config: PfConfig | undefined, network: Network | null): boolean {
  if (!config || config.allNetworksAllowed || network === null) return true;
  return (
    config.networkIds.includes(network.id) ||
    (network.label !== null && config.labels.includes(network.label))
  );
}
