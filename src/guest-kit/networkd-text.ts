/**
 * systemd-networkd's files for one VM: those that the kit itself would write. For guests without the kit.
 * Callers: `guest-kit-text.ts`; a test of `guest/` compares them with the kit's.
 */
import type { Mac } from '../base/ids.ts';
import {
  ANNOUNCEMENTS,
  dhcpIaid,
  failOverMac,
  type GuestPair,
  hasOneMac,
  ipv6Token,
  MIIMON_MS,
} from './guest-pair.ts';
import { UP_DELAY_MS } from '../model/guest.ts';
import { fileCommands, type GuestFile } from './guest-file.ts';

const HEADER = `#!/bin/sh
# systemd-networkd of systemd 250 or newer, as root: writes the files, then has them read. Legs are found by
# driver and permanent MAC address. The names of the files put them before what netplan or cloud-init writes.
set -e
`;

/** The files and the command that applies them, as a shell script. */
export const networkdText = (pairs: readonly GuestPair[]): string =>
  `${HEADER}${fileCommands(pairs.flatMap(networkdFiles))}\nnetworkctl reload\n`;

/** The files of a pair. */
export function networkdFiles(pair: GuestPair): GuestFile[] {
  const begin = `/etc/systemd/network/05-handover-${pair.bond}`;
  const vf = `${legContent(pair, '!virtio_net', pair.vfMac)}PrimarySlave=yes\n`;
  return [
    { path: `${begin}.netdev`, mode: '644', content: netdevContent(pair) },
    { path: `${begin}.network`, mode: '644', content: networkContent(pair) },
    {
      path: `${begin}-standby.network`,
      mode: '644',
      content: legContent(pair, 'virtio_net', pair.standbyMac),
    },
    { path: `${begin}-vf.network`, mode: '644', content: vf },
  ];
}

function netdevContent(pair: GuestPair): string {
  const mtu = pair.mtu === null ? '' : `MTUBytes=${pair.mtu}\n`;
  // Without it networkd invents one, which a VF whose address is enforced could not take.
  const address = hasOneMac(pair) ? `MACAddress=${pair.vfMac}\n` : '';
  return `[NetDev]
Name=${pair.bond}
Kind=bond
${mtu}${address}
[Bond]
Mode=active-backup
MIIMonitorSec=${MIIMON_MS}ms
UpDelaySec=${UP_DELAY_MS}ms
FailOverMACPolicy=${failOverMac(pair)}
PrimaryReselectPolicy=always
GratuitousARP=${ANNOUNCEMENTS}
`;
}

function networkContent(pair: GuestPair): string {
  const mtu = pair.mtu === null ? '' : `[Link]\nMTUBytes=${pair.mtu}\n\n`;
  const iaid = dhcpIaid(pair);
  return `[Match]
Name=${pair.bond}
Kind=bond

${mtu}[Network]
DHCP=yes
IPv6AcceptRA=yes
LinkLocalAddressing=ipv6
KeepConfiguration=dhcp

[DHCPv4]
ClientIdentifier=duid
IAID=${iaid}
RequestBroadcast=yes

[DHCPv6]
IAID=${iaid}

[IPv6AcceptRA]
Token=static:${ipv6Token(pair)}
`;
}

const legContent = ({ bond }: GuestPair, driver: string, mac: Mac): string => `[Match]
Driver=${driver}
PermanentMACAddress=${mac}

[Link]
RequiredForOnline=no

[Network]
Bond=${bond}
`;
