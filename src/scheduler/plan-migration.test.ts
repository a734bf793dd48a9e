/**
 * The scheduler's rules, as sentences. Cases A1-A15 and E1 are oVirt's own acceptance cases (ovirt.md section
 * 7), in our words.
 */
import { describe, expect, it } from 'vitest';
import {
  aDomain,
  aHost,
  anInterface,
  anInventory,
  aNetwork,
  aPf,
  aProfile,
  aReservation,
  aStandby,
  aVm,
  aVnic,
  hostId,
  mac,
  networkId,
  pci,
  profileId,
  uuid,
  vnicId,
} from '../../test/support/builders.ts';
import { ANY, codes, onTarget, planFacts, withTarget } from '../../test/support/plan-facts.ts';
import type { JobId } from '../base/ids.ts';
import type { Host } from '../model/host.ts';
import type { Pf } from '../model/pf.ts';
import type { MigrationPlan } from '../model/plan.ts';
import type { Vnic } from '../model/vm.ts';
import { candidatesFor } from './judge-host.ts';
import { type PlanFacts, pfKey, planMigration } from './plan-migration.ts';

const taken = (pf: Pf, use: string): Pf => ({
  ...pf,
  vfs: pf.vfs.map((vf) => ({ ...vf, driver: 'igbvf', netdev: 'x', netdevUse: use })),
});

/** A PF of the target that serves no network. */
const servesNothing = (bus: string): PlanFacts['pfConfigs'] => {
  const pf = pci(`0000:${bus}:00.0`);
  const config = { hostId: hostId(2), pf, allNetworksAllowed: false, networkIds: [], labels: [] };
  return new Map([[pfKey(hostId(2), pf), config]]);
};

describe('a plan', () => {
  it('gives every vNIC a free VF on a host that fits and chooses that host', () => {
    const plan = planMigration(planFacts(), ANY);
    expect(plan.possible).toBe(true);
    expect(plan.chosen).toBe(hostId(2));
    expect(onTarget(plan)?.assignment).toMatchObject([
      { sourceVf: '0000:3b:02.0', sourcePf: 'ens1f0', targetPf: 'ens2f0', targetVf: '0000:5e:02.0' },
    ]);
  });

  it('says that it is not known whether disks are there, and does not refuse for it', () => {
    const imagesOn = new Map([[hostId(2), 'host-b has no shell']]);
    const plan = planMigration(planFacts({ imagesOn }), ANY);
    expect(codes(plan)).toEqual([]);
    expect(onTarget(plan)?.warnings).toContainEqual({
      code: 'images_unknown',
      message: expect.stringContaining('is unknown (host-b has no shell)') as string,
    });
  });

  it('keeps a vNIC that is out although it is desired: it gets a VF there', () => {
    const vm = aVm({ vnics: [aVnic(1, { actual: 'unplugged', vf: null, alias: null }), aStandby(2)] });
    const plan = planMigration(planFacts({ vm }), ANY);
    expect(plan.possible).toBe(true);
    expect(onTarget(plan)?.assignment).toMatchObject([{ sourceVf: null, targetVf: '0000:5e:02.0' }]);
  });

  it('refuses the host the VM is on, saying so', () => {
    const plan = planMigration(planFacts(), { ...ANY, targetHostId: hostId(1) });
    expect(plan.hosts[0]?.reasons[0]).toMatchObject({ code: 'is_source' });
  });

  it('A1 refuses a host without SR-IOV and names the vNIC', () => {
    const plan = planMigration(withTarget([]), ANY);
    expect(onTarget(plan)?.reasons[0]?.message).toMatch(/nic1 on host-b: it has no SR-IOV network card/);
  });

  it('A2 refuses a PF on which no VF is enabled', () => {
    expect(onTarget(planMigration(withTarget([aPf('ens2f0', '5e', 0)]), ANY))?.reasons[0]?.message).toMatch(
      /ens2f0 has no VFs \(0 of 8 enabled\)/,
    );
  });

  it('A3 to A6 lets a PF serve a network by list, by label, or because all are allowed', () => {
    const base = withTarget([aPf('ens2f0', '5e', 5)]);
    const key = pfKey(hostId(2), pci('0000:5e:00.0'));
    const config = {
      hostId: hostId(2),
      pf: pci('0000:5e:00.0'),
      allNetworksAllowed: false,
      networkIds: [],
      labels: [],
    };
    const labelled = { ...base, networks: new Map([[networkId(1), aNetwork(1, { label: 'fast' })]]) };
    expect(codes(planMigration({ ...base, pfConfigs: new Map([[key, config]]) }, ANY))).toEqual([
      'no_free_vf',
    ]);
    expect(
      codes(
        planMigration(
          { ...base, pfConfigs: new Map([[key, { ...config, networkIds: [networkId(1)] }]]) },
          ANY,
        ),
      ),
    ).toEqual([]);
    expect(
      codes(
        planMigration({ ...labelled, pfConfigs: new Map([[key, { ...config, labels: ['fast'] }]]) }, ANY),
      ),
    ).toEqual([]);
    expect(
      codes(
        planMigration({ ...base, pfConfigs: new Map([[key, { ...config, allNetworksAllowed: true }]]) }, ANY),
      ),
    ).toEqual([]);
  });

  it('A7 refuses a PF whose VFs are all in use and says by what', () => {
    const plan = planMigration(withTarget([taken(aPf('ens2f0', '5e', 8), 'has the address 10.0.0.5')]), ANY);
    expect(onTarget(plan)?.reasons[0]?.message).toMatch(
      /all 8 VFs are in use \(8x the host uses its netdev x: it has the address 10.0.0.5\)/,
    );
  });

  it('A8 refuses a VF that shares its IOMMU group', () => {
    const pf = aPf('ens2f0', '5e', 1);
    const shared = { ...pf, vfs: pf.vfs.map((vf) => ({ ...vf, iommuGroupShared: true })) };
    expect(onTarget(planMigration(withTarget([shared]), ANY))?.reasons[0]?.message).toMatch(
      /IOMMU group 0 holds other devices/,
    );
  });

  it.each([
    ['running', false, false],
    ['paused', false, false],
    ['shut_off', false, true],
    ['shut_off', true, false],
  ] as const)(
    'A9 counts a VF named by a %s domain with autostart %s as free: %s',
    (state, autostart, free) => {
      const vf = anInterface({ vf: pci('0000:5e:02.0') });
      const domain = aDomain(9, 'other', { state, autostart, interfaces: [vf], configInterfaces: [vf] });
      const plan = planMigration(withTarget([aPf('ens2f0', '5e', 1)], {}, { domains: [domain] }), ANY);
      expect(onTarget(plan)?.fits).toBe(free);
    },
  );

  it('counts a VF that only the own definition of the VM names as free for it', () => {
    const vf = anInterface({ vf: pci('0000:5e:02.0') });
    const domain = aDomain(1, 'web-1', { autostart: true, interfaces: [], configInterfaces: [vf] });
    const given = withTarget([aPf('ens2f0', '5e', 1)], {}, { domains: [domain] });
    const found = candidatesFor(given, given.hosts[1] as Host, aVnic(1));
    expect(found.map((each) => each.vf.pciAddress)).toEqual(['0000:5e:02.0']);
  });

  it('A10 takes the other of two free VFs when one is a plain hostdev of a running domain', () => {
    const domain = aDomain(9, 'other', { hostdevs: [pci('0000:5e:02.0')] });
    const plan = planMigration(withTarget([aPf('ens2f0', '5e', 2)], {}, { domains: [domain] }), ANY);
    expect(onTarget(plan)?.assignment[0]?.targetVf).toBe('0000:5e:02.1');
  });

  it('A11 asks for no VF for a vNIC that is not plugged', () => {
    const base = withTarget([]);
    const plan = planMigration(
      { ...base, vm: aVm({ vnics: [aVnic(1, { plugged: false, vf: null })] }) },
      ANY,
    );
    expect(plan.possible).toBe(true);
  });

  it('matches all vNICs at once where taking the first free VF would fail', () => {
    // nic1 may use both PFs, nic2 only ens2f0: first-fit gives ens2f0 to nic1 and leaves nic2 with nothing.
    const base = withTarget([aPf('ens2f0', '5e', 1), aPf('ens2f1', '5f', 1)]);
    const key = pfKey(hostId(2), pci('0000:5f:00.0'));
    const plan = planMigration(
      {
        ...base,
        vm: aVm({ vnics: [aVnic(1), aVnic(2, { profileId: profileId(2) })] }),
        networks: new Map([
          [networkId(1), aNetwork(1)],
          [networkId(2), aNetwork(2)],
        ]),
        profiles: new Map([
          [profileId(1), aProfile(1)],
          [profileId(2), aProfile(2, { networkId: networkId(2) })],
        ]),
        pfConfigs: new Map([
          [
            key,
            {
              hostId: hostId(2),
              pf: pci('0000:5f:00.0'),
              allNetworksAllowed: false,
              networkIds: [networkId(1)],
              labels: [],
            },
          ],
        ]),
      },
      ANY,
    );
    expect(onTarget(plan)?.assignment.map((each) => [each.vnicName, each.targetPf])).toEqual([
      ['nic1', 'ens2f1'],
      ['nic2', 'ens2f0'],
    ]);
  });

  it('A12 keeps a vNIC from a PF that may not serve its network, and names the one without a VF', () => {
    const base = withTarget([aPf('ens2f0', '5e', 1), aPf('ens2f1', '5f', 1)]);
    const vm = aVm({ vnics: [aVnic(1), aVnic(2), aStandby(3), aStandby(4)] });
    const both = onTarget(planMigration({ ...base, vm }, ANY))?.assignment.map((each) => each.targetPf);
    expect(both?.sort()).toEqual(['ens2f0', 'ens2f1']);
    const plan = planMigration({ ...base, vm, pfConfigs: servesNothing('5f') }, ANY);
    expect(onTarget(plan)?.reasons.map((reason) => reason.vnicId)).toEqual([vnicId(2)]);
  });

  it.each([
    ['first', '5f', 'ens2f0'],
    ['last', '5e', 'ens2f1'],
  ])('A13 takes a VF of the %s PF when only that one suits', (_, bus, suits) => {
    const base = withTarget([aPf('ens2f0', '5e', 1), aPf('ens2f1', '5f', 1)]);
    const plan = planMigration({ ...base, pfConfigs: servesNothing(bus) }, ANY);
    expect(onTarget(plan)?.assignment.map((each) => each.targetPf)).toEqual([suits]);
  });

  it('does not use one VF for two vNICs', () => {
    const base = withTarget([aPf('ens2f0', '5e', 1)]);
    const plan = planMigration({ ...base, vm: aVm({ vnics: [aVnic(1), aVnic(2)] }) }, ANY);
    expect(onTarget(plan)?.reasons[0]?.message).toMatch(/its 1 free VF are needed by the VM's other vNICs/);
  });

  it('does not use a VF another job holds, but its own', () => {
    const base = withTarget([aPf('ens2f0', '5e', 1)]);
    const jobId = uuid(77) as JobId;
    const reservation = aReservation(jobId, hostId(2), pci('0000:5e:02.0'));
    const reservations = new Map([[pfKey(hostId(2), reservation.vf), reservation]]);
    expect(codes(planMigration({ ...base, reservations }, ANY))).toEqual(['no_free_vf']);
    expect(codes(planMigration({ ...base, reservations, forJob: jobId }, ANY))).toEqual([]);
  });

  it("prefers a VF on the VM's NUMA node", () => {
    const far = aPf('ens2f0', '5e', 1);
    const near = aPf('ens2f1', '5f', 1);
    const pfs = [
      { ...far, vfs: far.vfs.map((vf) => ({ ...vf, numaNode: 0 })) },
      { ...near, vfs: near.vfs.map((vf) => ({ ...vf, numaNode: 1 })) },
    ];
    const plan = planMigration({ ...withTarget(pfs), domain: aDomain(1, 'web-1', { numaNodes: [1] }) }, ANY);
    expect(onTarget(plan)?.assignment[0]?.targetPf).toBe('ens2f1');
    expect(onTarget(plan)?.warnings.map((warning) => warning.code)).not.toContain('other_numa_node');
  });

  it("says when a VF is not on the VM's NUMA node", () => {
    const pf = aPf('ens2f0', '5e', 1);
    const far = { ...pf, vfs: pf.vfs.map((vf) => ({ ...vf, numaNode: 0 })) };
    const plan = planMigration(
      { ...withTarget([far]), domain: aDomain(1, 'web-1', { numaNodes: [1] }) },
      ANY,
    );
    expect(onTarget(plan)?.warnings.map((warning) => warning.message)).toContainEqual(
      expect.stringContaining('VF 0000:5e:02.0 on host-b is on NUMA node 0, the VM on 1'),
    );
  });

  it(
    'refuses a PF without carrier, a missing standby bridge, too little memory and a host that is ' +
      'not up',
    () => {
      expect(codes(planMigration(withTarget([aPf('ens2f0', '5e', 1, { carrier: false })]), ANY))).toEqual([
        'no_free_vf',
      ]);
      expect(codes(planMigration(withTarget([aPf('ens2f0', '5e', 1)], {}, { bridges: [] }), ANY))).toEqual([
        'bridge_missing',
      ]);
      expect(
        codes(planMigration(withTarget([aPf('ens2f0', '5e', 1)], {}, { memoryFreeKiB: 1024 }), ANY)),
      ).toEqual(['no_memory']);
      expect(
        codes(
          planMigration(
            withTarget([aPf('ens2f0', '5e', 1)], { status: 'non_responsive', statusReason: 'no answer' }),
            ANY,
          ),
        ),
      ).toEqual(['host_not_up']);
    },
  );

  it('places nothing on a host in maintenance, and lets what runs on one leave', () => {
    const kept = withTarget([aPf('ens2f0', '5e', 1)], { status: 'maintenance' });
    const plan = planMigration(kept, ANY);
    expect(codes(plan)).toEqual(['host_in_maintenance']);
    expect(plan.hosts.flatMap((host) => host.reasons.map((reason) => reason.message))).toContain(
      'host-b is in maintenance and takes no VMs; activate it first',
    );
    const facts = withTarget([aPf('ens2f0', '5e', 1)]);
    const leaving = facts.hosts.map((host) =>
      host.id === facts.vm.hostId ? { ...host, status: 'maintenance' as const } : host,
    );
    expect(planMigration({ ...facts, hosts: leaving }, ANY).possible).toBe(true);
    const silent = leaving.map((host) => ({ ...host, statusReason: 'no route to host' }));
    expect(planMigration({ ...facts, hosts: silent }, ANY).refusals).toMatchObject([{ code: 'source_down' }]);
  });

  it('counts memory promised to accepted jobs as used', () => {
    const base = withTarget([aPf('ens2f0', '5e', 1)], {}, { memoryFreeKiB: 1.5 * 1024 * 1024 });
    expect(planMigration(base, ANY).possible).toBe(true);
    expect(
      codes(planMigration({ ...base, promisedMemoryKiB: new Map([[hostId(2), 1024 * 1024]]) }, ANY)),
    ).toEqual(['no_memory']);
  });

  it('warns when the VM has no standby path, and when settings of the VF will be lost', () => {
    const attributes = {
      mac: null,
      vlan: 0,
      trust: true,
      spoofCheck: true,
      linkState: 'auto',
      rateMbitMin: 0,
      rateMbitMax: 0,
    } as const;
    const base = withTarget([aPf('ens2f0', '5e', 1)]);
    const trusted = aPf('ens1f0', '3b', 1);
    const source = aHost(1, 'host-a', {
      inventory: anInventory({
        pfs: [{ ...trusted, vfs: trusted.vfs.map((vf) => ({ ...vf, attributes })) }],
      }),
    });
    const plain = aPf('ens2f0', '5e', 1);
    const target = aHost(2, 'host-b', {
      inventory: anInventory({
        pfs: [
          { ...plain, vfs: plain.vfs.map((vf) => ({ ...vf, attributes: { ...attributes, trust: false } })) },
        ],
      }),
    });
    const plan = planMigration({ ...base, hosts: [source, target], vm: aVm({ vnics: [aVnic(1)] }) }, ANY);
    expect(plan.warnings.map((warning) => warning.code)).toEqual(['no_standby']);
    expect(onTarget(plan)?.warnings[0]?.message).toMatch(
      /trust is false on ens2f0 VF 0000:5e:02.0 on host-b, true now/,
    );
  });

  it('asks for no bridge of a standby that its user took out, and warns of one that is not plugged', () => {
    const facts = withTarget([aPf('ens2f0', '5e', 1)], {}, { bridges: [] });
    const planWith = (standby: Partial<Vnic>) =>
      planMigration({ ...facts, vm: aVm({ vnics: [aVnic(1), aStandby(2, standby)] }) }, ANY);
    const takenOut = planWith({ plugged: false, actual: 'unplugged' });
    expect(codes(takenOut)).toEqual([]);
    const codesOf = (plan: MigrationPlan) => plan.warnings.map((warning) => warning.code);
    expect(codesOf(takenOut)).toEqual(['no_standby']);
    expect(codesOf(planWith({ actual: 'unplugged' }))).toEqual(['no_standby']);
    expect(codesOf(planWith({}))).toEqual([]);
  });

  it('warns that a guest which still holds a VF is asked again', () => {
    const vm = aVm({ vnics: [aVnic(1, { actual: 'unplug_pending' }), aStandby(2)] });
    const plan = planMigration({ ...withTarget([aPf('ens2f0', '5e', 1)]), vm }, ANY);
    expect(plan.possible).toBe(true);
    expect(plan.warnings.map((warning) => warning.code)).toEqual(['unplug_pending']);
  });

  it('warns of a VF that only the definition names, since its address means another VF elsewhere', () => {
    const only = anInterface({ mac: mac(9), vf: pci('0000:3b:02.7') });
    const domain = aDomain(1, 'web-1', { configInterfaces: [anInterface(), only] });
    const plan = planMigration({ ...withTarget([aPf('ens2f0', '5e', 1)]), domain }, ANY);
    expect(plan.warnings.map((warning) => warning.message)).toEqual([
      expect.stringContaining(`also names VF 0000:3b:02.7 for ${mac(9)}, which is not plugged`),
    ]);
  });

  it(
    'falls back to driving the migration itself when the hosts cannot reach each other, and says ' +
      'how to mend it',
    () => {
      const base = planFacts();
      const source = {
        ...(base.hosts[0] as Host),
        peerTests: { [hostId(2)]: { ok: false, message: 'Host key verification failed.', testedAt: 0 } },
      };
      const plan = planMigration({ ...base, hosts: [source, base.hosts[1] as Host] }, ANY);
      expect(onTarget(plan)?.protocol).toBe('direct');
      expect(onTarget(plan)?.warnings.find((each) => each.code === 'peer_unreachable')?.message).toMatch(
        /Host key verification failed.*let root on host-a reach qemu\+tls:\/\/host-b\/system/,
      );
    },
  );
});
