/** The kernel's files on interfaces and bonds of a simulated guest, as a real kernel writes them. Pure. */
import type { AgentAddress, GuestNic, Netdev } from './guest.ts';

const PACKET_BYTES = 700;

/** The only bond. */
export const BOND = 'bond0';
/** Names its active leg; takes the name of another. */
export const LEG_FILE = `/sys/class/net/${BOND}/bonding/active_slave`;
/** How long a leg has had a link before the bond uses it, ms. */
export const UP_DELAY_FILE = `/sys/class/net/${BOND}/bonding/updelay`;

/** `/proc/net/bonding/bond0`. */
export function bondDescription(
  legs: readonly GuestNic[],
  active: string,
  upDelayMs: number,
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
    `Up Delay (ms): ${upDelayMs}`,
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

/** As the agent lists an address with its prefix; null = none. */
export function addressesOf(address: string | null): AgentAddress[] {
  if (address === null) return [];
  const [ip = '', prefix = '24'] = address.split('/');
  return [{ 'ip-address': ip, 'ip-address-type': 'ipv4', prefix: Number(prefix) }];
}

/** As the agent tells an interface's counters. */
export function statistics(rxPackets: number, txPackets: number): object {
  const rx = Math.floor(rxPackets);
  const tx = Math.floor(txPackets);
  return {
    'rx-bytes': rx * PACKET_BYTES,
    'rx-packets': rx,
    'rx-errs': 0,
    'rx-dropped': 0,
    'tx-bytes': tx * PACKET_BYTES,
    'tx-packets': tx,
    'tx-errs': 0,
    'tx-dropped': 0,
  };
}
