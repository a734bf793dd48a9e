/** The kernel's files on interfaces and bonds of a simulated guest, as a real kernel writes them. Pure. */
import type { GuestNic, Netdev } from './guest.ts';

/** The only bond. */
export const BOND = 'bond0';
/** Names its active leg; takes the name of another. */
export const LEG_FILE = `/sys/class/net/${BOND}/bonding/active_slave`;

/** `/proc/net/bonding/bond0`. */
export function bondDescription(
  legs: readonly GuestNic[],
  active: string,
  isUp: (leg: GuestNic) => boolean,
): string {
  const status = (up: boolean) => `MII Status: ${up ? 'up' : 'down'}`;
  const primary = legs.find(({ passthrough }) => passthrough)?.name;
  const head = [
    'Ethernet Channel Bonding Driver: v6.12',
    '',
    'Bonding Mode: fault-tolerance (active-backup) (fail_over_mac active)',
    `Primary Slave: ${primary === undefined ? 'None' : `${primary} (primary_reselect always)`}`,
    `Currently Active Slave: ${active === '' ? 'None' : active}`,
    status(active !== ''),
    'MII Polling Interval (ms): 100',
  ];
  const leg = (nic: GuestNic) => [
    '',
    `Slave Interface: ${nic.name}`,
    status(isUp(nic)),
    `Permanent HW addr: ${nic.mac}`,
  ];
  return `${[...head, ...legs.flatMap(leg)].join('\n')}\n`;
}

/** A file of one interface below `/sys/class/net`: counter and device only. */
export function legFile(netdevs: readonly Netdev[], path: string): string | null {
  const [, name, file] =
    /^\/sys\/class\/net\/([^/]+)\/(statistics\/rx_packets|device\/uevent)$/.exec(path) ?? [];
  const netdev = netdevs.find((each) => each.name === name);
  if (!netdev) return null;
  return file === 'device/uevent' ? netdev.uevent : `${Math.floor(netdev.rxPackets)}\n`;
}

/** What the guest kit answers: exit code, standard error and standard output. */
export interface KitAnswer {
  readonly code: number;
  readonly words?: string;
  readonly printed?: string;
}
