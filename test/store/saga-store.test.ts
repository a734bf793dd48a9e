/** The saga store on PostgreSQL: the contract, and what only real concurrency shows. */
import { describe, expect, test } from 'vitest';
import type { JobId } from '../../src/base/ids.ts';
import type { OpenStore } from '../../src/store/open-store.ts';
import { eventually } from '../support/eventually.ts';
import { aHost, aReservation, migrateParams, newId, vfAddress } from '../support/builders.ts';
import { connectTo, freshDatabase, freshStore, openReplica } from '../support/postgres.ts';
import { type SagaStoreUnderTest, sagaStoreContract } from './saga-store-contract.ts';

const LONG_MS = 600_000;

let hosts = 0;

/** From a host of its own. */
async function addJob(store: OpenStore): Promise<JobId> {
  hosts += 1;
  const host = aHost(hosts);
  await store.hosts.add(host);
  const job = await store.jobs.add(newId<JobId>(), migrateParams(host.id), 'web-1', null);
  return job.id;
}

const { store, connection } = await freshStore();

/** One database for the whole contract, emptied for every test. */
async function createOnPostgres(): Promise<SagaStoreUnderTest> {
  await connectTo(connection, (client) => client.query('delete from jobs'));
  return {
    saga: store.jobs.saga,
    addJob: () => addJob(store),
    requestCancel: (id) => store.jobs.requestCancel(id as JobId),
    retry: async (id) => {
      await store.jobs.retry(id as JobId);
    },
    steps: (id) => store.jobs.steps(id as JobId),
    waitReason: async (id) => (await store.jobs.get(id as JobId))?.waitReason ?? null,
    eventually,
    close: () => Promise.resolve(),
  };
}

sagaStoreContract('PostgreSQL', createOnPostgres);

describe('several replicas', () => {
  test('50 claimers at once share 50 jobs without taking one twice', async () => {
    const connection = await freshDatabase();
    const stores = await Promise.all(Array.from({ length: 3 }, () => openReplica(connection)));
    const [first] = stores as [OpenStore];
    const jobIds: JobId[] = [];
    for (let count = 0; count < 50; count += 1) jobIds.push(await addJob(first));
    const claims = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        (stores[index % stores.length] ?? first).jobs.saga.claimNext(`replica-${index}`, LONG_MS),
      ),
    );
    const claimed = claims.map((each) => each?.claim.jobId);
    // A claimer may find every due job locked by others at that moment; it then gets none, never one twice.
    const found = claimed.filter((id) => id !== undefined);
    expect(new Set(found).size).toBe(found.length);
    for (;;) {
      const more = await first.jobs.saga.claimNext('late', LONG_MS);
      if (more === null) break;
      found.push(more.claim.jobId);
    }
    expect([...found].sort()).toEqual([...jobIds].sort());
    await Promise.all(stores.map((store) => store.close()));
  });

  test('50 claimers racing for one expired job: exactly one gets it', async () => {
    const replica = await openReplica(await freshDatabase());
    await addJob(replica);
    await replica.jobs.saga.claimNext('dead', 1);
    const claims = await eventually('takeover', async () => {
      const round = await Promise.all(
        Array.from({ length: 50 }, (_, index) => replica.jobs.saga.claimNext(`replica-${index}`, LONG_MS)),
      );
      const won = round.filter((each) => each !== null);
      return won.length > 0 && won;
    });
    expect(claims).toHaveLength(1);
    await replica.close();
  });

  test('a replica hears of jobs another one adds', async () => {
    const connection = await freshDatabase();
    const [one, other] = await Promise.all([openReplica(connection), openReplica(connection)]);
    let wakes = 0;
    other.jobs.saga.onWake(() => {
      wakes += 1;
    });
    await addJob(one);
    await eventually('wake', () => wakes > 0);
    await Promise.all([one.close(), other.close()]);
  });
});

test('ending a job frees its reservations, and only its own, in the same transaction', async () => {
  const host = aHost(1_000);
  await store.hosts.add(host);
  await connectTo(connection, (client) => client.query('delete from jobs'));
  const ids = [await addJob(store), await addJob(store)] as const;
  const claims = [
    await store.jobs.saga.claimNext('a', LONG_MS),
    await store.jobs.saga.claimNext('a', LONG_MS),
  ] as const;
  for (const [index, id] of ids.entries()) {
    const claim = claims[index]?.claim;
    const reservation = aReservation(id, host.id, vfAddress(index));
    await store.reservations.reserveAnother(id, claim?.epoch ?? 0, reservation);
  }
  if (!claims[0]) throw new Error('no claim');
  await store.jobs.saga.write(claims[0].claim, { state: 'failed' });
  const left = await store.reservations.list({ hostId: host.id });
  expect(left.map((each) => each.jobId)).toEqual([ids[1]]);
});

test('wakes come again after the connection that hears them was broken', async () => {
  let wakes = 0;
  const stop = store.jobs.saga.onWake(() => {
    wakes += 1;
  });
  const listening = `select pid from pg_stat_activity
    where datname = current_database() and query like 'listen %'`;
  const pidOf = () =>
    connectTo(connection, async (client) => (await client.query<{ pid: number }>(listening)).rows[0]?.pid);
  const before = await eventually('listener', pidOf);
  await connectTo(connection, (client) => client.query('select pg_terminate_backend($1)', [before]));
  await eventually('new listener', async () => {
    const now = await pidOf();
    return now !== undefined && now !== before;
  });
  const wakesBefore = wakes;
  await addJob(store);
  await eventually('wake', () => wakes > wakesBefore);
  stop();
});
