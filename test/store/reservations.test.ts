/** Who has what, on PostgreSQL: the contract, and what only real concurrency shows. */
import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import { isCode } from '../../src/base/errors.ts';
import type { JobId, PciAddress } from '../../src/base/ids.ts';
import type { Host } from '../../src/model/host.ts';
import type { Claim } from '../../src/saga/port.ts';
import { aHost, aReservation, migrateParams, newId, vfAddress } from '../support/builders.ts';
import { eventually } from '../support/eventually.ts';
import { connectTo, freshStore } from '../support/postgres.ts';
import { closuresContract } from './closures-contract.ts';
import { reservationsContract } from './reservations-contract.ts';

const { store, connection } = await freshStore();
const empty = () =>
  connectTo(connection, (client) =>
    client.query('delete from jobs; delete from reservations; delete from hosts'),
  );

const create = async () => {
  await empty();
  return { store, eventually, close: () => Promise.resolve() };
};
reservationsContract('PostgreSQL', create);
closuresContract('PostgreSQL', create);

describe('races', () => {
  let source: Host;
  let target: Host;
  beforeEach(async () => {
    await empty();
    source = aHost(1);
    target = aHost(2);
    await store.hosts.add(source);
    await store.hosts.add(target);
  });

  const claimedJob = async (): Promise<{ id: JobId; claim: Claim }> => {
    await store.jobs.add(newId<JobId>(), migrateParams(source.id), 'web-1', null);
    const claimed = await store.jobs.saga.claimNext('test', 60_000);
    if (!claimed) throw new Error('no job to claim');
    return { id: claimed.claim.jobId as JobId, claim: claimed.claim };
  };
  const onTarget = (id: JobId, ...numbers: number[]) =>
    numbers.map((number) => aReservation(id, target.id, vfAddress(number)));
  /** Chooses again for as long as others get places, as a migration does. */
  const reserve = async (job: { id: JobId; claim: Claim }, ...numbers: number[]): Promise<void> => {
    const wanted = onTarget(job.id, ...numbers);
    for (;;) {
      const version = await store.reservations.version();
      try {
        await store.reservations.reserve(job.id, job.claim.epoch, target.id, wanted, version);
        return;
      } catch (thrown) {
        if (!isCode(thrown, 'CHOICE_OUTDATED')) throw thrown;
      }
    }
  };

  test('jobs after the VFs of a PF whose number is changed: one side wins, whichever it is', async () => {
    for (let round = 0; round < 10; round += 1) {
      const jobs = [await claimedJob(), await claimedJob()];
      const id = randomUUID();
      const pf = '0000:3b:00.0' as PciAddress;
      const vfs = [vfAddress(1), vfAddress(2)];
      const [closing, ...reserving] = await Promise.allSettled([
        store.reservations.close({ id, hostId: target.id, pf, vfs }, 60_000),
        ...jobs.map((job, index) => reserve(job, index + 1)),
      ]);
      const hasReserved = reserving.some((each) => each.status === 'fulfilled');
      expect(hasReserved).toBe(closing.status === 'rejected');
      await store.reservations.reopen(id);
      for (const { claim } of jobs) await store.jobs.saga.write(claim, { state: 'failed' });
    }
  });

  test('20 jobs after the last VF: exactly one wins, the others are told which VF', async () => {
    const jobs = [];
    for (let count = 0; count < 20; count += 1) jobs.push(await claimedJob());
    const outcomes = await Promise.allSettled(jobs.map((job) => reserve(job, 7)));
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
        jobs.map((job, index) => reserve(job, ...numbers.slice(index), ...numbers.slice(0, index))),
      );
      const counts = await Promise.all(
        jobs.map(async ({ id }) => (await store.reservations.list({ jobId: id })).length),
      );
      expect(counts.sort((x, y) => x - y)).toEqual([0, 0, 0, 0, 0, 0, 0, 8]);
      await Promise.all(jobs.map(({ claim }) => store.jobs.saga.write(claim, { state: 'failed' })));
    }
    expect(await store.reservations.list()).toEqual([]);
  });
});
