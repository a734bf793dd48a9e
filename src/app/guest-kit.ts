/** The text that makes the bonds inside the guest of one VM. */
import { HandoverError } from '../base/errors.ts';
import type { VmId } from '../base/ids.ts';
import type { GuestPair } from '../guest-kit/guest-pair.ts';
import { type GuestKitFormat, guestKitText } from '../guest-kit/guest-kit-text.ts';
import { standbyPairs } from '../model/standby-pair.ts';
import { vmById } from './facts.ts';
import type { AppParts } from './parts.ts';

/** Throws `NOT_FOUND`, and `INVALID_INPUT` for a VM without a VF that has a standby. */
export async function guestKit(parts: AppParts, id: VmId, format: GuestKitFormat): Promise<string> {
  const [vm, profiles, networks] = await Promise.all([
    vmById(parts, id),
    parts.store.profiles.list(),
    parts.store.networks.list(),
  ]);
  const profileOf = new Map(profiles.map((profile) => [profile.id, profile]));
  const mtuOf = new Map(networks.map((network) => [network.id, network.mtu]));
  const pairs = standbyPairs(vm, profileOf).map(({ vf, standby }, index): GuestPair => {
    const networkId = vf.profileId === null ? undefined : profileOf.get(vf.profileId)?.networkId;
    return {
      bond: `bond${index}`,
      vfMac: vf.mac,
      standbyMac: standby.mac,
      mtu: (networkId && mtuOf.get(networkId)) ?? null,
    };
  });
  if (pairs.length > 0) return guestKitText(format, pairs);
  const hasVf = vm.vnics.some((vnic) => vnic.passthrough);
  throw new HandoverError(
    'INVALID_INPUT',
    `${vm.name} has nothing to make a bond of: ` +
      (hasVf
        ? 'no vNIC of model virtio is left to be the standby of a VF; add one with "handover vm nic add"'
        : 'none of its vNICs is a VF'),
  );
}
