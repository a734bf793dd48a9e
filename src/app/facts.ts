/** Gathers, from the store, everything a plan depends on. Reads only. */
import type { JobId, VmId } from '../base/ids.ts';
import { HandoverError } from '../base/errors.ts';
import type { Vm } from '../model/vm.ts';
import { type PlanFacts, pfKey } from '../scheduler/plan-migration.ts';
import type { AppParts } from './parts.ts';

/** A VM by id. Throws `NOT_FOUND`. */
export async function vmById(parts: AppParts, vmId: VmId): Promise<Vm> {
  const vm = await parts.store.vms.get(vmId);
  if (!vm) throw new HandoverError('NOT_FOUND', `there is no VM with the id ${vmId}`);
  return vm;
}

/**
 * The facts of this moment for one VM; `forJob`'s own reservations and promises do not count. Throws
 * `NOT_FOUND`.
 */
export async function planFacts(parts: AppParts, vmId: VmId, forJob: JobId | null): Promise<PlanFacts> {
  const { store, clock } = parts;
  const [vm, hosts, networks, profiles, pfConfigs, reservations, promised] = await Promise.all([
    vmById(parts, vmId),
    store.hosts.list(),
    store.networks.list(),
    store.profiles.list(),
    store.pfConfigs.list(),
    store.reservations.list(),
    store.jobs.promisedMemoryKiB(forJob),
  ]);
  const source = hosts.find((host) => host.id === vm.hostId);
  return {
    vm,
    domain: source?.inventory?.domains.find((domain) => domain.uuid === vm.id) ?? null,
    hosts,
    networks: new Map(networks.map((each) => [each.id, each])),
    profiles: new Map(profiles.map((each) => [each.id, each])),
    pfConfigs: new Map(pfConfigs.map((each) => [pfKey(each.hostId, each.pf), each])),
    reservations: new Map(reservations.map((each) => [pfKey(each.hostId, each.vf), each])),
    promisedMemoryKiB: promised,
    imagesOn: new Map(),
    forJob,
    now: clock.now(),
  };
}
