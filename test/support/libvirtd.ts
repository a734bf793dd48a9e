/**
 * Starts real libvirt daemons for tests, each with directories, host name and loopback address of its own, so
 * that several run beside each other and beside the machine's own. Needs root (mount namespaces).
 *
 * Invariants: what a run leaves is found by the next start, because every daemon's directory names the
 * process that owns it; the directories of dead owners are cleared, their daemons and guests ended. `stop`
 * leaves nothing. Facts: libvirtd compares host UUID and host name to refuse a migration to itself, and
 * refuses 127.0.0.1 but not other loopback addresses as migration address.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock, until } from '../../src/base/clock.ts';
import { systemRandom } from '../../src/base/random.ts';
import { silentLog } from '../../src/base/log.ts';
import { connect } from '../../src/libvirt/index.ts';
import { requireRoot } from '../../tools/setup/apt.ts';
import { claimAddress, type LoopbackAddress } from './loopback-address.ts';
import { endProcessOf, isAlive } from './namespace-processes.ts';

const PREFIX = 'handover-wire-';
const SCRIPT = join(dirname(fileURLToPath(import.meta.url)), 'libvirtd-namespace.sh');
const START_LIMIT_MS = 60_000;

/** What distinguishes one daemon from another. */
export interface LibvirtdOptions {
  /** Host name and part of the directory's name. */
  readonly name: string;
  /** Where its TCP and TLS ports listen, given back on `stop`; absent: a free one is claimed. */
  readonly address?: LoopbackAddress | undefined;
  /** Root of an unpacked libvirt; absent: the installed one. */
  readonly root?: string | undefined;
  /** PEM files of the host; absent: no TLS. */
  readonly tls?: { readonly caFile: string; readonly certFile: string; readonly keyFile: string } | undefined;
  /** Configuration file of an sshd to start within, ended with the daemon; absent: none. */
  readonly sshdConfig?: string | undefined;
  /** Further lines of libvirtd.conf. */
  readonly extraConfig?: readonly string[];
}

export interface Libvirtd {
  readonly name: string;
  readonly directory: string;
  /** 127.0.1.N */
  readonly ip: string;
  readonly socketPath: string;
  readonly pid: number;
  /** Of `driver`, `qemu` by default, over the unix socket. */
  unixUri(driver?: 'qemu' | 'test'): string;
  tcpUri(driver?: 'qemu' | 'test'): string;
  /** The daemon's own log, for messages of failed tests. */
  log(): string;
  /** SIGKILL to the daemon only; guests live on. Resolves when it is gone. */
  kill(): Promise<void>;
  /** Ends daemon and guests and removes the directory. May be called again. */
  stop(): Promise<void>;
}

/** Starts a daemon and waits until it answers. Throws with its output if it does not. */
export async function startLibvirtd(options: LibvirtdOptions): Promise<Libvirtd> {
  requireRoot('start libvirt daemons for tests');
  await clearStale();
  const address = options.address ?? (await claimAddress());
  const directory = mkdtempSync(join(tmpdir(), `${PREFIX}${options.name}-`));
  writeFileSync(join(directory, 'owner'), String(process.pid));
  for (const part of ['run', 'lib', 'etc', 'log', 'cache', 'etc/qemu']) mkdirSync(join(directory, part));
  const cache = capabilitiesCache(options);
  if (existsSync(cache))
    cpSync(cache, join(directory, 'cache'), { recursive: true, preserveTimestamps: true });
  writeFileSync(join(directory, 'etc/libvirtd.conf'), daemonConfig(options, address, directory));
  writeFileSync(join(directory, 'etc/qemu.conf'), qemuConfig(address));
  writeFileSync(join(directory, 'etc/network.conf'), '');
  const child = spawnDaemon(options, directory);
  const daemon = new RunningLibvirtd(options, address, directory, child);
  try {
    await answers(daemon, child);
  } catch (error) {
    const log = daemon.log();
    await daemon.stop();
    throw new Error(`libvirtd ${options.name} does not start: ${String(error)}\n${log}`);
  }
  return daemon;
}

class RunningLibvirtd implements Libvirtd {
  readonly name: string;
  readonly directory: string;
  readonly ip: string;
  readonly socketPath: string;
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #address: LoopbackAddress;
  readonly #cache: string;

  constructor(options: LibvirtdOptions, address: LoopbackAddress, directory: string, child: ChildProcess) {
    this.name = options.name;
    this.directory = directory;
    this.ip = address.ip;
    this.#address = address;
    this.socketPath = join(directory, 'run/libvirt-sock');
    this.pid = child.pid ?? 0;
    this.#child = child;
    this.#cache = capabilitiesCache(options);
  }

  unixUri(driver: 'qemu' | 'test' = 'qemu'): string {
    return `${driver}+unix:///${driver === 'qemu' ? 'system' : 'default'}?socket=${this.socketPath}`;
  }

  tcpUri(driver: 'qemu' | 'test' = 'qemu'): string {
    return `${driver}+tcp://${this.ip}/${driver === 'qemu' ? 'system' : 'default'}`;
  }

  log(): string {
    const path = join(this.directory, 'output');
    return existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(-40).join('\n') : '';
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const gone = new Promise<void>((resolve) => {
        this.#child.once('exit', () => resolve());
      });
      this.#child.kill('SIGKILL');
      await gone;
    }
  }

  async stop(): Promise<void> {
    await this.kill();
    const found = join(this.directory, 'cache');
    if (existsSync(join(found, 'qemu')) && !existsSync(this.#cache)) {
      cpSync(found, this.#cache, { recursive: true, preserveTimestamps: true });
    }
    await clear(this.directory);
    this.#address.release();
  }
}

function spawnDaemon(options: LibvirtdOptions, directory: string): ChildProcess {
  const script = [SCRIPT, directory, options.name, options.root ?? '-', options.sshdConfig ?? '-'];
  const daemon = [
    '--listen',
    '-f',
    join(directory, 'etc/libvirtd.conf'),
    '-p',
    join(directory, 'libvirtd.pid'),
  ];
  const child = spawn('unshare', ['-m', '-u', '--propagation', 'private', 'bash', ...script, ...daemon], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const keep = (bytes: Buffer) => {
    if (existsSync(directory)) writeFileSync(join(directory, 'output'), bytes, { flag: 'a' });
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  writeFileSync(join(directory, 'daemon.pid'), String(child.pid ?? 0));
  return child;
}

function daemonConfig(options: LibvirtdOptions, address: LoopbackAddress, directory: string): string {
  const tls = options.tls;
  return [
    `host_uuid = "${systemRandom.uuid()}"`,
    `unix_sock_dir = "${directory}/run"`,
    'unix_sock_group = "root"',
    'auth_unix_ro = "none"',
    'auth_unix_rw = "none"',
    `listen_addr = "${address.ip}"`,
    'listen_tcp = 1',
    'auth_tcp = "none"',
    `listen_tls = ${tls ? 1 : 0}`,
    ...(tls
      ? [`ca_file = "${tls.caFile}"`, `cert_file = "${tls.certFile}"`, `key_file = "${tls.keyFile}"`]
      : []),
    ...(options.extraConfig ?? []),
    '',
  ].join('\n');
}

function qemuConfig(address: LoopbackAddress): string {
  const first = 49_152 + address.number * 16;
  return [
    `migration_address = "${address.ip}"`,
    `migration_host = "${address.ip}"`,
    // All daemons share the ports of one network namespace.
    `migration_port_min = ${first}`,
    `migration_port_max = ${first + 15}`,
    'stdio_handler = "file"',
    'security_driver = "none"',
    'namespaces = []',
    'cgroup_controllers = []',
    'user = "root"',
    'group = "root"',
    'dynamic_ownership = 0',
    '',
  ].join('\n');
}

/** Waits until the daemon opens a connection, or has ended. */
async function answers(daemon: Libvirtd, child: ChildProcess): Promise<void> {
  await until(systemClock, `libvirtd ${daemon.name}`, { limitMs: START_LIMIT_MS, everyMs: 50 }, async () => {
    if (child.exitCode !== null) throw new Error(`it ended with status ${child.exitCode}`);
    if (!existsSync(daemon.socketPath)) return undefined;
    const client = await connect(daemon.unixUri('test'), { clock: systemClock, log: silentLog }).catch(
      () => null,
    );
    await client?.close();
    return client === null ? undefined : true;
  });
}

/** Ends what directories of dead owners still run, and removes them. */
async function clearStale(): Promise<void> {
  for (const name of readdirSync(tmpdir()).filter((each) => each.startsWith(PREFIX))) {
    const directory = join(tmpdir(), name);
    const owner = readNumber(join(directory, 'owner'));
    if (owner !== null && !isAlive(owner)) await clear(directory);
  }
}

/** Ends the daemon, its sshd and its guests by their pid files, and removes the directory. */
async function clear(directory: string): Promise<void> {
  if (!existsSync(directory)) return;
  const guests = join(directory, 'run/qemu');
  const guestFiles = existsSync(guests) ? readdirSync(guests).filter((name) => name.endsWith('.pid')) : [];
  const files = ['daemon.pid', 'sshd.pid', ...guestFiles.map((name) => join('run/qemu', name))];
  for (const file of files) {
    const pid = readNumber(join(directory, file));
    if (pid !== null) await endProcessOf(basename(directory), pid);
  }
  rmSync(directory, { recursive: true, force: true });
}

/**
 * What libvirtd found out about QEMU takes it 5 to 10 s; it checks itself whether what it finds is still
 * true.
 */
function capabilitiesCache(options: LibvirtdOptions): string {
  return join(
    homedir(),
    '.cache/handover/libvirt-capabilities',
    options.root ? basename(options.root) : 'system',
  );
}

function readNumber(path: string): number | null {
  if (!existsSync(path)) return null;
  const number = Number(readFileSync(path, 'utf8').trim());
  return Number.isInteger(number) && number > 1 ? number : null;
}
