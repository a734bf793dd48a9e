/**
 * Where the lab keeps things. Two places: a cache that survives (`~/.cache/handover/lab`: root file system,
 * image, snapshots, each in a directory named by the hash of its inputs) and the live state (`/run/<lab>`:
 * pid files, control sockets, consoles), which `down` removes.
 * Callers: the modules of `lab/`.
 */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { type HostLetter, NAMESPACE } from './topology.ts';

/** The directory of this file: sources that go into the image are below it. */
export const LAB_DIRECTORY = import.meta.dirname;

/** Root of the repository. */
export const REPOSITORY = join(LAB_DIRECTORY, '..');

/** The cache's directory; `HANDOVER_LAB_CACHE` moves it. */
export function cacheDirectory(): string {
  return process.env['HANDOVER_LAB_CACHE'] ?? join(homedir(), '.cache', 'handover', 'lab');
}

/** Live state of this lab. */
export const RUN_DIRECTORY = join('/run', NAMESPACE);

/** Files of an image directory. */
export function imagePaths(directory: string) {
  return {
    directory,
    hostDisk: join(directory, 'host.ext4'),
    hostKernel: join(directory, 'vmlinux'),
    hostInitrd: join(directory, 'host.initrd'),
    /** ssh key pair of engine and scenarios, and the hosts' real keys. */
    sshKey: join(directory, 'keys', 'engine_ed25519'),
    knownHosts: join(directory, 'keys', 'known_hosts'),
    /** `cacert.pem`, `clientcert.pem`, `clientkey.pem` of the engine. */
    tlsDirectory: join(directory, 'keys', 'tls-engine'),
  } as const;
}
export type ImagePaths = ReturnType<typeof imagePaths>;

/** Files of one host inside a snapshot directory. */
export function snapshotPaths(directory: string, letter: HostLetter) {
  return { disk: join(directory, `host-${letter}.qcow2`), state: join(directory, `host-${letter}.vmstate`) };
}

/** Live files of one host. */
export function runPaths(letter: HostLetter) {
  return {
    pid: join(RUN_DIRECTORY, `host-${letter}.pid`),
    qmp: join(RUN_DIRECTORY, `host-${letter}.qmp`),
    console: join(RUN_DIRECTORY, `host-${letter}.console`),
    sshControl: join(RUN_DIRECTORY, `host-${letter}.ssh`),
  } as const;
}

/** ssh configuration for `ssh -F`, naming key and known hosts. */
export const SSH_CONFIG = join(RUN_DIRECTORY, 'ssh_config');
