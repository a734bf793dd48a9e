/**
 * The host channel: the few fixed commands that tell and do what libvirt cannot. Every argument is checked
 * against a strict pattern (`names.ts`) and quoted (`host-shell.ts`); nobody composes commands anywhere else.
 *
 * A host without a channel (TLS or TCP only, ssh without a shell) is an ordinary case: every verb then throws
 * `HOST_CHANNEL_UNAVAILABLE` and `observe` reports those facts as unknown. Used by the verbs of this folder
 * only.
 */
import { HandoverError, isCode, messageOf } from '../base/errors.ts';
import { isEmptyMac, type VfAttributes } from '../model/pf.ts';
import type { HostShell, ShellResult } from './host-shell.ts';
import { type LinkFacts, type LinkTable, parseAddresses, parseLinks } from './link-facts.ts';
import { checkDomainName, checkImageFormat, checkImagePath, checkNetdevName, checkPeerUri } from './names.ts';
import type { HostFile } from './port.ts';

const READ_LIMIT_MS = 10_000;
const WRITE_LIMIT_MS = 15_000;
/** ssh between hosts may wait for DNS and a slow handshake. */
const PEER_LIMIT_MS = 30_000;
const IMAGE_LIMIT_MS = 60_000;
/** Drivers take some 100 ms for each VF they make. */
const VF_COUNT_LIMIT_MS = 90_000;
/** The kernel's VF numbers have 16 bits (PCI SR-IOV, TotalVFs). */
const VF_COUNT_MAX = 65_535;
/**
 * The kernel takes another number only from zero on. Where the driver refuses the new one, the old one is put
 * back by the same command, so that an engine that dies meanwhile leaves no PF without VFs. Writing what is
 * there already would make every VF anew: not done. Prints what there is at the end.
 */
const SET_VF_COUNT =
  'file="/sys/class/net/$1/device/sriov_numvfs"; old="$(cat "$file")" || exit 1; ' +
  'if [ "$old" != "$2" ]; then ' +
  '[ "$old" = 0 ] || echo 0 > "$file" || exit 1; ' +
  '[ "$2" = 0 ] || echo "$2" > "$file" || { [ "$old" = 0 ] || echo "$old" > "$file"; exit 1; }; ' +
  'fi; cat "$file"';
/**
 * Queues of NICs that the kernel serves for the QEMU of domain NAME, which is asked for by its UUID: the pid
 * file of one that ended names nobody, or somebody else. libvirt opens one vhost-net for each queue.
 */
const COUNT_VHOST =
  'pid="$(cat "/run/libvirt/qemu/$1.pid")" && grep -aqF "$2" "/proc/$pid/cmdline" || exit 1; ' +
  'ls -l "/proc/$pid/fd" | grep -c /dev/vhost-net; true';
/**
 * A VF without a MAC of its own; libvirt writes the second where a driver refuses the first
 * (virNetDevSetVfConfig).
 */
const EMPTY_MACS = ['00:00:00:00:00:00', '02:00:00:00:00:00'] as const;

/** The fixed commands on one host. */
export interface HostChannel {
  /** All links and addresses of the host. */
  readLinks(): Promise<LinkTable>;
  /** One link with its VFs; null if the host has none of that name. */
  readLink(netdev: string): Promise<LinkFacts | null>;
  /** Clears what is set of MAC and VLAN of VF `index` of the PF; verified by reading it back. */
  resetVf(pf: string, index: number): Promise<void>;
  /**
   * Makes the PF have `count` VFs, all of them new ones if it had another number. None of its VFs may be in
   * use. Throws `HOST_COMMAND_FAILED` with what the driver said; then there are as many as before.
   */
  setVfCount(pf: string, count: number): Promise<void>;
  /** Whether this host's root can open a libvirt connection to another host. */
  testPeer(peerUri: string): Promise<{ ok: boolean; message: string }>;
  /**
   * Queues of a running domain's NICs that the host's kernel serves (vhost); null if its QEMU is not found.
   */
  countVhost(domain: { readonly name: string; readonly uuid: string }): Promise<number | null>;
  inspectFile(path: string): Promise<HostFile>;
  createDisk(path: string, format: string, virtualBytes: number): Promise<void>;
  removeDisk(path: string): Promise<void>;
  close(): void;
}

/**
 * A channel over shells that `open` starts: one for everything, and a second for peer tests, which may take
 * long and must not delay a migration.
 */
export class ShellChannel implements HostChannel {
  readonly #where: string;
  readonly #open: () => HostShell;
  readonly #shell: HostShell;
  #testShell: HostShell | null = null;

  constructor(where: string, open: () => HostShell) {
    this.#where = where;
    this.#open = open;
    this.#shell = open();
  }

  async readLinks(): Promise<LinkTable> {
    const links = parseLinks(await this.#expectOk(['ip', '-j', '-d', 'link', 'show'], READ_LIMIT_MS));
    const addresses = parseAddresses(await this.#expectOk(['ip', '-j', 'addr', 'show'], READ_LIMIT_MS));
    return { links: new Map(links.map((link) => [link.name, link])), addresses };
  }

  async readLink(netdev: string): Promise<LinkFacts | null> {
    const argv = ['ip', '-j', '-d', 'link', 'show', 'dev', checkNetdevName(netdev)];
    const result = await this.#shell.run(argv, READ_LIMIT_MS);
    if (result.exitCode !== 0 && /does not exist/.test(result.stderr)) return null;
    if (result.exitCode !== 0) throw commandFailed(this.#where, argv, result);
    return parseLinks(result.stdout)[0] ?? null;
  }

  async resetVf(pf: string, index: number): Promise<void> {
    const before = await this.#readVf(pf, index);
    // Only what is set: some drivers refuse to set a VLAN at all, even 0.
    if (before.vlan !== 0) await this.#setVf(pf, index, 'vlan', '0');
    if (!isEmptyMac(before.mac)) await this.#setFirstMac(pf, index, EMPTY_MACS);
    const after = await this.#readVf(pf, index);
    if (after.vlan === 0 && isEmptyMac(after.mac)) return;
    throw new HandoverError(
      'HOST_COMMAND_FAILED',
      `${this.#where}: VF ${index} of ${pf} still has MAC ${after.mac} and VLAN ${after.vlan} after a reset`,
      { detail: { pf, index, mac: after.mac, vlan: after.vlan } },
    );
  }

  async setVfCount(pf: string, count: number): Promise<void> {
    if (!Number.isInteger(count) || count < 0 || count > VF_COUNT_MAX) {
      throw new HandoverError('INVALID_INPUT', `${count} is no number of VFs`);
    }
    const argv = ['sh', '-c', SET_VF_COUNT, 'sh', checkNetdevName(pf), String(count)];
    const now = (await this.#expectOk(argv, VF_COUNT_LIMIT_MS)).trim();
    if (now === String(count)) return;
    throw new HandoverError(
      'HOST_COMMAND_FAILED',
      `${this.#where}: ${pf} has ${now} VFs after it was told to have ${count}`,
      { detail: { pf, count, now } },
    );
  }

  async testPeer(peerUri: string): Promise<{ ok: boolean; message: string }> {
    this.#testShell ??= this.#open();
    const argv = ['virsh', '-q', '-c', checkPeerUri(peerUri), 'version'];
    const result = await this.#testShell.run(argv, PEER_LIMIT_MS);
    return { ok: result.exitCode === 0, message: peerMessage(peerUri, result) };
  }

  async countVhost({ name, uuid }: { readonly name: string; readonly uuid: string }): Promise<number | null> {
    const argv = ['sh', '-c', COUNT_VHOST, 'sh', checkDomainName(name), uuid];
    const { exitCode, stdout } = await this.#shell.run(argv, READ_LIMIT_MS);
    return exitCode === 0 && /^\d+\n$/.test(stdout) ? Number(stdout) : null;
  }

  async inspectFile(path: string): Promise<HostFile> {
    if (!(await this.#fileExists(checkImagePath(path)))) return { exists: false, virtualBytes: null };
    // -U: a running QEMU holds the image's lock, and only its header is read.
    const info = await this.#shell.run(['qemu-img', 'info', '-U', '--output=json', path], READ_LIMIT_MS);
    return { exists: true, virtualBytes: info.exitCode === 0 ? virtualSizeOf(info.stdout) : null };
  }

  async createDisk(path: string, format: string, virtualBytes: number): Promise<void> {
    if (!Number.isSafeInteger(virtualBytes) || virtualBytes <= 0) {
      throw new HandoverError('INVALID_INPUT', `a disk of ${virtualBytes} bytes cannot be created`);
    }
    const what = ['-f', checkImageFormat(format), checkImagePath(path), String(virtualBytes)];
    await this.#claimFile(path);
    try {
      await this.#expectOk(['qemu-img', 'create', '-q', ...what], IMAGE_LIMIT_MS);
    } catch (error) {
      // The empty file is ours: made above, and only if nothing was there.
      if (isCode(error, 'HOST_COMMAND_FAILED')) await this.removeDisk(path);
      throw error;
    }
  }

  async removeDisk(path: string): Promise<void> {
    await this.#expectOk(['rm', '-f', checkImagePath(path)], IMAGE_LIMIT_MS);
  }

  close(): void {
    this.#shell.close();
    this.#testShell?.close();
  }

  /** Runs a command that must succeed. */
  async #expectOk(argv: readonly string[], limitMs: number): Promise<string> {
    const result = await this.#shell.run(argv, limitMs);
    if (result.exitCode !== 0) throw commandFailed(this.#where, argv, result);
    return result.stdout;
  }

  async #fileExists(path: string): Promise<boolean> {
    const argv = ['test', '-e', path];
    const result = await this.#shell.run(argv, READ_LIMIT_MS);
    if (result.exitCode > 1) throw commandFailed(this.#where, argv, result);
    return result.exitCode === 0;
  }

  /** Makes an empty file. qemu-img overwrites silently; noclobber makes exactly one creator win. */
  async #claimFile(path: string): Promise<void> {
    const argv = ['sh', '-c', 'set -C && : > "$1"', 'sh', path];
    const result = await this.#shell.run(argv, WRITE_LIMIT_MS);
    if (result.exitCode === 0) return;
    if (!(await this.#fileExists(path))) throw commandFailed(this.#where, argv, result);
    throw new HandoverError('ALREADY_EXISTS', `${this.#where}: ${path} exists already; it was left as it is`);
  }

  async #readVf(pf: string, index: number): Promise<VfAttributes> {
    const attributes = (await this.readLink(pf))?.vfs.get(index);
    if (attributes) return attributes;
    throw new HandoverError('NOT_FOUND', `${this.#where}: ${pf} has no VF ${index}`, {
      detail: { pf, index },
    });
  }

  async #setVf(pf: string, index: number, what: 'mac' | 'vlan', value: string): Promise<void> {
    const argv = ['ip', 'link', 'set', 'dev', checkNetdevName(pf), 'vf', String(index), what, value];
    await this.#expectOk(argv, WRITE_LIMIT_MS);
  }

  /** Sets the first of `macs` the driver takes; what it says of the last one is the error. */
  async #setFirstMac(pf: string, index: number, macs: readonly string[]): Promise<void> {
    const [mac = '', ...others] = macs;
    try {
      await this.#setVf(pf, index, 'mac', mac);
    } catch (error) {
      if (others.length === 0 || !isCode(error, 'HOST_COMMAND_FAILED')) throw error;
      await this.#setFirstMac(pf, index, others);
    }
  }
}

/** A channel that does not exist: every verb throws `HOST_CHANNEL_UNAVAILABLE` with the reason. */
export function absentChannel(where: string, reason: string): HostChannel {
  const refuse = (): Promise<never> =>
    Promise.reject(
      new HandoverError('HOST_CHANNEL_UNAVAILABLE', `${where}: ${reason}`, { detail: { cause: reason } }),
    );
  return {
    readLinks: refuse,
    readLink: refuse,
    resetVf: refuse,
    setVfCount: refuse,
    countVhost: refuse,
    testPeer: refuse,
    inspectFile: refuse,
    createDisk: refuse,
    removeDisk: refuse,
    close() {},
  };
}

function commandFailed(where: string, argv: readonly string[], result: ShellResult): HandoverError {
  const command = shownCommand(argv);
  const said = result.stderr.trim().split('\n').slice(-2).join('; ');
  const why = result.exitCode === 124 ? 'it did not end within its limit' : said || 'it said nothing';
  return new HandoverError(
    'HOST_COMMAND_FAILED',
    `${where}: "${command}" ended with exit code ${result.exitCode}: ${why}`,
    { detail: { command, exitCode: result.exitCode } },
  );
}

/** A person wants to read what is done, not the script that does it. */
const shownCommand = (argv: readonly string[]): string =>
  argv[2] === SET_VF_COUNT ? `set sriov_numvfs of ${argv[4]} to ${argv[5]}` : argv.join(' ');

function peerMessage(peerUri: string, result: ShellResult): string {
  const lines = (result.exitCode === 0 ? result.stdout : `${result.stderr}\n${result.stdout}`)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  if (result.exitCode === 124) return `${peerUri} did not answer within ${PEER_LIMIT_MS / 1000} s`;
  if (result.exitCode === 127) return 'virsh is not installed on the host: install libvirt-clients';
  return lines.join('; ').slice(0, 500) || `virsh ended with exit code ${result.exitCode}`;
}

function virtualSizeOf(json: string): number | null {
  try {
    const size = (JSON.parse(json) as Record<string, unknown>)['virtual-size'];
    return typeof size === 'number' ? size : null;
  } catch (error) {
    throw new HandoverError('HOST_COMMAND_FAILED', `qemu-img info did not print JSON: ${messageOf(error)}`);
  }
}
