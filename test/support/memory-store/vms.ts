/** VMs and vNICs of the in-memory store. Looks at hosts are merged by the product's own rules. */
import type { Store, VmObservation, VmPart } from '../../../src/app/store-port.ts';
import { HandoverError } from '../../../src/base/errors.ts';
import type { VmId, VnicId } from '../../../src/base/ids.ts';
import type { Vm } from '../../../src/model/vm.ts';
import { mergeVnics, withoutPending } from '../../../src/store/merge-vnics.ts';
import { isHeld } from './reservations.ts';
import { found, type Tables } from './tables.ts';
import { countsOf, partOf } from './vm-part.ts';

const FORGOTTEN_AFTER_MS = 180_000;

/** The `vms` part. */
export function memoryVms(tables: Tables): Store['vms'] {
  return { ...reads(tables), ...writes(tables) };
}

type Reads = Pick<Store['vms'], 'list' | 'listHeads' | 'count' | 'counts' | 'get'>;

function reads(tables: Tables): Reads {
  const { vms } = tables;
  const all = (part?: VmPart) => partOf([...vms.values()], part);
  const shown = (id: VmId): Vm | null => {
    const row = vms.get(id);
    if (!row) return null;
    const staleOn = [...tables.stale].filter(([, ids]) => ids.has(id)).map(([hostId]) => hostId);
    const { missedSince: _, ...vm } = row;
    return { ...vm, vnics: tables.vnics.get(id) ?? [], staleOn: staleOn.sort() };
  };
  return {
    list: async (part) => all(part).map((vm) => shown(vm.id) as Vm),
    listHeads: async (part) => all(part).map(({ missedSince: _, ...head }) => head),
    count: async (part) => all(part).length,
    counts: async () => countsOf(all()),
    get: async (id) => shown(id),
  };
}

function writes(tables: Tables): Omit<Store['vms'], keyof Reads> {
  const { vms } = tables;
  return {
    observe: async (observation) => observe(tables, observation),
    async beginRemoval(id, limitMs) {
      const { starting } = found(vms.get(id), 'VM', id);
      if (starting) throw new HandoverError('VM_STATUS_WRONG', `VM ${id} is being started`);
      expectNoJob(tables, id);
      tables.removingUntilMs.set(id, tables.clock.monotonicMs() + limitMs);
    },
    async endRemoval(id) {
      tables.removingUntilMs.delete(id);
    },
    async remove(id) {
      expectNoJob(tables, id);
      for (const hostId of tables.hosts.keys()) tables.looksAtVms.set(hostId, ++tables.lastLook);
      tables.removeVm(id);
      tables.placesVersion += 1;
    },
    async setVnicProfile(id, profileId, vlan) {
      if (profileId !== null) found(tables.profiles.get(profileId), 'vNIC profile', profileId);
      tables.changeVnic(id, { profileId, vlan });
    },
    async setVnicDesired(id, plugged) {
      const vmId = found(tables.vmOfVnic.get(id), 'vNIC', id);
      expectNoJob(tables, vmId);
      const known = tables.vnics.get(vmId)?.find((vnic) => vnic.id === id);
      const attached = isHeld(tables, id) || known?.actual !== 'unplugged';
      const left = known?.passthrough && attached ? 'unplug_pending' : 'unplugged';
      tables.changeVnic(id, { plugged, kept: true, ...(plugged ? {} : { actual: left }) });
      tables.placesVersion += 1;
      tables.wake();
    },
    async addVnic(vnic) {
      found(vms.get(vnic.vmId), 'VM', vnic.vmId);
      expectNoJob(tables, vnic.vmId);
      const known = tables.vnics.get(vnic.vmId) ?? [];
      if (known.some((each) => each.name === vnic.name))
        throw new HandoverError('ALREADY_EXISTS', `the VM has a vNIC named ${vnic.name} already`);
      tables.setVnics(vnic.vmId, [...known, vnic]);
      tables.placesVersion += 1;
    },
    removeVnic: async (id) => removeVnic(tables, id),
    setVnicUnpluggedXml: async (id, xml) => tables.changeVnic(id, { unpluggedXml: xml }),
    setVnicActual: async (id, actual, vf) => tables.changeVnic(id, { actual, vf }),
    async setStarting(id, starting) {
      const vm = found(vms.get(id), 'VM', id);
      if (starting && (tables.removingUntilMs.get(id) ?? 0) > tables.clock.monotonicMs())
        throw new HandoverError('VM_STATUS_WRONG', `VM ${id} is being removed`);
      vms.set(id, { ...vm, starting });
      if (starting) tables.wake();
    },
    async setHost(id, hostId) {
      const vm = found(vms.get(id), 'VM', id);
      if (hostId !== null) found(tables.hosts.get(hostId), 'host', hostId);
      vms.set(id, { ...vm, hostId });
    },
  };
}

function removeVnic(tables: Tables, id: VnicId): void {
  const vmId = tables.vmOfVnic.get(id);
  if (vmId === undefined) return;
  expectNoJob(tables, vmId);
  if (isHeld(tables, id)) throw new HandoverError('IN_USE', `vNIC ${id} is being plugged or unplugged`);
  const hostId = tables.vms.get(vmId)?.hostId;
  if (hostId != null) tables.looksAtVms.set(hostId, ++tables.lastLook);
  const known = tables.vnics.get(vmId) ?? [];
  tables.setVnics(
    vmId,
    known.filter((each) => each.id !== id),
  );
  tables.placesVersion += 1;
}

function expectNoJob(tables: Tables, vmId: VmId): void {
  const live = [...tables.jobs.values()].find(({ job }) => job.vmId === vmId && job.endedAt === null);
  if (live)
    throw new HandoverError('VM_ALREADY_MIGRATING', `job ${live.job.id} of VM ${vmId} has not ended yet`);
}

function observe(tables: Tables, observation: VmObservation): void {
  const { hostId } = observation;
  found(tables.hosts.get(hostId), 'host', hostId);
  if (!tables.isLater(tables.looksAtVms, hostId, observation.look)) return;
  tables.stale.set(hostId, new Set(observation.stale));
  const moving = vmsOwnedByJob(tables, observation.ageMs);
  const before = new Map(tables.vms);
  for (const vm of observation.vms) {
    if (moving.has(vm.id) && before.get(vm.id)?.hostId !== hostId) continue;
    const { vnics, staleOn: _, ...row } = vm;
    const known = tables.vnics.get(vm.id) ?? [];
    const kept = vm.status === 'down' && !moving.has(vm.id) ? withoutPending(known) : known;
    const merged = mergeVnics(kept, vnics, moving.has(vm.id)).map((vnic) => ({
      ...vnic,
      vmId: vm.id,
      profileId: vnic.profileId !== null && tables.profiles.has(vnic.profileId) ? vnic.profileId : null,
    }));
    tables.vms.set(vm.id, { ...row, hostId, starting: before.get(vm.id)?.starting ?? false });
    tables.setVnics(vm.id, merged);
  }
  const stillThere = new Set([...observation.vms.map((vm) => vm.id), ...observation.stale]);
  for (const vm of before.values())
    if (vm.hostId === hostId && !stillThere.has(vm.id) && !moving.has(vm.id))
      tables.vms.set(vm.id, {
        ...vm,
        hostId: null,
        status: 'unknown',
        missedSince: tables.clock.monotonicMs(),
      });
  forgetMissed(tables);
}

function forgetMissed(tables: Tables): void {
  const silent = [...tables.hosts.values()].some(
    ({ status, statusReason }) =>
      status === 'non_responsive' || (status === 'maintenance' && statusReason !== null),
  );
  if (silent) return;
  const before = tables.clock.monotonicMs() - FORGOTTEN_AFTER_MS;
  for (const { id, missedSince } of [...tables.vms.values()])
    if (missedSince !== undefined && missedSince < before) tables.removeVm(id);
}

/** VMs a job moves now, or moved at some time since the look began. */
function vmsOwnedByJob(tables: Tables, ageMs: number): ReadonlySet<VmId> {
  const now = tables.clock.now();
  const owned = new Set<VmId>();
  for (const { job } of tables.jobs.values()) {
    const { endedAt } = job;
    if (endedAt === null || (endedAt > now - ageMs && endedAt <= now)) owned.add(job.vmId);
  }
  return owned;
}
