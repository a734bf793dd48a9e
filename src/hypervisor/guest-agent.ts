/**
 * What a guest shows of its VFs, through its agent. Only a plain interface name is ever put in a path.
 *
 * The agent tells counters only of interfaces with an IP address, which those in a bond do not have: theirs
 * are read from sysfs. A bond, what is built on it, and often the standby too, have the VF's MAC: the VF is
 * the one on a PCI function (a virtio interface's device is not one, a bond has none).
 */
import type { Mac } from '../base/ids.ts';
import { parseMac } from '../base/ids.ts';
import { libvirtCodeOf } from '../libvirt/index.ts';
import type { GuestInterface } from '../model/guest-network.ts';
import { type Agent, objectOf } from './agent.ts';
import type { GuestVf } from './port.ts';

const INTERFACES_MAX = 256;
/** Of what a guest says, so much is passed on. */
const NAMES_MAX = 4;
const NAME_MAX_CHARS = 40;
/** What the kernel takes for a name; everything else is a guest's invention, or Windows. */
const PLAIN_NAME = /^(?!\.{1,2}$)[^/\s\p{C}]{1,15}$/u;

const UEVENT = 'device/uevent';
const RX_PACKETS = 'statistics/rx_packets';
/**
 * Of a look that is repeated. One that was under way when the guest moved is answered on the other host, to
 * nobody, and the next waits there for its limit.
 */
const REPEATED_LIMIT_S = 1;
/** What is read of an interface. */
type InterfaceFile = typeof UEVENT | typeof RX_PACKETS;

/** See `Hypervisor.guestVfs`. */
export async function lookForVfs(agent: Agent, macs: readonly Mac[]): Promise<Map<Mac, GuestVf> | null> {
  return nullWithoutAgent(look(agent, macs));
}

/**
 * `pending`, or null if libvirt refused: no agent, none that answers, one that may not. Nothing must hang on
 * what a guest says.
 */
export async function nullWithoutAgent<T>(pending: Promise<T>): Promise<T | null> {
  try {
    return await pending;
  } catch (error) {
    if (libvirtCodeOf(error) === undefined) throw error;
    return null;
  }
}

async function look(agent: Agent, macs: readonly Mac[]): Promise<Map<Mac, GuestVf> | null> {
  const list = parseInterfaces(await agent.ask('guest-network-get-interfaces'));
  if (list === null) return null;
  const vfs = new Map<Mac, GuestVf>();
  for (const mac of macs) {
    const found = await vfAmong(
      list.filter((each) => each.mac === mac),
      agent,
    );
    const [only] = found;
    if (only === undefined) continue;
    const names = found.slice(0, NAMES_MAX).map((each) => shown(each.name));
    const rxPackets = names.length > 1 ? null : (only.rxPackets ?? (await rxPacketsOf(agent, only.name)));
    vfs.set(mac, { names, rxPackets });
  }
  return vfs;
}

/** Which of the interfaces with one MAC is the VF: none, one, or those of which any may be it. */
async function vfAmong(sameMac: readonly GuestInterface[], agent: Agent): Promise<GuestInterface[]> {
  const found: GuestInterface[] = [];
  const unread: GuestInterface[] = [];
  for (const each of sameMac) {
    const device = await deviceOf(agent, each.name);
    if (device === null) unread.push(each);
    else if (device.onPciFunction) found.push(each);
  }
  if (found.length > 0) return found;
  for (const each of unread) {
    // It has no device, or cannot be read at all: a file that every interface has tells which.
    const readable = (await readFile(agent, each.name, RX_PACKETS)) !== null;
    if (!readable && !each.name.startsWith('bond')) found.push(each);
  }
  return found;
}

/** What the interface received; null = not told. */
export async function rxPacketsOf(agent: Agent, name: string): Promise<number | null> {
  const text = (await readFile(agent, name, RX_PACKETS))?.trim() ?? '';
  return /^\d{1,20}$/.test(text) ? Number(text) : null;
}

/**
 * The same in one call to the agent where that tells it, which is a third of the load on guest and host of a
 * file: for looks that are repeated while both have other work.
 */
export async function rxPacketsSeen(
  agent: Agent,
  names: readonly string[],
): Promise<readonly (number | null)[]> {
  const list = parseInterfaces(await agent.ask('guest-network-get-interfaces', undefined, REPEATED_LIMIT_S));
  const seen: (number | null)[] = [];
  for (const name of names) {
    const told = list?.find((each) => each.name === name)?.rxPackets;
    seen.push(told ?? (await rxPacketsOf(agent, name)));
  }
  return seen;
}

/** The device of an interface; null: it has none, or the agent does not tell. */
export async function deviceOf(
  agent: Agent,
  name: string,
): Promise<{ readonly driver: string | null; readonly onPciFunction: boolean } | null> {
  const uevent = await readFile(agent, name, UEVENT);
  if (uevent === null) return null;
  const driver = /^DRIVER=([\w-]{1,40})$/m.exec(uevent)?.[1] ?? null;
  return { driver, onPciFunction: /^PCI_SLOT_NAME=/m.test(uevent) };
}

/** A name as it may be shown: short, and without control characters. */
export const shown = (name: string): string => name.slice(0, NAME_MAX_CHARS).replace(/\p{C}/gu, '?');

/** Path of a file of an interface in sysfs; null if the name is none to put in a path. */
export const interfaceFile = (name: string, file: InterfaceFile): string | null =>
  isPlainName(name) ? `/sys/class/net/${name}/${file}` : null;

async function readFile(agent: Agent, name: string, file: InterfaceFile): Promise<string | null> {
  const path = interfaceFile(name, file);
  return path === null ? null : agent.read(path);
}

/** Whether a name may be put in a path. */
export const isPlainName = (name: string): boolean => PLAIN_NAME.test(name);

/** Reads what `guest-network-get-interfaces` returned; null if that is no list. */
export function parseInterfaces(list: unknown): GuestInterface[] | null {
  if (!Array.isArray(list)) return null;
  return list.slice(0, INTERFACES_MAX).flatMap((each) => {
    const row = objectOf(each);
    const name = row['name'];
    if (typeof name !== 'string') return [];
    const mac = row['hardware-address'];
    const count = objectOf(row['statistics'])['rx-packets'];
    return [
      {
        name,
        mac: typeof mac === 'string' ? parseMac(mac) : null,
        hasAddress: hasAddress(row['ip-addresses']),
        rxPackets: typeof count === 'number' ? count : null,
      },
    ];
  });
}

/** One that others can reach: a link-local address is on everything with a link. */
const hasAddress = (addresses: unknown): boolean =>
  Array.isArray(addresses) &&
  addresses.some((each) => {
    const address = objectOf(each)['ip-address'];
    return typeof address === 'string' && !/^fe80:/i.test(address);
  });
