/**
 * One request's view of the use cases: each thing is asked for once, however often a mapper or `follow` needs
 * it. Lives as long as its request; never shared, so nobody sees another caller's data or stale answers.
 */
import { HandoverError } from '../../base/errors.ts';
import {
  type HostId,
  isUuid,
  type JobId,
  type NetworkId,
  type VmId,
  type VnicProfileId,
} from '../../base/ids.ts';
import type { VmPart } from '../../app/store-port.ts';
import type { Caller, UseCases, VfUse } from '../../app/use-cases.ts';
import type { User } from '../../model/access.ts';
import type { Host } from '../../model/host.ts';
import type { Job, JobStep } from '../../model/job.ts';
import type { Network, PfConfig, VnicProfile } from '../../model/network.ts';
import type { Vm, VmHead } from '../../model/vm.ts';

/** `NOT_FOUND` naming the thing, as a bad or unknown id in a path is answered. */
export function notFound(what: string, id: string): HandoverError {
  return new HandoverError(
    'NOT_FOUND',
    `there is no ${what} with the id ${id}; list them to see which exist`,
  );
}

export class Look {
  readonly #useCases: UseCases;
  readonly #caller: Caller;
  readonly #asked = new Map<string, Promise<unknown>>();
  /** The VMs of the last part, by id: a list is read part by part so that it is never held whole. */
  #part: ReadonlyMap<string, Vm> = new Map();

  constructor(useCases: UseCases, caller: Caller) {
    this.#useCases = useCases;
    this.#caller = caller;
  }

  hosts(): Promise<Host[]> {
    return this.#once('hosts', () => this.#useCases.listHosts(this.#caller));
  }

  host(id: string): Promise<Host> {
    return this.#byId('hosts', 'host', id, () => this.#useCases.getHost(this.#caller, id as HostId));
  }

  networks(): Promise<Network[]> {
    return this.#once('networks', () => this.#useCases.listNetworks(this.#caller));
  }

  network(id: string): Promise<Network> {
    return this.#byId('networks', 'network', id, () =>
      this.#useCases.getNetwork(this.#caller, id as NetworkId),
    );
  }

  profiles(): Promise<VnicProfile[]> {
    return this.#once('profiles', () => this.#useCases.listVnicProfiles(this.#caller));
  }

  profile(id: string): Promise<VnicProfile> {
    return this.#byId('profiles', 'vNIC profile', id, () =>
      this.#useCases.getVnicProfile(this.#caller, id as VnicProfileId),
    );
  }

  vms(): Promise<Vm[]> {
    return this.#once('vms', () => this.#useCases.listVms(this.#caller));
  }

  /** A part of the list, which `vm` then knows until the next one. */
  async vmPart(part: VmPart): Promise<Vm[]> {
    const vms = await this.#useCases.listVms(this.#caller, part);
    this.#part = new Map(vms.map((vm) => [vm.id, vm]));
    return vms;
  }

  /** Without what belongs to them: all, or a part of the list. */
  vmHeads(part?: VmPart): Promise<VmHead[]> {
    const ask = () => this.#useCases.listVmHeads(this.#caller, part);
    return part === undefined ? this.#once('VM heads', ask) : ask();
  }

  vm(id: string): Promise<Vm> {
    const known = this.#part.get(id);
    if (known) return Promise.resolve(known);
    return this.#byId('vms', 'VM', id, () => this.#useCases.getVm(this.#caller, id as VmId));
  }

  vfUses(hostId: HostId): Promise<VfUse[]> {
    return this.#once(`vfUses ${hostId}`, () => this.#useCases.vfUses(this.#caller, hostId));
  }

  pfConfigs(hostId: HostId): Promise<PfConfig[]> {
    return this.#once(`pfConfigs ${hostId}`, () => this.#useCases.listPfConfigs(this.#caller, hostId));
  }

  job(id: string): Promise<{ readonly job: Job; readonly steps: JobStep[] }> {
    if (!isUuid(id)) return Promise.reject(notFound('job', id));
    return this.#once(`job ${id}`, () => this.#useCases.getJob(this.#caller, id as JobId));
  }

  users(): Promise<User[]> {
    return this.#once('users', () => this.#useCases.listUsers(this.#caller));
  }

  /** Name of a host for a sentence; the id itself if the host is gone. */
  async hostName(id: HostId | null): Promise<string | null> {
    if (id === null) return null;
    return (await this.hosts()).find((host) => host.id === id)?.name ?? id;
  }

  /** From the list if that was asked for already, else by itself. An id that is no UUID exists nowhere. */
  async #byId<T extends { readonly id: string }>(
    list: string,
    what: string,
    id: string,
    ask: () => Promise<T>,
  ): Promise<T> {
    if (!isUuid(id)) throw notFound(what, id);
    const listed = this.#asked.get(list);
    if (!listed) return this.#once(`${what} ${id}`, ask);
    const found = ((await listed) as T[]).find((each) => each.id === id);
    if (!found) throw notFound(what, id);
    return found;
  }

  #once<T>(key: string, ask: () => Promise<T>): Promise<T> {
    const asked = this.#asked.get(key);
    if (asked) return asked as Promise<T>;
    const asking = ask();
    this.#asked.set(key, asking);
    return asking;
  }
}
