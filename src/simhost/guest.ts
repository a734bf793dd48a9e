/**
 * The system inside a simulated domain: it answers unplug requests as its behaviour says, runs a guest agent,
 * and has network interfaces with counters that move while it runs. It moves with the domain in a migration.
 *
 * Traffic model: a bond over all interfaces sends over the leg it was told to; that one gone, or a VF new,
 * over the VF when one is up, else over the first ordinary interface.
 */
import type { Clock } from '../base/clock.ts';
import type { Random } from '../base/random.ts';
import type { SimGuestSpec, UnplugBehaviour } from './inventory.ts';
import {
  addressesOf,
  BOND,
  bondDescription,
  LEG_FILE,
  legFile,
  type KitAnswer,
  statistics,
  UP_DELAY_FILE,
} from './guest-files.ts';
import { RxRecording } from './rx-recording.ts';
import { drawMs, type RangeMs, TIMINGS } from './timings.ts';

/** Packets a second on the path that carries the bond, and on a path that only hears broadcasts. */
const BUSY_PACKETS_PER_SECOND = 2000;
const QUIET_PACKETS_PER_SECOND = 2;

/** An interface as the guest sees it. Counters are not whole numbers; readers round down. */
export interface GuestNic {
  /** Handle of the QEMU that runs it now. */
  alias: string;
  /** `ens8`: named by slot, as udev does. */
  readonly name: string;
  readonly mac: string;
  readonly passthrough: boolean;
  readonly pciAddress: string;
  /** Link up from here on (monotonic ms). */
  upFromMs: number;
  /** No packet reaches it. */
  readonly deaf: boolean;
  rxPackets: number;
  txPackets: number;
}

/** What a guest tells the QEMU it runs in. */
export interface GuestHooks {
  /** The guest let go of a device. */
  removed(alias: string): void;
  /** The guest said no. */
  refused(alias: string): void;
  agentConnected(connected: boolean): void;
  /** Whether packets pass the device at all. */
  hasCarrier(alias: string): boolean;
}

/** An address in the form of the guest agent. */
export interface AgentAddress {
  readonly 'ip-address': string;
  readonly 'ip-address-type': 'ipv4' | 'ipv6';
  readonly prefix: number;
}

/** One interface as the guest agent reports it. */
export interface AgentInterface {
  readonly name: string;
  readonly 'hardware-address': string;
  readonly 'ip-addresses'?: readonly AgentAddress[];
  readonly statistics?: object;
}

/** An interface of any kind. */
export interface Netdev extends Pick<GuestNic, 'name' | 'mac' | 'rxPackets' | 'txPackets'> {
  readonly addresses: readonly AgentAddress[];
  /** `device/uevent`; null = no device. */
  readonly uevent: string | null;
}

const LOOPBACK: Netdev = {
  name: 'lo',
  mac: '00:00:00:00:00:00',
  addresses: [{ 'ip-address': '127.0.0.1', 'ip-address-type': 'ipv4', prefix: 8 }],
  rxPackets: 0,
  txPackets: 0,
  uevent: null,
};

/** One guest system, from boot to power-off, on whatever host. */
export class SimGuest {
  readonly spec: SimGuestSpec;
  unplug: UnplugBehaviour;
  /** Memory it dirties while it runs, MiB/s. */
  dirtyMiBps: number;
  agentUp = false;
  /** What VFs plugged from now on suffer from: never an interface, or one that no packet reaches. */
  vfTrouble: 'no_driver' | 'deaf' | null = null;
  /** Commands its agent is configured to refuse. */
  readonly agentRefuses = new Set<string>();
  /** What is left to read of the files its agent has open, by handle. */
  readonly agentFiles = new Map<number, Buffer>();
  /** Files its agent has open for writing, by handle. */
  readonly agentWrites = new Map<number, string>();
  /** Its VFs have a bond with its ordinary interfaces; else each has its own address. */
  hasBond = true;
  /** Its bond goes back to the VF by itself when that comes; not with `primary_reselect=failure`. */
  reselectsPrimary = true;
  /** Arguments of every command that was run in it. */
  readonly executed: (readonly string[])[] = [];
  /** How long a leg of its bond has had a link before it is used. */
  upDelayMs = 0;
  /** What counts in it by itself, by process. */
  readonly recordings = new Map<number, RxRecording>();
  /** It looks at counters so often; a busy one less often than asked to. */
  countsEveryMs = 100;
  /** What the guest kit answers to its arguments; 127: there is no kit. */
  kit = (_args: readonly string[]): KitAnswer => ({ code: 127 });
  readonly nics: GuestNic[] = [];
  readonly #clock: Clock;
  readonly #random: Random;
  #hooks: GuestHooks | null = null;
  #runningSinceMs: number | null = null;
  #countedToMs: number;
  /** The bond is there from its first VF on. */
  #hadVf = false;
  /** Counted by legs that left the bond. */
  #gone = { rx: 0, tx: 0 };
  /** The leg the bond was told to use. */
  #told: string | null = null;
  /** By alias; `due`: the guest would have answered, but was not running. */
  readonly #asked = new Map<string, { cancel: () => void; due: boolean }>();

  constructor(spec: SimGuestSpec, clock: Clock, random: Random) {
    this.spec = spec;
    this.unplug = spec.unplug;
    this.dirtyMiBps = spec.dirtyMiBps;
    this.#clock = clock;
    this.#random = random;
    this.#countedToMs = clock.monotonicMs();
  }

  /** Ties the guest to the domain that runs it now. */
  attachTo(hooks: GuestHooks): void {
    this.#hooks = hooks;
  }

  /** vCPUs start: from power-on (the agent comes later), or where they stopped. */
  run(from: 'boot' | 'pause'): void {
    this.#runningSinceMs = this.#clock.monotonicMs();
    this.#countedToMs = this.#runningSinceMs;
    if (from === 'boot' && this.spec.agent)
      this.#clock.after(drawMs(this.#random, TIMINGS.agentBoot), () => this.#agentStarts());
    if (from === 'pause' && this.agentUp) this.#hooks?.agentConnected(true);
    for (const [alias, request] of this.#asked) if (request.due) this.#schedule(alias);
  }

  /**
   * It restarts. What was asked of it is given back by the reset itself, whatever the guest thought of it
   * (QEMU's acpi_pcihp_reset); its interfaces come up anew, its agent later.
   */
  reboot(): void {
    this.count();
    for (const alias of this.pendingUnplugs) this.#hooks?.removed(alias);
    if (this.agentUp) this.#hooks?.agentConnected(false);
    this.agentUp = false;
    this.agentFiles.clear();
    const now = this.#clock.monotonicMs();
    for (const nic of this.nics) nic.upFromMs = now + drawMs(this.#random, TIMINGS.guestNicUp);
    this.run('boot');
  }

  /** What stays in a QEMU whose memory was sent elsewhere: the same system, standing still. */
  fork(): SimGuest {
    const copy = new SimGuest(this.spec, this.#clock, this.#random);
    copy.unplug = this.unplug;
    copy.dirtyMiBps = this.dirtyMiBps;
    copy.vfTrouble = this.vfTrouble;
    copy.agentUp = this.agentUp;
    copy.hasBond = this.hasBond;
    copy.kit = this.kit;
    copy.#hadVf = this.#hadVf;
    copy.upDelayMs = this.upDelayMs;
    copy.#told = this.#told;
    copy.#gone = { ...this.#gone };
    for (const command of this.agentRefuses) copy.agentRefuses.add(command);
    copy.nics.push(...this.nics.map((nic) => ({ ...nic })));
    return copy;
  }

  /** It booted long ago: its agent is there already. */
  wasUp(): void {
    if (this.spec.agent) this.#agentStarts();
  }

  /** vCPUs stop. */
  pause(): void {
    this.count();
    this.#runningSinceMs = null;
  }

  /** The machine is off: nothing that was asked will be answered. */
  powerOff(): void {
    this.pause();
    for (const request of this.#asked.values()) request.cancel();
    this.#asked.clear();
    this.#hooks = null;
    this.agentUp = false;
  }

  /** True while vCPUs run. */
  get running(): boolean {
    return this.#runningSinceMs !== null;
  }

  /** Aliases asked for and not given back. */
  get pendingUnplugs(): string[] {
    return [...this.#asked.keys()];
  }

  /** The host asks for a device. Asking again is harmless. */
  askUnplug(alias: string): void {
    if (!this.#asked.has(alias)) this.#schedule(alias);
  }

  /** Makes the guest answer everything it was asked for and ignored, e.g. after a fault ended. */
  answerPending(): void {
    for (const alias of this.pendingUnplugs) this.#schedule(alias);
  }

  /** A device appeared. The link comes up a moment later. */
  plug(nic: Pick<GuestNic, 'alias' | 'name' | 'mac' | 'passthrough' | 'pciAddress'>, upNow: boolean): void {
    this.count();
    const trouble = nic.passthrough ? this.vfTrouble : null;
    // The primary is chosen again when it comes.
    if (nic.passthrough) this.#hadVf = true;
    if (nic.passthrough && this.reselectsPrimary) this.#told = null;
    const wait = upNow ? 0 : trouble === 'no_driver' ? Infinity : drawMs(this.#random, TIMINGS.guestNicUp);
    const upFromMs = this.#clock.monotonicMs() + wait + (this.hasBond ? this.upDelayMs : 0);
    this.nics.push({ ...nic, upFromMs, deaf: trouble === 'deaf', rxPackets: 0, txPackets: 0 });
  }

  /** The guest arrived on another QEMU: its interfaces have other aliases there. */
  rename(
    devices: readonly { readonly mac: string; readonly alias: string; readonly passthrough: boolean }[],
  ): void {
    for (const nic of this.nics) {
      const same = devices.find((each) => each.mac === nic.mac && each.passthrough === nic.passthrough);
      if (same) nic.alias = same.alias;
    }
  }

  /** A device is gone. */
  unplugged(alias: string): void {
    this.count();
    this.#asked.get(alias)?.cancel();
    this.#asked.delete(alias);
    const index = this.nics.findIndex((nic) => nic.alias === alias);
    const [gone] = index < 0 ? [] : this.nics.splice(index, 1);
    // A bond's counters never fall (the kernel folds those of a leg that leaves).
    this.#gone.rx += gone?.rxPackets ?? 0;
    this.#gone.tx += gone?.txPackets ?? 0;
  }

  /** The interface that carries the bond now. */
  activeNic(): GuestNic | undefined {
    const up = this.nics.filter((nic) => this.#isUp(nic));
    return up.find(({ name }) => name === this.#told) ?? up.find((nic) => nic.passthrough) ?? up[0];
  }

  /**
   * Brings the counters up to now. Level-triggered: called before anything that changes them or reads them.
   */
  count(): void {
    const now = this.#clock.monotonicMs();
    const elapsedMs = this.#runningSinceMs === null ? 0 : now - this.#countedToMs;
    this.#countedToMs = now;
    if (elapsedMs <= 0) return;
    const active = this.activeNic();
    for (const nic of this.nics) {
      const upMs = Math.min(elapsedMs, Math.max(0, now - nic.upFromMs));
      const rate = nic === active ? BUSY_PACKETS_PER_SECOND : QUIET_PACKETS_PER_SECOND;
      nic.rxPackets += nic.deaf || !this.#hasCarrier(nic) ? 0 : (upMs / 1000) * rate;
      nic.txPackets += nic === active ? (upMs / 1000) * rate : 0;
    }
  }

  #hasCarrier(nic: GuestNic): boolean {
    return this.#hooks?.hasCarrier(nic.alias) ?? true;
  }

  #agentStarts(): void {
    if (!this.#hooks || this.agentUp) return;
    this.agentUp = true;
    this.#hooks.agentConnected(true);
  }

  #schedule(alias: string): void {
    const answer = this.#answerAfterMs();
    this.#asked.get(alias)?.cancel();
    const cancel = answer === null ? () => {} : this.#clock.after(answer, () => this.#answer(alias));
    this.#asked.set(alias, { cancel, due: false });
  }

  #answerAfterMs(): number | null {
    const behaviour = this.unplug;
    if (behaviour.type === 'never') return null;
    if (behaviour.type === 'refuse') return behaviour.afterMs;
    const range: RangeMs = [behaviour.minMs, behaviour.maxMs];
    return drawMs(this.#random, range);
  }

  #answer(alias: string): void {
    const request = this.#asked.get(alias);
    if (!request) return;
    if (!this.running) {
      request.due = true;
      return;
    }
    if (this.unplug.type === 'refuse') {
      this.#asked.delete(alias);
      this.#hooks?.refused(alias);
    } else this.#hooks?.removed(alias);
  }

  /** Looks into files of the kernel's, again and again. */
  record = (paths: readonly string[]): RxRecording =>
    new RxRecording(this.#clock, this.countsEveryMs, () => paths.map((path) => this.kernelFile(path)));

  /** The answer of `guest-network-get-interfaces`, the JSON value in `return`. */
  interfaces(): AgentInterface[] {
    return this.#netdevs().map(({ name, mac, addresses, rxPackets, txPackets }) => ({
      name,
      'hardware-address': mac,
      // As the real one: nothing more of an interface without an address, which those in a bond are.
      ...(addresses.length === 0
        ? {}
        : { 'ip-addresses': addresses, statistics: statistics(rxPackets, txPackets) }),
    }));
  }

  /** What is in a file of the kernel's; null = there is no such file. Few are known. */
  kernelFile(path: string): string | null {
    const netdevs = this.#netdevs();
    const isBonded = netdevs.some(({ name }) => name === BOND);
    const active = this.activeNic()?.name ?? '';
    if (path === '/proc/version') return 'Linux version 6.12\n';
    if (path === '/sys/class/net/bonding_masters') return isBonded ? `${BOND}\n` : '\n';
    if (isBonded && path === `/proc/net/bonding/${BOND}`) {
      return bondDescription(this.nics, active, this.upDelayMs, (nic) => this.#isUp(nic));
    }
    if (isBonded && path === LEG_FILE) return `${active}\n`;
    if (isBonded && path === UP_DELAY_FILE) return `${this.upDelayMs}\n`;
    return legFile(netdevs, path);
  }

  /** Writes to a file of the kernel's; false = there is none, or it does not take that. */
  writeKernelFile(path: string, text: string): boolean {
    if (path === UP_DELAY_FILE && this.hasBond && text !== '') {
      this.upDelayMs = Number(text);
      return true;
    }
    const leg = this.nics.find(({ name }) => name === text.trim());
    if (path !== LEG_FILE || !leg || !this.#isUp(leg)) return false;
    this.count();
    this.#told = leg.name;
    return true;
  }

  #isUp(nic: GuestNic): boolean {
    return nic.upFromMs <= this.#clock.monotonicMs() && this.#hasCarrier(nic);
  }

  #netdevs(): Netdev[] {
    this.count();
    const now = this.#clock.monotonicMs();
    const visible = this.nics.filter((nic) => nic.upFromMs <= now);
    const addresses = addressesOf(this.spec.address);
    const alone = !this.#hadVf || !this.hasBond;
    const each = visible.map((nic) => ({
      ...nic,
      addresses: alone ? addresses : [],
      uevent: nic.passthrough
        ? `DRIVER=iavf\nPCI_SLOT_NAME=${nic.pciAddress}\n`
        : 'DRIVER=virtio_net\nMODALIAS=virtio:d00000001v00001AF4\n',
    }));
    const active = this.activeNic();
    if (alone || !active) return [LOOPBACK, ...each];
    const sum = (key: 'rxPackets' | 'txPackets') => visible.reduce((total, nic) => total + nic[key], 0);
    const bond = {
      name: 'bond0',
      mac: active.mac,
      addresses,
      rxPackets: this.#gone.rx + sum('rxPackets'),
      txPackets: this.#gone.tx + sum('txPackets'),
      uevent: null,
    };
    return [LOOPBACK, bond, ...each];
  }
}
