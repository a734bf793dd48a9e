/**
 * One simulated host: its devices, its domains, its libvirtd. Knows who listens to its events and whether its
 * daemon lives.
 *
 * Everything the *daemon* waits for goes through `daemonPause`, which rejects as soon as the daemon dies:
 * what it had not done by then never happens. What QEMU and the guest do goes on without it.
 */
import type { Clock } from '../base/clock.ts';
import { HandoverError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { Random } from '../base/random.ts';
import { SimDomain } from './domain.ts';
import type { LIFECYCLE, SimEvent } from './events.ts';
import { LIFECYCLE as LIFECYCLE_NUMBERS } from './events.ts';
import type { CallRule, Moment, MomentRule } from './faults.ts';
import { SimHardware } from './hardware.ts';
import type { SimGuestSpec, SimHostSpec } from './inventory.ts';
import { refuse } from './refusal.ts';
import { drawMs, type RangeMs } from './timings.ts';

/** What all hosts of a fleet share. */
export interface SimContext {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** How the guest of a domain behaves, on whatever host it boots. */
  guestSpec(uuid: string): SimGuestSpec;
  /** Something of a migration happens on a host now. */
  moment(host: SimHost, moment: Moment): void;
  /** Does to a host and around it what a rule wants. Never rejects. */
  readonly strike: (host: SimHost, rule: CallRule | MomentRule) => Promise<void>;
}

/** The host itself takes this much memory. */
const HOST_OVERHEAD_KIB = 1_500_000;

/** One host. Made by the fleet; the server and the verbs of this folder act on it. */
export class SimHost {
  readonly spec: SimHostSpec;
  readonly name: string;
  readonly context: SimContext;
  readonly hardware: SimHardware;
  readonly domains = new Map<string, SimDomain>();
  /** Files made over the host channel: path -> virtual size in bytes. */
  readonly files = new Map<string, number>();
  /** Addresses of the host itself by netdev (`10.0.0.5/24`), VFs' netdevs aside. */
  readonly netdevAddresses = new Map<string, readonly string[]>();
  readonly #listeners = new Set<(event: SimEvent) => void>();
  readonly #daemonListeners = new Set<() => void>();
  readonly #powerListeners = new Set<(powered: boolean) => void>();
  /** Taken by something that is no domain. */
  takenMemoryKiB = 0;
  /** Without it nothing of the host answers, its shell neither. */
  powered = true;
  #daemon: AbortController | null = new AbortController();
  #missed: (() => void)[] = [];
  #nextId = 1;
  #nextTap = 0;

  constructor(spec: SimHostSpec, context: SimContext) {
    this.spec = spec;
    this.name = spec.name;
    this.context = context;
    this.hardware = new SimHardware(spec);
  }

  // ---- domains ----

  byUuid(uuid: string): SimDomain {
    const domain = this.domains.get(uuid);
    if (!domain) throw refuse('no_domain', `no domain with matching uuid '${uuid}'`);
    return domain;
  }

  byName(name: string): SimDomain {
    const domain = [...this.domains.values()].find((each) => each.name === name);
    if (!domain) throw refuse('no_domain', `no domain with matching name '${name}'`);
    return domain;
  }

  byId(id: number): SimDomain {
    const domain = [...this.domains.values()].find((each) => each.active && each.id === id);
    if (!domain) throw refuse('no_domain', `no domain with matching id ${id}`);
    return domain;
  }

  /** The domain of that UUID, made if the host does not know it. Refuses a name that another one has. */
  adopt(uuid: string, name: string): SimDomain {
    const known = this.domains.get(uuid);
    if (known && known.name !== name) {
      throw refuse('operation_failed', `domain '${known.name}' is already defined with uuid ${uuid}`);
    }
    const clash = [...this.domains.values()].find((each) => each.name === name && each.uuid !== uuid);
    if (clash) throw refuse('operation_failed', `domain '${name}' already exists with uuid ${clash.uuid}`);
    if (known) return known;
    const made = new SimDomain(uuid, name, this.context.clock);
    this.domains.set(uuid, made);
    return made;
  }

  nextDomainId(): number {
    return this.#nextId++;
  }

  nextTap(): string {
    return `vnet${this.#nextTap++}`;
  }

  memoryFreeKiB(): number {
    const used = [...this.domains.values()]
      .filter((domain) => domain.active)
      .reduce((sum, domain) => sum + domain.memoryKiB, 0);
    return Math.max(0, this.spec.memoryKiB - HOST_OVERHEAD_KIB - this.takenMemoryKiB - used);
  }

  /** Brings the counters of all guests up to now; to be called before a VF changes its ways. */
  countTraffic(): void {
    for (const domain of this.domains.values()) domain.guest?.count();
  }

  // ---- events ----

  emit(event: SimEvent): void {
    if (!this.#daemon) return;
    for (const listener of [...this.#listeners]) listener(event);
  }

  emitLifecycle(domain: SimDomain, name: keyof typeof LIFECYCLE): void {
    const [event, detail] = LIFECYCLE_NUMBERS[name];
    this.context.log.debug('lifecycle', { host: this.name, domain: domain.name, event: name });
    this.emit({ type: 'lifecycle', dom: domain.ref, event, detail });
  }

  listen(listener: (event: SimEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  // ---- the daemon ----

  get daemonUp(): boolean {
    return this.#daemon !== null;
  }

  /** Lets the daemon wait. Rejects if it dies meanwhile. */
  async daemonPause(range: RangeMs): Promise<void> {
    await this.context.clock.sleep(drawMs(this.context.random, range), this.daemonSignal());
  }

  /** Aborts when the daemon that lives now dies. */
  daemonSignal(): AbortSignal {
    if (!this.#daemon) throw daemonGone(this.name);
    return this.#daemon.signal;
  }

  /** Tells the servers of this host when its daemon dies. */
  onDaemonEnd(listener: () => void): () => void {
    this.#daemonListeners.add(listener);
    return () => this.#daemonListeners.delete(listener);
  }

  /** SIGKILL of libvirtd: connections break, jobs are forgotten, QEMUs live on. */
  killDaemon(): void {
    const daemon = this.#daemon;
    if (!daemon) return;
    this.#daemon = null;
    const error = daemonGone(this.name);
    for (const listener of [...this.#daemonListeners]) listener();
    for (const domain of this.domains.values()) domain.lock.reset(error);
    daemon.abort(error);
  }

  /** Starts libvirtd again: it finds the QEMUs that live, and what happened to their devices meanwhile. */
  startDaemon(): void {
    if (this.#daemon) return;
    this.#daemon = new AbortController();
    const missed = this.#missed;
    this.#missed = [];
    for (const notice of missed) notice();
  }

  /** Tells when power goes (after the daemon has ended with it) and when it comes back. */
  onPower(listener: (powered: boolean) => void): () => void {
    this.#powerListeners.add(listener);
    return () => this.#powerListeners.delete(listener);
  }

  /** Power is back; nothing runs yet. */
  gainPower(): void {
    this.powered = true;
    for (const listener of [...this.#powerListeners]) listener(true);
  }

  /** Power is lost: the daemon ends, and what QEMUs wanted to tell it is lost too. */
  losePower(): void {
    this.powered = false;
    this.killDaemon();
    this.#missed = [];
    for (const listener of [...this.#powerListeners]) listener(false);
  }

  /** QEMU tells its daemon something: at once, or when there is one again. */
  tellDaemon(notice: () => void): void {
    if (this.#daemon) notice();
    else this.#missed.push(notice);
  }
}

function daemonGone(host: string): HandoverError {
  return new HandoverError('CANCELLED', `libvirtd of the simulated host ${host} has ended`);
}
