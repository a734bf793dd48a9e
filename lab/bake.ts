/**
 * Snapshots of both hosts, booted and warm, so that `up` takes seconds.
 *
 * Cached by image, QEMU and machine: a state loads only into the QEMU that wrote it, and emulated time
 * follows the machine's. Invariant: no VF is in use in a snapshot (one in use is dead after a restore: QEMU's
 * igb).
 * Callers: `lab.ts`, with no host running.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Log } from '../src/base/log.ts';
import { cachedOr, hashOf, sourcesOf } from './cache.ts';
import { bootGuest } from './guest.ts';
import { bootHost, killHost, machineDescription, waitForBoot } from './hosts.ts';
import { makeNamespace } from './namespace.ts';
import { type ImagePaths, RUN_DIRECTORY, runPaths, snapshotPaths } from './paths.ts';
import { layDown } from './ready-guest.ts';
import { openQmp, saveState } from './qmp.ts';
import { run } from './shell.ts';
import { hostExec, writeSshConfig } from './ssh.ts';
import { HOST_LETTERS } from './topology.ts';

const SOURCES = ['bake.ts', 'hosts.ts', 'guest.ts', 'guest-xml.ts', 'ready-guest.ts'];

/** Returns the snapshot directory for `image`, booting and saving the hosts first if it is not cached. */
export async function ensureSnapshot(image: ImagePaths, log: Log): Promise<string> {
  return cachedOr('snapshot', await snapshotKey(image), async (directory) => {
    log.info('booting the hosts once, to keep them as snapshots (half a minute on a quiet machine)');
    await bake(image, directory);
  });
}

async function snapshotKey(image: ImagePaths): Promise<string> {
  const cpu = /^model name.*$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[0] ?? '';
  const identity = readFileSync(join(image.directory, 'id'), 'utf8');
  const version = await run('qemu-system-x86_64', ['--version']);
  return hashOf([identity, version, cpu, machineDescription(), ...sourcesOf(...SOURCES)]);
}

async function bake(image: ImagePaths, directory: string): Promise<void> {
  await makeNamespace();
  mkdirSync(RUN_DIRECTORY, { recursive: true, mode: 0o700 });
  writeSshConfig(image);
  try {
    for (const letter of HOST_LETTERS) {
      const { disk } = snapshotPaths(directory, letter);
      await run('qemu-img', ['create', '-q', '-f', 'qcow2', '-b', image.hostDisk, '-F', 'raw', disk]);
      await bootHost(letter, image, disk);
    }
    await Promise.all(HOST_LETTERS.map(waitForBoot));
    // Host a is the file server: it must be up before either mounts.
    const mount = 'mount -t nfs4 -o vers=4.2,hard,timeo=100 hosta:/ /srv/shared';
    // libvirt asks QEMU for its abilities once, which takes ten seconds: better here than in the first
    // migration.
    const warm = 'virsh -q capabilities >/dev/null; virsh -q domcapabilities --virttype kvm >/dev/null';
    await Promise.all(
      HOST_LETTERS.map((letter) => hostExec(letter, `${mount} && { ${warm}; }`, { limitMs: 300_000 })),
    );
    const guest = await bootGuest('a', { vf: null });
    await layDown('a', guest.shape);
    const trim = 'sync; echo 3 >/proc/sys/vm/drop_caches; sync';
    await Promise.all(HOST_LETTERS.map((letter) => hostExec(letter, trim)));
    // Both stop before either is saved: what one sends to the other meanwhile would be lost.
    const machines = [];
    for (const letter of HOST_LETTERS) machines.push({ letter, qmp: await openQmp(runPaths(letter).qmp) });
    for (const { qmp } of machines) await qmp.execute('stop');
    for (const { letter, qmp } of machines) {
      await saveState(qmp, snapshotPaths(directory, letter).state);
      await qmp.execute('quit');
      qmp.close();
    }
  } finally {
    for (const letter of HOST_LETTERS) await killHost(letter);
  }
}
