/**
 * The promises of a migration as checkers of the simulated hosts' own state, not of what the engine believes.
 * `PromiseWatch` looks at every event of any host for what may never be true; `atTheEnd` says what must be
 * true once all jobs have ended.
 */
import type { Store } from '../../src/app/store-port.ts';
import type { VmId } from '../../src/base/ids.ts';
import { isLive } from '../../src/model/job.ts';
import type { Vm, Vnic } from '../../src/model/vm.ts';
import type { SimDomain } from '../../src/simhost/domain.ts';
import type { SimFleet } from '../../src/simhost/fleet.ts';
import { EMPTY_MAC, type SimVf } from '../../src/simhost/hardware.ts';
import type { SimHost } from '../../src/simhost/host.ts';
import { attribute, children, find } from '../../src/simhost/xml.ts';

/** What a test lets pass, by name of the VM. */
export interface Allowed {
  /** Somebody ended it: it runs nowhere. */
  readonly down: Set<string>;
  /** Some of its vNICs are not where they should be. */
  readonly notPlugged: Set<string>;
  /** Its user took its VFs out: they are nowhere, and not in its definition either. */
  readonly unplugged: Set<string>;
  /** Somebody changed whether it is defined, and whether it starts by itself. */
  readonly persistence: Set<string>;
  /** The wall clock is set in this test: times of one job cannot be compared. */
  clockJumps: boolean;
  /**
   * A request to a guest may get lost in this test: nobody can know whether it was asked, so a VF may stay
   * plugged under an alert until the next move asks again.
   */
  lostRequests: boolean;
  /** libvirt itself starts a second copy in this test. */
  twoCopies: boolean;
}

/** A VM as it was before anything happened. */
export interface Begun {
  readonly id: VmId;
  readonly name: string;
  readonly persistent: boolean;
  readonly autostart: boolean;
  readonly macs: readonly string[];
}

interface Instance {
  readonly host: SimHost;
  readonly domain: SimDomain;
}

const macsOf = (definition: SimDomain['config']): string[] =>
  children(find(definition ?? undefined, 'devices'), 'interface').map(
    (each) => attribute(each, 'mac', 'address') ?? '',
  );

/** Nothing is let pass. */
export const nothingAllowed = (): Allowed => ({
  down: new Set(),
  notPlugged: new Set(),
  unplugged: new Set(),
  persistence: new Set(),
  clockJumps: false,
  lostRequests: false,
  twoCopies: false,
});

/** Watches from `begin` on. */
export class PromiseWatch {
  readonly begun: Begun[] = [];
  readonly #fleet: SimFleet;
  readonly #allowed: Allowed;
  readonly #broken = new Set<string>();

  constructor(fleet: SimFleet, allowed: Allowed) {
    this.#fleet = fleet;
    this.#allowed = allowed;
  }

  /** Notes how everything is, and watches. */
  begin(): void {
    for (const host of this.#fleet.hosts.values()) {
      for (const domain of host.domains.values()) {
        this.begun.push({
          id: domain.uuid as VmId,
          name: domain.name,
          persistent: domain.config !== null,
          autostart: domain.autostart,
          macs: macsOf(domain.live ?? domain.config),
        });
      }
      // Every change of a domain or a VF is an event of its host.
      host.listen(() => this.#look());
    }
  }

  /** What was seen and may never be. */
  get broken(): string[] {
    return [...this.#broken];
  }

  /** Something else that may never be. */
  note(what: string): void {
    this.#broken.add(what);
  }

  #look(): void {
    const instances = [...this.#fleet.hosts.values()].flatMap((host) =>
      [...host.domains.values()].map((domain): Instance => ({ host, domain })),
    );
    this.#oneRunningInstance(instances);
    this.#oneMacOnOneLink();
    for (const { host, domain } of instances) this.#nothingAttachedWhileItStandsStill(host, domain);
  }

  #oneRunningInstance(instances: readonly Instance[]): void {
    if (this.#allowed.twoCopies) return;
    for (const { id, name } of this.begun) {
      const running = instances.filter(({ domain }) => domain.uuid === id && domain.guest?.running);
      if (running.length > 1)
        this.#broken.add(`${name} ran on ${running.map(({ host }) => host.name).join(' and ')}`);
    }
  }

  #oneMacOnOneLink(): void {
    const seen = new Map<string, string>();
    for (const host of this.#fleet.hosts.values()) {
      for (const vf of host.hardware.vfs) {
        if (vf.mac === EMPTY_MAC) continue;
        const here = `${host.name} ${vf.pciAddress}`;
        const other = seen.get(vf.mac);
        if (other !== undefined) this.#broken.add(`${vf.mac} was on ${other} and on ${here}`);
        seen.set(vf.mac, here);
      }
    }
  }

  #nothingAttachedWhileItStandsStill(host: SimHost, domain: SimDomain): void {
    if (domain.vfs.size === 0) return;
    const leaving = domain.transfer !== null && domain.transfer.phase !== 'failed';
    const arriving = domain.incoming !== null && !domain.guest?.running;
    if (leaving || arriving)
      this.#broken.add(`${domain.name} had a VF on ${host.name} while its memory moved`);
  }
}

/** The part of a world the last check needs. */
interface Ended {
  readonly fleet: SimFleet;
  readonly store: Store;
  readonly allowed: Allowed;
}

/** Everything that is not as it must be once all jobs have ended; empty = all promises kept. */
export async function atTheEnd(world: Ended, begun: readonly Begun[]): Promise<string[]> {
  const { store, fleet, allowed } = world;
  const jobs = await store.jobs.list({ limit: 1000 });
  const broken = jobs.filter((job) => isLive(job.state)).map((job) => `job ${job.id} is ${job.state}`);
  for (const { vmName, data } of allowed.clockJumps ? [] : jobs)
    if ((data.plugAskedAt ?? Infinity) < (data.resumedAt ?? -Infinity))
      broken.push(`a plug of ${vmName} was asked for before it had resumed on the target`);
  for (const held of await store.reservations.list())
    broken.push(`VF ${held.vf} is still reserved for job ${held.jobId}`);
  for (const host of fleet.hosts.values()) broken.push(...brokenVfs(host));
  const alerts = new Map((await store.alerts.list()).map((alert) => [alert.key, alert.message]));
  for (const vm of begun) {
    const known = await store.vms.get(vm.id);
    broken.push(...brokenDomains(fleet, vm, allowed));
    if (known) {
      broken.push(...brokenKnowledge(fleet, vm, known, allowed));
      for (const vnic of known.vnics) {
        const stands = alerts.delete(`vnic:${vnic.id}`);
        if (
          stands !== (vnic.passthrough && vnic.plugged && vnic.actual !== 'plugged') &&
          !allowed.down.has(vm.name)
        )
          broken.push(`alert of ${vm.name} ${vnic.name}: ${stands}, but it is ${vnic.actual}`);
      }
    } else if (!mayBeGone(vm, allowed)) broken.push(`${vm.name} is not known any more`);
  }
  broken.push(...[...alerts.values()].map((message) => `an alert was left: ${message}`));
  return broken;
}

const mayBeGone = (vm: Begun, allowed: Allowed): boolean =>
  allowed.down.has(vm.name) && (!vm.persistent || allowed.persistence.has(vm.name));

function brokenVfs(host: SimHost): string[] {
  const users = new Map<string, string[]>();
  for (const domain of host.domains.values())
    for (const vf of domain.vfs.values()) users.set(vf, [...(users.get(vf) ?? []), domain.name]);
  const wrong = (vf: SimVf): string | null => {
    const names = users.get(vf.pciAddress) ?? [];
    if (names.length > 1) return `is in ${names.join(' and ')}`;
    if (names.length === 1) return null;
    if (vf.mac !== EMPTY_MAC || vf.vlan !== 0) return `is free with MAC ${vf.mac} and VLAN ${vf.vlan}`;
    return vf.driver === vf.pf.spec.vfDriver ? null : `is free with driver ${vf.driver}`;
  };
  return host.hardware.vfs.flatMap((vf) => {
    const said = wrong(vf);
    return said === null ? [] : [`VF ${vf.pciAddress} of ${host.name} ${said}`];
  });
}

function brokenDomains(fleet: SimFleet, vm: Begun, allowed: Allowed): string[] {
  const found = [...fleet.hosts.values()].flatMap((host) => {
    const domain = host.domains.get(vm.id);
    return domain ? [{ host, domain }] : [];
  });
  const where = found.map(({ host, domain }) => `${host.name}${domain.active ? '' : ' (off)'}`).join(', ');
  const down = allowed.down.has(vm.name);
  const changed = allowed.persistence.has(vm.name);
  if (down && changed && found.length === 0) return [];
  if (down && !vm.persistent) return found.length === 0 ? [] : [`${vm.name} was left on ${where}`];
  const [only] = found;
  if (!only || found.length !== 1) return [`${vm.name} should be on one host and is on: ${where}`];
  const { domain } = only;
  const broken: string[] = [];
  if (down === (domain.guest?.running ?? false)) broken.push(`${vm.name} runs: ${!down} expected`);
  if (changed) return broken;
  if ((domain.config !== null) !== vm.persistent)
    broken.push(`${vm.name} was ${vm.persistent ? 'persistent' : 'transient'} and is not any more`);
  if (domain.autostart !== vm.autostart) broken.push(`autostart of ${vm.name} is ${domain.autostart}`);
  if (vm.persistent) {
    const defined = macsOf(domain.config);
    for (const mac of vm.macs)
      if (!defined.includes(mac) && !allowed.unplugged.has(vm.name))
        broken.push(`the definition of ${vm.name} lacks ${mac}`);
  }
  return broken;
}

function brokenKnowledge(fleet: SimFleet, vm: Begun, known: Vm, allowed: Allowed): string[] {
  const broken: string[] = [];
  const [running] = [...fleet.hosts.values()].filter((host) => host.domains.get(vm.id)?.guest?.running);
  const down = allowed.down.has(vm.name);
  const isGone = known.status === 'unknown' && known.hostId === null && mayBeGone(vm, allowed);
  if (known.status !== (down ? 'down' : 'up') && !isGone)
    broken.push(`${vm.name} is known as ${known.status}`);
  if (known.staleOn.length > 0) broken.push(`${vm.name} is known as stale on a host`);
  const live = running?.domains.get(vm.id)?.vfs ?? new Map<string, string>();
  for (const vnic of known.vnics) {
    if (!vnic.plugged && !allowed.unplugged.has(vm.name))
      broken.push(`${vnic.name} of ${vm.name} is no longer desired`);
    if (!vnic.plugged) broken.push(...brokenUnplugged(fleet, vm, vnic));
    else if (vnic.passthrough && !down) broken.push(...brokenVnic(vm, vnic, live, allowed));
  }
  return broken;
}

function brokenUnplugged(fleet: SimFleet, vm: Begun, vnic: Vnic): string[] {
  const still = [...fleet.hosts.values()].flatMap(({ name, domains }) => {
    const domain = domains.get(vm.id);
    const has = [...macsOf(domain?.live ?? null), ...macsOf(domain?.config ?? null)].includes(vnic.mac);
    return has ? [`${vnic.name} of ${vm.name} is unplugged and still there on ${name}`] : [];
  });
  return vnic.actual === 'unplugged' && vnic.vf === null
    ? still
    : [`${vnic.name} of ${vm.name} is ${vnic.actual} on ${vnic.vf} and not desired`, ...still];
}

function brokenVnic(vm: Begun, vnic: Vnic, live: ReadonlyMap<string, string>, allowed: Allowed): string[] {
  const vf = live.get(vnic.alias ?? '') ?? null;
  if (vf !== vnic.vf) return [`${vnic.name} of ${vm.name} is on ${vf}, known as ${vnic.vf} ${vnic.actual}`];
  if (vnic.actual === 'plugged' || allowed.notPlugged.has(vm.name)) return [];
  if (vnic.actual === 'unplug_pending' && allowed.lostRequests) return [];
  return [`${vnic.name} of ${vm.name} is ${vnic.actual}`];
}
