/**
 * Hosts, a store and any number of engines on a virtual clock, all in this process and all decided by one
 * seed. The hosts are watched from the first moment on for what may never be true (`promises.ts`).
 */
import type { UseCases } from '../../src/app/use-cases.ts';
import type { HostId, VmId } from '../../src/base/ids.ts';
import { type Log, silentLog } from '../../src/base/log.ts';
import { type Random, seededRandom } from '../../src/base/random.ts';
import { isLive, type Job } from '../../src/model/job.ts';
import { createSimFleet, type SimFleet } from '../../src/simhost/fleet.ts';
import type { SimFleetSpec } from '../../src/simhost/inventory.ts';
import { aCaller } from './builders.ts';
import { EngineProcess, type EngineProcessOptions } from './engine-process.ts';
import { createMemoryStore, type MemoryStore } from './memory-store/memory-store.ts';
import type { PlantedInStore } from './memory-store/tables.ts';
import { nothingAllowed, atTheEnd, PromiseWatch } from './promises.ts';
import { VLAN } from './sim-vms.ts';
import { VirtualClock } from './virtual-clock.ts';

/** The default of the product. */
export const LEASE_MS = 10_000;
/** Who acts in a virtual world. */
export const CALLER = aCaller();
/**
 * Long enough for the longest wait of the product: ten minutes until a step is given up, and what follows.
 */
const SETTLE_LIMIT_MS = 40 * 60_000;

/** A world to begin with. */
export interface VirtualWorldOptions {
  readonly seed: number;
  readonly inventory: SimFleetSpec;
  readonly log?: Log;
  /** A mistake the store makes. */
  readonly planted?: PlantedInStore;
}

/** A world; who begins it closes it. */
export class VirtualWorld {
  readonly clock = new VirtualClock();
  readonly random: Random;
  readonly fleet: SimFleet;
  readonly store: MemoryStore;
  readonly engines = new Set<EngineProcess>();
  readonly allowed = nothingAllowed();
  readonly vmIds = new Map<string, VmId>();
  readonly hostIds = new Map<string, HostId>();
  readonly watch: PromiseWatch;
  readonly #log: Log;
  #started = 0;

  private constructor(options: VirtualWorldOptions) {
    this.random = seededRandom(options.seed);
    this.#log = options.log ?? silentLog;
    const { clock, random } = this;
    this.fleet = createSimFleet({ clock, random, log: this.#log, inventory: options.inventory });
    this.store = createMemoryStore(clock, options.planted);
    this.watch = new PromiseWatch(this.fleet, this.allowed);
  }

  /** Hosts and VMs known to the store, no engine yet. */
  static async begin(options: VirtualWorldOptions): Promise<VirtualWorld> {
    const world = new VirtualWorld(options);
    const engine = world.startEngine();
    const { useCases } = engine;
    await world.run(
      'the hosts are added',
      (async () => {
        const prod = await useCases.addNetwork(CALLER, { name: 'prod', vlan: VLAN });
        await useCases.addVnicProfile(CALLER, { name: 'prod-vf', networkId: prod.id, passThrough: true });
        await useCases.addVnicProfile(CALLER, { name: 'prod', networkId: prod.id });
        for (const name of world.fleet.hosts.keys()) {
          const { id } = await useCases.addHost(CALLER, { name, uri: `qemu+ssh://root@${name}/system` });
          world.hostIds.set(name, id);
        }
        for (const vm of await world.store.vms.list()) world.vmIds.set(vm.name, vm.id);
        await engine.stop();
      })(),
    );
    world.engines.delete(engine);
    world.watch.begin();
    for (const host of world.fleet.hosts.values()) host.listen(() => void world.#lookAtReservations());
    return world;
  }

  /** Starts one more engine. */
  startEngine(options: Partial<EngineProcessOptions> = {}): EngineProcess {
    this.#started += 1;
    const { store, fleet, clock, random } = this;
    const engine = new EngineProcess(
      { store, fleet, clock, random, log: this.#log },
      { owner: `engine-${this.#started}`, leaseMs: LEASE_MS, ...options },
    );
    this.engines.add(engine);
    return engine;
  }

  /** Kills one, wherever its jobs are. */
  killEngine(engine: EngineProcess): void {
    engine.kill();
    this.engines.delete(engine);
  }

  /** Use cases of any engine that lives. */
  get useCases(): UseCases {
    const [engine] = this.engines;
    if (!engine) throw new Error('no engine runs in this world');
    return engine.useCases;
  }

  vmId(name: string): VmId {
    const id = this.vmIds.get(name);
    if (id === undefined) throw new Error(`no VM of this world is called ${name}`);
    return id;
  }

  hostId(name: string): HostId {
    const id = this.hostIds.get(name);
    if (id === undefined) throw new Error(`no host of this world is called ${name}`);
    return id;
  }

  /** Lets time pass until `work` has ended, and returns what it did. */
  async run<T>(what: string, work: Promise<T>): Promise<T> {
    let ended = false;
    const result = work.finally(() => {
      ended = true;
    });
    result.catch(() => undefined);
    await this.until(what, () => ended);
    return result;
  }

  /** Lets time pass until `look` is true. Throws after the limit. */
  async until(what: string, look: () => boolean, limitMs = SETTLE_LIMIT_MS): Promise<void> {
    const endMs = this.clock.monotonicMs() + limitMs;
    await this.clock.advance(0);
    while (!look()) {
      if (this.clock.monotonicMs() > endMs) throw new Error(`${what}: not within ${limitMs / 1000} s`);
      if (!(await this.clock.step())) throw new Error(`${what}: nothing will ever happen again`);
    }
  }

  /** Jobs that have not ended. */
  async liveJobs(): Promise<Job[]> {
    return (await this.store.jobs.list({ live: true })).filter((job) => isLive(job.state));
  }

  /** What was seen and may never be. */
  get broken(): string[] {
    return this.watch.broken;
  }

  /**
   * What is not as it must be at rest; time passes until it is, or until the limit. Empty = all promises
   * kept.
   */
  async brokenAtRest(limitMs = SETTLE_LIMIT_MS): Promise<string[]> {
    const endMs = this.clock.monotonicMs() + limitMs;
    for (;;) {
      const broken = await atTheEnd(this, this.watch.begun);
      if (broken.length === 0 || this.clock.monotonicMs() > endMs) return broken;
      await this.clock.advance(1_000);
    }
  }

  /** A VF that a live job counts on is reserved for it, from the choice until it was tried. */
  async #lookAtReservations(): Promise<void> {
    const [jobs, held] = await Promise.all([
      this.store.jobs.list({ live: true }),
      this.store.reservations.list(),
    ]);
    for (const { id, vmName, data, state } of jobs) {
      if (state !== 'running' || data.plugTried) continue;
      const { targetHostId } = data;
      for (const { targetVf } of data.vnics ?? [])
        if (!held.some((each) => each.jobId === id && each.hostId === targetHostId && each.vf === targetVf))
          this.watch.note(`VF ${targetVf}, promised to ${vmName}, is not reserved for its job`);
    }
  }

  /** Ends engines and hosts. */
  async close(): Promise<void> {
    for (const engine of this.engines) engine.kill();
    this.engines.clear();
    await this.fleet.close();
  }
}
