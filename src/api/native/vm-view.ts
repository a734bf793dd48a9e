/** VMs and plans as the native API shows them, see `../types/vm-view.ts`. Pure. */
import type { Expectation } from '../../app/expectation.ts';
import type { Host } from '../../model/host.ts';
import type { Job } from '../../model/job.ts';
import type { Network, VnicProfile } from '../../model/network.ts';
import type { MigrationPlan, PlanReason } from '../../model/plan.ts';
import type { Vm, Vnic } from '../../model/vm.ts';
import type { MovabilityView, PlanView, VmView, VnicView } from '../types/vm-view.ts';

/** What is shown with a VM. */
export interface AroundVm {
  readonly hostNames: ReadonlyMap<string, string>;
  readonly profiles: ReadonlyMap<string, VnicProfile>;
  readonly networks: ReadonlyMap<string, Network>;
  /** Live ones. */
  readonly jobs: readonly Job[];
  /** The host it is on, with what was seen there; null: not asked. */
  readonly host: Host | null;
}

/** The view of a VM. */
export function toVmView(vm: Vm, around: AroundVm): VmView {
  const nameOf = (id: string) => around.hostNames.get(id) ?? id;
  const domain = around.host?.inventory?.domains.find(({ uuid }) => uuid === vm.id);
  return {
    id: vm.id,
    name: vm.name,
    status: vm.status,
    starting: vm.starting,
    hostId: vm.hostId,
    host: vm.hostId === null ? null : nameOf(vm.hostId),
    memoryKiB: vm.memoryKiB,
    vcpus: vm.vcpus,
    vnics: vm.vnics.map((vnic) => toVnicView(vnic, around)),
    agent: domain?.agentConnected ?? null,
    staleOn: vm.staleOn.map(nameOf),
    jobId: around.jobs.find(({ vmId }) => vmId === vm.id)?.id ?? null,
  };
}

function toVnicView(vnic: Vnic, { profiles, networks, host }: AroundVm): VnicView {
  const { id, name, mac, passthrough, model, bridge, profileId, vlan, plugged, actual, vf, blocker } = vnic;
  const profile = profileId === null ? undefined : profiles.get(profileId);
  const pf = host?.inventory?.pfs.find(({ vfs }) => vfs.some(({ pciAddress }) => pciAddress === vf));
  return {
    id,
    name,
    mac,
    passthrough,
    model,
    bridge,
    profileId,
    profile: profile?.name ?? null,
    network: (profile && networks.get(profile.networkId)?.name) ?? null,
    vlan,
    plugged,
    actual,
    vf,
    pf: pf?.name ?? null,
    blocker,
  };
}

const toReason = ({ code, message }: PlanReason) => ({ code, message });

/** The view of a plan. */
export function toPlanView(plan: MigrationPlan, expected: Expectation | null): PlanView {
  return {
    vmId: plan.vmId,
    vm: plan.vmName,
    sourceId: plan.sourceHostId,
    source: plan.sourceHostName,
    possible: plan.possible,
    chosenId: plan.chosen,
    refusals: plan.refusals.map(toReason),
    warnings: plan.warnings.map(toReason),
    hosts: plan.hosts.map((host) => ({
      hostId: host.hostId,
      host: host.hostName,
      fits: host.fits,
      reasons: host.reasons.map(toReason),
      warnings: host.warnings.map(toReason),
      assignment: host.assignment.map(({ vnicName, ...each }) => ({ ...each, vnic: vnicName })),
      protocol: host.protocol,
      score: host.score,
    })),
    expected,
  };
}

/** A plan in short. Of several hosts that do not fit, the reason of the first that is another host. */
export function toMovabilityView(plan: MigrationPlan): MovabilityView {
  const elsewhere = plan.hosts.filter(({ hostId }) => hostId !== plan.sourceHostId);
  const [refusal] = plan.refusals;
  const [first] = elsewhere;
  const others = elsewhere.length > 1 ? ` (and ${elsewhere.length - 1} more hosts that do not fit)` : '';
  const unfit = first
    ? `${first.reasons[0]?.message ?? `${first.hostName} does not fit`}${others}`
    : NO_OTHER;
  return {
    vmId: plan.vmId,
    vm: plan.vmName,
    source: plan.sourceHostName,
    possible: plan.possible,
    chosen: plan.hosts.find(({ hostId }) => hostId === plan.chosen)?.hostName ?? null,
    why: plan.possible ? null : (refusal?.message ?? unfit),
    warnings: plan.warnings.map(({ message }) => message),
  };
}

const NO_OTHER = 'there is no other host; add one: handover host add NAME URI';
