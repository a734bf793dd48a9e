/**
 * The use cases over plain arrays, for tests of what the API renders: nothing is reached, jobs move when the
 * test says so. Sign-on, users and permissions are the real ones. Refusals are those of the real ones as far
 * as the API treats them differently. Plans are the scheduler's own.
 */
import type { Caller, UseCases } from '../../src/app/use-cases.ts';
import { refuseChanges } from '../../src/app/vm-definitions.ts';
import { guarded, NEEDS } from '../../src/app/permissions.ts';
import type { Alert, VmPart } from '../../src/app/store-port.ts';
import { type ErrorCode, HandoverError } from '../../src/base/errors.ts';
import type { JobId, NetworkId, VmId, VnicId, VnicProfileId } from '../../src/base/ids.ts';
import { systemRandom } from '../../src/base/random.ts';
import type { GuestRecord } from '../../src/model/guest.ts';
import type { Host } from '../../src/model/host.ts';
import { type HandoverEvent, isLive, type Job, type JobStep } from '../../src/model/job.ts';
import type { Network, PfConfig, VnicProfile } from '../../src/model/network.ts';
import type { Vm, VmHead, VmStatus } from '../../src/model/vm.ts';
import { aQueuedJob, aVm, aVnic, newId } from './builders.ts';
import { memoryPlanCases } from './memory-plan-cases.ts';
import { memoryVfCases } from './memory-vf-cases.ts';
import { accessCases, accessTables } from './memory-access.ts';
import type { Tables } from './memory-store/tables.ts';
import { partOf, profileUsesOf } from './memory-store/vm-part.ts';

/** What there is; tests read and change it. */
export interface MemoryWorld {
  hosts: Host[];
  networks: Network[];
  profiles: VnicProfile[];
  vms: Vm[];
  guests: GuestRecord[];
  jobs: Job[];
  steps: JobStep[];
  events: HandoverEvent[];
  alerts: Alert[];
  pfConfigs: PfConfig[];
  /** Users and sessions. */
  readonly access: Tables;
  /** Thrown by the next call of any use case but sign-on, once. */
  failNext: Error | null;
  /** Who asked last. */
  lastCaller: Caller | null;
}

/** A world without anything in it. */
export const emptyWorld = (): MemoryWorld => ({
  hosts: [],
  networks: [],
  profiles: [],
  vms: [],
  guests: [],
  jobs: [],
  steps: [],
  events: [],
  alerts: [],
  pfConfigs: [],
  access: accessTables(),
  failNext: null,
  lastCaller: null,
});

const fail = (code: ErrorCode, message: string): never => {
  throw new HandoverError(code, message);
};

function find<T extends { readonly id: string }>(all: readonly T[], id: string): T {
  return all.find((each) => each.id === id) ?? fail('NOT_FOUND', `there is nothing with the id ${id}`);
}

function replace<T extends { readonly id: string }>(all: T[], value: T): T {
  all.splice(
    all.findIndex((each) => each.id === value.id),
    1,
    value,
  );
  return value;
}

function checkName(all: readonly { id: string; name: string }[], name: string, own?: string): void {
  if (all.some((each) => each.name === name && each.id !== own)) {
    fail('ALREADY_EXISTS', `the name ${name} is taken; choose another`);
  }
}

/** The use cases over `world`. */
export function memoryUseCases(world: MemoryWorld): UseCases {
  const parts = {
    ...accessCases(world.access),
    ...hostCases(world),
    ...memoryVfCases(world),
    ...networkCases(world),
    ...profileCases(world),
    ...vmCases(world),
    ...migrateCases(world),
    ...jobCases(world),
  };
  // Whoever is called, with whatever: the caller is noted, a planned failure thrown.
  const noted = new Proxy<UseCases>(parts, {
    get(target, name: keyof UseCases) {
      if (!(name in NEEDS)) return Reflect.get(target, name) as unknown;
      return async (...given: unknown[]) => {
        world.lastCaller = given[0] as Caller;
        const failure = world.failNext;
        world.failNext = null;
        if (failure) throw failure;
        return await (target[name] as (...all: unknown[]) => Promise<unknown>)(...given);
      };
    },
  });
  return guarded(noted);
}

const hostCases = (
  world: MemoryWorld,
): Pick<
  UseCases,
  | 'listHosts'
  | 'getHost'
  | 'addHost'
  | 'updateHost'
  | 'removeHost'
  | 'refreshHost'
  | 'testPeers'
  | 'setMaintenance'
> => ({
  listHosts: async () => [...world.hosts],
  getHost: async (_caller, id) => find(world.hosts, id),
  addHost: async (_caller, given) => {
    checkName(world.hosts, given.name);
    const host: Host = {
      id: systemRandom.uuid() as Host['id'],
      peerUri: null,
      migrationAddress: null,
      outgoingMax: 2,
      incomingMax: 2,
      ...given,
      status: 'up',
      statusReason: null,
      inventory: null,
      observedAt: null,
      peerTests: {},
    };
    world.hosts.push(host);
    return host;
  },
  updateHost: async (_caller, id, changes) => replace(world.hosts, { ...find(world.hosts, id), ...changes }),
  removeHost: async (_caller, id) => {
    const host = find(world.hosts, id);
    if (world.jobs.some((job) => isLive(job.state) && job.sourceHostId === id)) {
      fail('IN_USE', `a migration leaves ${host.name}; wait for its end`);
    }
    world.hosts = world.hosts.filter((each) => each.id !== id);
  },
  refreshHost: async (_caller, id) => find(world.hosts, id),
  setMaintenance: async (_caller, id, on) =>
    replace<Host>(world.hosts, { ...find(world.hosts, id), status: on ? 'maintenance' : 'up' }),
  testPeers: async (_caller, id) => {
    find(world.hosts, id);
    const others = world.hosts.filter((host) => host.id !== id);
    return new Map(others.map((host) => [host.id, { ok: true, message: 'ok', testedAt: 0 }]));
  },
});

const networkCases = (
  world: MemoryWorld,
): Pick<UseCases, 'listNetworks' | 'getNetwork' | 'addNetwork' | 'updateNetwork' | 'removeNetwork'> => ({
  listNetworks: async () => [...world.networks],
  getNetwork: async (_caller, id) => find(world.networks, id),
  addNetwork: async (_caller, given) => {
    checkName(world.networks, given.name);
    const network: Network = {
      id: systemRandom.uuid() as NetworkId,
      vlan: null,
      label: null,
      mtu: null,
      description: null,
      ...given,
    };
    world.networks.push(network);
    return network;
  },
  updateNetwork: async (_caller, id, changes) => {
    if (changes.name !== undefined) checkName(world.networks, changes.name, id);
    return replace(world.networks, { ...find(world.networks, id), ...changes });
  },
  removeNetwork: async (_caller, id) => {
    const { name } = find(world.networks, id);
    if (world.profiles.some((each) => each.networkId === id)) {
      fail('IN_USE', `network ${name} has vNIC profiles; delete them first`);
    }
    world.networks = world.networks.filter((each) => each.id !== id);
  },
});

const profileCases = (
  world: MemoryWorld,
): Pick<
  UseCases,
  | 'listVnicProfiles'
  | 'getVnicProfile'
  | 'listProfileUses'
  | 'addVnicProfile'
  | 'updateVnicProfile'
  | 'removeVnicProfile'
> => ({
  listVnicProfiles: async () => [...world.profiles],
  getVnicProfile: async (_caller, id) => find(world.profiles, id),
  listProfileUses: async () => profileUsesOf(world.vms, 20),
  addVnicProfile: async (_caller, given) => {
    checkName(
      world.profiles.filter((each) => each.networkId === given.networkId),
      given.name,
    );
    const profile: VnicProfile = {
      id: systemRandom.uuid() as VnicProfileId,
      passThrough: false,
      migratable: true,
      portMirroring: false,
      failoverId: null,
      description: null,
      ...given,
    };
    world.profiles.push(profile);
    return profile;
  },
  updateVnicProfile: async (_caller, id, changes) =>
    replace(world.profiles, { ...find(world.profiles, id), ...changes }),
  removeVnicProfile: async (_caller, id) => {
    const { name } = find(world.profiles, id);
    if (world.vms.some((vm) => vm.vnics.some((vnic) => vnic.profileId === id))) {
      fail('IN_USE', `vNIC profile ${name} is used by VMs; give their vNICs another first`);
    }
    world.profiles = world.profiles.filter((each) => each.id !== id);
  },
});

const liveJob = (world: MemoryWorld, vmId: VmId) =>
  world.jobs.find((job) => job.vmId === vmId && isLive(job.state));

type VmCases =
  | 'listVms'
  | 'listVmHeads'
  | 'countVms'
  | 'getVm'
  | 'guestKit'
  | 'addVm'
  | 'updateVm'
  | 'removeVm'
  | 'setVnicProfile'
  | 'setVnicPlugged'
  | 'addVnic'
  | 'removeVnic'
  | 'startVm'
  | 'shutdownVm'
  | 'stopVm'
  | keyof ReturnType<typeof memoryPlanCases>;

const headsOf = (world: MemoryWorld, part: VmPart | undefined): VmHead[] =>
  partOf(world.vms, part).map(({ vnics: _, staleOn: __, ...head }) =>
    liveJob(world, head.id) ? { ...head, status: 'migrating' } : head,
  );

const vmCases = (world: MemoryWorld): Pick<UseCases, VmCases> => {
  const become = (status: VmStatus) => async (_caller: Caller, id: VmId) =>
    replace(world.vms, { ...find(world.vms, id), status });
  return {
    listVms: async (_caller, part) =>
      partOf(world.vms, part).map((vm) => (liveJob(world, vm.id) ? { ...vm, status: 'migrating' } : vm)),
    listVmHeads: async (_caller, part) => headsOf(world, part),
    countVms: async (_caller, part) => partOf(world.vms, part).length,
    getVm: async (_caller, id) =>
      liveJob(world, id) ? { ...find(world.vms, id), status: 'migrating' } : find(world.vms, id),
    guestKit: async (_caller, id, format) => `${format} for ${find(world.vms, id).name}\n`,
    addVm: async (_caller, { name }) => {
      const vm = aVm({ id: newId<VmId>(), name: name ?? 'new', status: 'down', vnics: [] });
      world.vms.push(vm);
      return vm;
    },
    updateVm: async (_caller, id, changes) => {
      refuseChanges(find(world.vms, id), changes);
      return find(world.vms, id);
    },
    removeVm: async (_caller, id) => {
      find(world.vms, id);
      world.vms = world.vms.filter((vm) => vm.id !== id);
    },
    startVm: become('up'),
    shutdownVm: become('down'),
    stopVm: become('down'),
    addVnic: async (_caller, vmId, { name, profileId }) => {
      const vnic = aVnic(9, { id: newId<VnicId>(), vmId, name, profileId });
      const vm = find(world.vms, vmId);
      replace(world.vms, { ...vm, vnics: [...vm.vnics, vnic] });
      return vnic;
    },
    removeVnic: async (_caller, vmId, vnicId) => {
      const vm = find(world.vms, vmId);
      replace(world.vms, { ...vm, vnics: vm.vnics.filter((vnic) => vnic.id !== vnicId) });
    },
    setVnicPlugged: async (_caller, vmId, vnicId, plugged) => {
      const vm = find(world.vms, vmId);
      const actual = plugged ? ('plugged' as const) : ('unplugged' as const);
      const vnics = vm.vnics.map((vnic) => (vnic.id === vnicId ? { ...vnic, plugged, actual } : vnic));
      return replace(world.vms, { ...vm, vnics });
    },
    setVnicProfile: async (_caller, vmId, vnicId, profileId) => {
      const vm = find(world.vms, vmId);
      if (profileId !== null) find(world.profiles, profileId);
      const vnics = vm.vnics.map((vnic) => (vnic.id === vnicId ? { ...vnic, profileId } : vnic));
      return replace(world.vms, { ...vm, vnics });
    },
    ...memoryPlanCases(world),
  };
};

const migrateCases = (
  world: MemoryWorld,
): Pick<UseCases, 'migrateVm' | 'cancelMigration' | 'drillVm' | 'readMetrics'> => ({
  readMetrics: async () => '# HELP handover_jobs_ended_total\n',
  drillVm: async (caller, vmId) => {
    const vm = find(world.vms, vmId);
    if (vm.hostId === null) throw new HandoverError('VM_STATUS_WRONG', `${vm.name} is not running`);
    const options = { targetHostId: vm.hostId };
    const job: Job = { ...aQueuedJob(world.jobs.length, caller, vm, vm.hostId, options), kind: 'drill_vm' };
    world.jobs.push(job);
    return job;
  },
  migrateVm: async (caller, vmId, options) => {
    const vm = find(world.vms, vmId);
    if (liveJob(world, vmId)) fail('VM_ALREADY_MIGRATING', `${vm.name} is migrating; wait for its job`);
    if (vm.hostId === null) throw new HandoverError('VM_NOT_MIGRATABLE', `${vm.name} is not running`);
    if (options.targetHostId === vm.hostId) fail('TARGET_IS_SOURCE', `${vm.name} is on that host already`);
    const job = aQueuedJob(world.jobs.length, caller, vm, vm.hostId, options);
    world.jobs.push(job);
    return job;
  },
  cancelMigration: async (_caller, vmId) => {
    const vm = find(world.vms, vmId);
    const job = liveJob(world, vmId);
    if (!job) throw new HandoverError('VM_NOT_MIGRATING', `${vm.name} is not migrating`);
    if (job.pivoted) fail('CANCEL_TOO_LATE', `${vm.name} runs on the target already`);
    return replace<Job>(world.jobs, {
      ...job,
      cancelRequested: true,
      state: 'cancelled',
      endedAt: 1_700_000_001_000,
    });
  },
});

const jobCases = (
  world: MemoryWorld,
): Pick<
  UseCases,
  | 'listJobs'
  | 'getJob'
  | 'cancelJob'
  | 'retryJob'
  | 'abandonJob'
  | 'listEvents'
  | 'followEvents'
  | 'listAlerts'
> => {
  const parked = (id: JobId, state: Job['state']): Job => {
    const job = find(world.jobs, id);
    if (job.state !== 'needs_operator')
      fail('JOB_NOT_RESUMABLE', `the job is ${job.state}, not needs_operator`);
    return replace<Job>(world.jobs, { ...job, state });
  };
  return {
    listJobs: async (_caller, { vmId, live, limit }) =>
      world.jobs
        .filter((job) => (vmId === undefined || job.vmId === vmId) && (!live || isLive(job.state)))
        .slice(0, limit),
    getJob: async (_caller, id) => ({
      job: find(world.jobs, id),
      steps: world.steps.filter((step) => step.jobId === id),
    }),
    cancelJob: async (_caller, id) => {
      const job = find(world.jobs, id);
      if (job.pivoted || !isLive(job.state)) fail('CANCEL_TOO_LATE', 'the job is past its pivot, or ended');
      return replace<Job>(world.jobs, { ...job, cancelRequested: true, state: 'cancelled' });
    },
    retryJob: async (_caller, id) => parked(id, 'running'),
    abandonJob: async (_caller, id) => parked(id, 'failed'),
    followEvents: async () => () => undefined,
    listEvents: async (_caller, { after = 0, limit = 1_000 }) => {
      const later = world.events.filter((event) => event.id > after);
      return after > 0 ? later.slice(0, limit) : later.slice(-limit);
    },
    listAlerts: async () => [...world.alerts],
  };
};
