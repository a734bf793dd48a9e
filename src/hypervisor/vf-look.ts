/** One VF now, from everything that can tell: node devices, its PF's link, and every domain of the host. */
import { isCode } from '../base/errors.ts';
import type { PciAddress } from '../base/ids.ts';
import type { LibvirtClient } from '../libvirt/index.ts';
import { pciAddressesOf } from '../model/domain.ts';
import type { VfAttributes } from '../model/pf.ts';
import { lookAtNets, lookAtPci } from './device-look.ts';
import type { Looker } from './domain-look.ts';
import type { HostChannel } from './host-channel.ts';
import { type LinkTable, netdevUseOf } from './link-facts.ts';
import type { NetDevice } from './node-devices.ts';
import { lookAtDomains } from './observe.ts';
import type { VfState } from './port.ts';

/** Where a VF sits: the netdev of its PF and its index there. */
export interface VfPlace {
  readonly driver: string | null;
  /** Null: the PF has no netdev, so nobody can set the VF's MAC. */
  readonly pf: NetDevice | null;
  readonly index: number;
  /** Netdev of the VF itself, if it has one. */
  readonly netdev: string | null;
}

/** Null if the host has no VF at that address. */
export async function findVfPlace(client: LibvirtClient, pciAddress: PciAddress): Promise<VfPlace | null> {
  const vf = await lookAtPci(client, pciAddress);
  if (!vf?.physicalFunction) return null;
  const parent = vf.physicalFunction;
  const [pf, nets] = await Promise.all([lookAtPci(client, parent), lookAtNets(client)]);
  const index = pf?.virtualFunctions?.addresses.indexOf(pciAddress) ?? -1;
  if (index < 0) return null;
  return {
    driver: vf.driver,
    pf: nets.find((net) => net.pciAddress === parent) ?? null,
    index,
    netdev: nets.find((net) => net.pciAddress === pciAddress)?.name ?? null,
  };
}

/** The `inspectVf` verb. */
export async function lookAtVf(
  looker: Looker,
  channel: HostChannel,
  pciAddress: PciAddress,
): Promise<VfState | null> {
  const place = await findVfPlace(looker.client, pciAddress);
  if (!place) return null;
  const [links, domains] = await Promise.all([linksOrNull(channel, place), lookAtDomains(looker)]);
  const link = place.pf && links?.links.get(place.pf.name);
  return {
    pciAddress,
    pf: place.pf?.name ?? '',
    index: place.index,
    driver: place.driver,
    attributes: link?.vfs.get(place.index) ?? null,
    carrier: link?.carrier ?? place.pf?.up ?? null,
    users: domains.flatMap((domain) => {
      const named = pciAddressesOf(domain);
      const live = named.live.includes(pciAddress);
      if (!live && !named.config.includes(pciAddress)) return [];
      return [{ vmId: domain.uuid, name: domain.name, live, autostart: domain.autostart }];
    }),
    netdevUse: place.netdev !== null && links ? netdevUseOf(links, place.netdev) : null,
  };
}

/**
 * The `vfAttributes` verb. One question where the VF was seen before: it is asked while a guest is without
 * its VF, and the whole look takes several times as long.
 */
export async function lookAtVfAttributes(
  looker: Looker,
  channel: HostChannel,
  pciAddress: PciAddress,
): Promise<VfAttributes | null> {
  const place = looker.memory.vfPlaces.get(pciAddress);
  if (place) {
    const links = await linksOrNull(channel, { pf: { name: place.pf }, netdev: null });
    const attributes = links?.links.get(place.pf)?.vfs.get(place.index);
    if (attributes || links === null) return attributes ?? null;
  }
  // Not seen before, or its PF was renamed since.
  return (await lookAtVf(looker, channel, pciAddress))?.attributes ?? null;
}

/** What the channel knows; null without one. All links only if the VF has a netdev whose use must be told. */
async function linksOrNull(
  channel: HostChannel,
  place: { readonly pf: Pick<NetDevice, 'name'> | null; readonly netdev: string | null },
): Promise<LinkTable | null> {
  try {
    if (place.netdev !== null || !place.pf) return await channel.readLinks();
    const link = await channel.readLink(place.pf.name);
    return { links: new Map(link ? [[link.name, link]] : []), addresses: new Map() };
  } catch (error) {
    if (isCode(error, 'HOST_CHANNEL_UNAVAILABLE')) return null;
    throw error;
  }
}
