/**
 * The procedure of the feature page Handover was commissioned from, for one VM, with what had to be
 * corrected. For guests without the kit. Caller: `guest-kit-text.ts`.
 */
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

const HEADER = `#!/bin/sh
# NetworkManager 1.40 or newer, as root. The procedure of oVirt's feature page, corrected:
# - "primary ens3" is no property of nmcli: it is one of bond.options, with the others.
# - miimon is needed: without it the bond does not see that a link is gone.
# - fail_over_mac is chosen by the MAC addresses. Where they differ, the default (none) gives the VF another
#   address than its PF allows, and the VF does not get into the bond ("Error -99 calling set_mac_address").
# - Legs are found by MAC address and driver, not by name: after a move the VF may have another. So the
#   profiles of the legs name no interface, and the name of the primary is looked up. It stays right as long
#   as the VF comes back under that name, which it does at the same guest PCI address; the guest kit sees to
#   it always.
# - type bond-slave is now type ethernet with master and slave-type; these names are taken by 1.40 and later.
# - "con up eth0" named connections that do not exist (they were called bond-slave-eth0); bringing up the bond
#   brings up its legs, with autoconnect-slaves.
# - New legs are announced ${ANNOUNCEMENTS} times: one announcement can be lost. A leg is used once it has had
#   a link for a second (updelay): used at once, it would be announced too late.
# - DHCP's client id and the IPv6 address do not change with the MAC address of the bond.
# - DHCP is asked for answers to everybody (the udev rule): one to the MAC address that asked is lost if the
#   VF becomes active before it comes, and then the guest waits minutes for an address.
# - Priorities: the profiles that the legs have now do not take them back.
set -e
nic_of() { # MAC, and "virtio_net" or "!virtio_net"
  for nic in /sys/class/net/*; do
    driver=$(readlink "$nic/device/driver") || continue
    mac=$(cat "$nic/bonding_slave/perm_hwaddr" 2>/dev/null || cat "$nic/address")
    [ "$mac" = "$1" ] || continue
    case $2 in
      virtio_net) [ "\${driver##*/}" = virtio_net ] || continue ;;
      *) [ "\${driver##*/}" != virtio_net ] || continue ;;
    esac
    echo "\${nic##*/}"
  done
}
`;

/** The commands, as a shell script. */
export const nmcliText = (pairs: readonly GuestPair[]): string => HEADER + pairs.map(commandsOf).join('');

function commandsOf(pair: GuestPair): string {
  const { bond, vfMac, standbyMac, mtu } = pair;
  const options = [
    'mode=active-backup',
    `miimon=${MIIMON_MS}`,
    `updelay=${UP_DELAY_MS}`,
    `fail_over_mac=${failOverMac(pair)}`,
    'primary_reselect=always',
    `num_grat_arp=${ANNOUNCEMENTS}`,
    `num_unsol_na=${ANNOUNCEMENTS}`,
    `peer_notif_delay=${ANNOUNCEMENT_MS}`,
  ].join(',');
  return `
# ${bond}: VF ${vfMac}, standby ${standbyMac}${hasOneMac(pair) ? ' (one address: told apart by driver)' : ''}
vf=$(nic_of ${vfMac} '!virtio_net')
echo 'ACTION!="remove", SUBSYSTEM=="net", KERNEL=="${bond}", ENV{ID_NET_DHCP_BROADCAST}="1"' \\
  >/etc/udev/rules.d/90-${bond}-dhcp.rules
udevadm control --reload
nmcli connection add type bond con-name ${bond} ifname ${bond} \\
  bond.options "${options}\${vf:+,primary=$vf}" \\
  connection.autoconnect-slaves 1 connection.autoconnect-priority 100 \\
  ipv4.method auto ipv4.dhcp-client-id duid \\
  ipv6.method auto ipv6.addr-gen-mode eui64 ipv6.token ${ipv6Token(pair)}${
    hasOneMac(pair) ? ` \\\n  802-3-ethernet.cloned-mac-address ${vfMac}` : ''
  }${mtu === null ? '' : ` \\\n  802-3-ethernet.mtu ${mtu}`}
nmcli connection add type ethernet con-name ${bond}-standby ifname '*' \\
  802-3-ethernet.mac-address ${standbyMac} match.driver virtio_net \\
  master ${bond} slave-type bond connection.autoconnect-priority 100
nmcli connection add type ethernet con-name ${bond}-vf ifname '*' \\
  802-3-ethernet.mac-address ${vfMac} match.driver '!virtio_net' \\
  master ${bond} slave-type bond connection.autoconnect-priority 100 connection.autoconnect-retries 0
nmcli connection up ${bond}
# The VF's name, when it is plugged:
cat /sys/class/net/${bond}/bonding/active_slave
`;
}
