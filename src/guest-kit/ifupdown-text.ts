/**
 * ifupdown's files for one VM: a stanza that makes the bond with `ip`, and a udev rule that puts each leg in
 * when it appears. For guests without the kit. Caller: `guest-kit-text.ts`.
 */
import type { Mac } from '../base/ids.ts';
import {
  ANNOUNCEMENT_MS,
  ANNOUNCEMENTS,
  failOverMac,
  type GuestPair,
  hasOneMac,
  ipv6Token,
  MIIMON_MS,
} from './guest-pair.ts';
import { UP_DELAY_MS } from '../model/guest.ts';
import { fileCommands, type GuestFile } from './guest-file.ts';

const HEADER = `#!/bin/sh
# ifupdown with udev and iproute2, as root: writes the files. /etc/network/interfaces has to read interfaces.d
# ("source /etc/network/interfaces.d/*"). Take the stanzas of the two legs out of these files before you bring
# the bond up. Legs are found by driver and MAC address.
# Where ifupdown calls dhcpcd, and the MAC addresses differ, install isc-dhcp-client or use the guest kit:
# dhcpcd gives the address up when the bond announces itself with another MAC address.
set -e
`;

/** The files and the commands that apply them, as a shell script. */
export const ifupdownText = (pairs: readonly GuestPair[]): string =>
  `${HEADER}${fileCommands(pairs.flatMap(filesOf))}
udevadm control --reload
${pairs.map(({ bond }) => `ifup ${bond}\n`).join('')}`;

function filesOf(pair: GuestPair): GuestFile[] {
  const { bond } = pair;
  return [
    { path: `/etc/network/interfaces.d/handover-${bond}`, mode: '644', content: stanza(pair) },
    { path: `/etc/udev/rules.d/90-handover-${bond}.rules`, mode: '644', content: rules(pair) },
  ];
}

/** IPv6 first, so that a guest without DHCPv4 has it at once. */
function stanza(pair: GuestPair): string {
  const { bond, mtu } = pair;
  const options =
    `mode active-backup miimon ${MIIMON_MS} updelay ${UP_DELAY_MS} ` +
    `fail_over_mac ${failOverMac(pair)} primary_reselect always num_grat_arp ${ANNOUNCEMENTS}`;
  const before = [
    'modprobe bonding max_bonds=0 || true',
    `ip link show dev ${bond} >/dev/null 2>&1 || ip link add ${bond} type bond ${options}`,
    ...(hasOneMac(pair) ? [`ip link set dev ${bond} address ${pair.vfMac}`] : []),
    ...(mtu === null ? [] : [`ip link set dev ${bond} mtu ${mtu}`]),
    `echo ${ANNOUNCEMENT_MS} >/sys/class/net/${bond}/bonding/peer_notif_delay || true`,
    `ip token set ${ipv6Token(pair)} dev ${bond} || true`,
    `ip link set dev ${bond} up`,
    // The legs that are there already go the way of those that come later.
    'udevadm trigger --settle --action=add --subsystem-match=net',
    ...(hasOneMac(pair) ? [] : [waitForVf(bond)]),
  ];
  return `auto ${bond}
iface ${bond} inet6 auto
${before.map((command) => `    pre-up ${command}\n`).join('')}iface ${bond} inet dhcp
`;
}

/**
 * DHCP asks with the address the bond has then, and an answer to it is lost if the VF becomes active first.
 */
const waitForVf = (bond: string): string =>
  `for second in 1 2 3 4 5 6 7 8 9 10; do [ "$(cat /sys/class/net/${bond}/bonding/primary)" = ` +
  `"$(cat /sys/class/net/${bond}/bonding/active_slave)" ] && break; sleep 1; done`;

function rules(pair: GuestPair): string {
  const { bond } = pair;
  const join = (mac: Mac, driver: string, more: readonly string[]) =>
    [
      'ACTION=="add", SUBSYSTEM=="net"',
      `TEST=="/sys/class/net/${bond}/bonding"`,
      `TEST!="/sys/class/net/$name/master"`,
      `ATTR{address}=="${mac}"`,
      `DEVPATH=="/devices/pci*"`,
      `ENV{ID_NET_DRIVER}${driver}`,
      ...[
        ...more,
        `ip link set dev $name down`,
        `ip link set dev $name master ${bond}`,
        `ip link set dev $name up`,
      ].map((command) => `RUN+="/bin/sh -c '${command}'"`),
    ].join(', ');
  return `${join(pair.standbyMac, '=="virtio_net"', [])}
${join(pair.vfMac, '!="virtio_net"', [`echo $name >/sys/class/net/${bond}/bonding/primary`])}
`;
}
