/**
 * Which ordinary vNIC carries a VF's traffic while that is away: the pairs of a VM. Pure. What the guest made
 * of them is another matter.
 */
import type { NetworkId, VnicProfileId } from '../base/ids.ts';
import type { VnicProfile } from './network.ts';
import type { Vm, Vnic } from './vm.ts';

/** A VF and its standby. */
export interface StandbyPair {
  readonly vf: Vnic;
  readonly standby: Vnic;
}

/**
 * The pairs of a VM, in the order of its vNICs. An ordinary vNIC is in one pair at most. The standby of a VF
 * is the ordinary vNIC with its MAC address; else one whose profile is its own profile's failover; else one
 * on its network; else the next that is left. Only virtio can be a standby: the guest knows it by its driver.
 */
export function standbyPairs(
  vm: Pick<Vm, 'vnics'>,
  profiles: ReadonlyMap<VnicProfileId, VnicProfile>,
): StandbyPair[] {
  const profileOf = ({ profileId }: Vnic) => (profileId === null ? undefined : profiles.get(profileId));
  const networkOf = (vnic: Vnic): NetworkId | undefined => profileOf(vnic)?.networkId;
  const rules: readonly ((vf: Vnic, ordinary: Vnic) => boolean)[] = [
    (vf, ordinary) => vf.mac === ordinary.mac,
    (vf, ordinary) => {
      const failoverId = profileOf(vf)?.failoverId ?? null;
      return failoverId !== null && ordinary.profileId === failoverId;
    },
    (vf, ordinary) => networkOf(vf) !== undefined && networkOf(vf) === networkOf(ordinary),
    () => true,
  ];
  const vfs = vm.vnics.filter((vnic) => vnic.passthrough);
  const left = vm.vnics.filter((vnic) => !vnic.passthrough && vnic.model === 'virtio');
  const standbys = new Map<Vnic, Vnic>();
  // What is certain is settled for all of them before anything is guessed for one.
  for (const belongs of rules) {
    for (const vf of vfs) {
      if (standbys.has(vf)) continue;
      const at = left.findIndex((ordinary) => belongs(vf, ordinary));
      const [standby] = at < 0 ? [] : left.splice(at, 1);
      if (standby) standbys.set(vf, standby);
    }
  }
  return vfs.flatMap((vf) => {
    const standby = standbys.get(vf);
    return standby ? [{ vf, standby }] : [];
  });
}
