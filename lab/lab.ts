/**
 * The lab as a whole: up, down, and the handle scenarios and the demo work with.
 *
 * Invariants: a lab is used by one process at a time (`lock.ts`); `labDown` leaves nothing behind, whatever
 * state a killed run left; `labUp` starts from whatever it finds. Only `labUp` and `labDown` must be called
 * in the machine's own network namespace; everything that talks to the hosts runs inside the lab's
 * (`inNamespace`).
 * Callers: `main.ts`, scenarios, the demo, benches.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../src/base/clock.ts';
import type { Log } from '../src/base/log.ts';
import { ensureSnapshot } from './bake.ts';
import { ensureImage } from './build-image.ts';
import { hostPid, killHost, restoreHost } from './hosts.ts';
import { lock, type Release } from './lock.ts';
import { endProcesses, makeNamespace, removeNamespace } from './namespace.ts';
import { ensureLabPackages, missingLabPackages } from './packages.ts';
import { type ImagePaths, imagePaths, RUN_DIRECTORY, SSH_CONFIG } from './paths.ts';
import { hostExec, openSshMaster, writeSshConfig } from './ssh.ts';
import { HOST_LETTERS, type HostLetter, type HostPlace, hostPlace, NAMESPACE } from './topology.ts';
import { unlessAborted } from './unless-aborted.ts';

const STATE_FILE = join(RUN_DIRECTORY, 'state.json');
/** Another's whole run may come first. */
const LOCK_LIMIT_MS = 1_800_000;

export interface Lab {
  readonly hosts: Readonly<Record<HostLetter, HostPlace>>;
  /** Name of the network namespace from which the hosts can be reached (`inNamespace`). */
  readonly namespace: string;
  /** `ssh -F` file with user, key and known hosts; its parts: */
  readonly sshConfigPath: string;
  readonly sshKeyPath: string;
  readonly knownHostsPath: string;
  /**
   * The engine's certificates for `qemu+tls`: cacert.pem, clientcert.pem, clientkey.pem (libvirt's
   * `pkipath`).
   */
  readonly tlsDirectory: string;
}

interface State {
  readonly image: string;
  readonly snapshot: string;
}

/** How the lab is brought up. */
export interface UpOptions {
  readonly log: Log;
  /** True: hosts as freshly booted, whatever ran before. False (default): a lab that is up stays as it is. */
  readonly fresh?: boolean;
  /** What others who want the lab are told; default "lab up". */
  readonly purpose?: string;
  /** Breaks the start off: what of the lab runs by then is ended, the rejection is the signal's reason. */
  readonly signal?: AbortSignal;
}

/**
 * Brings the lab up, installing packages and building image and snapshot when they are missing, and holds its
 * lock until `release` is called or the process ends. The hosts go on running after that: end them with
 * `labDown`.
 */
export async function labUp(options: UpOptions): Promise<{ lab: Lab; release: Release }> {
  requireLabRights();
  const { log, signal, purpose = 'lab up' } = options;
  const release = await unlessAborted(signal, lock('lab', purpose, LOCK_LIMIT_MS, log));
  try {
    await unlessAborted(signal, bringUp(options));
    return { lab: openLab(), release };
  } catch (error) {
    if (signal?.aborted) await stopEverything();
    release();
    throw error;
  }
}

async function bringUp({ log, fresh }: UpOptions): Promise<void> {
  await ensureLabPackages(log);
  const image = await buildAlone('image', log, () => ensureImage(log));
  if (fresh || !isUp(image)) await startHosts(image, log);
}

/**
 * Puts both hosts back to their snapshot (seconds); the caller holds the lock. Every guest and process is
 * gone.
 */
export async function resetHosts(log: Log): Promise<void> {
  await startHosts(imagePaths(readState().image), log);
}

/**
 * Ends the lab and removes all of it but the cache. Safe whatever is, or is not, there. Who holds the lab's
 * lock hands it in as `held`, to be released at the end: others that wait for it must not come between.
 */
export async function labDown(log: Log, held?: Release): Promise<void> {
  requireLabRights();
  const release = held ?? (await lock('lab', 'lab down', LOCK_LIMIT_MS, log));
  try {
    await stopEverything();
  } finally {
    release();
  }
}

/** The running lab's handle, for processes that did not bring it up. Throws if it is not up. */
export function openLab(): Lab {
  const image = imagePaths(readState().image);
  const hosts = { a: hostPlace('a'), b: hostPlace('b') };
  return {
    hosts,
    namespace: NAMESPACE,
    sshConfigPath: SSH_CONFIG,
    sshKeyPath: image.sshKey,
    knownHostsPath: image.knownHosts,
    tlsDirectory: image.tlsDirectory,
  };
}

/** Whether each host's QEMU runs. */
export function labStatus(): Record<HostLetter, number | undefined> {
  return { a: hostPid('a'), b: hostPid('b') };
}

/** True if both hosts run, of whatever image. */
export function labIsUp(): boolean {
  return existsSync(STATE_FILE) && HOST_LETTERS.every((letter) => hostPid(letter) !== undefined);
}

function isUp(image: ImagePaths): boolean {
  return labIsUp() && readState().image === image.directory;
}

async function startHosts(image: ImagePaths, log: Log): Promise<void> {
  await stopEverything();
  const snapshot = await buildAlone('snapshot', log, () => ensureSnapshot(image, log));
  log.info('starting the hosts from their snapshots');
  await makeNamespace();
  mkdirSync(RUN_DIRECTORY, { recursive: true, mode: 0o700 });
  writeSshConfig(image);
  await Promise.all(HOST_LETTERS.map((letter) => restoreHost(letter, image, snapshot)));
  await Promise.all(
    HOST_LETTERS.map(async (letter) => {
      await openSshMaster(letter);
      // A restored host lives in the past: logs and certificates would disagree with this side.
      await hostExec(letter, `date -u -s @${(systemClock.now() / 1000).toFixed(3)} >/dev/null`);
    }),
  );
  const state: State = { image: image.directory, snapshot };
  writeFileSync(STATE_FILE, JSON.stringify(state));
}

/** Labs side by side share the cache: one builds at a time, the next finds it done. */
async function buildAlone<T>(what: string, log: Log, build: () => Promise<T>): Promise<T> {
  const release = await lock('cache', `building the ${what}`, LOCK_LIMIT_MS, log);
  try {
    return await build();
  } finally {
    release();
  }
}

async function stopEverything(): Promise<void> {
  for (const letter of HOST_LETTERS) await killHost(letter);
  await endProcesses();
  await removeNamespace();
  await rm(RUN_DIRECTORY, { recursive: true, force: true });
}

function readState(): State {
  if (!existsSync(STATE_FILE)) throw new Error('the lab is not up: "npm run lab -- up" brings it up');
  return JSON.parse(readFileSync(STATE_FILE, 'utf8')) as State;
}

function requireLabRights(): void {
  if (process.getuid?.() !== 0) {
    const missing = missingLabPackages();
    const packages = missing.length === 0 ? '' : `; that also installs ${missing.join(' ')}`;
    throw new Error(`the lab makes network namespaces: run it as root (sudo)${packages}`);
  }
  if (!existsSync('/dev/net/tun')) throw new Error('the lab needs /dev/net/tun: load the tun module');
}
