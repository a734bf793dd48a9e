/**
 * What a guest shows of its VFs, through its agent. The guest is not trusted: what is malformed counts as not
 * told, only a plain interface name is ever put in a path, and a file is read to 4 KiB at most and closed
 * whatever happens.
 *
 * The agent tells counters only of interfaces with an IP address, which those in a bond do not have: theirs
 * are read from sysfs. A bond, what is built on it, and often the standby too, have the VF's MAC: the VF is
 * the one on a PCI function (a virtio interface's device is not one, a bond has none).
 */
import type { Clock } from '../base/clock.ts';
import type { Mac, VmId } from '../base/ids.ts';
import { parseMac } from '../base/ids.ts';
import { LIBVIRT_CODE, type LibvirtClient, libvirtCodeOf, procedures } from '../libvirt/index.ts';
import type { GuestVf } from './port.ts';
import { domainRef, nullOn } from './refusals.ts';

const AGENT_LIMIT_S = 5;
/** libvirt waits for the agent, and before that for another command to the same agent. */
const CALL_LIMIT_MS = 20_000;
/** Files are a few ms each. A guest may have many interfaces, and an agent that takes its time for each. */
const FILES_LIMIT_MS = 15_000;
const INTERFACES_MAX = 256;
const FILE_MAX_BYTES = 4096;
/** Of what a guest says, so much is passed on. */
const NAMES_MAX = 4;
const NAME_MAX_CHARS = 40;
/** What the kernel takes for a name; everything else is a guest's invention, or Windows. */
const PLAIN_NAME = /^(?!\.{1,2}$)[^/\s\p{C}]{1,15}$/u;

/** What the agent's own errors are to libvirt. */
const SAID_NO = [LIBVIRT_CODE.agentCommandFailed, LIBVIRT_CODE.internal];

const UEVENT = 'device/uevent';
const RX_PACKETS = 'statistics/rx_packets';
type InterfaceFile = typeof UEVENT | typeof RX_PACKETS;

type Json = Readonly<Record<string, unknown>>;
/** Gives what the agent returned; an error of the agent's own is one of `SAID_NO`. */
type Ask = (execute: string, args?: Json) => Promise<unknown>;
/** Reads a file of an interface; null: there is none, or the agent does not let us. */
type Read = (name: string, file: InterfaceFile) => Promise<string | null>;

/** One network interface as the agent lists it. */
export interface ListedInterface {
  readonly name: string;
  readonly mac: Mac | null;
  readonly rxPackets: number | null;
}

/** See `Hypervisor.guestVfs`. */
export async function lookForVfs(
  client: LibvirtClient,
  clock: Clock,
  vmId: VmId,
  macs: readonly Mac[],
): Promise<Map<Mac, GuestVf> | null> {
  const ask: Ask = async (execute, args) => {
    const cmd = JSON.stringify({ execute, ...(args ? { arguments: args } : {}) });
    const call = { dom: domainRef(vmId), cmd, timeoutS: AGENT_LIMIT_S, flags: 0 };
    const answer = await client.call(procedures.qemuAgentCommand, call, { timeoutMs: CALL_LIMIT_MS });
    return returnOf(answer.result ?? '');
  };
  const endMs = clock.monotonicMs() + FILES_LIMIT_MS;
  const read: Read = async (name, file) =>
    clock.monotonicMs() < endMs ? readInterfaceFile(ask, name, file) : null;
  // Whatever libvirt refuses here (no agent, none that answers, one that may not list interfaces): the guest
  // shows nothing. A move must not hang on it.
  return look(ask, read, macs).catch((error: unknown) => {
    if (libvirtCodeOf(error) === undefined) throw error;
    return null;
  });
}

async function look(ask: Ask, read: Read, macs: readonly Mac[]): Promise<Map<Mac, GuestVf> | null> {
  const list = parseInterfaces(await ask('guest-network-get-interfaces'));
  if (list === null) return null;
  const vfs = new Map<Mac, GuestVf>();
  for (const mac of macs) {
    const found = await vfAmong(
      list.filter((each) => each.mac === mac),
      read,
    );
    const [only] = found;
    if (only === undefined) continue;
    const names = found.slice(0, NAMES_MAX).map((each) => shown(each.name));
    const rxPackets = names.length > 1 ? null : (only.rxPackets ?? (await countOf(read, only.name)));
    vfs.set(mac, { names, rxPackets });
  }
  return vfs;
}

/** Which of the interfaces with one MAC is the VF: none, one, or those of which any may be it. */
async function vfAmong(sameMac: readonly ListedInterface[], read: Read): Promise<ListedInterface[]> {
  const found: ListedInterface[] = [];
  const unread: ListedInterface[] = [];
  for (const each of sameMac) {
    const uevent = await read(each.name, UEVENT);
    if (uevent === null) unread.push(each);
    else if (/^PCI_SLOT_NAME=/m.test(uevent)) found.push(each);
  }
  if (found.length > 0) return found;
  for (const each of unread) {
    // It has no device, or cannot be read at all: a file that every interface has tells which.
    const readable = (await read(each.name, RX_PACKETS)) !== null;
    if (!readable && !each.name.startsWith('bond')) found.push(each);
  }
  return found;
}

async function countOf(read: Read, name: string): Promise<number | null> {
  const text = (await read(name, RX_PACKETS))?.trim() ?? '';
  return /^\d{1,20}$/.test(text) ? Number(text) : null;
}

const shown = (name: string): string => name.slice(0, NAME_MAX_CHARS).replace(/\p{C}/gu, '?');

/** Path of a file of an interface in sysfs; null if the name is none to put in a path. */
export const interfaceFile = (name: string, file: InterfaceFile): string | null =>
  PLAIN_NAME.test(name) ? `/sys/class/net/${name}/${file}` : null;

async function readInterfaceFile(ask: Ask, name: string, file: InterfaceFile): Promise<string | null> {
  const path = interfaceFile(name, file);
  if (path === null) return null;
  const handle = await nullOn(ask('guest-file-open', { path, mode: 'r' }), ...SAID_NO);
  if (!Number.isSafeInteger(handle)) return null;
  try {
    const answer = await nullOn(ask('guest-file-read', { handle, count: FILE_MAX_BYTES }), ...SAID_NO);
    const data = objectOf(answer)['buf-b64'];
    return typeof data === 'string'
      ? Buffer.from(data, 'base64').toString('latin1', 0, FILE_MAX_BYTES)
      : null;
  } finally {
    await nullOn(ask('guest-file-close', { handle }), ...SAID_NO);
  }
}

/** What an answer of the agent returns; undefined if it is no answer. */
export function returnOf(json: string): unknown {
  try {
    return objectOf(JSON.parse(json))['return'];
  } catch {
    return undefined;
  }
}

/** Reads what `guest-network-get-interfaces` returned; null if that is no list. */
export function parseInterfaces(list: unknown): ListedInterface[] | null {
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
        rxPackets: typeof count === 'number' ? count : null,
      },
    ];
  });
}

const objectOf = (value: unknown): Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {};
