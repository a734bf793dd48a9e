/** What the texts of the guest kit are made of: one bond of a guest, and what follows from its addresses. */
import type { Mac } from '../base/ids.ts';

/** A bond to be, with the permanent MAC addresses of its two legs. */
export interface GuestPair {
  /** `bond0`. */
  readonly bond: string;
  readonly vfMac: Mac;
  readonly standbyMac: Mac;
  /** null: the default of the guest. */
  readonly mtu: number | null;
}

/** How often a new active leg is announced, and the time between two announcements: one alone can be lost. */
export const ANNOUNCEMENTS = 5;
export const ANNOUNCEMENT_MS = 200;
export const MIIMON_MS = 100;

/** True if VF and standby have one address: the bond is to be told from its legs by their drivers. */
export const hasOneMac = (pair: GuestPair): boolean => pair.vfMac === pair.standbyMac;

/**
 * The bond's option `fail_over_mac`. The address of a VF is enforced by its PF, so the bond takes the address
 * of the active leg; equal addresses need no change, and none is made.
 */
export const failOverMac = (pair: GuestPair): 'none' | 'active' => (hasOneMac(pair) ? 'none' : 'active');

/**
 * The interface identifier of the bond's IPv6 addresses, `::5054:ff:fe00:101`: EUI-64 of the standby's MAC
 * address, whichever leg is active. Left to themselves the kernel and networkd make a new address of every
 * new MAC address.
 */
export function ipv6Token(pair: GuestPair): string {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = bytesOf(pair.standbyMac);
  const groups = [((a ^ 2) << 8) | b, (c << 8) | 0xff, 0xfe00 | d, (e << 8) | f];
  return `::${groups.map((group) => group.toString(16)).join(':')}`;
}

/** The identity association of DHCP, which must not change with the MAC address. */
export function dhcpIaid(pair: GuestPair): number {
  return bytesOf(pair.standbyMac)
    .slice(2)
    .reduce((number, byte) => number * 256 + byte, 0);
}

const bytesOf = (mac: Mac): number[] => mac.split(':').map((part) => Number.parseInt(part, 16));

/** The lines of /etc/handover-guest/pairs. */
export const pairLines = (pairs: readonly GuestPair[]): string[] =>
  pairs.map(({ bond, vfMac, standbyMac, mtu }) =>
    [bond, vfMac, standbyMac, ...(mtu === null ? [] : [`mtu=${mtu}`])].join(' '),
  );
