/**
 * Simulated hosts in this process, served on sockets, and engines in processes of their own that may be
 * killed and stopped; all on one database. This process asks for migrations, as the API of one more replica
 * would, and watches the hosts for what may never be true. `close` checks what must be true at the end.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createUseCases } from '../../../src/app/create-use-cases.ts';
import type { AppParts } from '../../../src/app/parts.ts';
import type { MigrateOptions, UseCases } from '../../../src/app/use-cases.ts';
import { systemClock, until } from '../../../src/base/clock.ts';
import { silentLog } from '../../../src/base/log.ts';
import type { HostId, VmId } from '../../../src/base/ids.ts';
import { seededRandom, systemRandom } from '../../../src/base/random.ts';
import { createHypervisors } from '../../../src/hypervisor/libvirt-hypervisor.ts';
import { isLive, type Job } from '../../../src/model/job.ts';
import { createSimFleet, type SimFleet } from '../../../src/simhost/fleet.ts';
import { startDomain } from '../../../src/simhost/lifecycle.ts';
import { simulatedShells } from '../../../src/simhost/process/channel-client.ts';
import { type ServedFleet, serveFleet } from '../../../src/simhost/process/serve-fleet.ts';
import type { DatabaseConnection } from '../../../src/store/db.ts';
import { type OpenStore, openStore } from '../../../src/store/open-store.ts';
import { aCaller } from '../builders.ts';
import { eventually } from '../eventually.ts';
import { fastClock } from '../fast-clock.ts';
import { nothingAllowed, atTheEnd, PromiseWatch } from '../promises.ts';
import { type SimVmSpec, simVmFleet, uuidOf, vfOf, VLAN } from '../sim-vms.ts';
import { type EngineProcess, type Orders, warmEngine } from './engine-process.ts';

/** Hosts are faster than real ones; engines and leases run on real time. */
const HOSTS_SPEED = 10;
const DIRTY_WITHOUT_END = 1e9;
const CHECK_LIMIT_MS = 30_000;
const CALLER = aCaller();

/** What it begins with. */
export interface CrashWorldOptions {
  readonly connection: DatabaseConnection;
  readonly vms: readonly SimVmSpec[];
  readonly leaseMs: number;
  /** Default 200. */
  readonly pollMs?: number;
  readonly hostCount?: number;
  readonly vfCount?: number;
}

/** One call a host received. */
export interface HostCall {
  readonly host: string;
  readonly procedure: string;
}

export class CrashWorld {
  readonly fleet: SimFleet;
  readonly store: OpenStore;
  readonly useCases: UseCases;
  readonly allowed = nothingAllowed();
  /** Every call any host received, in order. */
  readonly calls: HostCall[] = [];
  readonly #options: CrashWorldOptions;
  readonly #parts: AppParts & { readonly store: OpenStore };
  readonly #served: ServedFleet;
  readonly #directory: string;
  readonly #watch: PromiseWatch;
  readonly #engines: EngineProcess[] = [];
  readonly #hostIds = new Map<string, HostId>();

  private constructor(
    options: CrashWorldOptions,
    fleet: SimFleet,
    served: ServedFleet,
    parts: AppParts & { readonly store: OpenStore },
    directory: string,
  ) {
    this.#options = options;
    this.fleet = fleet;
    this.store = parts.store;
    this.#parts = parts;
    this.#served = served;
    this.#directory = directory;
    this.useCases = createUseCases(parts);
    this.#watch = new PromiseWatch(fleet, this.allowed);
    const ofCall = fleet.faults.ofCall.bind(fleet.faults);
    fleet.faults.ofCall = (procedure, host) => {
      this.calls.push({ host, procedure });
      return ofCall(procedure, host);
    };
  }

  /** Hosts and VMs known; no engine runs yet. */
  static async start(options: CrashWorldOptions): Promise<CrashWorld> {
    const { vms, hostCount = 2, vfCount = 4, connection } = options;
    const [clock, log] = [systemClock, silentLog];
    const directory = mkdtempSync(join(tmpdir(), 'hc-'));
    const inventory = simVmFleet({ vms, hostCount, vfCount });
    const random = seededRandom(1);
    const fleet = createSimFleet({ clock: fastClock(HOSTS_SPEED), random, log, inventory });
    const served = await serveFleet(fleet, directory, null);
    const store = await openStore({ connection, clock, log });
    const hypervisors = createHypervisors({ clock, log, openShell: simulatedShells(clock, directory) });
    const parts = { store, hypervisors, clock, random: systemRandom, log };
    const world = new CrashWorld(options, fleet, served, parts, directory);
    await world.#begin();
    return world;
  }

  async #begin(): Promise<void> {
    const { useCases } = this;
    for (const spec of this.#options.vms) {
      const host = this.fleet.host(spec.host ?? 'host-a');
      const domain = host.byUuid(this.vmId(spec.name));
      if (spec.managed === false) {
        for (const number of spec.vfs ?? [0]) {
          const vf = host.hardware.vf(vfOf(number));
          if (vf) host.hardware.bindForGuests(vf, null);
        }
        await startDomain(host, domain, 0);
      }
      if (spec.disk !== undefined) host.files.set(spec.disk, 1 << 30);
    }
    const prod = await useCases.addNetwork(CALLER, { name: 'prod', vlan: VLAN });
    await useCases.addVnicProfile(CALLER, { name: 'prod-vf', networkId: prod.id, passThrough: true });
    await useCases.addVnicProfile(CALLER, { name: 'prod', networkId: prod.id });
    for (const { name, uri, peerUri } of this.#served.hosts) {
      const { id } = await useCases.addHost(CALLER, { name, uri, peerUri });
      this.#hostIds.set(name, id);
    }
    this.#watch.begin();
  }

  /** Starts an engine; `at`: see `Orders`. */
  async engine(at: Orders['at'] = null): Promise<EngineProcess> {
    const engine = warmEngine();
    this.#engines.push(engine);
    await engine.start({
      connection: this.#options.connection,
      directory: this.#directory,
      owner: `engine-${engine.pid}`,
      leaseMs: this.#options.leaseMs,
      pollMs: this.#options.pollMs ?? 200,
      at,
    });
    return engine;
  }

  migrate(vm: string, options: MigrateOptions & { readonly to?: string } = {}): Promise<Job> {
    const { to, ...rest } = options;
    const target = to === undefined ? {} : { targetHostId: this.hostId(to) };
    return this.useCases.migrateVm(CALLER, this.vmId(vm), { ...target, ...rest });
  }

  cancel(vm: string): Promise<Job> {
    return this.useCases.cancelMigration(CALLER, this.vmId(vm));
  }

  async job(job: Pick<Job, 'id'>): Promise<Job> {
    return (await this.useCases.getJob(CALLER, job.id)).job;
  }

  /** Waits for the end of a job; the database may be away meanwhile. */
  ended(job: Pick<Job, 'id'>): Promise<Job> {
    return eventually(`the end of job ${job.id}`, async () => {
      const now = await this.job(job).catch(() => null);
      return now !== null && !isLive(now.state) && now;
    });
  }

  get connection(): DatabaseConnection {
    return this.#options.connection;
  }

  vmId(name: string): VmId {
    return uuidOf(this.#options.vms.findIndex((spec) => spec.name === name));
  }

  hostId(name: string): HostId {
    const id = this.#hostIds.get(name);
    if (id === undefined) throw new Error(`no host of this world is called ${name}`);
    return id;
  }

  /** The hosts a VM runs on, by looking at all. */
  runsOn(vm: string): string[] {
    const runs = [...this.fleet.hosts.values()].filter(
      (host) => host.domains.get(this.vmId(vm))?.guest?.running,
    );
    return runs.map((host) => host.name);
  }

  /** VFs a VM has on a host, by alias. */
  vfs(host: string, vm: string): Record<string, string> {
    return Object.fromEntries(this.fleet.host(host).domains.get(this.vmId(vm))?.vfs ?? []);
  }

  /** From now on a VM's memory never gets across; the returned function lets it. */
  holdTransfer(vm: string): () => void {
    const [host = ''] = this.runsOn(vm);
    const guest = this.fleet.host(host).domains.get(this.vmId(vm))?.guest;
    if (!guest) throw new Error(`${vm} does not run`);
    const before = guest.dirtyMiBps;
    guest.dirtyMiBps = DIRTY_WITHOUT_END;
    return () => {
      guest.dirtyMiBps = before;
    };
  }

  /** Waits until a VM's memory moves. */
  async sending(vm: string): Promise<void> {
    const [host = ''] = this.runsOn(vm);
    const domain = this.fleet.host(host).domains.get(this.vmId(vm));
    await eventually(`${vm} in transfer`, () => domain?.transfer?.phase === 'sending');
  }

  /** Checks what must be true at the end, within the limit, and takes everything down. */
  async close(): Promise<void> {
    try {
      await this.#check();
    } finally {
      for (const engine of this.#engines) engine.signal('SIGCONT');
      await Promise.all(this.#engines.map((engine) => engine.stop()));
      await this.#parts.hypervisors.close();
      await this.#served.close();
      await this.fleet.close();
      await this.store.close();
      rmSync(this.#directory, { recursive: true, force: true });
    }
  }

  async #check(): Promise<void> {
    let broken: string[] = ['never looked'];
    const limits = { limitMs: CHECK_LIMIT_MS, everyMs: 50 };
    await until(systemClock, 'all promises kept at the end', limits, async () => {
      broken = await atTheEnd(this, this.#watch.begun);
      return broken.length === 0 || undefined;
    }).catch(() => undefined);
    const all = [...this.#watch.broken, ...broken];
    if (all.length > 0) throw new Error(`promises broken:\n${all.join('\n')}`);
  }
}
