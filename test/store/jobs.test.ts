/**
 * Jobs as users see them: accepted, listed, cancelled, retried, abandoned. What the runner does is in the
 * contract.
 */
import { beforeEach, describe, expect, test } from 'vitest';
import { isCode } from '../../src/base/errors.ts';
import type { JobId, VmId } from '../../src/base/ids.ts';
import type { Host } from '../../src/model/host.ts';
import type { MigrateParams } from '../../src/model/job.ts';
import { aHost, aReservation, aVm, migrateParams, newId, vfAddress, vmId } from '../support/builders.ts';
import { connectTo, freshStore } from '../support/postgres.ts';

const { store, connection } = await freshStore();
let a: Host;
let b: Host;
beforeEach(async () => {
  await connectTo(connection, (client) => client.query('delete from jobs; delete from hosts'));
  a = aHost(1);
  b = aHost(2);
  await store.hosts.add(a);
  await store.hosts.add(b);
});

const add = (over: Partial<MigrateParams> = {}, id = newId<JobId>()) =>
  store.jobs.add(id, migrateParams(a.id, over), 'web-1', null);

async function claim() {
  const claimed = await store.jobs.saga.claimNext('test', 60_000);
  if (!claimed) throw new Error('no job to claim');
  return claimed.claim;
}

/** A job that was undoing when it was parked, holding one VF. */
async function parkedJob(): Promise<JobId> {
  const { id } = await add();
  const claimed = await claim();
  await store.reservations.reserveAnother(id, claimed.epoch, aReservation(id, b.id, vfAddress(1)));
  await store.jobs.saga.write(claimed, { state: 'undoing', data: { persistent: true } });
  await store.jobs.saga.write(claimed, { state: 'needs_operator' });
  await store.jobs.saga.release(claimed);
  return id;
}

describe('accepting', () => {
  test('a job is queued with what it was asked', async () => {
    const params = migrateParams(a.id, { targetHostId: b.id });
    const id = newId<JobId>();
    const job = await store.jobs.add(id, params, 'web-1', 'corr-7');
    expect(job).toEqual({
      id,
      kind: 'migrate_vm',
      vmId: params.vmId,
      vmName: 'web-1',
      state: 'queued',
      params,
      data: {},
      sourceHostId: a.id,
      targetHostId: null,
      stepIndex: 0,
      pivoted: false,
      cancelRequested: false,
      waitReason: null,
      error: null,
      correlationId: 'corr-7',
      createdAt: job.createdAt,
      startedAt: null,
      endedAt: null,
    });
    expect(await store.jobs.get(id)).toEqual(job);
    expect(await store.jobs.steps(id)).toEqual([]);
  });

  test('of 20 at once for one VM exactly one is accepted', async () => {
    const vmId = newId<VmId>();
    const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => add({ vmId })));
    const refused = outcomes.filter((each) => each.status === 'rejected');
    expect(refused).toHaveLength(19);
    expect(refused.every((each) => isCode(each.reason, 'VM_ALREADY_MIGRATING'))).toBe(true);
  });

  test.each(['succeeded', 'failed', 'cancelled'] as const)(
    'a VM whose last job is %s may move again',
    async (state) => {
      const vmId = newId<VmId>();
      await add({ vmId });
      await store.jobs.saga.write(await claim(), { state });
      await add({ vmId });
    },
  );

  test('a parked job keeps its VM from moving again', async () => {
    const job = await store.jobs.get(await parkedJob());
    await expect(add({ vmId: job?.vmId as VmId })).rejects.toMatchObject({ code: 'VM_ALREADY_MIGRATING' });
  });

  test('a job from or to a host that is not there is refused', async () => {
    await store.hosts.remove(b.id);
    await expect(add({ targetHostId: b.id })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(store.jobs.add(newId(), migrateParams(b.id), 'web-1', null)).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });

  test('racing with the removal of its host, one of the two is refused', async () => {
    for (let round = 0; round < 10; round += 1) {
      const host = aHost(round + 3);
      await store.hosts.add(host);
      const [added, removed] = await Promise.allSettled([
        store.jobs.add(newId(), migrateParams(host.id), 'web-1', null),
        store.hosts.remove(host.id),
      ]);
      const codes = [added, removed].map(
        (each) => each.status === 'rejected' && (each.reason as { code: string }).code,
      );
      expect([
        [false, 'IN_USE'],
        ['NOT_FOUND', false],
      ]).toContainEqual(codes);
    }
  });
});

describe('listing', () => {
  test('is newest first, by VM, live or ended, and limited', async () => {
    const vmId = newId<VmId>();
    const first = await add({ vmId });
    await store.jobs.saga.write(await claim(), { state: 'failed' });
    const second = await add();
    const third = await add({ vmId });
    const ids = async (filter?: Parameters<typeof store.jobs.list>[0]) =>
      (await store.jobs.list(filter)).map((job) => job.id);
    expect(await ids()).toEqual([third.id, second.id, first.id]);
    expect(await ids({ vmId })).toEqual([third.id, first.id]);
    expect(await ids({ live: true })).toEqual([third.id, second.id]);
    expect(await ids({ live: false })).toEqual([first.id]);
    expect(await ids({ vmId, live: true })).toEqual([third.id]);
    expect(await ids({ limit: 1 })).toEqual([third.id]);
  });

  test('an id that is unknown or no id at all is nothing', async () => {
    expect(await store.jobs.get(newId())).toBeNull();
    expect(await store.jobs.get('job-1' as JobId)).toBeNull();
    expect(await store.jobs.steps('job-1' as JobId)).toEqual([]);
  });
});

describe('times', () => {
  test('a job has started once it runs, not while it waits its turn, and ends once', async () => {
    const { id } = await add();
    const times = async () => {
      const job = await store.jobs.get(id);
      return [job?.startedAt !== null, job?.endedAt !== null];
    };
    const first = await claim();
    await store.jobs.saga.write(first, { state: 'running' });
    expect(await times()).toEqual([true, false]);
    await store.jobs.saga.write(first, { wait: { reason: 'no place', delayMs: 0 } });
    expect(await times()).toEqual([false, false]);
    const second = await claim();
    await store.jobs.saga.write(second, { state: 'running' });
    const { startedAt } = (await store.jobs.get(id)) ?? {};
    await store.jobs.saga.write(second, { state: 'undoing' });
    await store.jobs.saga.write(second, { state: 'cancelled' });
    expect(await times()).toEqual([true, true]);
    expect((await store.jobs.get(id))?.startedAt).toBe(startedAt);
  });
});

describe('cancelling', () => {
  test('racing with the pivot is accepted only if the job was told before it pivoted', async () => {
    for (let round = 0; round < 25; round += 1) {
      const { id } = await add();
      const claimed = await claim();
      const [answer, pivoted] = await Promise.all([
        store.jobs.requestCancel(id),
        store.jobs.saga.write(claimed, { pivoted: true }),
      ]);
      expect(pivoted.cancelRequested).toBe(answer === 'accepted');
      await store.jobs.saga.write(claimed, { state: 'succeeded' });
    }
  });

  test('a parked job takes no cancel: nobody works on it', async () => {
    const id = await parkedJob();
    expect(await store.jobs.requestCancel(id)).toBe('too_late');
    expect((await store.jobs.get(id))?.cancelRequested).toBe(false);
  });

  test('an unknown job is said to be unknown', async () => {
    await expect(store.jobs.requestCancel(newId())).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});

describe('a parked job', () => {
  test('keeps its reservations and is live again after a retry', async () => {
    const id = await parkedJob();
    expect(await store.reservations.list({ jobId: id })).toHaveLength(1);
    expect(await store.jobs.retry(id)).toMatchObject({ id, state: 'undoing', endedAt: null });
    expect(await store.reservations.list({ jobId: id })).toHaveLength(1);
  });

  test('is ended by abandoning it, which frees its VFs and keeps what was left behind', async () => {
    const id = await parkedJob();
    const job = await store.jobs.abandon(id, ['the VM is paused on both hosts'], []);
    expect(job).toMatchObject({
      state: 'failed',
      data: { persistent: true, leftBehind: ['the VM is paused on both hosts'] },
    });
    expect(job.endedAt).not.toBeNull();
    expect(await store.reservations.list({ jobId: id })).toEqual([]);
  });

  test('of two operators, one retrying and one abandoning, one is refused', async () => {
    for (let round = 0; round < 10; round += 1) {
      const id = await parkedJob();
      const outcomes = await Promise.allSettled([store.jobs.retry(id), store.jobs.abandon(id, [], [])]);
      const refused = outcomes.filter((each) => each.status === 'rejected');
      expect(refused).toHaveLength(1);
      expect(refused[0]?.reason).toMatchObject({ code: 'JOB_NOT_RESUMABLE' });
      const held = await store.reservations.list({ jobId: id });
      expect(held).toHaveLength((await store.jobs.get(id))?.state === 'failed' ? 0 : 1);
      await connectTo(connection, (client) => client.query('delete from jobs'));
    }
  });

  test('is the only kind that can be retried or, without an alert of its own, abandoned', async () => {
    const { id } = await add();
    const refused = { code: 'JOB_NOT_RESUMABLE' };
    await expect(store.jobs.retry(id)).rejects.toMatchObject(refused);
    await expect(store.jobs.abandon(id, [], [])).rejects.toMatchObject(refused);
    await store.jobs.saga.write(await claim(), { state: 'succeeded' });
    await expect(store.jobs.retry(id)).rejects.toMatchObject(refused);
    await expect(store.jobs.abandon(newId(), [], [])).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});

test('a job that waits under an alert can be abandoned, and who worked on it can write no more', async () => {
  const { id } = await add();
  const held = await claim();
  await store.alerts.raise({ key: `hold:${id}`, vmId: null, hostId: null, message: 'waits' });
  expect(await store.jobs.abandon(id, [], [`hold:${id}`])).toMatchObject({ state: 'failed' });
  await expect(store.jobs.saga.write(held, { state: 'succeeded' })).rejects.toMatchObject({
    code: 'CLAIM_LOST',
  });
});

test('memory promised to a host is the sum over its live jobs', async () => {
  const vms = [1_000, 20_000, 300_000].map((memoryKiB, n) => aVm({ id: vmId(n), memoryKiB }));
  await store.vms.observe({ hostId: a.id, vms, stale: [], ageMs: 0, look: await store.hosts.nextLook() });
  for (const vm of vms.slice(0, 2)) {
    const { id } = await add({ vmId: vm.id });
    const { epoch } = await claim();
    await store.reservations.reserve(id, epoch, b.id, [], await store.reservations.version());
  }
  await add({ vmId: vms[2]?.id as VmId });
  expect(await store.jobs.promisedMemoryKiB(null)).toEqual(new Map([[b.id, 21_000]]));
});

test('texts with characters the database cannot keep are kept without them', async () => {
  const { id } = await add();
  const claimed = await claim();
  const step = { name: 'unplug', item: null, state: 'failed', message: 'bad\0text' } as const;
  await store.jobs.saga.write(claimed, { step, data: { pivotEvidence: 'a\0b \\u0000' } });
  expect((await store.jobs.steps(id))[0]?.message).toBe('badtext');
  expect((await store.jobs.get(id))?.data.pivotEvidence).toBe('ab \\u0000');
});
