/** Use cases on VMs, their vNICs and their migrations. */
import { HandoverError } from '../base/errors.ts';
import { until } from '../base/clock.ts';
import type { JobId, VmId, VnicId, VnicProfileId } from '../base/ids.ts';
import { type Job, isLive } from '../model/job.ts';
import type { Network } from '../model/network.ts';
import type { Vm, VmHead, Vnic } from '../model/vm.ts';
import { planMigration } from '../scheduler/plan-migration.ts';
import { planFacts, vmById } from './facts.ts';
import { jobInTheWay, showsMigrating } from './live-job.ts';
import type { AppParts } from './parts.ts';
import { expectMigration } from './expectation.ts';
import { migrateParams } from './migrate-params.ts';
import { planAll, planFor } from './plan.ts';
import { refuseImpossible } from './reserve-migration.ts';
import type { VmPart } from './store-port.ts';
import type { Caller, MigrateOptions, UseCases } from './use-cases.ts';
import { addVm, refuseChanges, removeVm } from './vm-definitions.ts';
import { shutDown, startAndWait, stopAtOnce } from './vm-lifecycle.ts';
import { addVnic, removeVnic } from './vnic-add.ts';
import { setVnicPlugged } from './vnic-plug.ts';

/** A cancel is decided within the abort of the transfer and a look at both hosts. */
const CANCEL_DECISION_LIMIT_MS = 60_000;

type VmCases = Pick<
  UseCases,
  | 'listVms'
  | 'listVmHeads'
  | 'countVms'
  | 'getVm'
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
  | 'planMigration'
  | 'planMigrations'
  | 'expectMigration'
  | 'migrateVm'
  | 'cancelMigration'
  | 'cancelJob'
>;

/** The VM use cases. */
export function vmCases(parts: AppParts): VmCases {
  const { store } = parts;
  return {
    listVms: (_caller, part) => listed(parts, (these) => store.vms.list(these), part),
    listVmHeads: (_caller, part) => listed(parts, (these) => store.vms.listHeads(these), part),
    countVms: (_caller, part = {}) => store.vms.count(part),
    getVm: (_caller, id) => getVm(parts, id),
    async addVm(_caller, wanted) {
      return getVm(parts, await addVm(parts, wanted));
    },
    async updateVm(_caller, id, changes) {
      const vm = await getVm(parts, id);
      refuseChanges(vm, changes);
      return vm;
    },
    removeVm: (_caller, id) => removeVm(parts, id),
    setVnicProfile: (_caller, vmId, vnicId, profileId) => setVnicProfile(parts, vmId, vnicId, profileId),
    async setVnicPlugged(_caller, vmId, vnicId, plugged) {
      await setVnicPlugged(parts, vmId, vnicId, plugged);
      return getVm(parts, vmId);
    },
    async addVnic(_caller, vmId, wanted) {
      const id = await addVnic(parts, vmId, wanted);
      const added = (await vmById(parts, vmId)).vnics.find((vnic) => vnic.id === id);
      if (!added) throw new HandoverError('NOT_FOUND', `the vNIC ${wanted.name} was removed at once`);
      return added;
    },
    removeVnic: (_caller, vmId, vnicId) => removeVnic(parts, vmId, vnicId),
    async startVm(_caller, id) {
      await startAndWait(parts, id);
      return getVm(parts, id);
    },
    async shutdownVm(_caller, id) {
      await shutDown(parts, id);
      return getVm(parts, id);
    },
    async stopVm(_caller, id) {
      await stopAtOnce(parts, id);
      return getVm(parts, id);
    },
    async planMigration(_caller, vmId, options) {
      return planFor(parts, vmId, planOptions(options));
    },
    planMigrations: (_caller, vmIds) => planAll(parts, vmIds),
    expectMigration: (_caller, vmId) => expectMigration(parts, vmId),
    migrateVm: (caller, vmId, options) => migrateVm(parts, caller, vmId, options),
    async cancelMigration(_caller, vmId) {
      const vm = await vmById(parts, vmId);
      const [job] = await store.jobs.list({ vmId, live: true });
      if (job?.state === 'needs_operator') throw isParked(job);
      if (!job || !showsMigrating(job)) {
        throw new HandoverError(
          'VM_NOT_MIGRATING',
          `Cannot cancel migration for non migrating VM. ${vm.name} has no migration that is under way.`,
        );
      }
      return cancelJob(parts, job.id);
    },
    cancelJob: (_caller, id) => cancelJob(parts, id),
  };
}

const shown = <T extends VmHead>(vm: T, migrating: boolean): T =>
  migrating ? { ...vm, status: 'migrating' } : vm;

/** Of a part, the jobs of its VMs alone are read, however many others are moved. */
async function listed<T extends VmHead>(
  { store }: AppParts,
  read: (part?: VmPart) => Promise<T[]>,
  part?: VmPart,
): Promise<T[]> {
  if (part === undefined) {
    const jobs = await store.jobs.list({ live: true });
    return moved(await read(), jobs);
  }
  const vms = await read(part);
  return moved(vms, await store.jobs.list({ vmIds: vms.map((vm) => vm.id), live: true }));
}

function moved<T extends VmHead>(vms: readonly T[], jobs: readonly Job[]): T[] {
  const moving = new Set(jobs.filter(showsMigrating).map((job) => job.vmId));
  return vms.map((vm) => shown(vm, moving.has(vm.id)));
}

async function getVm(parts: AppParts, id: VmId): Promise<Vm> {
  const vm = await vmById(parts, id);
  const live = await parts.store.jobs.list({ vmId: id, live: true });
  return shown(vm, live.some(showsMigrating));
}

async function setVnicProfile(
  parts: AppParts,
  vmId: VmId,
  vnicId: VnicId,
  profileId: VnicProfileId | null,
): Promise<Vm> {
  const vm = await vmById(parts, vmId);
  const vnic = vm.vnics.find((each) => each.id === vnicId);
  if (!vnic) throw new HandoverError('NOT_FOUND', `${vm.name} has no vNIC with the id ${vnicId}`);
  const network = profileId === null ? null : await checkFits(parts, vm, vnic, profileId);
  // What is not in the guest is plugged with the VLAN of the network its profile names then.
  const isOut = vnic.passthrough && vnic.actual === 'unplugged';
  await parts.store.vms.setVnicProfile(vnicId, profileId, isOut && network ? network.vlan : vnic.vlan);
  return getVm(parts, vmId);
}

/** The network of the profile. */
async function checkFits(
  parts: AppParts,
  vm: Vm,
  vnic: Vnic,
  profileId: VnicProfileId,
): Promise<Network | null> {
  const profile = await parts.store.profiles.get(profileId);
  if (!profile) throw new HandoverError('INVALID_INPUT', `there is no vNIC profile with the id ${profileId}`);
  if (profile.passThrough !== vnic.passthrough) {
    throw new HandoverError(
      'VNIC_PROFILE_MISMATCH',
      `The network interface type doesn't match the profile. Virtual machine interface of type 'PCI ` +
        `Passthrough' should have 'Passthrough' profile and vice versa. ` +
        `vNIC ${vnic.name} of ${vm.name} is ${vnic.passthrough ? 'a VF' : 'an ordinary interface'}; ` +
        `choose another profile than ${profile.name}.`,
    );
  }
  const network = await parts.store.networks.get(profile.networkId);
  // The VLAN of a plugged VF is programmed into it; naming another network would not change what it carries.
  if (vnic.passthrough && vnic.actual !== 'unplugged' && network && network.vlan !== vnic.vlan) {
    throw new HandoverError(
      'VNIC_PROFILE_INVALID',
      `vNIC ${vnic.name} of ${vm.name} carries VLAN ${vnic.vlan ?? 'none'} and profile ` +
        `${profile.name} is for VLAN ${network.vlan ?? 'none'}; ` +
        `choose a profile of a network with the same VLAN, or unplug the vNIC first`,
    );
  }
  return network;
}

const planOptions = (options: MigrateOptions) => ({
  targetHostId: options.targetHostId ?? null,
  copyStorage: options.copyStorage ?? false,
});

async function migrateVm(parts: AppParts, caller: Caller, vmId: VmId, options: MigrateOptions): Promise<Job> {
  const vm = await vmById(parts, vmId);
  const live = await jobInTheWay(parts, vmId);
  if (live)
    throw new HandoverError(
      'VM_ALREADY_MIGRATING',
      live.kind === 'drill_vm'
        ? `${vm.name} is in a drill, job ${live.id} (${live.state}); wait for its end.`
        : `VM migration is in progress: ${vm.name} is moved by job ${live.id} (${live.state}).`,
    );
  refuseImpossible(planMigration(await planFacts(parts, vmId, null), planOptions(options)));
  if (vm.hostId === null)
    throw new HandoverError('ASSERTION_FAILED', `${vm.name} was planned without a host`);
  const params = migrateParams(vm, vm.hostId, options);
  return parts.store.jobs.add(parts.random.uuid() as JobId, params, vm.name, caller.correlationId);
}

const isParked = (job: Job) =>
  new HandoverError(
    'VM_NOT_MIGRATING',
    `Cannot cancel migration: job ${job.id} of ${job.vmName} waits for an operator; let it go on with ` +
      `"handover job retry ${job.id}" or give it up with "handover job abandon ${job.id}".`,
  );

/** Asks for the cancel and waits until it is decided where the VM stays. */
async function cancelJob(parts: AppParts, id: JobId): Promise<Job> {
  const { store, clock } = parts;
  const before = await store.jobs.get(id);
  if (!before) throw new HandoverError('NOT_FOUND', `there is no job with the id ${id}`);
  const tooLate = (job: Job) =>
    new HandoverError(
      'CANCEL_TOO_LATE',
      job.kind === 'drill_vm'
        ? `Cannot cancel the drill: ${job.vmName} gets its VFs back already (job ${id} is ${job.state}).`
        : `Cannot cancel migration: ${job.vmName} is past the point of return (job ${id} is ${job.state}).`,
    );
  if ((await store.jobs.requestCancel(id)) === 'too_late') {
    const now = (await store.jobs.get(id)) ?? before;
    if (now.state === 'needs_operator') throw isParked(now);
    if (isLive(now.state)) throw tooLate(now);
    throw new HandoverError(
      'VM_NOT_MIGRATING',
      `Cannot cancel migration: there is no migration of ${now.vmName} under way (job ${id} has ended: ` +
        `${now.state}).`,
    );
  }
  return until(
    clock,
    `the cancel of job ${id}`,
    { limitMs: CANCEL_DECISION_LIMIT_MS, everyMs: 100 },
    async () => {
      const job = await store.jobs.get(id);
      if (!job || job.state === 'undoing' || job.state === 'cancelled' || job.state === 'failed')
        return job ?? before;
      if (job.pivoted || job.state === 'succeeded') throw tooLate(job);
      return undefined;
    },
  );
}
