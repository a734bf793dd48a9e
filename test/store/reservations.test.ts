/** Reservations: promise 2 (one VF, one job) and promise 3 (none outlives its job) under real concurrency. */
import { beforeEach, describe, expect, test } from 'vitest';
import { isCode } from '../../src/base/errors.ts';
import type { HostId, JobId } from '../../src/base/ids.ts';
import type { Host } from '../../src/model/host.ts';
import type { Claim } from '../../src/saga/port.ts';
import { aHost, aReservation, migrateParams, newId, vfAddress } from '../support/builders.ts';
import { connectTo, freshStore } from '../support/postgres.ts';

const { store, connection } = await freshStore();
let source: Host;
let target: Host;
beforeEach(async () => {
  await connectTo(connection, (client) => client.query('delete from jobs; delete from hosts'));
  source = aHost(1);
  target = aHost(2);
  await store.hosts.add(source);
  await store.hosts.add(target);
});

async function claimedJob(): Promise<{ id: JobId; claim: Claim }> {
  await store.jobs.add(newId<JobId>(), migrateParams(source.id), 'web-1', null);
  const claimed = await store.jobs.saga.claimNext('test', 60_000);
  if (!claimed) throw new Error('no job to claim');
  return { id: claimed.claim.jobId as JobId, claim: claimed.claim };
}

const onTarget = (id: JobId, ...numbers: number[]) =>
  numbers.map((number) => aReservation(id, target.id, vfAddress(number)));
const heldBy = async (jobId: JobId) => (await store.reservations.list({ jobId })).map((each) => each.vf);

describe('reserving', () => {
  test('records the VFs of both sides and the target on the job', async () => {
    const { id, claim } = await claimedJob();
    const both = [
      aReservation(id, target.id, vfAddress(1)),
      aReservation(id, source.id, vfAddress(1), { side: 'source' }),
    ];
    await store.reservations.reserve(id, claim.epoch, target.id, both);
    const held = await store.reservations.list({ jobId: id });
    expect(held).toHaveLength(2);
    expect(held).toEqual(expect.arrayContaining(both));
    expect((await store.jobs.get(id))?.targetHostId).toBe(target.id);
  });

  test('no VF at all still records the target', async () => {
    const { id, claim } = await claimedJob();
    await store.reservations.reserve(id, claim.epoch, target.id, []);
    expect((await store.jobs.get(id))?.targetHostId).toBe(target.id);
  });

  test('is all or none: one VF of another job and nothing is taken, nor the target recorded', async () => {
    const [one, two] = [await claimedJob(), await claimedJob()];
    await store.reservations.reserve(one.id, one.claim.epoch, target.id, onTarget(one.id, 3));
    const attempt = store.reservations.reserve(
      two.id,
      two.claim.epoch,
      target.id,
      onTarget(two.id, 1, 2, 3, 4),
    );
    await expect(attempt).rejects.toMatchObject({
      code: 'VF_TAKEN',
      detail: { hostId: target.id, vf: vfAddress(3) },
    });
    expect(await heldBy(two.id)).toEqual([]);
    expect((await store.jobs.get(two.id))?.targetHostId).toBeNull();
  });

  test('repeated by the same job after a crash is no conflict', async () => {
    const { id, claim } = await claimedJob();
    await store.reservations.reserve(id, claim.epoch, target.id, onTarget(id, 1));
    await store.reservations.reserve(id, claim.epoch, target.id, onTarget(id, 1, 2));
    expect(await heldBy(id)).toEqual([vfAddress(1), vfAddress(2)]);
  });

  test('without the claim is refused: an older epoch, a job given up, a job that ended', async () => {
    const { id, claim } = await claimedJob();
    const attempt = (epoch: number) => store.reservations.reserve(id, epoch, target.id, onTarget(id, 1));
    const lost = { code: 'CLAIM_LOST' };
    await expect(attempt(claim.epoch - 1)).rejects.toMatchObject(lost);
    await store.jobs.saga.release(claim);
    await expect(attempt(claim.epoch)).rejects.toMatchObject(lost);
    const again = await store.jobs.saga.claimNext('test', 60_000);
    if (!again) throw new Error('no job to claim');
    await store.jobs.saga.write(again.claim, { state: 'failed' });
    await expect(attempt(again.claim.epoch)).rejects.toMatchObject(lost);
    expect(await store.reservations.list()).toEqual([]);
  });

  test('on a host that was removed meanwhile says so', async () => {
    const { id, claim } = await claimedJob();
    const attempt = store.reservations.reserve(id, claim.epoch, target.id, [
      aReservation(id, newId<HostId>(), vfAddress(1)),
    ]);
    await expect(attempt).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});

describe('races', () => {
  test('20 jobs after the last VF: exactly one wins, the others are told which VF', async () => {
    const jobs = [];
    for (let count = 0; count < 20; count += 1) jobs.push(await claimedJob());
    const outcomes = await Promise.allSettled(
      jobs.map(({ id, claim }) => store.reservations.reserve(id, claim.epoch, target.id, onTarget(id, 7))),
    );
    const lost = outcomes.filter((each) => each.status === 'rejected');
    expect(lost).toHaveLength(19);
    expect(lost.every((each) => isCode(each.reason, 'VF_TAKEN'))).toBe(true);
    expect(await store.reservations.list()).toHaveLength(1);
  });

  test('jobs after the same VFs in different orders do not deadlock, and each gets all or none', async () => {
    for (let round = 0; round < 5; round += 1) {
      const jobs = [];
      for (let count = 0; count < 8; count += 1) jobs.push(await claimedJob());
      const numbers = [1, 2, 3, 4, 5, 6, 7, 8];
      await Promise.allSettled(
        jobs.map(({ id, claim }, index) => {
          const turned = [...numbers.slice(index), ...numbers.slice(0, index)];
          return store.reservations.reserve(id, claim.epoch, target.id, onTarget(id, ...turned));
        }),
      );
      const counts = await Promise.all(jobs.map(async ({ id }) => (await heldBy(id)).length));
      expect(counts.sort((x, y) => x - y)).toEqual([0, 0, 0, 0, 0, 0, 0, 8]);
      await Promise.all(jobs.map(({ claim }) => store.jobs.saga.write(claim, { state: 'failed' })));
    }
    expect(await store.reservations.list()).toEqual([]);
  });

  test('a VF freed by the end of a job can be had at once', async () => {
    const [one, two] = [await claimedJob(), await claimedJob()];
    await store.reservations.reserve(one.id, one.claim.epoch, target.id, onTarget(one.id, 1));
    await store.jobs.saga.write(one.claim, { state: 'cancelled' });
    await store.reservations.reserve(two.id, two.claim.epoch, target.id, onTarget(two.id, 1));
    expect(await heldBy(two.id)).toEqual([vfAddress(1)]);
  });
});

describe('releasing', () => {
  test('frees one side, or both, of this job only', async () => {
    const [one, two] = [await claimedJob(), await claimedJob()];
    for (const [index, { id, claim }] of [one, two].entries()) {
      await store.reservations.reserve(id, claim.epoch, target.id, [
        aReservation(id, target.id, vfAddress(index)),
        aReservation(id, source.id, vfAddress(index), { side: 'source' }),
      ]);
    }
    await store.reservations.release(one.id, 'target');
    expect(await store.reservations.list({ jobId: one.id })).toMatchObject([{ side: 'source' }]);
    expect(await store.reservations.list({ hostId: target.id })).toMatchObject([{ jobId: two.id }]);
    await store.reservations.release(one.id);
    expect(await heldBy(one.id)).toEqual([]);
    expect(await store.reservations.list({ jobId: two.id })).toHaveLength(2);
  });

  test('nothing held is no error', async () => {
    await store.reservations.release(newId<JobId>());
  });
});
