/**
 * The lab's names, addresses and MACs: their only home on this side. The host's init script gets them from
 * the kernel command line and `/lab/hosts`, written from here.
 *
 *     lab namespace   mgmt 10.77.0.1/24 --- mgmt of each host          (ssh, libvirt, migration)
 *                     data 10.78.0.1/24 -+- up0 of each host - br0     (the standby path of guests)
 *                                        +- pf0 of each host - VFs     (the fast path of guests)
 *
 * Callers: the modules of `lab/`, scenarios and the demo.
 */

/**
 * The network namespace that holds everything of the lab; nothing of it reaches the machine's own network.
 */
export const NAMESPACE = labName();

/**
 * Name of the lab: namespace, run directory and lock have it. `HANDOVER_LAB=x` makes `handover-lab-x`, so
 * that several live side by side; their addresses are the same, each in its own namespace.
 */
function labName(): string {
  const suffix = process.env['HANDOVER_LAB'] ?? '';
  if (!/^[a-z0-9]{0,8}$/.test(suffix)) throw new Error('HANDOVER_LAB takes at most 8 letters and digits');
  return suffix === '' ? 'handover-lab' : `handover-lab-${suffix}`;
}

/** The hosts, by letter. */
export const HOST_LETTERS = ['a', 'b'] as const;
export type HostLetter = (typeof HOST_LETTERS)[number];

/** The namespace's own addresses: where engine, probe and scenarios run. */
export const OUTSIDE = {
  managementAddress: '10.77.0.1',
  dataAddress: '10.78.0.1',
  dataIpv6Address: 'fd00:78::1',
} as const;

/** The SR-IOV port of every host, an emulated Intel 82576. */
export const PF = { name: 'pf0', pciAddress: '0000:01:00.0', vfCountMax: 7 } as const;

/** The bridge of every host that carries the standby path, and its uplink. */
export const BRIDGE = { name: 'br0', uplink: 'up0' } as const;

/** How many VFs a host starts with; `setVfCount` changes it. */
export const VF_COUNT = 2;

/** Names and addresses of one host. */
export interface HostPlace {
  readonly letter: HostLetter;
  /** Host name, resolvable in every host. */
  readonly name: string;
  readonly number: number;
  readonly uuid: string;
  /** For ssh, libvirt and migrations. */
  readonly managementAddress: string;
  /** Address of br0, on the LAN of the guests. */
  readonly dataAddress: string;
  readonly managementMac: string;
  readonly uplinkMac: string;
  readonly pfMac: string;
}

/** Where `letter` is. */
export function hostPlace(letter: HostLetter): HostPlace {
  const number = HOST_LETTERS.indexOf(letter) + 1;
  return {
    letter,
    name: `host${letter}`,
    number,
    uuid: `5d1ab000-0000-4000-8000-00000000000${number}`,
    managementAddress: `10.77.0.${10 + number}`,
    dataAddress: `10.78.0.${10 + number}`,
    managementMac: `52:54:00:77:00:0${number}`,
    uplinkMac: `52:54:00:79:00:0${number}`,
    pfMac: `52:54:00:78:00:0${number}`,
  };
}

/** PCI address of VF `index` (0..6) on any host: the 82576 has VF offset 0x80 and stride 2. */
export function vfPciAddress(index: number): string {
  const devfn = 0x80 + 2 * index;
  return `0000:01:${(devfn >> 3).toString(16).padStart(2, '0')}.${devfn & 7}`;
}

/** Names and addresses of one guest. */
export interface GuestPlace {
  readonly name: string;
  readonly uuid: string;
  /** Address of the guest's bond, on the data LAN, and the length of that network's prefix. */
  readonly address: string;
  readonly prefixLength: number;
  readonly standbyMac: string;
  readonly vfMac: string;
  /** Of a guest with two pairs of standby and VF. */
  readonly second: { readonly standbyMac: string; readonly vfMac: string };
}

/** Name and addresses of guest `number` (1..99), its address being one of IPv4 or of IPv6. */
export function guestPlace(number: number, family: 4 | 6 = 4): GuestPlace {
  const two = String(number).padStart(2, '0');
  return {
    name: `g${number}`,
    uuid: `9e570000-0000-4000-8000-0000000000${two}`,
    ...(family === 4
      ? { address: `10.78.0.${100 + number}`, prefixLength: 24 }
      : { address: `fd00:78::${100 + number}`, prefixLength: 64 }),
    standbyMac: `52:54:00:01:${two}:01`,
    vfMac: `52:54:00:01:${two}:02`,
    second: { standbyMac: `52:54:00:01:${two}:03`, vfMac: `52:54:00:01:${two}:04` },
  };
}

/** `/etc/hosts` of every host. */
export function hostsFile(): string {
  const lines = ['127.0.0.1 localhost', `${OUTSIDE.managementAddress} outside`];
  for (const letter of HOST_LETTERS) {
    const place = hostPlace(letter);
    lines.push(`${place.managementAddress} ${place.name}`);
  }
  return `${lines.join('\n')}\n`;
}
