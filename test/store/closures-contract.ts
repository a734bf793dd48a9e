/**
 * What every store must do about VFs that are closed while the number of VFs of their PF is changed. A suite
 * to be run on each implementation, in the surroundings of `reservations-contract.ts`.
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { HostClaim } from '../../src/app/store-port.ts';
import type { JobId, PciAddress, VnicId } from '../../src/base/ids.ts';
import { systemRandom } from '../../src/base/random.ts';
import type { Host } from '../../src/model/host.ts';
import type { Claim } from '../../src/saga/port.ts';
import {
  aFoundVnic,
  aHost,
  aReservation,
  aVm,
  migrateParams,
  newId,
  vfAddress,
} from '../support/builders.ts';
import type { ReservationsUnderTest } from './reservations-contract.ts';

/** Longer than any test: such a lease does not expire. */
const LONG_MS = 600_000;
/** Expires while a test waits. */
const SHORT_MS = 100;

/** Registers the suite for one implementation. `create` is called for every test. */
export function closuresContract(implementation: string, create: () => Promise<ReservationsUnderTest>): void {
  let its: ReservationsUnderTest;
  let store: ReservationsUnderTest['store'];
  let source: Host;
  let target: Host;
  beforeEach(async () => {
    its = await create();
    ({ store } = its);
    source = aHost(1);
    target = aHost(2);
    await store.hosts.add(source);
    await store.hosts.add(target);
  });
  afterEach(() => its.close());

  const claimedJob = async (): Promise<{ id: JobId; claim: Claim }> => {
    await store.jobs.add(newId<JobId>(), migrateParams(source.id), 'web-1', null);
    const claimed = await store.jobs.saga.claimNext('test', LONG_MS);
    if (!claimed) throw new Error('no job to claim');
    return { id: claimed.claim.jobId as JobId, claim: claimed.claim };
  };
  const reserve = async (job: { id: JobId; claim: Claim }, ...numbers: number[]) => {
    const wanted = numbers.map((number) => aReservation(job.id, target.id, vfAddress(number)));
    const version = await store.reservations.version();
    await store.reservations.reserve(job.id, job.claim.epoch, target.id, wanted, version);
  };

  describe(`closing the VFs of a PF while their number changes: ${implementation}`, () => {
    const pf = '0000:3b:00.0' as PciAddress;
    const closureOf = (...numbers: number[]) => ({
      id: systemRandom.uuid(),
      hostId: target.id,
      pf,
      vfs: numbers.map((number) => vfAddress(number)),
    });

    test('keeps jobs and holds from them, and from no others, until they are open again', async () => {
      const closure = closureOf(1, 2);
      await store.reservations.close(closure, LONG_MS);
      const job = await claimedJob();
      await expect(reserve(job, 1, 3)).rejects.toMatchObject({ code: 'VF_TAKEN' });
      const another = async (vf: number) => {
        const wanted = aReservation(job.id, target.id, vfAddress(vf));
        await store.reservations.reserveAnother(job.id, job.claim.epoch, wanted);
      };
      await expect(another(2)).rejects.toMatchObject({ code: 'VF_TAKEN' });
      await another(3);
      const onSource = aReservation(job.id, source.id, vfAddress(1));
      await store.reservations.reserveAnother(job.id, job.claim.epoch, onSource);
      const vm = aVm({ vnics: [aFoundVnic(1, { actual: 'unplugged', vf: null })] });
      const look = await store.hosts.nextLook();
      await store.vms.observe({ hostId: target.id, vms: [vm], stale: [], ageMs: 0, look });
      const vnicId = (await store.vms.get(vm.id))?.vnics[0]?.id as VnicId;
      const claim = (await store.hostClaims.take('a', LONG_MS)).find(
        (each) => each.hostId === target.id,
      ) as HostClaim;
      const hold = { vmId: vm.id, vnicId, vf: vfAddress(1) };
      await expect(store.reservations.hold(claim, hold)).rejects.toMatchObject({ code: 'VF_TAKEN' });
      await store.reservations.reopen(closure.id);
      await another(2);
      await store.reservations.hold(claim, hold);
    });

    test('is refused while somebody has one of them, and while they are closed', async () => {
      const job = await claimedJob();
      await reserve(job, 1);
      const inUse = { code: 'IN_USE' };
      await expect(store.reservations.close(closureOf(1, 2), LONG_MS)).rejects.toMatchObject(inUse);
      await store.reservations.close(closureOf(2), LONG_MS);
      await expect(store.reservations.close(closureOf(2), LONG_MS)).rejects.toMatchObject(inUse);
      await expect(
        store.reservations.close({ ...closureOf(3), hostId: newId() }, LONG_MS),
      ).rejects.toMatchObject({ code: 'NOT_FOUND' });
    });

    test('ends by itself; whoever closed them first does not open them for the next', async () => {
      const [first, second] = [closureOf(1), closureOf(1)];
      await store.reservations.close(first, SHORT_MS);
      await its.eventually('the end of the closure', () =>
        store.reservations.close(second, LONG_MS).then(
          () => true,
          () => null,
        ),
      );
      await store.reservations.reopen(first.id);
      await expect(reserve(await claimedJob(), 1)).rejects.toMatchObject({ code: 'VF_TAKEN' });
    });

    test('goes with its host', async () => {
      await store.reservations.close(closureOf(1), LONG_MS);
      await store.hosts.remove(target.id);
      await store.hosts.add(target);
      await reserve(await claimedJob(), 1);
    });
  });
}
