/**
 * Plays one episode: a world of its own from the plan's seed, the deeds in their order, then everything is
 * mended and must come to rest with all promises kept. Nothing outlives an episode, so any number of them run
 * in any number of processes, and one that failed is played again alone.
 */
import { HandoverError, messageOf } from '../../src/base/errors.ts';
import type { HostId } from '../../src/base/ids.ts';
import type { SimAct } from '../../src/simhost/acts.ts';
import { destroyDomain, rebootGuest, startDomain, undefineDomain } from '../../src/simhost/lifecycle.ts';
import { PROMPT_UNPLUG } from '../../src/simhost/inventory.ts';
import type { EngineProcess, EngineProcessOptions } from '../support/engine-process.ts';
import { seededRandom } from '../../src/base/random.ts';
import { simVmFleet } from '../support/sim-vms.ts';
import { CALLER, VirtualWorld } from '../support/virtual-world.ts';
import {
  type Deed,
  type EpisodeSize,
  hostNames,
  planEpisode,
  type Trouble,
  vmNames,
} from './plan-episode.ts';
import { type Planted, plugsBeforeResume } from './planted.ts';
import { Trace } from './trace.ts';

/** One episode to play. */
export interface EpisodeOptions {
  readonly seed: number;
  readonly size: EpisodeSize;
  /** Only so many deeds of the plan; default all. */
  readonly deedsMax?: number;
  /** Keeps what happened. */
  readonly traced?: boolean;
  /** A mistake that is made, to see it caught. */
  readonly planted?: Planted;
}

/** What came of it. */
export interface EpisodeResult {
  /** Jobs that ended, by state. */
  readonly ended: Readonly<Record<string, number>>;
  readonly deeds: number;
  /** Broken promises; empty = all kept. */
  readonly broken: readonly string[];
  /** What happened, if that was asked for. */
  readonly trace: readonly string[];
  /** Time that passed in the world. */
  readonly virtualMs: number;
}

const VFS_PER_HOST = 4;
/** Longer than anything is repeated before an operator is needed. */
const PATIENCE_MS = 12 * 60_000;
/** More than the longest pause of anything that is repeated, ten minutes. */
const REST_LIMIT_MS = 30 * 60_000;

/** Plays it. Throws only for a mistake of the campaign itself. */
export async function playEpisode(options: EpisodeOptions): Promise<EpisodeResult> {
  const { seed, size } = options;
  const plan = planEpisode(seededRandom(seed), size).slice(0, options.deedsMax);
  const hosts = hostNames(size);
  const vms = vmNames(size).map((name, at) => ({
    name,
    host: hosts[at % hosts.length] as string,
    vfs: [Math.floor(at / hosts.length) % VFS_PER_HOST],
  }));
  const inventory = simVmFleet({ vms, hostCount: size.hosts, vfCount: VFS_PER_HOST });
  const { planted } = options;
  const inStore = planted === undefined || planted === 'plugs_before_resume' ? {} : { planted };
  const world = await VirtualWorld.begin({ seed: seed + 1, inventory, ...inStore });
  const trace = new Trace(world, options.traced ?? false);
  const episode = new Episode(
    world,
    trace,
    planted === 'plugs_before_resume' ? { around: plugsBeforeResume } : {},
  );
  try {
    return { ...(await episode.play(plan)), deeds: plan.length };
  } finally {
    await world.close();
  }
}

/** An interface that somebody attaches. */
const ORDINARY_NIC =
  `<interface type='bridge'><mac address='52:54:00:aa:00:01'/><source bridge='prod'/>` +
  `<model type='virtio'/></interface>`;

/** What others do with virsh. */
const NEEDS_DAEMON: ReadonlySet<SimAct['do']> = new Set([
  'stealVf',
  'destroy',
  'undefine',
  'shutdown',
  'attachDevice',
  'migrate',
]);

class Episode {
  readonly #world: VirtualWorld;
  readonly #trace: Trace;
  readonly #engine: Partial<EngineProcessOptions>;
  /** Ends of troubles that still last. */
  readonly #ends = new Set<() => Promise<void> | void>();
  readonly #asked: string[] = [];
  /** VFs that others took, `HOST VF`: what they leave is theirs. */
  readonly #stolen = new Set<string>();
  /** VMs whose guest did not answer: only a reboot brings such a guest to let go. */
  readonly #deaf = new Set<string>();

  constructor(world: VirtualWorld, trace: Trace, engine: Partial<EngineProcessOptions>) {
    this.#world = world;
    this.#trace = trace;
    this.#engine = engine;
  }

  async play(plan: readonly Deed[]): Promise<Omit<EpisodeResult, 'deeds'>> {
    const world = this.#world;
    this.#startEngine();
    for (const deed of plan) {
      await world.clock.advance(deed.afterMs);
      this.#do(deed);
      await world.clock.advance(0);
    }
    const broken = [...(await this.#rest())];
    const ended: Record<string, number> = {};
    for (const id of this.#asked) {
      const state = (await world.store.jobs.get(id as never))?.state ?? 'unknown';
      ended[state] = (ended[state] ?? 0) + 1;
    }
    return { ended, broken, trace: this.#trace.lines, virtualMs: world.clock.monotonicMs() };
  }

  #startEngine(): EngineProcess {
    return this.#world.startEngine({
      ...this.#engine,
      overStore: this.#trace.overStore(this.#engine.overStore),
    });
  }

  #do(deed: Deed): void {
    const world = this.#world;
    this.#trace.note(() => `do ${JSON.stringify(deed)}`);
    switch (deed.do) {
      case 'migrate': {
        this.#ask(deed, async () => {
          const { unplugTimeoutMs, elsewhere } = deed;
          const vm = await this.#idleVm(deed.vm);
          const target = elsewhere === null ? {} : { targetHostId: this.#otherHost(vm, elsewhere) };
          const job = await world.useCases.migrateVm(CALLER, world.vmId(vm), { ...target, unplugTimeoutMs });
          this.#asked.push(job.id);
        });
        return;
      }
      case 'cancel':
        this.#ask(deed, () => world.useCases.cancelMigration(CALLER, world.vmId(deed.vm)));
        return;
      case 'trouble': {
        const end = this.#begin(deed.trouble);
        const over = (): Promise<void> | void => {
          if (!this.#ends.delete(over)) return;
          this.#trace.note(() => `over ${JSON.stringify(deed.trouble)}`);
          return end();
        };
        this.#ends.add(over);
        world.clock.after(deed.forMs, () => void Promise.resolve(over()));
      }
    }
  }

  /** A refusal is an answer; anything else is a mistake. */
  #ask(deed: Deed, what: () => Promise<unknown>): void {
    if (this.#world.engines.size === 0) return;
    what().catch((thrown: unknown) => {
      this.#trace.note(() => `refused ${deed.do}: ${messageOf(thrown)}`);
      if (!(thrown instanceof HandoverError) || thrown.kind === 'bug')
        this.#world.watch.note(messageOf(thrown));
    });
  }

  /** The returned function ends it. */
  #begin(trouble: Trouble): () => Promise<void> | void {
    const world = this.#world;
    this.#relax(trouble);
    switch (trouble.do) {
      case 'rule':
        return world.fleet.faults.add(trouble.rule);
      case 'act': {
        this.#act(trouble.act);
        const { end } = trouble;
        return () => (end ? this.#act(end) : undefined);
      }
      case 'vm': {
        const host = this.#hostOf(trouble.vm);
        if (host === null) return () => {};
        const on = { host, domain: trouble.vm };
        const to = [...world.fleet.hosts.keys()].find((name) => name !== host) ?? host;
        if (trouble.verb === 'migrate') this.#act({ do: 'migrate', ...on, to });
        else if (trouble.verb === 'attachDevice') this.#act({ do: 'attachDevice', ...on, xml: ORDINARY_NIC });
        else this.#act({ do: trouble.verb, ...on });
        return () => {};
      }
      case 'secondEngine': {
        const engine = this.#startEngine();
        return () => world.killEngine(engine);
      }
      case 'killEngine': {
        const [engine] = world.engines;
        if (engine) world.killEngine(engine);
        return () => void this.#startEngine();
      }
      case 'cutEngine': {
        const mends = [...world.engines].map((engine) => engine.cut(trouble.host));
        return () => mends.forEach((mend) => mend());
      }
      case 'jumpWall':
        world.clock.jumpWall(trouble.byMs);
        return () => {};
    }
  }

  #act(act: SimAct): void {
    if (NEEDS_DAEMON.has(act.do) && 'host' in act && !this.#world.fleet.host(act.host).daemonUp) {
      this.#trace.note(() => `not done ${act.do}: libvirtd of ${act.host} does not run`);
      return;
    }
    if (act.do === 'stealVf') this.#stolen.add(`${act.host} ${act.vf}`);
    if (act.do === 'setGuest' && act.unplug && act.unplug.type !== 'answer') this.#deaf.add(act.domain);
    void this.#world.fleet.act(act).catch((thrown: unknown) => {
      // What libvirt refuses, or a domain that is gone: then nothing was done.
      this.#trace.note(() => `not done ${act.do}: ${messageOf(thrown)}`);
    });
  }

  /** That VM, or the next one that no job moves; asked for all the same if all are moved. */
  async #idleVm(vm: string): Promise<string> {
    const names = [...this.#world.vmIds.keys()];
    const at = names.indexOf(vm);
    const live = new Set((await this.#world.liveJobs()).map((job) => job.vmName));
    return [...names.slice(at), ...names.slice(0, at)].find((name) => !live.has(name)) ?? vm;
  }

  /** One of the hosts it does not run on, counted from its own. */
  #otherHost(vm: string, steps: number): HostId {
    const names = [...this.#world.fleet.hosts.keys()];
    const at = names.indexOf(this.#hostOf(vm) ?? (names[0] as string));
    return this.#world.hostId(names[(at + 1 + (steps % (names.length - 1))) % names.length] as string);
  }

  #hostOf(vm: string): string | null {
    const id = this.#world.vmId(vm);
    for (const host of this.#world.fleet.hosts.values())
      if (host.domains.get(id)?.guest?.running) return host.name;
    return null;
  }

  /** What libvirt itself does under this trouble is no broken promise of ours. */
  #relax(trouble: Trouble): void {
    const { allowed, watch } = this.#world;
    const text = JSON.stringify(trouble);
    allowed.lostRequests = true;
    // libvirt resumes the source when it does not hear how the target fared, while the target may run.
    if (/Finish3|Libvirtd|setLink|crashHost|Perform3|Confirm3/.test(text)) allowed.twoCopies = true;
    // A VF plugged into a guest that cannot use it stays so until the next move.
    if (trouble.do === 'act' && trouble.act.do === 'setGuest' && trouble.act.vfTrouble)
      allowed.notPlugged.add(trouble.act.domain);
    if (trouble.do === 'jumpWall') allowed.clockJumps = true;
    if (/undefine|"migrate"/.test(text)) for (const vm of watch.begun) allowed.persistence.add(vm.name);
  }

  /** Mends everything, and waits until all is as it must be. */
  async #rest(): Promise<readonly string[]> {
    const world = this.#world;
    this.#trace.note(() => 'everything is mended');
    for (const end of [...this.#ends]) await end();
    await this.#mendHosts();
    if (world.engines.size === 0) this.#startEngine();
    await this.#untilNoJobLives();
    await this.#removeLeftovers();
    await this.#startVms();
    // Of a VM that was down there may have been two definitions.
    await this.#removeLeftovers();
    const broken = await world.brokenAtRest(REST_LIMIT_MS);
    return [...world.broken, ...broken];
  }

  async #mendHosts(): Promise<void> {
    const { fleet } = this.#world;
    fleet.faults.clear();
    const names = [...fleet.hosts.keys()];
    for (const [at, one] of names.entries())
      for (const other of names.slice(at + 1)) fleet.setLink(one, other, true);
    for (const host of fleet.hosts.values()) {
      await this.#world.run(
        'a host boots',
        fleet.act({ do: 'bootHost', host: host.name }).catch(() => undefined),
      );
      if (!host.daemonUp) await fleet.act({ do: 'startLibvirtd', host: host.name });
      host.takenMemoryKiB = 0;
      for (const pf of host.hardware.pfs) pf.carrier = true;
      for (const vf of host.hardware.vfs)
        if (this.#stolen.has(`${host.name} ${vf.pciAddress}`) && vf.holder === null)
          host.hardware.bindForHost(vf);
      for (const domain of [...host.domains.values()])
        if (domain.name.startsWith('stranger'))
          await this.#world.run('a stranger ends', destroyDomain(host, domain));
    }
    for (const host of fleet.hosts.values())
      for (const domain of host.domains.values())
        if (domain.guest) {
          if (this.#deaf.has(domain.name)) rebootGuest(host, domain);
          domain.guest.unplug = PROMPT_UNPLUG;
          domain.guest.dirtyMiBps = 40;
          domain.guest.vfTrouble = null;
        }
  }

  /** An operator does what alerts and parked jobs ask for. */
  async #untilNoJobLives(): Promise<void> {
    const world = this.#world;
    const endMs = world.clock.monotonicMs() + REST_LIMIT_MS;
    // Nobody gives up on a job that may still end by itself now that all is mended.
    const patientUntilMs = world.clock.monotonicMs() + PATIENCE_MS;
    const act = (what: string, work: Promise<unknown>) => {
      this.#trace.note(() => `operator: ${what}`);
      return world.run(
        what,
        work.catch((thrown: unknown) => this.#trace.note(() => messageOf(thrown))),
      );
    };
    while (world.clock.monotonicMs() < endMs) {
      const live = await world.liveJobs();
      if (live.length === 0) return;
      const alerts = await world.store.alerts.list();
      for (const { id, state } of live) {
        if (state === 'needs_operator') await act(`retry ${id}`, world.useCases.retryJob(CALLER, id));
        else if (world.clock.monotonicMs() < patientUntilMs) continue;
        else if (alerts.some(({ message }) => message.includes(`handover job abandon ${id}`)))
          await act(`abandon ${id}`, world.useCases.abandonJob(CALLER, id));
      }
      await world.clock.advance(5_000);
    }
  }

  /**
   * What an operator was told to see to: copies that stand still, and definitions of VMs that run elsewhere.
   */
  async #removeLeftovers(): Promise<void> {
    const world = this.#world;
    for (const { id, name } of world.watch.begun) {
      for (const host of world.fleet.hosts.values()) {
        const domain = host.domains.get(id);
        if (domain?.active && !domain.guest?.running)
          await world.run('a copy is ended', destroyDomain(host, domain));
      }
      if (this.#hostOf(name) === null) continue;
      for (const host of world.fleet.hosts.values()) {
        const domain = host.domains.get(id);
        if (domain && !domain.active) undefineDomain(host, domain);
      }
    }
  }

  /** Those that somebody ended start again where they are defined; what is defined nowhere is gone. */
  async #startVms(): Promise<void> {
    const world = this.#world;
    for (const { id, name } of world.watch.begun) {
      if (this.#hostOf(name) !== null) continue;
      world.allowed.down.add(name);
      for (const host of world.fleet.hosts.values()) {
        const domain = host.domains.get(id);
        if (!domain?.config || domain.active) continue;
        const started = startDomain(host, domain, 0).then(
          () => world.allowed.down.delete(name),
          (thrown: unknown) => this.#trace.note(() => `${name} does not start: ${messageOf(thrown)}`),
        );
        await world.run('a VM starts', started);
        break;
      }
    }
  }
}
