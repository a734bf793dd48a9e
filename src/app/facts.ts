/** Gathers, from the store, everything a plan depends on. Reads only. */
import type { JobId, VmId } from '../base/ids.ts';
import { HandoverError } from '../base/errors.ts';
import { untoldGuest } from '../model/guest.ts';
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
  const [vm, factsOf] = await Promise.all([vmById(parts, vmId), fleetFacts(parts, [vmId], forJob)]);
  return factsOf(vm);
}

/** The facts of this moment for any of these VMs. */
export async function fleetFacts(
  parts: AppParts,
  vmIds: readonly VmId[],
  forJob: JobId | null,
): Promise<(vm: Vm) => PlanFacts> {
  const { store, clock } = parts;
  const [hosts, networks, profiles, pfConfigs, reservations, promised, guests] = await Promise.all([
    store.hosts.list(),
    store.networks.list(),
    store.profiles.list(),
    store.pfConfigs.list(),
    store.reservations.list(),
    store.jobs.promisedMemoryKiB(forJob),
    store.guests.get(vmIds),
  ]);
  const fleet = {
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
  return (vm) => {
    const source = hosts.find((host) => host.id === vm.hostId);
    const domain = source?.inventory?.domains.find((each) => each.uuid === vm.id) ?? null;
    return { ...fleet, vm, domain, guest: guests.get(vm.id) ?? untoldGuest(vm.id) };
  };
}
