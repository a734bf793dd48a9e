/**
 * What holds for a VM whatever the target: why it cannot move at all, and what its owner should know. Pure.
 */
import type { DomainInterface } from '../model/domain.ts';
import type { GuestFinding } from '../model/guest.ts';
import { answers, type Host } from '../model/host.ts';
import type { PlanReason } from '../model/plan.ts';
import type { Vnic } from '../model/vm.ts';
import { movingVnics, type PlanFacts } from './plan-migration.ts';

/** Reasons that hold for every host; empty = the VM may move. */
export function vmRefusals(facts: PlanFacts, source: Host | null): PlanReason[] {
  const { vm, domain } = facts;
  const refusals: PlanReason[] = [];
  const refuse = (code: string, message: string) => refusals.push({ code, message });

  if (source === null || vm.status === 'down')
    refuse('vm_not_running', `${vm.name} is not running; start it first`);
  else if (!answers(source)) {
    refuse(
      'source_down',
      `its host ${source.name} is ${source.status}: ${source.statusReason ?? 'no reason known'}`,
    );
  } else if (vm.status !== 'up' && vm.status !== 'migrating') {
    refuse('vm_not_running', `${vm.name} is ${vm.status}; only a running VM can be moved live`);
  }
  for (const address of domain?.hostdevs ?? []) {
    refuse(
      'plain_hostdev',
      `${vm.name} owns the PCI device ${address} as a plain hostdev, which keeps no MAC and VLAN; ` +
        `define it as <interface type='hostdev'> to make it movable`,
    );
  }
  const notMigratable = movingVnics(vm).filter(
    (vnic) => facts.profiles.get(vnic.profileId ?? ('' as never))?.migratable === false,
  );
  if (notMigratable.length > 0) {
    const names = notMigratable.map((vnic) => vnic.name).join(', ');
    refuse(
      'profile_not_migratable',
      `Migration is not supported for VMs containing 'non migratable' 'passthrough' VM Network Interfaces ` +
        `(VM: ${vm.name}, problematic interfaces: ${names}): mark the vNIC profile migratable ` +
        `(handover vnic-profile update PROFILE --migratable) or unplug the interface`,
    );
  }
  for (const vnic of vm.vnics) refusals.push(...vnicRefusals(facts, vnic));
  if (facts.guest.standby === 'require') {
    for (const { vnicId, message } of standbyMissing(facts)) {
      const without = `its owner wants it moved with a standby only (handover guest policy ${vm.name} warn)`;
      const required = `${message}; ${without}`;
      refusals.push({ code: 'no_standby', message: required, ...(vnicId ? { vnicId } : {}) });
    }
  }
  return refusals;
}

/** Why one of its vNICs cannot go out and be plugged again, wherever; empty = it can. */
export function vnicRefusals(facts: PlanFacts, vnic: Vnic): PlanReason[] {
  const { vm, domain } = facts;
  const because = (code: string, message: string): PlanReason[] => [
    { code, message: `vNIC ${vnic.name} (${vnic.mac}): ${message}`, vnicId: vnic.id },
  ];
  if (vnic.blocker !== null) return because('vnic_blocked', vnic.blocker);
  if (!vnic.passthrough || (!vnic.plugged && vnic.vf === null)) return [];
  if (!vnic.plugged && vnic.actual === 'unplug_pending') {
    return because(
      'vnic_leaving',
      `it is being unplugged; wait until the guest has given it back, or plug it again: handover vm nic ` +
        `plug ${vm.name} ${vnic.name}`,
    );
  }
  if (vnic.profileId === null) {
    return because(
      'vnic_profile_missing',
      `it has no vNIC profile; run: handover vm nic set-profile ${vm.name} ${vnic.name} PROFILE`,
    );
  }
  const profile = facts.profiles.get(vnic.profileId);
  if (profile && !profile.passThrough) {
    return because(
      'profile_not_passthrough',
      `its profile ${profile.name} is not a passthrough profile; run: handover vm nic set-profile ` +
        `${vm.name} ${vnic.name} PROFILE`,
    );
  }
  if (vnic.vf !== null && vnic.alias === null)
    return because('no_alias', 'the device has no alias, so it cannot be unplugged by name');
  // Devices on the root complex of a q35 guest have no hot-plug controller (QEMU docs/pcie.txt).
  if (domain?.machine.includes('q35') && vnic.guestAddress?.startsWith('0000:00:')) {
    return because(
      'no_hotplug_port',
      `its VF sits on the guest's root bus (${vnic.guestAddress}) and cannot be unplugged; give the ` +
        `definition a free pcie-root-port`,
    );
  }
  return [];
}

/** What the owner should know before the move, whatever the target. */
export function vmWarnings(facts: PlanFacts): PlanReason[] {
  const { vm } = facts;
  const moving = movingVnics(vm);
  const warnings: PlanReason[] = [];
  if (facts.guest.standby === 'warn') {
    for (const { vnicId, message } of standbyMissing(facts)) {
      warnings.push({ code: 'no_standby', message, ...(vnicId ? { vnicId } : {}) });
    }
  }
  for (const vnic of moving.filter((each) => each.actual === 'unplug_pending')) {
    warnings.push({
      code: 'unplug_pending',
      message:
        `vNIC ${vnic.name} (${vnic.mac}): the guest was asked to give its VF back before and has not done ` +
        `so; it is asked again`,
      vnicId: vnic.id,
    });
  }
  for (const defined of definedOnly(facts)) {
    warnings.push({
      code: 'defined_vf',
      message:
        `the definition of ${vm.name} also names VF ${defined.vf} for ${defined.mac}, which is not ` +
        `plugged: after the move that address means a VF of the target; put it right there ` +
        `(virsh edit ${vm.name}) before the next start`,
    });
  }
  return warnings;
}

/**
 * VFs that only the definition names: nobody desires them now, and libvirt carries them along as they are.
 */
function definedOnly({ vm, domain }: PlanFacts): readonly DomainInterface[] {
  const moving = new Set(movingVnics(vm).map((vnic) => vnic.mac));
  return (domain?.configInterfaces ?? []).filter((each) => each.vf !== null && !moving.has(each.mac));
}

/**
 * What says that a VF has no standby: that no vNIC could be one, or what the last look at the guest found.
 */
export function standbyMissing({
  vm,
  guest,
}: Pick<PlanFacts, 'vm' | 'guest'>): readonly Pick<GuestFinding, 'vnicId' | 'message'>[] {
  if (movingVnics(vm).length === 0) return [];
  if (!vm.vnics.some((vnic) => !vnic.passthrough && vnic.plugged && vnic.actual === 'plugged')) {
    const message =
      `${vm.name} has no ordinary vNIC plugged beside its VFs: it has no network from the unplug ` +
      `until the plug on the target`;
    return [{ vnicId: null, message }];
  }
  return (guest.readiness?.findings ?? [])
    .filter(({ level }) => level === 'missing')
    .map(({ vnicId, message, fix }) => ({ vnicId, message: fix === null ? message : `${message}; ${fix}` }));
}
