/** The part of a list of VMs that `VmPart` asks for, for stand-ins of the store and of the use cases. */
import type { ProfileUse, VmCount, VmPart } from '../../../src/app/store-port.ts';
import type { VmId, VnicProfileId } from '../../../src/base/ids.ts';
import type { Vm } from '../../../src/model/vm.ts';
import { sortedBy } from './tables.ts';

/** In the order of names, then ids. */
export function partOf<T extends Pick<Vm, 'name' | 'id' | 'hostId'>>(
  vms: readonly T[],
  { after, named, ignoringCase = false, hostId, skip = 0, limit }: VmPart = {},
): T[] {
  const place = (vm: Pick<Vm, 'name' | 'id'>) => `${vm.name}\0${vm.id}`;
  const name = named === undefined ? /^/ : globOf(named, ignoringCase);
  const isThere = (vm: T) => hostId === undefined || vm.hostId === hostId;
  return sortedBy(
    vms.filter(
      (vm) => (after === undefined || place(vm) > place(after)) && name.test(vm.name) && isThere(vm),
    ),
    place,
  ).slice(skip, limit === undefined ? undefined : skip + limit);
}

const globOf = (pattern: string, ignoringCase: boolean): RegExp =>
  new RegExp(
    `^${pattern.replace(/[\\^$.+?()[\]{}|]/g, '\\$&').replaceAll('*', '[^]*')}$`,
    ignoringCase ? 'i' : '',
  );

/** How many VMs each host has in each state. */
export function countsOf(vms: readonly Pick<Vm, 'hostId' | 'status'>[]): VmCount[] {
  const counts = new Map<string, VmCount>();
  for (const { hostId, status } of vms) {
    const key = `${hostId} ${status}`;
    counts.set(key, { hostId, status, count: (counts.get(key)?.count ?? 0) + 1 });
  }
  return [...counts.keys()].sort().flatMap((key) => counts.get(key) ?? []);
}

/** Which VMs use which profile. */
export function profileUsesOf(
  vms: readonly Pick<Vm, 'id' | 'name' | 'vnics'>[],
  vmsMax: number,
): ProfileUse[] {
  const used = new Map<VnicProfileId, Map<VmId, string>>();
  for (const { id, name, vnics } of vms) {
    for (const { profileId } of vnics) {
      if (profileId !== null)
        used.set(profileId, (used.get(profileId) ?? new Map<VmId, string>()).set(id, name));
    }
  }
  return sortedBy(used, ([profileId]) => profileId).map(([profileId, users]) => ({
    profileId,
    vmCount: users.size,
    vms: sortedBy(users, ([id, name]) => `${name}\0${id}`)
      .slice(0, vmsMax)
      .map(([id, name]) => ({ id, name })),
  }));
}
