/**
 * Guests on the lab's hosts: boot one, ask it things, see where its traffic goes, take the hosts' view of its
 * VF.
 *
 * What it tells is read on the hosts and in the guest, never remembered. Callers: scenarios, the demo,
 * benches; they run inside the lab's namespace or outside alike.
 */
import { consolePath, type GuestMachine, type GuestShape, guestXml, vfSlot } from './guest-xml.ts';
import { wakeUp } from './ready-guest.ts';
import { waitForVfOutside } from './neighbour.ts';
import type { RunResult } from './shell.ts';
import { hostExec, tryHostExec } from './ssh.ts';
import { type GuestPlace, guestPlace, type HostLetter, PF, vfPciAddress } from './topology.ts';

/** Quiet machine: 12 to 25 s. */
const BOOT_LIMIT_S = 240;
const BOND_LIMIT_S = 120;
/** Drivers of a bond's legs in the guests. */
const LEG_DRIVERS = {
  vf: '/sys/bus/pci/drivers/igbvf',
  standby: '/sys/bus/virtio/drivers/virtio_net',
} as const;
/** Enough for kernel, initrd and the agent. */
const MEMORY_MIB = 160;
/** Enough for systemd, udev, D-Bus and a network manager beside them. */
const MANAGED_MEMORY_MIB = 320;

/** What may differ from the ordinary guest. */
export interface GuestOptions {
  /** 1..99; gives name, addresses and MACs. Default 1. */
  readonly number?: number;
  /** Default `pc`. */
  readonly machine?: GuestMachine;
  /** Index of the host's VF in the definition; null: none. Default 0. */
  readonly vf?: number | null;
  /** Root disk on the host; default: the guest lives in memory. */
  readonly disk?: GuestShape['disk'];
  /** False makes it transient (`virsh create`). Default true. */
  readonly persistent?: boolean;
  readonly memoryMiB?: number;
  readonly metadataXml?: string;
  /** See `GuestShape.agent`. */
  readonly agent?: GuestShape['agent'];
  readonly standbyByQemu?: boolean;
  /** See `GuestShape.manager`. Its disk is made on `/srv/shared` when it is booted. */
  readonly manager?: GuestShape['manager'];
  /** It has an IPv6 address and no IPv4 address. Only with a `manager`. */
  readonly isIpv6Only?: true;
}

export interface Guest {
  readonly place: GuestPlace;
  readonly machine: GuestMachine;
  readonly shape: GuestShape;
}

/**
 * Makes a guest run on `host`, from its snapshot if it is the ordinary one, and waits until its userland, and
 * its VF if it has one, carry traffic.
 * Throws with the console's last lines when it does not come up.
 */
export async function bootGuest(host: HostLetter, options: GuestOptions = {}): Promise<Guest> {
  const guest = describeGuest(options);
  if (!(options.persistent !== false && (await wakeUp(host, guest.shape))))
    await bootAnew(host, guest, options);
  if (guest.shape.vfPciAddress && !guest.shape.manager) await waitForVf(host, guest);
  return guest;
}

async function bootAnew(host: HostLetter, guest: Guest, options: GuestOptions): Promise<void> {
  const { name } = guest.place;
  const file = `/tmp/${name}.xml`;
  const { disk, manager } = guest.shape;
  if (disk && manager) {
    const create = `qemu-img create -q -f qcow2 -b /lab/managed-guest.qcow2 -F qcow2 ${disk.path}`;
    await hostExec(host, create);
  }
  const begin =
    options.persistent === false
      ? `virsh -q create ${file}`
      : `virsh -q define ${file} && virsh -q start ${name}`;
  await hostExec(host, `cat >${file} && : >${consolePath(name)} && ${begin}`, {
    input: guestXml(guest.shape),
    limitMs: 180_000,
  });
  await waitForGuest(host, guest);
}

/** A guest as `bootGuest` would make it, without making it. */
export function describeGuest(options: GuestOptions = {}): Guest {
  const place = guestPlace(options.number ?? 1, options.isIpv6Only ? 6 : 4);
  const machine = options.machine ?? 'pc';
  const vf = options.vf === undefined ? 0 : options.vf;
  const shape: GuestShape = {
    place,
    machine,
    memoryMiB: options.memoryMiB ?? (options.manager ? MANAGED_MEMORY_MIB : MEMORY_MIB),
    ...(vf === null ? {} : { vfPciAddress: vfPciAddress(vf) }),
    ...(options.disk ? { disk: options.disk } : {}),
    ...(options.metadataXml ? { metadataXml: options.metadataXml } : {}),
    ...(options.standbyByQemu ? { standbyByQemu: true } : {}),
    ...(options.agent ? { agent: options.agent } : {}),
    ...(options.manager
      ? { manager: options.manager, disk: { path: `/srv/shared/${place.name}.qcow2`, format: 'qcow2' } }
      : {}),
  };
  return { place, machine, shape };
}

/** Waits until a starting guest's console says "ready"; the console was emptied before the start. */
export async function waitForGuest(host: HostLetter, guest: Guest): Promise<void> {
  const console = consolePath(guest.place.name);
  // Waiting on the host costs it less than asking over and over from outside.
  const wait =
    `for _ in $(seq ${BOOT_LIMIT_S * 2}); do grep -aqs "^GUEST .* ready" ${console} && ` +
    `exit 0; sleep 0.5; done`;
  const result = await tryHostExec(host, `${wait}; tail -n 20 ${console} >&2; exit 1`, {
    limitMs: (BOOT_LIMIT_S + 60) * 1000,
  });
  if (result.status !== 0) {
    throw new Error(`guest ${guest.place.name} did not boot on host ${host}; its console: ${result.stderr}`);
  }
}

/**
 * Runs a shell command in the guest through its agent; returns how it ended (125: the agent did not answer).
 */
export function tryGuestExec(host: HostLetter, guest: Guest, command: string): Promise<RunResult> {
  const quoted = `'${command.replaceAll("'", "'\\''")}'`;
  return tryHostExec(host, `guest-exec ${guest.place.name} ${quoted}`, { limitMs: 300_000 });
}

/** `tryGuestExec` that returns what the command printed, trimmed, and throws if it failed. */
export async function guestExec(host: HostLetter, guest: Guest, command: string): Promise<string> {
  const result = await tryGuestExec(host, guest, command);
  const text = result.stdout.toString().trim();
  if (result.status === 0) return text;
  throw new Error(
    `guest ${guest.place.name}: "${command}" failed (status ${result.status}): ${text} ${result.stderr}`,
  );
}

/** Writes a file of the guest through its agent; `path` is absolute, its directory is there. */
export async function writeGuestFile(
  host: HostLetter,
  guest: Guest,
  path: string,
  content: string,
): Promise<void> {
  await hostExec(host, `guest-write ${guest.place.name} ${path}`, { input: content, limitMs: 120_000 });
}

/** The bond's active interface as the guest names it; undefined if none, or if the agent does not answer. */
export async function activeInterface(host: HostLetter, guest: Guest): Promise<string | undefined> {
  const result = await tryGuestExec(host, guest, 'cat /sys/class/net/bond0/bonding/active_slave');
  const name = result.stdout.toString().trim();
  return result.status === 0 && name !== '' ? name : undefined;
}

/** Waits until the guest's bond sends over `interfaceName`; an error says what the bond has instead. */
export function waitForActive(host: HostLetter, guest: Guest, interfaceName: string): Promise<void> {
  return waitForBond(host, guest, interfaceName, `[ "$active" = ${interfaceName} ]`);
}

/**
 * Waits until the guest's traffic goes over its VF, as the guest tells, whatever the VF's name; or as its
 * neighbours tell where it tells nothing.
 */
export function waitForVf(host: HostLetter, guest: Guest): Promise<void> {
  return guest.shape.agent ? waitForVfOutside(guest) : waitForLeg(host, guest, 'vf');
}

/** Waits until the guest's bond sends over this leg of it, whatever its name. */
export function waitForLeg(host: HostLetter, guest: Guest, leg: keyof typeof LEG_DRIVERS): Promise<void> {
  return waitForBond(host, guest, leg, `[ /sys/class/net/$active/device/driver -ef ${LEG_DRIVERS[leg]} ]`);
}

/** Until `test`, a shell command about the active interface `$active`, succeeds; `wanted` says what it is. */
async function waitForBond(host: HostLetter, guest: Guest, wanted: string, test: string): Promise<void> {
  // The guest waits by itself: asking it over and over would cost its host more CPU than the guest has. Nor
  // does it start programs to look: it needs its CPU for what is waited for.
  const loop =
    `for _ in $(seq ${BOND_LIMIT_S * 5}); do active=; ` +
    `[ -e /sys/class/net/bond0 ] && read -r active </sys/class/net/bond0/bonding/active_slave; ` +
    `${test} && exit 0; sleep 0.2; done`;
  const result = await tryGuestExec(host, guest, `${loop}; cat /proc/net/bonding/bond0; exit 1`);
  if (result.status === 0) return;
  const seen = `${result.stdout.toString()}${result.stderr}`;
  throw new Error(`bond of ${guest.place.name} is not on ${wanted} after ${BOND_LIMIT_S} s: ${seen}`);
}

/** What a host itself says about one of its VFs. */
export interface VfFacts {
  /** Kernel driver, null if none. */
  readonly driver: string | null;
  /** MAC and VLAN as the PF has them for this VF. */
  readonly mac: string;
  readonly vlan: number;
}

/** Reads VF `index` of `host` from sysfs and the PF's link. */
export async function vfFacts(host: HostLetter, index: number): Promise<VfFacts> {
  const driver = `readlink /sys/bus/pci/devices/${vfPciAddress(index)}/driver || echo none`;
  const answer = await hostExec(host, `${driver}; ip -j -d link show ${PF.name}`);
  const [link = '', ...json] = answer.split('\n');
  const shown = JSON.parse(json.join('\n')) as [
    { vfinfo_list: { vf: number; address: string; vlan_list?: { vlan?: number }[] }[] },
  ];
  const info = shown[0].vfinfo_list.find((entry) => entry.vf === index);
  if (!info) throw new Error(`host ${host} has no VF ${index}`);
  const name = link.split('/').at(-1) ?? '';
  return {
    driver: name === 'none' ? null : name,
    mac: info.address,
    vlan: info.vlan_list?.[0]?.vlan ?? 0,
  };
}

/**
 * State of the guest's domain on `host` as libvirt words it (`running`, `paused`, `shut off`); undefined if
 * none.
 */
export async function domainState(host: HostLetter, guest: Guest): Promise<string | undefined> {
  const result = await tryHostExec(host, `virsh -q domstate ${guest.place.name}`);
  return result.status === 0 ? result.stdout.toString().trim() : undefined;
}

/**
 * The domain's XML on `host`: the running one, or what its next start would use. Throws if there is no
 * domain.
 */
export function domainXml(host: HostLetter, guest: Guest, which: 'live' | 'inactive'): Promise<string> {
  return hostExec(host, `virsh -q dumpxml ${which === 'inactive' ? '--inactive ' : ''}${guest.place.name}`);
}

/** Sets how many VFs a host has (0..7); only while no guest of it uses one. */
export async function setVfCount(host: HostLetter, count: number): Promise<void> {
  const file = `/sys/class/net/${PF.name}/device/sriov_numvfs`;
  await hostExec(host, `echo 0 >${file} && echo ${count} >${file} && udevadm settle -t 30`);
}

/** Starts a domain that is none of the engine's, paused and small, and that has VF `vf` of `host`. */
export async function takeVf(host: HostLetter, vf: number): Promise<Guest> {
  const foreign = describeGuest({ number: 50 + vf, vf, memoryMiB: 64 });
  const file = `/tmp/${foreign.place.name}.xml`;
  await hostExec(host, `cat >${file} && virsh -q create --paused ${file}`, {
    input: guestXml(foreign.shape),
    limitMs: 180_000,
  });
  return foreign;
}

/** Makes the guest deaf to unplug requests: its ACPI hot-plug event is masked. Machine `pc` only. */
export async function deafenToUnplug(host: HostLetter, guest: Guest): Promise<void> {
  await guestExec(host, guest, 'echo disable >/sys/firmware/acpi/interrupts/gpe01');
}

/**
 * Lets a deaf guest give its VF back, as a guest that was merely slow. It ejects the slot itself: Linux
 * clears an event that came while it was masked, so unmasking alone would change nothing.
 */
export async function letGoOfVf(host: HostLetter, guest: Guest): Promise<void> {
  const eject = `echo 0 >/sys/bus/pci/slots/${vfSlot(guest.machine)}/power`;
  await guestExec(host, guest, `echo enable >/sys/firmware/acpi/interrupts/gpe01; ${eject}`);
}

/** Puts a copy of the guest's root disk at `path` on `host` (on `/srv/shared`: seen by both hosts). */
export async function makeGuestDisk(host: HostLetter, path: string): Promise<void> {
  await hostExec(host, `mkdir -p "$(dirname ${path})" && cp /lab/guest-disk.qcow2 ${path}`, {
    limitMs: 180_000,
  });
}
