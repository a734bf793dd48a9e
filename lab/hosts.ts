/**
 * The two nested hosts: their QEMU command line, start, restore from a snapshot, stop.
 *
 * Every process is QEMU in the lab's namespace with a pid file in the run directory; its disk is an overlay
 * thrown away at the end. Facts behind the command line: 2560 MiB, because VF BARs above 4 GiB do not work in
 * QEMU's igb; always TCG, so that it is the same lab on every machine.
 * Callers: `bake.ts`, `lab.ts`.
 */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { systemClock, until } from '../src/base/clock.ts';
import { commandLine, runInNamespace, tapName } from './namespace.ts';
import { type ImagePaths, runPaths, snapshotPaths } from './paths.ts';
import { loadState, openQmp } from './qmp.ts';
import { hostPlace, type HostLetter, VF_COUNT } from './topology.ts';

const MEMORY_MIB = 2560;
const CPU =
  'qemu64,+svm,+npt,+vgif,+svme-addr-chk,+popcnt,+ssse3,+sse4.1,+sse4.2,+rdrand,+x2apic,+pdpe1gb,+fsgsbase';
const MACHINE = 'q35,hpet=off,smbus=off,sata=off,i8042=off,vmport=off';

/** Generous: a quiet machine takes 20 s, one with a load of 8 took a minute. */
const BOOT_LIMIT_MS = 300_000;

/** A disk for QEMU's `-drive`. */
interface Disk {
  readonly file: string;
  readonly format: 'raw' | 'qcow2';
  /** Changes go to a temporary file that vanishes with the process. */
  readonly throwAway: boolean;
}

/**
 * Starts a host that keeps its disk at `overlay` (a qcow2 over the image), for baking; does not wait for its
 * boot.
 */
export async function bootHost(letter: HostLetter, image: ImagePaths, overlay: string): Promise<void> {
  await startQemu(letter, image, { file: overlay, format: 'qcow2', throwAway: false }, []);
}

/** Starts a host from a snapshot made by `bake`: running again in seconds, as it was then. */
export async function restoreHost(letter: HostLetter, image: ImagePaths, snapshot: string): Promise<void> {
  const files = snapshotPaths(snapshot, letter);
  const disk: Disk = { file: files.disk, format: 'qcow2', throwAway: true };
  await startQemu(letter, image, disk, ['-incoming', 'defer']);
  const qmp = await openQmp(runPaths(letter).qmp);
  await loadState(qmp, files.state);
  qmp.close();
}

/** Waits until a booted host said "ready" on its console; an error has the console's last lines. */
export async function waitForBoot(letter: HostLetter): Promise<void> {
  const console = () => readIfThere(runPaths(letter).console);
  const limits = { limitMs: BOOT_LIMIT_MS, everyMs: 300 };
  try {
    await until(systemClock, `host ${letter} booted`, limits, () => {
      if (/^LAB [\d.]+ ready/m.test(console())) return true;
      if (hostPid(letter) === undefined) throw new Error('its QEMU ended');
      return undefined;
    });
  } catch (error) {
    const last = console().trimEnd().split('\n').slice(-20).join('\n');
    throw new Error(`host ${letter} did not boot; its console ended with:\n${last}`, { cause: error });
  }
}

/** The pid of a host's QEMU, if it runs; a stale pid file names no QEMU of ours. */
export function hostPid(letter: HostLetter): number | undefined {
  const { pid: file, qmp } = runPaths(letter);
  if (!existsSync(file)) return undefined;
  const pid = Number(readFileSync(file, 'utf8').trim());
  const command = commandLine(pid);
  return command.includes('qemu-system') && command.includes(qmp) ? pid : undefined;
}

/** Ends a host at once, as a power cut does; nothing if it does not run. */
export async function killHost(letter: HostLetter): Promise<void> {
  const pid = hostPid(letter);
  if (pid !== undefined) {
    process.kill(pid, 'SIGKILL');
    await until(systemClock, `host ${letter} ended`, { limitMs: 20_000, everyMs: 50 }, () =>
      hostPid(letter) === undefined ? true : undefined,
    );
  }
  for (const file of Object.values(runPaths(letter))) rmSync(file, { force: true });
}

/** Pulls the cable of a host's PF, or puts it back. The guests' VFs on it lose their link too. */
export async function setPfCable(letter: HostLetter, state: 'in' | 'out'): Promise<void> {
  const qmp = await openQmp(runPaths(letter).qmp);
  try {
    await qmp.execute('set_link', { name: 'pf', up: state === 'in' });
  } finally {
    qmp.close();
  }
}

function readIfThere(path: string): string {
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}

async function startQemu(letter: HostLetter, image: ImagePaths, disk: Disk, more: string[]): Promise<void> {
  const command = ['qemu-system-x86_64', ...qemuArguments(letter, image, disk), ...more];
  await runInNamespace(command, { limitMs: 60_000 });
}

/** What decides whether a snapshot fits, files aside; part of the snapshot's key. */
export function machineDescription(): string {
  return [MACHINE, CPU, MEMORY_MIB, VF_COUNT].join(' ');
}

function qemuArguments(letter: HostLetter, image: ImagePaths, disk: Disk): string[] {
  const place = hostPlace(letter);
  const files = runPaths(letter);
  const nic = (id: 'management' | 'uplink', mac: string) => [
    ...['-netdev', `tap,id=${id},ifname=${tapName(letter, id)},script=no,downscript=no`],
    ...['-device', `virtio-net-pci,netdev=${id},mac=${mac},romfile=`],
  ];
  const kernel = [
    'console=ttyS0 quiet loglevel=4 audit=0 apparmor=0 nowatchdog nokaslr net.ifnames=0 random.trust_cpu=on',
    'intel_iommu=on iommu=nopt mitigations=off tsc=reliable no_timer_check clearcpuid=rep_good',
    `lab.host=${letter} lab.n=${place.number} lab.vfs=${VF_COUNT}`,
  ];
  return [
    ...['-name', `handover-lab-${place.name}`, '-uuid', place.uuid],
    ...['-pidfile', files.pid, '-daemonize', '-display', 'none', '-nodefaults', '-no-user-config'],
    ...['-machine', MACHINE, '-accel', 'tcg,thread=multi,tb-size=512', '-cpu', CPU],
    ...['-smp', '1', '-m', String(MEMORY_MIB), '-device', 'intel-iommu,intremap=on'],
    ...['-kernel', image.hostKernel, '-initrd', image.hostInitrd, '-append', kernel.join(' ')],
    '-drive',
    `if=none,id=disk,file=${disk.file},format=${disk.format},cache=unsafe,` +
      `snapshot=${disk.throwAway ? 'on' : 'off'}`,
    ...['-device', 'virtio-blk-pci,drive=disk'],
    ...nic('management', place.managementMac),
    ...nic('uplink', place.uplinkMac),
    ...['-netdev', `tap,id=pf,ifname=${tapName(letter, 'pf')},script=no,downscript=no`],
    ...['-device', 'pcie-root-port,id=rp1,chassis=1,slot=1'],
    ...['-device', `igb,bus=rp1,netdev=pf,mac=${place.pfMac},romfile=`],
    ...['-device', 'virtio-rng-pci'],
    ...['-serial', `file:${files.console}`, '-qmp', `unix:${files.qmp},server=on,wait=off`],
  ];
}
