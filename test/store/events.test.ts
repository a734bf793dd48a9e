/** Events and alerts. */
import { beforeEach, describe, expect, test } from 'vitest';
import type { HostId, JobId, VmId } from '../../src/base/ids.ts';
import { EVENT_CODES } from '../../src/model/job.ts';
import { aHost, aVm, newId } from '../support/builders.ts';
import { connectTo, freshStore } from '../support/postgres.ts';

const { store, connection } = await freshStore();
beforeEach(() =>
  connectTo(connection, (client) =>
    client.query('delete from events; delete from alerts; delete from hosts; delete from sessions'),
  ),
);

const add = (message: string, over: { vmId?: VmId; hostId?: HostId; jobId?: JobId } = {}) =>
  store.events.add({ name: 'MIGRATION_STARTED', severity: 'normal', message, ...over });

describe('events', () => {
  test('carry their code, a time and what they are about', async () => {
    const [vmId, hostId, jobId] = [newId<VmId>(), newId<HostId>(), newId<JobId>()];
    const event = await store.events.add({
      name: 'UNPLUG_PENDING',
      severity: 'alert',
      message: 'nic1 of web-1 was not given back',
      vmId,
      hostId,
      jobId,
      correlationId: 'corr-7',
    });
    expect(event).toEqual({
      id: event.id,
      code: EVENT_CODES.UNPLUG_PENDING,
      severity: 'alert',
      time: event.time,
      message: 'nic1 of web-1 was not given back',
      vmId,
      hostId,
      jobId,
      correlationId: 'corr-7',
    });
    expect(await store.events.list({})).toEqual([event]);
  });

  test('are listed by VM and job', async () => {
    const [vmId, jobId] = [newId<VmId>(), newId<JobId>()];
    await add('one', { vmId });
    await add('two', { vmId, jobId });
    await add('three');
    const messages = async (filter: Parameters<typeof store.events.list>[0]) =>
      (await store.events.list(filter)).map((event) => event.message);
    expect(await messages({ vmId })).toEqual(['one', 'two']);
    expect(await messages({ vmId, jobId })).toEqual(['two']);
    expect(await messages({ jobId: newId() })).toEqual([]);
  });

  test('without a start are the last ones, after an id the next ones, always in order', async () => {
    const ids = [];
    for (const message of ['1', '2', '3', '4', '5']) ids.push((await add(message)).id);
    const messages = async (filter: Parameters<typeof store.events.list>[0]) =>
      (await store.events.list(filter)).map((event) => event.message);
    expect(await messages({ limit: 2 })).toEqual(['4', '5']);
    expect(await messages({ after: ids[1] as number, limit: 2 })).toEqual(['3', '4']);
    expect(await messages({ after: ids[4] as number })).toEqual([]);
    expect(await messages({ after: 0 })).toHaveLength(5);
  });

  test('read on from the last id while others are added, none is missed', async () => {
    const total = 200;
    const seen: string[] = [];
    let after = 0;
    const writing = Promise.all(Array.from({ length: total }, (_, index) => add(`event ${index}`)));
    let done = false;
    void writing.then(() => {
      done = true;
    });
    for (;;) {
      const last = done;
      const page = await store.events.list({ after });
      for (const event of page) {
        expect(event.id).toBeGreaterThan(after);
        after = event.id;
        seen.push(event.message);
      }
      if (last) break;
    }
    await writing;
    expect(new Set(seen).size).toBe(total);
  });
});

describe('alerts', () => {
  test('stand once per key, since they were first raised, with the latest message', async () => {
    await store.alerts.raise({ key: 'vnic:1', message: 'first', vmId: null, hostId: null });
    const [first] = await store.alerts.list();
    await store.alerts.raise({ key: 'vnic:1', message: 'second', vmId: null, hostId: null });
    expect(await store.alerts.list()).toEqual([{ ...first, message: 'second' }]);
  });

  test('are cleared once', async () => {
    await store.alerts.raise({ key: 'vnic:1', message: 'first', vmId: null, hostId: null });
    expect(await store.alerts.clear('vnic:1')).toBe(true);
    expect(await store.alerts.clear('vnic:1')).toBe(false);
    expect(await store.alerts.list()).toEqual([]);
  });

  test('name the VM and host they are about, and are not raised for one that is gone', async () => {
    const host = aHost(1);
    const vm = aVm();
    await store.hosts.add(host);
    await store.vms.observe({
      hostId: host.id,
      vms: [vm],
      stale: [],
      ageMs: 0,
      look: await store.hosts.nextLook(),
    });
    await store.alerts.raise({ key: 'known', message: 'm', vmId: vm.id, hostId: host.id });
    await store.alerts.raise({ key: 'no VM', message: 'm', vmId: newId(), hostId: null });
    await store.alerts.raise({ key: 'no host', message: 'm', vmId: vm.id, hostId: newId() });
    expect(await store.alerts.list()).toMatchObject([{ key: 'known', vmId: vm.id, hostId: host.id }]);
  });
});
