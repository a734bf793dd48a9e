/**
 * What every store must do about who has what: places and VFs of jobs, claims of hosts, holds. A suite to be
 * run on each implementation. Times pass by `eventually`, which a virtual clock may implement by advancing.
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { HostClaim, Store, VfHold } from '../../src/app/store-port.ts';
import type { HostId, JobId, VmId, VnicId } from '../../src/base/ids.ts';
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

/** One store without hosts and jobs, and what surrounds it. */
export interface ReservationsUnderTest {
  readonly store: Pick<
    Store,
    'jobs' | 'hosts' | 'reservations' | 'vms' | 'guests' | 'hostClaims' | 'networks' | 'profiles'
  >;
  /** Lets time pass until `look` sees something. */
  eventually<T>(what: string, look: () => Promise<T | null>): Promise<T>;
  close(): Promise<void>;
}

/** Longer than any test: such a lease does not expire. */
const LONG_MS = 600_000;
/** Expires while a test waits. */
const SHORT_MS = 100;
const LOST = { code: 'CLAIM_LOST' };

/** Registers the suite for one implementation. `create` is called for every test. */
export function reservationsContract(
  implementation: string,
  create: () => Promise<ReservationsUnderTest>,
): void {
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

  const claimedJob = async (vmId = newId<VmId>()): Promise<{ id: JobId; claim: Claim }> => {
    await store.jobs.add(newId<JobId>(), migrateParams(source.id, { vmId }), 'web-1', null);
    const claimed = await store.jobs.saga.claimNext('test', LONG_MS);
    if (!claimed) throw new Error('no job to claim');
    return { id: claimed.claim.jobId as JobId, claim: claimed.claim };
  };
  const onTarget = (id: JobId, ...numbers: number[]) =>
    numbers.map((number) => aReservation(id, target.id, vfAddress(number)));
  const heldBy = async (jobId: JobId) => (await store.reservations.list({ jobId })).map((each) => each.vf);
  /** With the facts of this moment. */
  const reserve = async (job: { id: JobId; claim: Claim }, ...numbers: number[]) => {
    const version = await store.reservations.version();
    const wanted = onTarget(job.id, ...numbers);
    await store.reservations.reserve(job.id, job.claim.epoch, target.id, wanted, version);
  };

  describe(`a place for a job: ${implementation}`, () => {
    test('is VFs of both sides, and the target on the job, which has none before', async () => {
      const { id, claim } = await claimedJob();
      expect((await store.jobs.get(id))?.targetHostId).toBeNull();
      const both = [
        aReservation(id, target.id, vfAddress(1)),
        aReservation(id, source.id, vfAddress(1), { side: 'source' }),
      ];
      const version = await store.reservations.version();
      await store.reservations.reserve(id, claim.epoch, target.id, both, version);
      const held = await store.reservations.list({ jobId: id });
      expect(held).toHaveLength(2);
      expect(held).toEqual(expect.arrayContaining(both));
      expect((await store.jobs.get(id))?.targetHostId).toBe(target.id);
    });

    test('without any VF still is the target', async () => {
      const job = await claimedJob();
      await reserve(job);
      expect((await store.jobs.get(job.id))?.targetHostId).toBe(target.id);
    });

    test('of a job that moves nothing is VFs alone', async () => {
      const { id, claim } = await claimedJob();
      const own = [aReservation(id, source.id, vfAddress(1), { side: 'source' })];
      await store.reservations.reserve(id, claim.epoch, null, own, await store.reservations.version());
      expect(await store.reservations.list({ jobId: id })).toEqual(own);
      expect((await store.jobs.get(id))?.targetHostId).toBeNull();
    });

    test('is all or none: one VF of another job and nothing is taken, nor the target recorded', async () => {
      const [one, two] = [await claimedJob(), await claimedJob()];
      await reserve(one, 3);
      await expect(reserve(two, 1, 2, 3, 4)).rejects.toMatchObject({
        code: 'VF_TAKEN',
        detail: { hostId: target.id, vf: vfAddress(3) },
      });
      expect(await heldBy(two.id)).toEqual([]);
      expect((await store.jobs.get(two.id))?.targetHostId).toBeNull();
    });

    test('chosen before another was given away is refused, and changes nothing', async () => {
      const [one, two] = [await claimedJob(), await claimedJob()];
      const version = await store.reservations.version();
      await reserve(one, 1);
      const late = store.reservations.reserve(
        two.id,
        two.claim.epoch,
        target.id,
        onTarget(two.id, 2),
        version,
      );
      await expect(late).rejects.toMatchObject({ code: 'CHOICE_OUTDATED' });
      expect(await heldBy(two.id)).toEqual([]);
      expect((await store.jobs.get(two.id))?.targetHostId).toBeNull();
      await reserve(two, 2);
    });

    test('is given afresh: what the job held before is free again', async () => {
      const [one, two] = [await claimedJob(), await claimedJob()];
      await reserve(one, 1, 2);
      await reserve(one, 2, 3);
      expect(await heldBy(one.id)).toEqual([vfAddress(2), vfAddress(3)]);
      await reserve(two, 1);
    });

    test('needs the claim: not an older epoch, not a job given up, not one that ended', async () => {
      const job = await claimedJob();
      const { claim } = job;
      const old = { ...job, claim: { ...claim, epoch: claim.epoch - 1 } };
      await expect(reserve(old, 1)).rejects.toMatchObject(LOST);
      await store.jobs.saga.release(claim);
      await expect(reserve(job, 1)).rejects.toMatchObject(LOST);
      const again = await store.jobs.saga.claimNext('test', LONG_MS);
      if (!again) throw new Error('no job to claim');
      await store.jobs.saga.write(again.claim, { state: 'failed' });
      await expect(reserve({ ...job, claim: again.claim }, 1)).rejects.toMatchObject(LOST);
      expect(await store.reservations.list()).toEqual([]);
    });

    test('on a host that was removed meanwhile says so', async () => {
      const { id, claim } = await claimedJob();
      const attempt = store.reservations.reserve(
        id,
        claim.epoch,
        target.id,
        [aReservation(id, newId<HostId>(), vfAddress(1))],
        await store.reservations.version(),
      );
      await expect(attempt).rejects.toMatchObject({ code: 'NOT_FOUND' });
    });

    test('promises memory on the target, to others', async () => {
      const vm = aVm({ memoryKiB: 1_000 });
      await store.vms.observe({
        hostId: source.id,
        vms: [vm],
        stale: [],
        ageMs: 0,
        look: await store.hosts.nextLook(),
      });
      const job = await claimedJob(vm.id);
      expect(await store.jobs.promisedMemoryKiB(null)).toEqual(new Map());
      await reserve(job);
      expect(await store.jobs.promisedMemoryKiB(null)).toEqual(new Map([[target.id, 1_000]]));
      expect(await store.jobs.promisedMemoryKiB(job.id)).toEqual(new Map());
    });

    test('goes with the end of its job, and then can be had at once', async () => {
      const [one, two] = [await claimedJob(), await claimedJob()];
      await reserve(one, 1);
      await store.jobs.saga.write(one.claim, { state: 'cancelled' });
      await reserve(two, 1);
      expect(await heldBy(two.id)).toEqual([vfAddress(1)]);
    });

    test('of one side, or of both, is freed for this job only', async () => {
      const [one, two] = [await claimedJob(), await claimedJob()];
      for (const [index, { id, claim }] of [one, two].entries()) {
        const both = [
          aReservation(id, target.id, vfAddress(index)),
          aReservation(id, source.id, vfAddress(index), { side: 'source' }),
        ];
        const version = await store.reservations.version();
        await store.reservations.reserve(id, claim.epoch, target.id, both, version);
      }
      await store.reservations.release(one.id, 'target');
      expect(await store.reservations.list({ jobId: one.id })).toMatchObject([{ side: 'source' }]);
      expect(await store.reservations.list({ hostId: target.id })).toMatchObject([{ jobId: two.id }]);
      await store.reservations.release(one.id);
      expect(await heldBy(one.id)).toEqual([]);
      expect(await store.reservations.list({ jobId: two.id })).toHaveLength(2);
      await store.reservations.release(newId<JobId>());
    });
  });

  describe(`one VF more for a job: ${implementation}`, () => {
    test('comes to those it has, whatever else was given away meanwhile', async () => {
      const [one, two] = [await claimedJob(), await claimedJob()];
      await reserve(one, 1);
      await reserve(two, 2);
      await store.reservations.reserveAnother(
        one.id,
        one.claim.epoch,
        aReservation(one.id, source.id, vfAddress(3)),
      );
      expect((await heldBy(one.id)).sort()).toEqual([vfAddress(1), vfAddress(3)]);
      expect((await store.jobs.get(one.id))?.targetHostId).toBe(target.id);
    });

    test('is refused if another job has it, and without the claim', async () => {
      const [one, two] = [await claimedJob(), await claimedJob()];
      await reserve(two, 2);
      const another = (epoch: number, number: number) =>
        store.reservations.reserveAnother(one.id, epoch, aReservation(one.id, target.id, vfAddress(number)));
      await expect(another(one.claim.epoch, 2)).rejects.toMatchObject({ code: 'VF_TAKEN' });
      await expect(another(one.claim.epoch - 1, 1)).rejects.toMatchObject(LOST);
      expect(await heldBy(one.id)).toEqual([]);
    });
  });

  const claimsOf = async (owner: string, leaseMs = LONG_MS): Promise<HostClaim[]> =>
    [...(await store.hostClaims.take(owner, leaseMs))].sort((a, b) => a.hostId.localeCompare(b.hostId));

  describe(`claims of hosts: ${implementation}`, () => {
    test('all hosts go to who comes first, and stay there as long as the lease is prolonged', async () => {
      expect(await claimsOf('a')).toMatchObject([
        { hostId: source.id, owner: 'a' },
        { hostId: target.id, owner: 'a' },
      ]);
      expect(await claimsOf('b')).toEqual([]);
      const [before] = await claimsOf('a', SHORT_MS);
      const [after] = await claimsOf('a');
      expect(after?.epoch).toBe(before?.epoch);
      expect(after?.leaseUntilMs).toBeGreaterThan(before?.leaseUntilMs ?? Number.POSITIVE_INFINITY);
      expect(await claimsOf('b')).toEqual([]);
    });

    test('a host added later goes to who asks first', async () => {
      await claimsOf('a');
      const third = aHost(3);
      await store.hosts.add(third);
      expect(await claimsOf('b')).toMatchObject([{ hostId: third.id }]);
      expect(await claimsOf('a')).toHaveLength(2);
    });

    test('of an owner that no longer asks go to another, with a higher epoch', async () => {
      const [before] = await claimsOf('a', SHORT_MS);
      const taken = await its.eventually('takeover', async () => {
        const claims = await claimsOf('b');
        return claims.length === 2 ? claims : null;
      });
      expect(taken[0]?.epoch).toBeGreaterThan(before?.epoch ?? Number.POSITIVE_INFINITY);
      expect(await claimsOf('a')).toEqual([]);
    });

    test('that are given up can be had at once, with a higher epoch', async () => {
      const [before] = await claimsOf('a');
      await store.hostClaims.release('a');
      const [after] = await claimsOf('b');
      expect(after?.epoch).toBeGreaterThan(before?.epoch ?? Number.POSITIVE_INFINITY);
    });

    test('keep nobody from removing a host', async () => {
      await claimsOf('a');
      await store.hosts.remove(target.id);
      expect(await claimsOf('a')).toMatchObject([{ hostId: source.id }]);
    });
  });

  describe(`holding a VF for one plug: ${implementation}`, () => {
    const vm = aVm({ vnics: [aFoundVnic(1, { actual: 'unplugged', vf: null })] });
    let held: VfHold;
    beforeEach(async () => {
      await store.vms.observe({
        hostId: source.id,
        vms: [vm],
        stale: [],
        ageMs: 0,
        look: await store.hosts.nextLook(),
      });
      const [vnic] = (await store.vms.get(vm.id))?.vnics ?? [];
      held = { vmId: vm.id, vnicId: vnic?.id as VnicId, vf: vfAddress(5) };
    });
    const claimOf = async (owner: string, leaseMs = LONG_MS): Promise<HostClaim> => {
      const claim = (await claimsOf(owner, leaseMs)).find((each) => each.hostId === source.id);
      if (!claim) throw new Error(`${owner} does not own the host`);
      return claim;
    };
    const vnicNow = async () => (await store.vms.get(vm.id))?.vnics[0];

    test('shows as a reservation of no job, and keeps jobs and other holds from the VF', async () => {
      const claim = await claimOf('a');
      await store.reservations.hold(claim, held);
      expect(await store.reservations.list()).toEqual([
        { ...held, hostId: source.id, jobId: null, side: 'source' },
      ]);
      await expect(store.reservations.hold(claim, held)).rejects.toMatchObject({ code: 'VF_TAKEN' });
      const { id, claim: job } = await claimedJob();
      const wanted = aReservation(id, source.id, held.vf);
      const another = store.reservations.reserveAnother(id, job.epoch, wanted);
      await expect(another).rejects.toMatchObject({ code: 'VF_TAKEN' });
    });

    test('is refused where a job has the VF', async () => {
      const { id, claim: job } = await claimedJob();
      await store.reservations.reserveAnother(id, job.epoch, aReservation(id, source.id, held.vf));
      const attempt = store.reservations.hold(await claimOf('a'), held);
      await expect(attempt).rejects.toMatchObject({ code: 'VF_TAKEN' });
    });

    test('is refused while the VM has a live job, and when the VM is on another host', async () => {
      const claim = await claimOf('a');
      const job = await claimedJob(vm.id);
      const attempt = () => store.reservations.hold(claim, held);
      await expect(attempt()).rejects.toMatchObject({ code: 'VM_ALREADY_MIGRATING' });
      await store.vms.setHost(vm.id, target.id);
      await store.jobs.saga.write(job.claim, { state: 'succeeded' });
      await expect(attempt()).rejects.toMatchObject({ code: 'NOT_FOUND' });
      expect(await store.reservations.list()).toEqual([]);
    });

    test.each(['begins', 'ends'])('a choice made before it %s is outdated', async (what) => {
      const claim = await claimOf('a');
      if (what === 'ends') await store.reservations.hold(claim, held);
      const version = await store.reservations.version();
      if (what === 'ends') await store.reservations.endHold(claim, held, 'plugged');
      else await store.reservations.hold(claim, held);
      const { id, claim: job } = await claimedJob(vm.id);
      const attempt = store.reservations.reserve(id, job.epoch, target.id, onTarget(id, 1), version);
      await expect(attempt).rejects.toMatchObject({ code: 'CHOICE_OUTDATED' });
    });

    test('ends with what became of the vNIC', async () => {
      const claim = await claimOf('a');
      await store.reservations.hold(claim, held);
      await store.reservations.endHold(claim, held, 'plugged');
      expect(await vnicNow()).toMatchObject({ actual: 'plugged', vf: held.vf });
      expect(await store.reservations.list()).toEqual([]);
      const again = { ...held, vf: vfAddress(6) };
      await store.reservations.hold(claim, again);
      await store.reservations.endHold(claim, again, 'unplugged');
      expect(await vnicNow()).toMatchObject({ actual: 'unplugged', vf: null });
    });

    test('is not taken for what was desired before: a change of it outdates choices', async () => {
      const { id, claim: job } = await claimedJob();
      const version = await store.reservations.version();
      await store.vms.setVnicDesired(held.vnicId, false);
      const attempt = store.reservations.reserve(id, job.epoch, target.id, onTarget(id, 1), version);
      await expect(attempt).rejects.toMatchObject({ code: 'CHOICE_OUTDATED' });
    });

    test('lasts as long as the claim on the host: then it is void, its owner writes nothing', async () => {
      const claim = await claimOf('a', SHORT_MS);
      await store.reservations.hold(claim, held);
      const next = await its.eventually('takeover', () => claimOf('b').catch(() => null));
      expect(await store.reservations.list()).toEqual([]);
      await expect(store.reservations.endHold(claim, held, 'plugged')).rejects.toMatchObject(LOST);
      await expect(store.reservations.hold(claim, held)).rejects.toMatchObject(LOST);
      expect(await vnicNow()).toMatchObject({ actual: 'unplugged', vf: null });
      await store.reservations.hold(next, held);
      const { id, claim: job } = await claimedJob();
      await store.hostClaims.release('b');
      await store.reservations.reserveAnother(id, job.epoch, aReservation(id, source.id, held.vf));
    });

    test('lasts on while the claim is prolonged', async () => {
      const claim = await claimOf('a', SHORT_MS);
      await store.reservations.hold(claim, held);
      await claimOf('a');
      const other = await claimedJob();
      await store.jobs.saga.release(other.claim);
      // When this lease has expired, so would have the first one.
      await store.jobs.saga.claimNext('test', SHORT_MS);
      await its.eventually('a lease run out', () => store.jobs.saga.claimNext('other', LONG_MS));
      await store.reservations.endHold(claim, held, 'plugged');
    });

    test('goes with its host', async () => {
      await store.reservations.hold(await claimOf('a'), held);
      await store.hosts.remove(source.id);
      expect(await store.reservations.list()).toEqual([]);
    });
  });
}
