/**
 * What the tests of the wire client need from Debian: a libvirt daemon with QEMU, ssh and openssl; and,
 * beside it, libvirt 9.0 unpacked in the user's cache, because 9.0 is the oldest version promised.
 *
 * Callers: the bootstrap and the wire tests. Services are not started by us; a system that starts libvirtd on
 * installation may go on doing so, the tests use daemons of their own.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Log } from '../../src/base/log.ts';
import {
  aptGet,
  backportsSuite,
  ensureBackports,
  installPackages,
  isKnownToApt,
  knownVersion,
  missingPackages,
  releaseCodename,
  requireRoot,
  updateLists,
} from './apt.ts';

/** On Debian 12 these are taken from backports. */
const DAEMON_PACKAGES = [
  'libvirt-daemon',
  'libvirt-daemon-driver-qemu',
  'libvirt-clients',
  'qemu-system-x86',
  'qemu-utils',
];
/** Packages of their own since libvirt 10.6, part of libvirt-daemon before. */
const SPLIT_PACKAGES = ['libvirt-daemon-driver-nodedev', 'libvirt-daemon-driver-network'];
const TOOL_PACKAGES = [
  'openssh-client',
  'openssh-server',
  'openssl',
  'netcat-openbsd',
  'iproute2',
  'util-linux',
];

/** libvirt 9.0 as Debian 12 has it. */
const LIBVIRT_90_PACKAGES = ['libvirt0', 'libvirt-daemon', 'libvirt-daemon-driver-qemu'];
/** Libraries it needs that newer versions no longer pull in. */
const LIBVIRT_90_LIBRARIES = ['libyajl2', 'libpcap0.8'];

/**
 * Names of packages to install for the wire tests, empty if all are there. Asks apt only if something is
 * missing.
 */
export function missingWirePackages(): string[] {
  return [...missingPackages(TOOL_PACKAGES), ...missingDaemonPackages()];
}

function missingDaemonPackages(): string[] {
  return [...missingPackages(DAEMON_PACKAGES), ...missingPackages(SPLIT_PACKAGES).filter(isKnownToApt)];
}

/**
 * Installs what the wire tests need; on Debian 12 from backports. Says first what; does nothing if all is
 * there.
 */
export async function ensureWirePackages(log: Log): Promise<void> {
  const missing = missingWirePackages();
  if (missing.length === 0) return;
  const from = backportsSuite();
  requireRoot(`install ${missing.join(' ')}${from === null ? '' : ` (libvirt and QEMU from ${from})`}`);
  await installPackages(TOOL_PACKAGES, { log });
  if (missingDaemonPackages().length === 0) return;
  // Which packages there are decides what is asked for.
  await updateLists(log);
  const suite = await ensureBackports(log);
  await installPackages(missingDaemonPackages(), { log, suite });
}

/**
 * The directory below which libvirt 9.0's files lie as Debian 12 would install them, unpacked if need be;
 * null on a release whose archive has no 9.0. Needs no root. An interrupted unpacking leaves nothing that
 * counts as finished.
 */
export async function ensureLibvirt90(log: Log): Promise<string | null> {
  const cache = join(homedir(), '.cache', 'handover');
  const root = join(cache, 'libvirt-9.0');
  if (existsSync(join(root, 'usr/sbin/libvirtd'))) return root;
  if (releaseCodename() !== 'bookworm') return null;
  // Old lists name files that are gone.
  if (process.getuid?.() === 0) await updateLists(log);
  const packages = [
    ...LIBVIRT_90_PACKAGES.map((name) => `${name}=${knownVersion(name, '9.0.')}`),
    ...LIBVIRT_90_LIBRARIES,
  ];
  log.info(`unpacking libvirt 9.0 into ${root} (not installed): ${packages.join(' ')}`);
  mkdirSync(cache, { recursive: true });
  const work = mkdtempSync(join(cache, 'libvirt-9.0-'));
  try {
    await aptGet(['download', ...packages], log, work);
    for (const file of readdirSync(work).filter((name) => name.endsWith('.deb'))) {
      const unpacked = spawnSync('dpkg-deb', ['-x', join(work, file), join(work, 'root')], {
        encoding: 'utf8',
      });
      if (unpacked.status !== 0) throw new Error(`dpkg-deb cannot unpack ${file}: ${unpacked.stderr}`);
    }
    rmSync(root, { recursive: true, force: true });
    renameSync(join(work, 'root'), root);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return root;
}
