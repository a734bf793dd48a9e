/** Hosts: what the operator set, what was seen, tests between hosts, and removal. */
import { beforeEach, describe, expect, test } from 'vitest';
import type { HostId, JobId, PciAddress } from '../../src/base/ids.ts';
import type { Host } from '../../src/model/host.ts';
import { aFoundVnic, aHost, anInventory, aNetwork, aVm, migrateParams, newId } from '../support/builders.ts';
import { connectTo, freshStore } from '../support/postgres.ts';

const { store, connection } = await freshStore();
beforeEach(() => connectTo(connection, (client) => client.query('delete from jobs; delete from hosts')));

const SEEN_AT = 1_750_000_000_123;

test('a host is read back as it was added', async () => {
  const plain = aHost(1, 'b');
  const full = aHost(2, 'a', {
    peerUri: 'qemu+tls://10.0.0.1/system',
    migrationAddress: '10.1.0.1',
    status: 'up',
    statusReason: 'fine',
    outgoingMax: 1,
    incomingMax: 4,
    inventory: anInventory(),
    observedAt: SEEN_AT,
    peerTests: { [plain.id]: { ok: false, message: 'Host key verification failed.', testedAt: SEEN_AT + 1 } },
  });
  await store.hosts.add(plain);
  await store.hosts.add(full);
  expect(await store.hosts.list()).toEqual([full, plain]);
  expect(await store.hosts.get(full.id)).toEqual(full);
  expect(await store.hosts.get(newId())).toBeNull();
  expect(await store.hosts.get('host-a' as HostId)).toBeNull();
});

describe('names', () => {
  test('are given once, also when two hosts are added at the same moment', async () => {
    const outcomes = await Promise.allSettled([1, 2, 3].map((n) => store.hosts.add(aHost(n, 'same'))));
    const refused = outcomes.filter((each) => each.status === 'rejected');
    expect(refused.map((each) => (each.reason as { code: string }).code)).toEqual([
      'ALREADY_EXISTS',
      'ALREADY_EXISTS',
    ]);
  });

  test('cannot be changed to one that is taken', async () => {
    const [one, two] = [aHost(1), aHost(2)];
    await store.hosts.add(one);
    await store.hosts.add(two);
    const attempt = store.hosts.updateSettings(two.id, { name: one.name });
    await expect(attempt).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
  });
});

test('changing settings leaves what was not named, and null clears', async () => {
  const host = aHost(1, 'named', { peerUri: 'qemu+tls://x/system', migrationAddress: '10.1.0.1' });
  await store.hosts.add(host);
  await store.hosts.updateSettings(host.id, { name: 'renamed', outgoingMax: 7, peerUri: null });
  const changed = { ...host, name: 'renamed', outgoingMax: 7, peerUri: null };
  expect(await store.hosts.get(host.id)).toEqual(changed);
  await store.hosts.updateSettings(host.id, {});
  expect(await store.hosts.get(host.id)).toEqual(changed);
});

describe('what was seen', () => {
  test('brings a host up and clears the reason', async () => {
    const host = aHost(1, 'host-1', { status: 'non_responsive', statusReason: 'no route to host' });
    const inventory = anInventory({ memoryFreeKiB: 9_007_199_254_740_991 });
    await store.hosts.add(host);
    await store.hosts.setInventory(host.id, inventory, SEEN_AT, await store.hosts.nextLook());
    const seen = { ...host, status: 'up', statusReason: null, inventory, observedAt: SEEN_AT };
    expect(await store.hosts.get(host.id)).toEqual(seen);
  });

  test('does not end maintenance; nor does silence, whose reason stays until then', async () => {
    const host = aHost(1, 'host-1', { status: 'maintenance' });
    await store.hosts.add(host);
    await store.hosts.setStatus(host.id, 'non_responsive', 'no route to host');
    expect(await store.hosts.get(host.id)).toMatchObject({
      status: 'maintenance',
      statusReason: 'no route to host',
    });
    await store.hosts.setInventory(host.id, anInventory(), SEEN_AT, await store.hosts.nextLook());
    expect(await store.hosts.get(host.id)).toMatchObject({ status: 'maintenance', statusReason: null });
  });

  test('is listed as of the last look, however often it is listed', async () => {
    const unseen = { inventory: null, observedAt: null };
    const [one, two] = [aHost(1, 'a', unseen), aHost(2, 'b', unseen)];
    const hostnames = async () =>
      (await store.hosts.list()).map(({ inventory }) => inventory?.hostname ?? null);
    const see = async (host: Host, hostname: string) =>
      await store.hosts.setInventory(
        host.id,
        anInventory({ hostname }),
        SEEN_AT,
        await store.hosts.nextLook(),
      );
    await store.hosts.add(one);
    await store.hosts.add(two);
    await see(one, 'first');
    expect(await hostnames()).toEqual(['first', null]);
    expect(await hostnames()).toEqual(['first', null]);
    await see(two, 'second');
    await see(one, 'third');
    expect(await hostnames()).toEqual(['third', 'second']);
    await store.hosts.remove(one.id);
    expect(await hostnames()).toEqual(['second']);
    await store.hosts.add({ ...one, inventory: anInventory({ hostname: 'anew' }), observedAt: SEEN_AT });
    expect(await Promise.all([hostnames(), hostnames()])).toEqual([
      ['anew', 'second'],
      ['anew', 'second'],
    ]);
  });

  test('is not replaced by what a look that began earlier saw', async () => {
    const host = aHost(1);
    await store.hosts.add(host);
    const [early, late] = [await store.hosts.nextLook(), await store.hosts.nextLook()];
    await store.hosts.setInventory(host.id, anInventory({ hostname: 'late' }), SEEN_AT, late);
    await store.hosts.setInventory(host.id, anInventory({ hostname: 'early' }), SEEN_AT, early);
    expect((await store.hosts.get(host.id))?.inventory?.hostname).toBe('late');
  });

  test('stays when the host stops answering', async () => {
    const host = aHost(1);
    await store.hosts.add(host);
    await store.hosts.setInventory(
      host.id,
      anInventory({ hostname: 'old' }),
      SEEN_AT,
      await store.hosts.nextLook(),
    );
    await store.hosts.setStatus(host.id, 'non_responsive', 'connection refused');
    expect(await store.hosts.get(host.id)).toMatchObject({
      status: 'non_responsive',
      statusReason: 'connection refused',
      inventory: { hostname: 'old' },
      observedAt: SEEN_AT,
    });
  });
});

test('the last test of a pair of hosts is the one that counts', async () => {
  const [source, target] = [aHost(1), aHost(2)];
  await store.hosts.add(source);
  await store.hosts.add(target);
  await store.hosts.setPeerTest(source.id, target.id, { ok: false, message: 'no', testedAt: SEEN_AT });
  const last = { ok: true, message: 'libvirt 11.3.0', testedAt: SEEN_AT + 5 };
  await store.hosts.setPeerTest(source.id, target.id, last);
  expect((await store.hosts.get(source.id))?.peerTests).toEqual({ [target.id]: last });
  expect((await store.hosts.get(target.id))?.peerTests).toEqual({});
});

describe('removing', () => {
  test('takes along all that is only about this host', async () => {
    const [host, other] = [aHost(1), aHost(2)];
    const network = aNetwork(1);
    const vm = aVm({ vnics: [aFoundVnic(1)] });
    await store.networks.add(network);
    await store.hosts.add(host);
    await store.hosts.add(other);
    await store.hosts.setPeerTest(other.id, host.id, { ok: true, message: 'ok', testedAt: SEEN_AT });
    await store.vms.observe({
      hostId: host.id,
      vms: [vm],
      stale: [],
      ageMs: 0,
      look: await store.hosts.nextLook(),
    });
    await store.alerts.raise({ key: 'host', message: 'disk is full', vmId: null, hostId: host.id });
    await store.pfConfigs.put({
      hostId: host.id,
      pf: '0000:3b:00.0' as PciAddress,
      allNetworksAllowed: false,
      networkIds: [network.id],
      labels: [],
    });
    await store.hosts.remove(host.id);
    expect(await store.vms.list()).toEqual([]);
    expect(await store.alerts.list()).toEqual([]);
    expect(await store.pfConfigs.list()).toEqual([]);
    expect(await store.hosts.list()).toEqual([other]);
  });

  test('is refused while a job comes from it or goes to it, and possible afterwards', async () => {
    const [source, target] = [aHost(1), aHost(2)];
    await store.hosts.add(source);
    await store.hosts.add(target);
    const id = newId<JobId>();
    await store.jobs.add(id, migrateParams(source.id, { targetHostId: target.id }), 'web-1', null);
    for (const host of [source, target]) {
      await expect(store.hosts.remove(host.id)).rejects.toMatchObject({
        code: 'IN_USE',
        detail: { jobId: id },
      });
    }
    const claimed = await store.jobs.saga.claimNext('test', 60_000);
    if (!claimed) throw new Error('no job to claim');
    await store.jobs.saga.write(claimed.claim, { state: 'succeeded' });
    await store.hosts.remove(target.id);
    expect(await store.jobs.get(id)).toMatchObject({
      params: { targetHostId: target.id },
      state: 'succeeded',
    });
  });
});

test('acting on a host that is not there says so', async () => {
  const host = aHost(1);
  await store.hosts.add(host);
  const gone = newId<HostId>();
  const peerTest = { ok: true, message: 'ok', testedAt: SEEN_AT };
  const attempts = [
    () => store.hosts.setStatus(gone, 'up', null),
    () => store.hosts.setInventory(gone, anInventory(), SEEN_AT, 1),
    () => store.hosts.setPeerTest(host.id, gone, peerTest),
    () => store.hosts.setPeerTest(gone, host.id, peerTest),
    () => store.hosts.updateSettings(gone, { outgoingMax: 1 }),
    () => store.hosts.remove(gone),
  ];
  for (const attempt of attempts) await expect(attempt()).rejects.toMatchObject({ code: 'NOT_FOUND' });
});
