/**
 * A domain of a simulated host: its definition, its live XML, state and job. Data with its own small rules;
 * what happens to it is in `lifecycle.ts`, `hotplug.ts` and `migration-*.ts`.
 *
 * Invariants: `live`, `guest` and `id >= 0` come and go together; a domain without `config` is transient.
 */
import type { Clock } from '../base/clock.ts';
import { DOMAIN_STATE, PAUSED_REASON, RUNNING_REASON, SHUTOFF_REASON } from '../libvirt/procedures/flags.ts';
import type { TypedParam } from '../libvirt/procedures/typed-params.ts';
import type { SimGuest } from './guest.ts';
import { JobLock } from './job-lock.ts';
import type { OutgoingTransfer } from './transfer.ts';
import { refuse } from './refusal.ts';
import { DEFAULT_DOWNTIME_MS } from './timings.ts';
import { attribute, children, find, textOf, type XmlElement } from './xml.ts';

/** What a client is told of a domain. */
export interface DomainRef {
  readonly name: string;
  readonly uuid: string;
  readonly id: number;
}

/** One domain. Belongs to its host, which is the only one to make and forget it. */
export class SimDomain {
  readonly uuid: string;
  readonly name: string;
  id = -1;
  config: XmlElement | null = null;
  live: XmlElement | null = null;
  state: number = DOMAIN_STATE.shutoff;
  reason: number = SHUTOFF_REASON.unknown;
  autostart = false;
  guest: SimGuest | null = null;
  readonly lock: JobLock;
  /** Memory on its way out of here; null = none. */
  transfer: OutgoingTransfer | null = null;
  /** The migration that brings it here, while it does. */
  incoming: { end(): void } | null = null;
  /** Its migration was cancelled before memory moved. */
  abortAsked = false;
  /** Statistics of the last migration that ended. */
  completedJob: readonly TypedParam[] | null = null;
  downtimeMsMax = DEFAULT_DOWNTIME_MS;
  /** 0 = unlimited. */
  speedMiBpsMax = 0;
  /** Live alias -> VF of this host. */
  readonly vfs = new Map<string, string>();
  /** Live alias -> the interface as the definition has it, for VFs libvirt took from a network pool. */
  readonly pooled = new Map<string, XmlElement>();

  constructor(uuid: string, name: string, clock: Clock) {
    this.uuid = uuid;
    this.name = name;
    this.lock = new JobLock(clock);
  }

  get ref(): DomainRef {
    return { name: this.name, uuid: this.uuid, id: this.id };
  }

  get active(): boolean {
    return this.live !== null;
  }

  /** The XML that counts now. */
  get current(): XmlElement {
    const xml = this.live ?? this.config;
    if (!xml) throw refuse('internal', `domain '${this.name}' has no definition`);
    return xml;
  }

  /** The live XML; refuses if the domain does not run. */
  get running(): XmlElement {
    if (!this.live) throw refuse('operation_invalid', 'domain is not running');
    return this.live;
  }

  get memoryKiB(): number {
    return Number(textOf(this.current, 'memory'));
  }

  /** A live device by alias. */
  device(alias: string): XmlElement | undefined {
    const devices = children(find(this.live ?? undefined, 'devices'));
    return devices.find((each) => attribute(each, 'alias', 'name') === alias);
  }

  setRunning(reason: keyof typeof RUNNING_REASON): void {
    this.state = DOMAIN_STATE.running;
    this.reason = RUNNING_REASON[reason];
  }

  setPaused(reason: keyof typeof PAUSED_REASON): void {
    this.state = DOMAIN_STATE.paused;
    this.reason = PAUSED_REASON[reason];
  }
}
