/**
 * Simulated hosts on a virtual clock, used through the real client over in-process streams: every call passes
 * as bytes, no time passes, and the same seed gives the same run.
 */
import { silentLog } from '../../src/base/log.ts';
import {
  type Domain,
  DOMAIN_EVENTS,
  type EventKind,
  type LibvirtClient,
  openClient,
  procedures,
} from '../../src/libvirt/index.ts';
import { DEMO_FLEET } from '../../src/simhost/demo-inventory.ts';
import { createSimFleet, type SimFleet } from '../../src/simhost/fleet.ts';
import type { SimFleetSpec } from '../../src/simhost/inventory.ts';
import { seededRandom } from '../../src/base/random.ts';
import { VirtualClock } from './virtual-clock.ts';

/** Longer than anything the simulation lets somebody wait for. */
const LIMIT_MS = 120_000;
const STEP_MS = 5;

/** An event as a test looks at it. */
export interface SeenEvent {
  readonly atMs: number;
  readonly host: string;
  readonly type: string;
  readonly dom: string;
  readonly detail: string;
}

/** A fleet under test and the clients that reach it. */
export class SimWorld {
  readonly clock = new VirtualClock();
  readonly fleet: SimFleet;
  readonly events: SeenEvent[] = [];

  constructor(options: { seed?: number; inventory?: SimFleetSpec } = {}) {
    const { seed = 1, inventory = DEMO_FLEET } = options;
    this.fleet = createSimFleet({ clock: this.clock, random: seededRandom(seed), log: silentLog, inventory });
  }

  /** A client of a host. */
  client(host: string): Promise<LibvirtClient> {
    const stream = this.fleet.connect(host);
    return this.run(openClient(stream, 'qemu:///system', { clock: this.clock, log: silentLog }));
  }

  /** A client whose host's events of all kinds are recorded in `events`. */
  async watch(host: string): Promise<LibvirtClient> {
    const client = await this.client(host);
    for (const kind of Object.values(DOMAIN_EVENTS) as EventKind<Record<string, unknown>>[]) {
      if (kind.name === 'nicMacChange') continue;
      await this.run(client.on(kind, null, (event) => this.#seen(host, kind.name, event)));
    }
    return client;
  }

  /** Lets time pass until a promise settles. Fails if it does not within the limit. */
  async run<T>(promise: Promise<T>): Promise<T> {
    let settled = false;
    const mark = () => {
      settled = true;
    };
    promise.then(mark, mark);
    for (let passedMs = 0; !settled; passedMs += STEP_MS) {
      if (passedMs > LIMIT_MS) throw new Error('the simulation did not come to an end');
      await this.clock.advance(STEP_MS);
    }
    return promise;
  }

  /** Lets time pass until something is true. */
  async until(what: string, look: () => boolean): Promise<void> {
    for (let passedMs = 0; !look(); passedMs += STEP_MS) {
      if (passedMs > LIMIT_MS) throw new Error(`not seen: ${what}`);
      await this.clock.advance(STEP_MS);
    }
  }

  /** A domain by name, as the host's libvirtd knows it. */
  async domain(client: LibvirtClient, name: string): Promise<Domain> {
    return (await this.run(client.call(procedures.domainLookupByName, { name }))).dom;
  }

  /** Live XML, or with `inactive` the definition. */
  async xml(client: LibvirtClient, dom: Domain, inactive = false): Promise<string> {
    const reply = await this.run(client.call(procedures.domainGetXmlDesc, { dom, flags: inactive ? 2 : 0 }));
    return reply.xml;
  }

  /** Whether an event of that type was seen, and of which detail (part of it). */
  saw(host: string, type: string, detail = ''): boolean {
    return this.events.some(
      (event) => event.host === host && event.type === type && event.detail.includes(detail),
    );
  }

  async close(): Promise<void> {
    await this.run(this.fleet.close());
  }

  #seen(host: string, type: string, event: Record<string, unknown>): void {
    const dom = event['dom'] as Domain;
    const detail =
      typeof event['alias'] === 'string'
        ? event['alias']
        : [event['event'] ?? event['state'], event['detail']]
            .filter((part) => typeof part === 'number')
            .join('/');
    this.events.push({ atMs: this.clock.monotonicMs(), host, type, dom: dom.name, detail });
  }
}
