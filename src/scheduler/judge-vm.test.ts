/**
 * What speaks against moving a VM whatever the target, as sentences. Cases E1 and E2 are oVirt's own
 * acceptance cases (ovirt.md section 7), in our words.
 */
import { describe, expect, it } from 'vitest';
import { aDomain, aProfile, aStandby, aVm, aVnic, pci, profileId } from '../../test/support/builders.ts';
import { ANY, planFacts } from '../../test/support/plan-facts.ts';
import type { Vm, Vnic } from '../model/vm.ts';
import { planMigration } from './plan-migration.ts';

const refusalsOf = (vnics: Vnic[], vm: Partial<Vm> = {}): string[] => {
  const profiles = new Map([
    [profileId(1), aProfile(1)],
    [profileId(2), aProfile(2, { migratable: false })],
    [profileId(3), aProfile(3, { passThrough: false })],
  ]);
  const plan = planMigration(planFacts({ profiles, vm: aVm({ ...vm, vnics }) }), ANY);
  return plan.refusals.map((reason) => reason.code);
};

describe('a VM', () => {
  it('E1 with a plugged vNIC that is not migratable may not move, in words clients match on', () => {
    const plan = planMigration(
      planFacts({ profiles: new Map([[profileId(1), aProfile(1, { migratable: false })]]) }),
      ANY,
    );
    expect(plan.possible).toBe(false);
    expect(plan.refusals[0]?.message).toContain(
      "Migration is not supported for VMs containing 'non migratable' 'passthrough' VM Network Interfaces " +
        '(VM: web-1, problematic interfaces: nic1)',
    );
  });

  it('with a vNIC that has no profile may not move, and it says how to give it one', () => {
    const plan = planMigration(planFacts({ vm: aVm({ vnics: [aVnic(1, { profileId: null })] }) }), ANY);
    expect(plan.refusals[0]?.message).toContain('handover vm nic set-profile web-1 nic1 PROFILE');
  });

  it('of type q35 whose VF sits on the root bus, where nothing can be unplugged, may not move', () => {
    const plan = planMigration(
      planFacts({
        domain: aDomain(1, 'web-1', { machine: 'pc-q35-10.0' }),
        vm: aVm({ vnics: [aVnic(1, { guestAddress: pci('0000:00:08.0') })] }),
      }),
      ANY,
    );
    expect(plan.refusals.map((reason) => reason.code)).toContain('no_hotplug_port');
  });

  it('E1 with ordinary vNICs, without any, or with migratable ones beside them may move', () => {
    expect(refusalsOf([aStandby(1), aStandby(2, { profileId: profileId(3) })])).toEqual([]);
    expect(refusalsOf([])).toEqual([]);
    expect(refusalsOf([aVnic(1), aStandby(2)])).toEqual([]);
  });

  it('E1 whose vNIC is not migratable but not plugged either may move', () => {
    const out = aVnic(1, { profileId: profileId(2), plugged: false, vf: null });
    expect(refusalsOf([out, aStandby(2)])).toEqual([]);
  });

  it('E2 whose vNIC on a VF has an ordinary profile may not move', () => {
    expect(refusalsOf([aVnic(1, { profileId: profileId(3) })])).toEqual(['profile_not_passthrough']);
    expect(refusalsOf([aVnic(1)])).toEqual([]);
    expect(refusalsOf([aStandby(1)])).toEqual([]);
  });

  it.each(['paused', 'down'] as const)('G9 that is %s may not move', (status) => {
    expect(refusalsOf([aVnic(1), aStandby(2)], { status })).toEqual(['vm_not_running']);
  });

  it('with a plain PCI device may not move, whatever the device is', () => {
    const domain = aDomain(1, 'web-1', { hostdevs: [pci('0000:5e:02.7')] });
    const [refusal] = planMigration(planFacts({ domain }), ANY).refusals;
    expect(refusal).toMatchObject({ code: 'plain_hostdev' });
    expect(refusal?.message).toContain('owns the PCI device 0000:5e:02.7 as a plain hostdev');
  });
});
