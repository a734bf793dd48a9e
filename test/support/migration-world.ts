/**
 * A whole engine without API, in this process: use cases, runner, monitor and reconciler on a real database,
 * and simulated hosts behind the real libvirt client. Time passes ten times faster. Hosts are watched from
 * the first moment on for what may never be true (`promises.ts`); `close` also checks what must be true at
 * the end, and fails the test.
 */
import { type Background, startBackground } from '../../src/app/background.ts';
import { createUseCases } from '../../src/app/create-use-cases.ts';
import type { AppParts } from '../../src/app/parts.ts';
import type { MigrateOptions, UseCases } from '../../src/app/use-cases.ts';
import { type Clock, systemClock, until } from '../../src/base/clock.ts';
import { HandoverError } from '../../src/base/errors.ts';
import type { HostId, JobId, VmId } from '../../src/base/ids.ts';
import { type Log, silentLog } from '../../src/base/log.ts';
import { EVENT_CODES, type EventName, isLive, type Job, type JobStep } from '../../src/model/job.ts';
import type { StandbyPolicy } from '../../src/model/guest.ts';
import type { MigrationPlan } from '../../src/model/plan.ts';
import type { Vm, Vnic } from '../../src/model/vm.ts';
import type { SimDomain } from '../../src/simhost/domain.ts';
import { createSimFleet, type SimFleet } from '../../src/simhost/fleet.ts';
import type { SimHost } from '../../src/simhost/host.ts';
import { createDomain, destroyDomain, startDomain, undefineDomain } from '../../src/simhost/lifecycle.ts';
import type { DatabaseConnection } from '../../src/store/db.ts';
import { type OpenStore, openStore } from '../../src/store/open-store.ts';
import { aCaller } from './builders.ts';
import { EngineLines, openHypervisors } from './engine-lines.ts';
import { eventually } from './eventually.ts';
import { fastClock } from './fast-clock.ts';
import { freshDatabase } from './postgres.ts';
import { nothingAllowed, atTheEnd, PromiseWatch } from './promises.ts';
import { seededRandom } from '../../src/base/random.ts';
import { type SimVmSpec, simVmFleet, strangerXml, uuidOf, VLAN, vfOf } from './sim-vms.ts';

const SPEED = 10;
/** Counts on the fast clock: 6 s of real time, more than a shared machine stalls. */
const LEASE_MS = 60_000;
/** Dirties all memory in every iteration: the transfer goes on until it is told otherwise. */
const DIRTY_WITHOUT_END = 1e9;
/** What is known follows what is true within this time, a resync (60 s on the fast clock) included. */
const CHECK_LIMIT_MS = 20_000;
const CALLER = aCaller();

/** What a world begins with. */
export interface WorldOptions extends Pick<AppParts, 'hooks'> {
  readonly vms: readonly SimVmSpec[];
  /** Default 2. */
  readonly hostCount?: number;
  /** VFs of every host; default 4. */
  readonly vfCount?: number;
  readonly log?: Log;
  /** Watches the traffic of VMs while their VFs are away, on a clock that is less fast: it is measured. */
  readonly watching?: Pick<AppParts, 'startProbe'>;
}

type WorldParts = AppParts & { readonly store: OpenStore };

/** An engine of the world. */
interface Engine {
  stop(): Promise<void>;
}

/** A fleet, a database and an engine. Who starts one closes it. */
export class MigrationWorld {
  readonly clock: Clock;
  readonly fleet: SimFleet;
  readonly store: OpenStore;
  readonly useCases: UseCases;
  /** The engine's own connections to the hosts; the hosts' among each other are the fleet's. */
  readonly lines: EngineLines;
  /** What the checks at the end let pass in this test. */
  readonly allowed = nothingAllowed();
  readonly #parts: WorldParts;
  readonly #vms: readonly SimVmSpec[];
  readonly #watch: PromiseWatch;
  readonly #hostIds = new Map<string, HostId>();
  readonly #connection: DatabaseConnection;
  #background: Background | null = null;
  #starts = 0;
  readonly #replicas: Engine[] = [];
  #strangers = 0;

  private constructor(
    fleet: SimFleet,
    parts: WorldParts,
    vms: readonly SimVmSpec[],
    lines: EngineLines,
    connection: DatabaseConnection,
  ) {
    this.lines = lines;
    this.#connection = connection;
    this.clock = parts.clock;
    this.fleet = fleet;
    this.store = parts.store;
    this.#parts = parts;
    this.#vms = vms;
    this.useCases = createUseCases(parts);
    this.#watch = new PromiseWatch(fleet, this.allowed);
  }

  /** Everything running, hosts and VMs known to the engine. */
  static async start(options: WorldOptions): Promise<MigrationWorld> {
    const clock = fastClock(options.watching ? 4 : SPEED);
    const { vms, hostCount = 2, vfCount = 4, log = silentLog, hooks = [] } = options;
    const random = seededRandom(1);
    const fleet = createSimFleet({ clock, random, log, inventory: simVmFleet({ vms, hostCount, vfCount }) });
    const connection = await freshDatabase();
    const store = await openStore({ connection, clock, log });
    const lines = new EngineLines(fleet);
    const hypervisors = openHypervisors(fleet, lines, clock, log);
    const parts = { store, hypervisors, clock, random, log, hooks, ...options.watching };
    const world = new MigrationWorld(fleet, parts, vms, lines, connection);
    await world.#begin();
    return world;
  }

  async #begin(): Promise<void> {
    for (const [index, spec] of this.#vms.entries()) {
      const host = this.host(spec.host ?? 'host-a');
      const domain = host.byUuid(uuidOf(index));
      if (spec.managed === false) {
        for (const number of spec.vfs ?? [0]) {
          const vf = host.hardware.vf(vfOf(number));
          if (vf) host.hardware.bindForGuests(vf, null);
        }
        await startDomain(host, domain, 0);
      }
      if (spec.transient) undefineDomain(host, domain);
      if (spec.disk !== undefined) host.files.set(spec.disk, 1 << 30);
    }
    const { useCases } = this;
    const prod = await useCases.addNetwork(CALLER, { name: 'prod', vlan: VLAN });
    await useCases.addVnicProfile(CALLER, { name: 'prod-vf', networkId: prod.id, passThrough: true });
    await useCases.addVnicProfile(CALLER, { name: 'prod', networkId: prod.id });
    for (const name of this.fleet.hosts.keys()) {
      const { id } = await useCases.addHost(CALLER, { name, uri: `qemu+ssh://root@${name}/system` });
      this.#hostIds.set(name, id);
    }
    this.#watch.begin();
    this.startEngine();
  }

  // ---- the engine ----

  /** Starts what works in the background, as after a restart of the engine: nothing is remembered. */
  startEngine(): void {
    this.#background = this.#startBackground(this.#parts);
  }

  #startBackground(parts: AppParts): Background {
    this.#starts += 1;
    const options = { owner: `engine-${this.#starts}`, leaseMs: LEASE_MS, pollMs: 1_000, jobsMax: 16 };
    return startBackground(parts, options);
  }

  /** One engine more on the same database, with connections of its own; ends with the world, or before. */
  async startReplica(): Promise<Engine> {
    const { clock, log } = this.#parts;
    const store = await openStore({ connection: this.#connection, clock, log });
    const hypervisors = openHypervisors(this.fleet, new EngineLines(this.fleet), clock, log);
    const background = this.#startBackground({ ...this.#parts, store, hypervisors });
    let stopped: Promise<void> | null = null;
    const replica = {
      stop: () =>
        (stopped ??= (async () => {
          await background.stop();
          await hypervisors.close();
          await store.close();
        })()),
    };
    this.#replicas.push(replica);
    return replica;
  }

  /** Stops it, wherever its jobs are. */
  async stopEngine(): Promise<void> {
    await this.#background?.stop();
    this.#background = null;
  }

  /** Asks for a migration; to any other host unless one is named. */
  async migrate(vm: string, options: MigrateOptions & { readonly to?: string } = {}): Promise<Job> {
    const { to, ...rest } = options;
    return this.useCases.migrateVm(CALLER, this.vmId(vm), {
      ...(to === undefined ? {} : { targetHostId: this.hostId(to) }),
      ...rest,
    });
  }

  async migrated(vm: string, options: MigrateOptions & { readonly to?: string } = {}): Promise<Job> {
    return this.ended(await this.migrate(vm, options));
  }

  cancel(vm: string): Promise<Job> {
    return this.useCases.cancelMigration(CALLER, this.vmId(vm));
  }

  /** What a plan has against host-b. */
  async planned(vm: string, options: MigrateOptions = {}): Promise<string[]> {
    const plan = await this.plan(vm, options);
    const verdict = plan.hosts.find((host) => host.hostName === 'host-b');
    return verdict?.reasons.map((reason) => reason.message) ?? ['host-b is not in the plan'];
  }

  async rename(host: string, name: string): Promise<void> {
    await this.useCases.updateHost(CALLER, this.hostId(host), { name });
  }

  abandon(job: Pick<Job, 'id'>): Promise<Job> {
    return this.useCases.abandonJob(CALLER, job.id);
  }

  /** Waits until something is true. */
  async until(what: string, look: () => Promise<boolean> | boolean): Promise<void> {
    await eventually(what, look);
  }

  /** Waits for the end of a job. */
  ended(job: Job): Promise<Job> {
    return eventually(`the end of job ${job.id}`, async () => {
      const now = await this.job(job);
      return !isLive(now.state) && now;
    });
  }

  async job(job: Pick<Job, 'id'>): Promise<Job> {
    return (await this.useCases.getJob(CALLER, job.id)).job;
  }

  /** Steps as `name: state` in the order they began, vNICs' own left out. */
  async steps(job: Pick<Job, 'id'>): Promise<JobStep[]> {
    return (await this.useCases.getJob(CALLER, job.id)).steps.filter((step) => step.vnicId === null);
  }

  /** Waits until a step was begun. */
  begun(job: Pick<Job, 'id'>, name: string): Promise<JobStep> {
    return eventually(`step ${name} of job ${job.id}`, async () =>
      (await this.steps(job)).find((step) => step.name === name),
    );
  }

  /** Messages of one kind of event of a job. */
  async said(job: { readonly id: JobId }, name: EventName): Promise<string[]> {
    const events = await this.store.events.list({ jobId: job.id, limit: 1000 });
    return events.filter((event) => event.code === EVENT_CODES[name]).map((event) => event.message);
  }

  /** The same, waited for: some are said just after the job ended. */
  heard(job: { readonly id: JobId }, name: EventName): Promise<string[]> {
    return eventually(`event ${name} of job ${job.id}`, async () => {
      const messages = await this.said(job, name);
      return messages.length > 0 && messages;
    });
  }

  /** Messages of the alerts that stand, of the engine's own VMs. */
  async alerts(): Promise<string[]> {
    return (await this.store.alerts.list()).map((alert) => alert.message);
  }

  /** Plugs or unplugs the first VF vNIC of a VM, as its user does. */
  async setPlugged(vm: string, plugged: boolean): Promise<Vm> {
    const [vnic] = await this.vnics(vm);
    if (!vnic) throw new Error(`${vm} has no VF vNIC`);
    return this.useCases.setVnicPlugged(CALLER, this.vmId(vm), vnic.id, plugged);
  }

  /** A VM as the engine shows it. */
  vm(name: string): Promise<Vm> {
    return this.useCases.getVm(CALLER, this.vmId(name));
  }

  plan = async (vm: string, options: MigrateOptions = {}): Promise<MigrationPlan> =>
    await this.useCases.planMigration(CALLER, this.vmId(vm), options);

  setStandbyPolicy = async (vm: string, policy: StandbyPolicy): Promise<unknown> =>
    await this.useCases.setStandbyPolicy(CALLER, this.vmId(vm), policy);

  /** Its vNICs on VFs. */
  async vnics(name: string): Promise<Vnic[]> {
    return (await this.vm(name)).vnics.filter((vnic) => vnic.passthrough);
  }

  vmId(name: string): VmId {
    const index = this.#vms.findIndex((spec) => spec.name === name);
    if (index < 0) throw new Error(`no VM of this world is called ${name}`);
    return uuidOf(index);
  }

  hostId(name: string): HostId {
    const id = this.#hostIds.get(name);
    if (id === undefined) throw new Error(`no host of this world is called ${name}`);
    return id;
  }

  // ---- the hosts ----

  host(name: string): SimHost {
    return this.fleet.host(name);
  }

  /** The domain of a VM on a host, as that host has it; undefined if it does not know it. */
  domain(host: string, vm: string): SimDomain | undefined {
    return this.host(host).domains.get(this.vmId(vm));
  }

  /** The host a VM runs on now, by looking at all. */
  runsOn(vm: string): string[] {
    return [...this.fleet.hosts.values()]
      .filter((host) => host.domains.get(this.vmId(vm))?.guest?.running)
      .map((host) => host.name);
  }

  /** VFs a VM has on a host, by alias. */
  vfs(host: string, vm: string): Record<string, string> {
    return Object.fromEntries(this.domain(host, vm)?.vfs ?? []);
  }

  /** From now on a VM's memory never gets across; the returned function lets it. */
  holdTransfer(vm: string): () => void {
    const guest = this.#guest(vm);
    const before = guest.dirtyMiBps;
    guest.dirtyMiBps = DIRTY_WITHOUT_END;
    return () => {
      guest.dirtyMiBps = before;
    };
  }

  /** What runs in a VM. */
  guest(vm: string): NonNullable<SimDomain['guest']> {
    return this.#guest(vm);
  }

  #guest(vm: string): NonNullable<SimDomain['guest']> {
    const [host] = this.runsOn(vm);
    const guest = host === undefined ? null : this.domain(host, vm)?.guest;
    if (!guest) throw new Error(`${vm} does not run`);
    return guest;
  }

  /** Begins a migration and waits until memory moves; `letGo` ends the transfer. */
  async inTransfer(
    vm: string,
    options: MigrateOptions & { readonly to?: string } = {},
  ): Promise<{ readonly job: Job; readonly letGo: () => void }> {
    const letGo = this.holdTransfer(vm);
    const [source = ''] = this.runsOn(vm);
    const job = await this.migrate(vm, options);
    await eventually(`${vm} in transfer`, () => this.domain(source, vm)?.transfer?.phase === 'sending');
    return { job, letGo };
  }

  /** Every attach on a host takes this long from now on. */
  slowAttach(host: string, delayMs: number): void {
    const procedure = 'domainAttachDeviceFlags';
    this.fleet.faults.add({ procedure, host, delayMs });
  }

  /** Somebody else's domain takes VFs of a host; the returned function ends it. */
  async steal(hostName: string, vfs: readonly number[]): Promise<() => Promise<void>> {
    const host = this.host(hostName);
    this.#strangers += 1;
    const domain = await createDomain(host, strangerXml(this.#strangers, vfs), 0);
    return () => destroyDomain(host, domain);
  }

  /** Checks what must be true at the end, then takes everything down. Throws every broken promise. */
  async close(limitMs = CHECK_LIMIT_MS): Promise<void> {
    try {
      await this.#check(limitMs);
    } finally {
      await this.stopEngine();
      await Promise.all(this.#replicas.map((replica) => replica.stop()));
      await this.#parts.hypervisors.close();
      await this.fleet.close();
      await this.store.close();
    }
  }

  async #check(limitMs: number): Promise<void> {
    let broken: string[] = [];
    const limits = { limitMs, everyMs: 20 };
    await until(systemClock, 'all promises kept at the end', limits, async () => {
      broken = await atTheEnd(this, this.#watch.begun);
      return broken.length === 0 || undefined;
    }).catch(() => undefined);
    const all = [...this.#watch.broken, ...broken];
    if (all.length > 0) throw new Error(`promises broken:\n${all.join('\n')}`);
  }
}

/** The error something is rejected with. */
export async function failureOf(pending: Promise<unknown>): Promise<HandoverError> {
  try {
    await pending;
  } catch (thrown) {
    return thrown as HandoverError;
  }
  throw new Error('it should have failed');
}
