/**
 * What every store must do when a user says what is desired of a vNIC. A suite to be run on each
 * implementation, in the surroundings of `reservations-contract.ts`.
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { HostClaim, VfHold } from '../../src/app/store-port.ts';
import type { JobId, VmId, VnicId } from '../../src/base/ids.ts';
import type { Host } from '../../src/model/host.ts';
import { aFoundVnic, aHost, aVm, aVnic, migrateParams, newId, vfAddress } from '../support/builders.ts';
import type { ReservationsUnderTest } from './reservations-contract.ts';

/** Longer than any test: such a lease does not expire. */
const LONG_MS = 600_000;

/** Registers the suite for one implementation. `create` is called for every test. */
export function vnicDesiredContract(
  implementation: string,
  create: () => Promise<ReservationsUnderTest>,
): void {
  let its: ReservationsUnderTest;
  let store: ReservationsUnderTest['store'];
  let source: Host;
  beforeEach(async () => {
    its = await create();
    ({ store } = its);
    source = aHost(1);
    await store.hosts.add(source);
  });
  afterEach(() => its.close());

  describe(`what is desired of a vNIC: ${implementation}`, () => {
    const vm = aVm({ vnics: [aFoundVnic(1)] });
    const vnicId = vm.vnics[0]?.id as VnicId;
    const vnicNow = async () => (await store.vms.get(vm.id))?.vnics[0];
    beforeEach(async () => {
      const look = await store.hosts.nextLook();
      await store.vms.observe({ hostId: source.id, vms: [vm], stale: [], look, ageMs: 0 });
    });

    test('makes an attached one that is not desired leave, and keeps it', async () => {
      const before = await vnicNow();
      await store.vms.setVnicDesired(vnicId, false);
      expect(await vnicNow()).toEqual({ ...before, plugged: false, kept: true, actual: 'unplug_pending' });
      await store.vms.setVnicDesired(vnicId, true);
      expect(await vnicNow()).toEqual({ ...before, plugged: true, kept: true, actual: 'unplug_pending' });
    });

    test('keeps how it was plugged, through looks at its host', async () => {
      await store.vms.setVnicUnpluggedXml(vnicId, '<interface/>');
      const look = await store.hosts.nextLook();
      await store.vms.observe({ hostId: source.id, vms: [vm], stale: [], look, ageMs: 0 });
      expect(await vnicNow()).toMatchObject({ unpluggedXml: '<interface/>' });
      const unknown = store.vms.setVnicUnpluggedXml(newId<VnicId>(), '<interface/>');
      await expect(unknown).rejects.toMatchObject({ code: 'NOT_FOUND' });
    });

    test('does not move one that is out', async () => {
      await store.vms.setVnicActual(vnicId, 'unplugged', null);
      await store.vms.setVnicDesired(vnicId, false);
      expect(await vnicNow()).toMatchObject({ plugged: false, actual: 'unplugged' });
    });

    test('is not changed while a job moves the VM', async () => {
      await store.jobs.add(newId<JobId>(), migrateParams(source.id, { vmId: vm.id }), 'web-1', null);
      const before = await vnicNow();
      const attempt = store.vms.setVnicDesired(vnicId, false);
      await expect(attempt).rejects.toMatchObject({ code: 'VM_ALREADY_MIGRATING' });
      expect(await vnicNow()).toEqual(before);
    });

    test('wakes who brings it about', async () => {
      let woken = 0;
      const off = store.jobs.saga.onWake(() => (woken += 1));
      await store.vms.setVnicDesired(vnicId, false);
      await its.eventually('a wake', () => Promise.resolve(woken > 0 ? true : null));
      off();
    });

    test('of a vNIC that does not exist is NOT_FOUND', async () => {
      const attempt = store.vms.setVnicDesired(newId<VnicId>(), false);
      await expect(attempt).rejects.toMatchObject({ code: 'NOT_FOUND' });
    });

    describe('while a VF is held for it', () => {
      let hold: VfHold;
      let claim: HostClaim;
      beforeEach(async () => {
        await store.vms.setVnicActual(vnicId, 'unplugged', null);
        [claim] = (await store.hostClaims.take('engine', LONG_MS)) as [HostClaim];
        hold = { vmId: vm.id, vnicId, vf: vfAddress(5) };
        await store.reservations.hold(claim, hold);
      });

      test('makes it leave when it is not desired any more, also if it is plugged after all', async () => {
        await store.vms.setVnicDesired(vnicId, false);
        expect(await vnicNow()).toMatchObject({ actual: 'unplug_pending', vf: null });
        await store.reservations.endHold(claim, hold, 'plugged');
        expect(await vnicNow()).toMatchObject({ plugged: false, actual: 'unplug_pending', vf: hold.vf });
      });

      test('is out when the plug failed', async () => {
        await store.vms.setVnicDesired(vnicId, false);
        await store.reservations.endHold(claim, hold, 'unplugged');
        expect(await vnicNow()).toMatchObject({ plugged: false, actual: 'unplugged', vf: null });
        const late = store.reservations.hold(claim, hold);
        await expect(late).rejects.toMatchObject({ code: 'NOT_FOUND' });
      });

      test('does not remove it', async () => {
        await expect(store.vms.removeVnic(vnicId)).rejects.toMatchObject({ code: 'IN_USE' });
        expect(await vnicNow()).toBeDefined();
      });
    });

    test('one that is added is there although no host shows it, and its name is its own', async () => {
      const added = aVnic(2, { id: newId<VnicId>(), vmId: vm.id, name: 'fast', profileId: null, kept: true });
      await store.vms.addVnic({ ...added, plugged: false, actual: 'unplugged', vf: null });
      const names = async () => (await store.vms.get(vm.id))?.vnics.map((vnic) => vnic.name);
      expect(new Set(await names())).toEqual(new Set(['fast', vm.vnics[0]?.name]));
      const look = await store.hosts.nextLook();
      await store.vms.observe({ hostId: source.id, vms: [vm], stale: [], look, ageMs: 0 });
      expect(await names()).toHaveLength(2);
      const again = store.vms.addVnic({ ...added, id: newId<VnicId>() });
      await expect(again).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
      await store.vms.removeVnic(added.id);
      await store.vms.removeVnic(added.id);
      expect(await names()).toHaveLength(1);
    });

    test('one that was removed is not brought back by a look that began before', async () => {
      const before = await store.hosts.nextLook();
      await store.vms.removeVnic(vnicId);
      await store.vms.observe({ hostId: source.id, vms: [vm], stale: [], look: before, ageMs: 0 });
      expect((await store.vms.get(vm.id))?.vnics).toEqual([]);
    });

    test('none is added or removed while a job moves the VM', async () => {
      await store.jobs.add(newId<JobId>(), migrateParams(source.id, { vmId: vm.id }), 'web-1', null);
      const added = aVnic(2, { id: newId<VnicId>(), vmId: vm.id, name: 'fast', profileId: null });
      const refused = { code: 'VM_ALREADY_MIGRATING' };
      await expect(store.vms.addVnic(added)).rejects.toMatchObject(refused);
      await expect(store.vms.removeVnic(vnicId)).rejects.toMatchObject(refused);
      expect((await store.vms.get(vm.id))?.vnics.map((vnic) => vnic.id)).toEqual([vnicId]);
    });

    test('VMs are listed part by part in the order of names, then ids', async () => {
      const names = ['b', 'a', 'b', 'c%', 'c_x', 'C'];
      const vms = names.map((name) => aVm({ id: newId<VmId>(), name, vnics: [] }));
      const look = await store.hosts.nextLook();
      await store.vms.observe({ hostId: source.id, vms, stale: [], look, ageMs: 0 });
      const all = await store.vms.list();
      const ab = all.filter(({ name }) => name === 'a' || name === 'b');
      expect(ab.map(({ name }) => name)).toEqual(['a', 'b', 'b']);
      expect((ab[1]?.id ?? '') < (ab[2]?.id ?? '')).toBe(true);
      const parts: VmId[] = [];
      for (let after = all[0]; after; after = (await store.vms.list({ after, limit: 1 }))[0])
        parts.push(after.id);
      expect(parts).toEqual(all.map((each) => each.id));
      expect(await store.vms.list({ skip: 2, limit: 3 })).toEqual(all.slice(2, 5));
      const named = async (pattern: string) =>
        (await store.vms.list({ named: pattern })).map((each) => each.name).sort();
      expect(await named('b')).toEqual(['b', 'b']);
      expect(await named('c*')).toEqual(['c%', 'c_x']);
      expect(await named('c%')).toEqual(['c%']);
      expect(await named('c_')).toEqual([]);
    });

    test('jobs are listed of several VMs at once', async () => {
      await store.jobs.add(newId<JobId>(), migrateParams(source.id, { vmId: vm.id }), 'web-1', null);
      const of = async (...vmIds: VmId[]) => (await store.jobs.list({ vmIds })).map((job) => job.vmId);
      expect(await of(newId<VmId>(), vm.id)).toEqual([vm.id]);
      expect(await of(newId<VmId>())).toEqual([]);
      expect(await of()).toEqual([]);
    });

    test('a VM that was removed comes back with a look that begins afterwards only', async () => {
      const observe = (look: number) =>
        store.vms.observe({ hostId: source.id, vms: [vm], stale: [], look, ageMs: 0 });
      const elsewhere = aHost(2);
      await store.hosts.add(elsewhere);
      const before = await store.hosts.nextLook();
      const beforeElsewhere = await store.hosts.nextLook();
      await store.vms.remove(vm.id);
      await store.vms.remove(vm.id);
      await observe(before);
      // Nor one at another host that had a definition of it too.
      const { id: hostId } = elsewhere;
      await store.vms.observe({ hostId, vms: [vm], stale: [], look: beforeElsewhere, ageMs: 0 });
      expect(await store.vms.get(vm.id)).toBeNull();
      await observe(await store.hosts.nextLook());
      expect(await store.vms.get(vm.id)).toMatchObject({ name: vm.name });
    });

    test('a VM that is being removed is not started, until that ended or its time is over', async () => {
      const refused = { code: 'VM_STATUS_WRONG' };
      await store.vms.beginRemoval(vm.id, LONG_MS);
      await expect(store.vms.setStarting(vm.id, true)).rejects.toMatchObject(refused);
      await store.vms.endRemoval(vm.id);
      await store.vms.setStarting(vm.id, true);
      await expect(store.vms.beginRemoval(vm.id, LONG_MS)).rejects.toMatchObject(refused);
      await store.vms.setStarting(vm.id, false);
      await store.vms.beginRemoval(vm.id, -1);
      await store.vms.setStarting(vm.id, true);
      expect(await store.vms.get(vm.id)).toMatchObject({ starting: true });
    });

    test('an ordinary one that is not desired is out', async () => {
      const id = newId<VnicId>();
      const plain = { passthrough: false, vf: null, profileId: null, plugged: true, kept: true } as const;
      await store.vms.addVnic(aVnic(2, { id, vmId: vm.id, name: 'plain', ...plain }));
      await store.vms.setVnicDesired(id, false);
      const now = (await store.vms.get(vm.id))?.vnics.find((vnic) => vnic.id === id);
      expect(now).toMatchObject({ plugged: false, actual: 'unplugged' });
    });

    test('a VM is not removed while a job moves it', async () => {
      await store.jobs.add(newId<JobId>(), migrateParams(source.id, { vmId: vm.id }), 'web-1', null);
      await expect(store.vms.remove(vm.id)).rejects.toMatchObject({ code: 'VM_ALREADY_MIGRATING' });
      expect(await store.vms.get(vm.id)).toMatchObject({ name: vm.name });
    });

    test('none is added to a VM that does not exist', async () => {
      const attempt = store.vms.addVnic(aVnic(2, { vmId: newId<VmId>(), profileId: null }));
      await expect(attempt).rejects.toMatchObject({ code: 'NOT_FOUND' });
    });
  });
}
