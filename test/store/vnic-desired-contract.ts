/**
 * What every store must do when a user says what is desired of a vNIC. A suite to be run on each
 * implementation, in the surroundings of `reservations-contract.ts`.
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { JobId, VnicId } from '../../src/base/ids.ts';
import type { Host } from '../../src/model/host.ts';
import { aFoundVnic, aHost, aVm, migrateParams, newId } from '../support/builders.ts';
import type { ReservationsUnderTest } from './reservations-contract.ts';

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
  });
}
