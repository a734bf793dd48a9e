/**
 * How every store lists VMs and hosts without what belongs to them. A suite to be run on each implementation.
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { VmPart } from '../../src/app/store-port.ts';
import type { HostId, VmId } from '../../src/base/ids.ts';
import type { HostHead } from '../../src/model/host.ts';
import type { VmHead } from '../../src/model/vm.ts';
import { aFoundVnic, aHost, aNetwork, aProfile, aVm, newId, profileId } from '../support/builders.ts';
import type { ReservationsUnderTest } from './reservations-contract.ts';

/** Registers the suite for one implementation. `create` is called for every test. */
export function headsContract(implementation: string, create: () => Promise<ReservationsUnderTest>): void {
  let its: ReservationsUnderTest;
  beforeEach(async () => {
    its = await create();
    const host = aHost(1);
    await its.store.hosts.add(host);
    const vms = ['b', 'a', 'b', 'c'].map((name, at) =>
      aVm({ id: newId<VmId>(), name, vnics: [aFoundVnic(1, { id: newId() })], vcpus: at + 1 }),
    );
    const look = await its.store.hosts.nextLook();
    await its.store.vms.observe({ hostId: host.id, vms, stale: [], look, ageMs: 0 });
  });
  afterEach(() => its.close());

  describe(`heads: ${implementation}`, () => {
    test('of VMs are those of the whole list, part by part', async () => {
      const { vms } = its.store;
      const all: VmHead[] = (await vms.list()).map(({ vnics: _, staleOn: __, ...head }) => head);
      expect(all).toHaveLength(4);
      expect(await vms.listHeads({})).toEqual(all);
      expect(await vms.listHeads({ skip: 1, limit: 2 })).toEqual(all.slice(1, 3));
      for (const [at, after] of all.entries())
        expect(await vms.listHeads({ after })).toEqual(all.slice(at + 1));
      expect(await vms.listHeads({ named: 'b' })).toEqual(all.filter(({ name }) => name === 'b'));
      expect(await vms.listHeads({ named: '*', limit: 0 })).toEqual([]);
    });

    test('of VMs are found without regard to case, and by their host', async () => {
      const { vms, hosts } = its.store;
      const named = async (part: VmPart) => (await vms.listHeads(part)).map(({ name }) => name);
      expect(await named({ named: 'B*', ignoringCase: true })).toEqual(['b', 'b']);
      expect(await named({ named: 'B*' })).toEqual([]);
      const [host] = await hosts.list();
      expect(await named({ hostId: host?.id ?? newId() })).toHaveLength(4);
      expect(await named({ hostId: newId(), named: 'b' })).toEqual([]);
    });

    test('of VMs are counted as they are listed, and by host and state', async () => {
      const { vms, hosts } = its.store;
      const [host] = await hosts.list();
      const hostId = host?.id ?? newId<HostId>();
      expect(await vms.count({})).toBe(4);
      expect(await vms.count({ named: 'B', ignoringCase: true, hostId })).toBe(2);
      expect(await vms.count({ named: 'B' })).toBe(0);
      expect(await vms.counts()).toEqual([{ hostId, status: 'up', count: 4 }]);
    });

    test('of VMs are told by the vNIC profile they use, each once', async () => {
      const { networks, profiles, vms } = its.store;
      await networks.add(aNetwork(1));
      await profiles.add(aProfile(1));
      await profiles.add(aProfile(2, { name: 'nobody' }));
      expect(await profiles.uses(5)).toEqual([]);
      const all = await vms.list();
      for (const vnic of all.slice(0, 3).flatMap((vm) => vm.vnics))
        await vms.setVnicProfile(vnic.id, profileId(1), vnic.vlan);
      const using = all.slice(0, 3).map(({ id, name }) => ({ id, name }));
      expect(await profiles.uses(5)).toEqual([{ profileId: profileId(1), vmCount: 3, vms: using }]);
      expect(await profiles.uses(2)).toEqual([
        { profileId: profileId(1), vmCount: 3, vms: using.slice(0, 2) },
      ]);
    });

    test('of VMs have numbers where they count', async () => {
      const [first] = await its.store.vms.listHeads({ named: 'c' });
      expect(first).toMatchObject({ name: 'c', vcpus: 4, memoryKiB: 1024 * 1024, starting: false });
    });

    test('of hosts are those of the whole list', async () => {
      const { hosts } = its.store;
      await hosts.add(aHost(2, 'a-first', { statusReason: 'why', peerUri: 'qemu+tls://a/system' }));
      const all: HostHead[] = (await hosts.list()).map(
        ({ inventory: _, observedAt: __, peerTests: ___, ...head }) => head,
      );
      expect(all).toHaveLength(2);
      expect(await hosts.listHeads()).toEqual(all);
    });
  });
}
