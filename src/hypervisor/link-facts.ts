/**
 * What `ip -j -d link` and `ip -j addr` say, as facts: links with their VFs' settings, addresses, bridges,
 * and whether the host itself uses a netdev. Pure; parses what other people's programs print, so anything
 * missing is left out, never guessed. Source of the field names: iproute2's ip/ipaddress.c and ip/iplink.c
 * (4.18 to 6.15).
 */
import { HandoverError, messageOf } from '../base/errors.ts';
import { parseMac } from '../base/ids.ts';
import type { Bridge } from '../model/host.ts';
import type { VfAttributes } from '../model/pf.ts';
import { remembering } from './remember.ts';

/** One network device of a host. */
export interface LinkFacts {
  readonly name: string;
  readonly mac: string | null;
  readonly mtu: number | null;
  /** Up with a link; a device that is administratively down has none. */
  readonly carrier: boolean;
  /** Bridge, bond or other device it is a port of. */
  readonly master: string | null;
  /** Device below it (VLAN, macvtap...). */
  readonly lower: string | null;
  /** `bridge`, `bond`, `vlan`, `macvtap`, `tun`...; null for plain hardware. */
  readonly kind: string | null;
  /** Settings of its VFs, by index. */
  readonly vfs: ReadonlyMap<number, VfAttributes>;
}

/** The links of a host by name, with the addresses that make a netdev "in use". */
export interface LinkTable {
  readonly links: ReadonlyMap<string, LinkFacts>;
  /** Global addresses by netdev name; link-local ones appear by themselves and say nothing. */
  readonly addresses: ReadonlyMap<string, readonly string[]>;
}

type Json = Readonly<Record<string, unknown>>;

/** Parses `ip -j -d link show` output. Throws `HOST_COMMAND_FAILED` if it is not what iproute2 prints. */
export const parseLinks = remembering((json): readonly LinkFacts[] => {
  return parseArray(json, 'ip -j -d link').flatMap((row) => {
    const name = textOf(row['ifname']);
    if (name === null) return [];
    const flags = Array.isArray(row['flags']) ? row['flags'] : [];
    return [
      {
        name,
        mac: textOf(row['address']),
        mtu: numberOf(row['mtu']),
        carrier: flags.includes('UP') && flags.includes('LOWER_UP'),
        master: textOf(row['master']),
        lower: textOf(row['link']),
        kind: textOf(objectOf(row['linkinfo'])['info_kind']),
        vfs: vfsOf(row['vfinfo_list']),
      },
    ];
  });
});

/** Parses `ip -j addr show` output into global addresses by netdev. Throws `HOST_COMMAND_FAILED` as above. */
export const parseAddresses = remembering((json): ReadonlyMap<string, readonly string[]> => {
  const table = new Map<string, readonly string[]>();
  for (const row of parseArray(json, 'ip -j addr')) {
    const name = textOf(row['ifname']);
    const infos = Array.isArray(row['addr_info']) ? row['addr_info'].map(objectOf) : [];
    const found = infos
      .filter((info) => info['scope'] === 'global')
      .flatMap((info) => textOf(info['local']) ?? []);
    if (name !== null && found.length > 0) table.set(name, found);
  }
  return table;
});

/**
 * Why the host itself uses a netdev, in words that finish "it ..."; null = it does not. A VF whose netdev is
 * in use must not be taken from the host, however free libvirt calls it.
 */
export function netdevUseOf(table: LinkTable, name: string): string | null {
  const address = table.addresses.get(name)?.[0];
  if (address !== undefined) return `has the address ${address}`;
  const master = table.links.get(name)?.master;
  if (master) return `is a port of the ${table.links.get(master)?.kind ?? 'device'} ${master}`;
  for (const link of table.links.values()) {
    if (link.lower === name) return `carries the ${link.kind ?? 'device'} ${link.name}`;
  }
  return null;
}

/**
 * Bridges with their uplinks, VMs' taps left out. Open vSwitch does not name its ports here: their uplinks
 * stay empty.
 */
export function bridgesOf(table: LinkTable): Bridge[] {
  const all = [...table.links.values()];
  return all
    .filter((link) => link.kind === 'bridge' || (link.kind === 'openvswitch' && link.name !== 'ovs-system'))
    .map((bridge) => ({
      name: bridge.name,
      up: bridge.carrier,
      uplinks: all
        .filter((port) => port.master === bridge.name && port.kind !== 'tun' && port.kind !== 'macvtap')
        .map((port) => port.name),
      mtu: bridge.mtu,
    }));
}

function vfsOf(list: unknown): Map<number, VfAttributes> {
  const vfs = new Map<number, VfAttributes>();
  for (const entry of Array.isArray(list) ? list.map(objectOf) : []) {
    const index = numberOf(entry['vf']);
    if (index !== null) vfs.set(index, attributesOf(entry));
  }
  return vfs;
}

/**
 * `address` since iproute2 5.0, `mac` before; one tag either in `vlan_list` or, from old kernels, in `vlan`.
 */
function attributesOf(entry: Json): VfAttributes {
  const tags = Array.isArray(entry['vlan_list']) ? entry['vlan_list'].map(objectOf) : [];
  const rate = objectOf(entry['rate']);
  const linkState = textOf(entry['link_state']);
  return {
    mac: parseMac(textOf(entry['address']) ?? textOf(entry['mac']) ?? ''),
    vlan: numberOf(tags[0]?.['vlan']) ?? numberOf(entry['vlan']) ?? 0,
    trust: entry['trust'] === true,
    spoofCheck: entry['spoofchk'] === true,
    linkState: linkState === 'enable' || linkState === 'disable' ? linkState : 'auto',
    rateMbitMin: numberOf(rate['min_tx']) ?? 0,
    rateMbitMax: numberOf(rate['max_tx']) ?? numberOf(entry['tx_rate']) ?? 0,
  };
}

function parseArray(json: string, command: string): Json[] {
  try {
    const parsed: unknown = JSON.parse(json.trim() === '' ? '[]' : json);
    if (Array.isArray(parsed)) return parsed.map(objectOf);
  } catch (error) {
    throw new HandoverError(
      'HOST_COMMAND_FAILED',
      `"${command}" on the host did not print JSON: ${messageOf(error)}; iproute2 4.18 or newer is needed`,
    );
  }
  throw new HandoverError('HOST_COMMAND_FAILED', `"${command}" on the host did not print a list`);
}

const textOf = (value: unknown): string | null => (typeof value === 'string' ? value : null);
const numberOf = (value: unknown): number | null => (typeof value === 'number' ? value : null);
const objectOf = (value: unknown): Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {};
