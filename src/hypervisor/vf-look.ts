/** Where one VF sits, and its settings there: node devices and its PF's link. */
import { isCode } from '../base/errors.ts';
import type { PciAddress } from '../base/ids.ts';
import type { LibvirtClient } from '../libvirt/index.ts';
import type { VfAttributes } from '../model/pf.ts';
import { lookAtNets, lookAtPci } from './device-look.ts';
import type { Looker } from './domain-look.ts';
import type { HostChannel } from './host-channel.ts';

/** Where a VF sits: the netdev of its PF and its index there. */
export interface VfPlace {
  readonly pf: string;
  readonly index: number;
}

/** Null if the host has no VF at that address whose PF has a netdev: without one nobody can set its MAC. */
export async function findVfPlace(client: LibvirtClient, pciAddress: PciAddress): Promise<VfPlace | null> {
  const parent = (await lookAtPci(client, pciAddress))?.physicalFunction;
  if (!parent) return null;
  const [device, nets] = await Promise.all([lookAtPci(client, parent), lookAtNets(client)]);
  const index = device?.virtualFunctions?.addresses.indexOf(pciAddress) ?? -1;
  const pf = nets.find((net) => net.pciAddress === parent)?.name;
  return index < 0 || pf === undefined ? null : { pf, index };
}

/**
 * The `vfAttributes` verb. One question where the VF was seen before: it is asked while a guest is without
 * its VF.
 */
export async function lookAtVfAttributes(
  { client, memory }: Looker,
  channel: HostChannel,
  pciAddress: PciAddress,
): Promise<VfAttributes | null> {
  const attributesAt = async ({ pf, index }: VfPlace) => (await channel.readLink(pf))?.vfs.get(index) ?? null;
  try {
    const known = memory.vfPlaces.get(pciAddress);
    const attributes = known ? await attributesAt(known) : null;
    if (attributes) return attributes;
    // Not seen before, or its PF was renamed since.
    const place = await findVfPlace(client, pciAddress);
    return place && (await attributesAt(place));
  } catch (error) {
    if (isCode(error, 'HOST_CHANNEL_UNAVAILABLE')) return null;
    throw error;
  }
}
