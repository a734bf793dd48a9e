/**
 * libvirt's network filters that oVirt offers. A list to choose from, of which nothing can be chosen:
 * Handover applies none.
 */
import type { networkFilterType } from './schema/index.ts';
import { stableId } from './stable-id.ts';
import type { Entity } from './wire/fields.ts';

/** libvirt's own filters that oVirt offers (`virsh nwfilter-list` of any host with them). */
const FILTER_NAMES = [
  'vdsm-no-mac-spoofing',
  'allow-arp',
  'allow-dhcp',
  'allow-dhcp-server',
  'allow-incoming-ipv4',
  'allow-ipv4',
  'clean-traffic',
  'clean-traffic-gateway',
  'no-arp-ip-spoofing',
  'no-arp-mac-spoofing',
  'no-arp-spoofing',
  'no-ip-multicast',
  'no-ip-spoofing',
  'no-mac-broadcast',
  'no-mac-spoofing',
  'no-other-l2-traffic',
  'no-other-rarp-traffic',
  'qemu-announce-self',
  'qemu-announce-self-rarp',
] as const;

/** The filters there are, as oVirt shows them. */
export const networkFilters: readonly (Entity<typeof networkFilterType> & { readonly id: string })[] =
  FILTER_NAMES.map((name) => {
    const id = stableId('network_filter', name);
    return { id, href: `networkfilters/${id}`, name };
  });
