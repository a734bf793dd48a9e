/** What every store must do about the guest's side of VMs. A suite to be run on each implementation. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { JobId, VmId } from '../../src/base/ids.ts';
import type { GuestReadiness } from '../../src/model/guest.ts';
import type { JobKind } from '../../src/model/job.ts';
import { aHost, aStandby, aVm, aVnic, migrateParams, newId } from '../support/builders.ts';
import type { ReservationsUnderTest } from './reservations-contract.ts';

const READINESS: GuestReadiness = {
  checkedAt: 1_750_000_000_123,
  standby: 'ready',
  pairs: [],
  findings: [{ code: 'bonded', level: 'ok', message: 'bond0 has both', fix: null, vnicId: null }],
};

/** Registers the suite for one implementation. `create` is called for every test. */
export function guestsContract(implementation: string, create: () => Promise<ReservationsUnderTest>): void {
  let its: ReservationsUnderTest;
  beforeEach(async () => {
    its = await create();
  });
  afterEach(() => its.close());

  const addVm = async (): Promise<VmId> => {
    const host = aHost(1);
    await its.store.hosts.add(host);
    const vm = aVm({ id: newId<VmId>(), hostId: host.id, vnics: [aVnic(1), aStandby(2)] });
    const look = await its.store.hosts.nextLook();
    await its.store.vms.observe({ hostId: host.id, vms: [vm], stale: [], look, ageMs: 0 });
    return vm.id;
  };

  describe(`guests (${implementation})`, () => {
    test('of which nothing was said warn where there is no standby', async () => {
      const id = await addVm();
      expect(await its.store.guests.get([id])).toEqual(
        new Map([[id, { vmId: id, standby: 'warn', probeAddress: null, readiness: null }]]),
      );
    });

    test('keep what was said and what was seen, apart from each other', async () => {
      const id = await addVm();
      await its.store.guests.setReadiness(id, READINESS);
      await its.store.guests.setStandby(id, 'require');
      await its.store.guests.setReadiness(id, { ...READINESS, standby: 'missing' });
      await its.store.guests.setProbeAddress(id, '2001:db8::17');
      const told = { vmId: id, standby: 'require', probeAddress: '2001:db8::17' };
      const kept = { ...told, readiness: { ...READINESS, standby: 'missing' } };
      expect(await its.store.guests.get([id])).toEqual(new Map([[id, kept]]));
    });

    test('have their last drill among the jobs, whatever came after', async () => {
      const id = await addVm();
      const { hostId } = (await its.store.vms.get(id)) ?? {};
      if (!hostId) throw new Error('the VM has no host');
      const ran = async (kind: JobKind): Promise<JobId> => {
        const params = migrateParams(hostId, { vmId: id });
        const { id: jobId } = await its.store.jobs.add(newId<JobId>(), params, 'web-1', null, kind);
        const claimed = await its.store.jobs.saga.claimNext('test', 60_000);
        expect(claimed?.job).toMatchObject({ id: jobId, kind });
        if (claimed) await its.store.jobs.saga.write(claimed.claim, { state: 'succeeded' });
        return jobId;
      };
      const drill = await ran('drill_vm');
      const move = await ran('migrate_vm');
      const last = async (kind?: JobKind) =>
        (await its.store.jobs.list({ vmId: id, live: false, limit: 1, ...(kind ? { kind } : {}) }))[0]?.id;
      expect([await last('drill_vm'), await last()]).toEqual([drill, move]);
    });

    test('are those of VMs that are there', async () => {
      const setting = its.store.guests.setStandby(newId(), 'ignore');
      await expect(setting).rejects.toMatchObject({ code: 'NOT_FOUND' });
      const id = await addVm();
      await its.store.guests.setStandby(id, 'ignore');
      await its.store.vms.remove(id);
      expect((await its.store.guests.get([id])).get(id)?.standby).toBe('warn');
    });
  });
}
