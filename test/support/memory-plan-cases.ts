/** The part of `memory-use-cases.ts` that plans: the scheduler's own plans, over what there is. */
import { standbyPolicyOf } from '../../src/app/guest-cases.ts';
import { expectationOf } from '../../src/app/expectation.ts';
import type { KnownGuest, UseCases } from '../../src/app/use-cases.ts';
import { HandoverError } from '../../src/base/errors.ts';
import type { VmId } from '../../src/base/ids.ts';
import type { Vm } from '../../src/model/vm.ts';
import { untoldGuest } from '../../src/model/guest.ts';
import { judgeGuest } from '../../src/scheduler/judge-guest.ts';
import { type PlanFacts, pfKey, planMigration } from '../../src/scheduler/plan-migration.ts';
import type { MemoryWorld } from './memory-use-cases.ts';

/** Nothing is reserved in this world. */
export const memoryPlanCases = (
  world: MemoryWorld,
): Pick<
  UseCases,
  | 'planMigration'
  | 'planMigrations'
  | 'expectMigration'
  | 'getGuest'
  | 'checkGuest'
  | 'setStandbyPolicy'
  | 'setProbeAddress'
> => ({
  getGuest: async (_caller, vmId) => guestIn(world, vmIn(world, vmId).id),
  checkGuest: async (_caller, vmId) => {
    const vm = vmIn(world, vmId);
    const readiness = judgeGuest({ vm, network: null, vhostQueues: null, now: 0 });
    return keepGuest(world, { ...guestIn(world, vmId), readiness });
  },
  setProbeAddress: async (_caller, vmId, probeAddress) =>
    keepGuest(world, { ...guestIn(world, vmIn(world, vmId).id), probeAddress }),
  setStandbyPolicy: async (_caller, vmId, standby) =>
    keepGuest(world, { ...guestIn(world, vmIn(world, vmId).id), standby: standbyPolicyOf(standby) }),
  planMigration: async (_caller, vmId, options) =>
    planMigration(factsOf(world, vmIn(world, vmId)), {
      targetHostId: options.targetHostId ?? null,
      copyStorage: options.copyStorage ?? false,
    }),
  planMigrations: async (_caller, vmIds) =>
    world.vms
      .filter(({ id }) => vmIds.includes(id))
      .map((vm) => planMigration(factsOf(world, vm), { targetHostId: null, copyStorage: false })),
  expectMigration: async (_caller, vmId) => {
    const expected = expectationOf(world.jobs.filter((job) => job.vmId === vmId));
    return expected && { ...expected, ofThisVm: true };
  },
});

function vmIn(world: MemoryWorld, id: VmId): Vm {
  const vm = world.vms.find((each) => each.id === id);
  if (!vm) throw new HandoverError('NOT_FOUND', `there is no VM with the id ${id}`);
  return vm;
}

const guestIn = (world: MemoryWorld, id: VmId): KnownGuest => {
  const kept = world.guests.find(({ vmId }) => vmId === id) ?? untoldGuest(id);
  const job = world.jobs.findLast((each) => each.kind === 'drill_vm' && each.vmId === id && each.endedAt);
  const steps = world.steps.filter(({ jobId }) => jobId === job?.id);
  return { ...kept, lastDrill: job ? { job, steps } : null };
};

function keepGuest(world: MemoryWorld, { lastDrill: _, ...guest }: KnownGuest): KnownGuest {
  world.guests = [...world.guests.filter(({ vmId }) => vmId !== guest.vmId), guest];
  return guestIn(world, guest.vmId);
}

function factsOf(world: MemoryWorld, vm: Vm): PlanFacts {
  const source = world.hosts.find((host) => host.id === vm.hostId);
  return {
    vm,
    domain: source?.inventory?.domains.find((domain) => domain.uuid === vm.id) ?? null,
    guest: guestIn(world, vm.id),
    hosts: world.hosts,
    networks: new Map(world.networks.map((each) => [each.id, each])),
    profiles: new Map(world.profiles.map((each) => [each.id, each])),
    pfConfigs: new Map(world.pfConfigs.map((each) => [pfKey(each.hostId, each.pf), each])),
    reservations: new Map(),
    promisedMemoryKiB: new Map(),
    imagesOn: new Map(),
    forJob: null,
    now: 0,
  };
}
