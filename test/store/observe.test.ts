/**
 * What a look at a host changes, on the real database. The rules for single vNICs are tested beside
 * `merge-vnics.ts`.
 */
import { beforeEach, describe, expect, test } from 'vitest';
import type { VmObservation } from '../../src/app/store-port.ts';
import type { JobId, VmId, VnicId, VnicProfileId } from '../../src/base/ids.ts';
import type { Host } from '../../src/model/host.ts';
import type { Vm } from '../../src/model/vm.ts';
import {
  aFoundVnic,
  aHost,
  aNetwork,
  aProfile,
  aStandby,
  aVm,
  aVnic,
  migrateParams,
  newId,
  vfAddress,
  vmId,
} from '../support/builders.ts';
import { connectTo, freshStore } from '../support/postgres.ts';

const { store, connection } = await freshStore();
let a: Host;
let b: Host;
beforeEach(async () => {
  await connectTo(connection, (client) =>
    client.query('delete from jobs; delete from vms; delete from hosts'),
  );
  a = aHost(1);
  b = aHost(2);
  await store.hosts.add(a);
  await store.hosts.add(b);
});

const look = async (host: Host, vms: readonly Vm[], over: Partial<VmObservation> = {}): Promise<void> =>
  store.vms.observe({
    hostId: host.id,
    vms,
    stale: [],
    ageMs: 0,
    look: await store.hosts.nextLook(),
    ...over,
  });

/** The same VM in the next look: new ids, since the look does not know them. */
const again = (vm: Vm): Vm => ({ ...vm, vnics: vm.vnics.map((vnic) => ({ ...vnic, id: newId<VnicId>() })) });

const startJob = (vm: Vm) =>
  store.jobs.add(newId<JobId>(), migrateParams(a.id, { vmId: vm.id }), vm.name, null);

async function endJob(): Promise<void> {
  const claimed = await store.jobs.saga.claimNext('test', 60_000);
  if (!claimed) throw new Error('no job to end');
  await store.jobs.saga.write(claimed.claim, { state: 'succeeded' });
}

describe('a first look', () => {
  test('adopts VMs with their vNICs', async () => {
    const vm = aVm({
      vnics: [aFoundVnic(1), aStandby(2)],
    });
    await look(a, [vm]);
    expect(await store.vms.list()).toEqual([{ ...vm, hostId: a.id }]);
    expect(await store.vms.get(vm.id)).toEqual({ ...vm, hostId: a.id });
  });

  test('of a host that was removed meanwhile is refused', async () => {
    await store.hosts.remove(a.id);
    await expect(look(a, [aVm()])).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await store.vms.list()).toEqual([]);
  });

  test('naming a profile that was removed meanwhile adopts the vNIC without one', async () => {
    const vm = aVm({ vnics: [aVnic(1, { profileId: newId<VnicProfileId>() })] });
    await look(a, [vm]);
    expect((await store.vms.get(vm.id))?.vnics[0]?.profileId).toBeNull();
  });
});

describe('a further look', () => {
  test('changes nothing if nothing changed, whatever ids it made up', async () => {
    const vm = aVm({ vnics: [aFoundVnic(1), aFoundVnic(2)] });
    await look(a, [vm]);
    const before = await store.vms.list();
    await look(a, [again(vm)]);
    expect(await store.vms.list()).toEqual(before);
  });

  test('takes over what changed of the VM', async () => {
    const vm = aVm();
    await look(a, [vm]);
    await look(a, [{ ...vm, name: 'renamed', status: 'paused', memoryKiB: 4_194_304, vcpus: 8 }]);
    expect(await store.vms.get(vm.id)).toMatchObject({
      name: 'renamed',
      status: 'paused',
      memoryKiB: 4_194_304,
      vcpus: 8,
    });
  });

  test('keeps the profile the operator chose', async () => {
    const network = aNetwork(1);
    const profile = aProfile(1);
    await store.networks.add(network);
    await store.profiles.add(profile);
    const vm = aVm({ vnics: [aFoundVnic(1)] });
    await look(a, [vm]);
    const vnicId = vm.vnics[0]?.id as VnicId;
    await store.vms.setVnicProfile(vnicId, profile.id, null);
    await look(a, [again(vm)]);
    expect((await store.profiles.users(profile.id)).map((vnic) => vnic.id)).toEqual([vnicId]);
  });

  const minutesPass = (minutes: number) =>
    connectTo(connection, (client) =>
      client.query(`update vms set missed_since = missed_since - interval '${minutes} minutes'`),
    );

  test('forgets VMs that are gone after a while, with their vNICs and alerts, and no others', async () => {
    const gone = aVm({ vnics: [aFoundVnic(1)] });
    const elsewhere = aVm({ id: vmId(2) });
    await look(a, [gone]);
    await look(b, [elsewhere]);
    await store.alerts.raise({ key: `vm:${gone.id}`, message: 'degraded', vmId: gone.id, hostId: null });
    await look(a, []);
    expect(await store.vms.get(gone.id)).toMatchObject({ hostId: null, status: 'unknown' });
    await minutesPass(4);
    await look(a, []);
    expect((await store.vms.list()).map((vm) => vm.id)).toEqual([elsewhere.id]);
    expect(await store.alerts.list()).toEqual([]);
  });

  test('does not forget a VM while it may be on a host that does not answer', async () => {
    const vm = aVm({ vnics: [aFoundVnic(1)] });
    await look(a, [vm]);
    await look(a, []);
    await minutesPass(60);
    await store.hosts.setStatus(b.id, 'non_responsive', 'no route');
    await look(a, []);
    expect(await store.vms.get(vm.id)).toMatchObject({ hostId: null, status: 'unknown' });
  });

  test('keeps what was known of a VM that left its host before it is seen on another', async () => {
    const vm = aVm({ vnics: [aFoundVnic(1)] });
    await look(a, [vm]);
    await look(a, []);
    // Its VF did not come along.
    await look(b, [{ ...again(vm), vnics: [] }]);
    const [vnic] = (await store.vms.get(vm.id))?.vnics ?? [];
    expect(vnic).toMatchObject({ id: vm.vnics[0]?.id, plugged: true, actual: 'unplugged' });
  });

  test('moves a VM that somebody else moved, and keeps what was known of it', async () => {
    const vm = aVm({ vnics: [aFoundVnic(1)] });
    await look(a, [vm]);
    await look(b, [again(vm)]);
    await look(a, []);
    expect(await store.vms.get(vm.id)).toEqual({ ...vm, hostId: b.id });
  });

  test('shows where stale definitions are, and no longer once they are gone', async () => {
    const vm = aVm();
    await look(a, [vm]);
    await look(b, [], { stale: [vm.id] });
    expect((await store.vms.get(vm.id))?.staleOn).toEqual([b.id]);
    await look(b, []);
    expect((await store.vms.get(vm.id))?.staleOn).toEqual([]);
  });

  test('does not forget a VM that left a stale definition, before its new host was looked at', async () => {
    const vm = aVm({ vnics: [aFoundVnic(1)] });
    await look(a, [vm]);
    await look(a, [], { stale: [vm.id] });
    await look(b, [again(vm)]);
    expect(await store.vms.get(vm.id)).toEqual({ ...vm, hostId: b.id, staleOn: [a.id] });
  });
});

describe('while a job moves the VM', () => {
  let vm: Vm;
  beforeEach(async () => {
    vm = aVm({ vnics: [aFoundVnic(1)] });
    await look(a, [vm]);
    await startJob(vm);
  });

  test('its domain on the other host changes nothing', async () => {
    await look(b, [{ ...again(vm), status: 'paused' }]);
    expect(await store.vms.get(vm.id)).toEqual({ ...vm, hostId: a.id });
  });

  test('it is not forgotten when the source no longer has it', async () => {
    await look(a, []);
    expect(await store.vms.get(vm.id)).toEqual({ ...vm, hostId: a.id });
  });

  test('its status is followed, its vNICs stay as the job says', async () => {
    await store.vms.setVnicActual(vm.vnics[0]?.id as VnicId, 'unplugged', null);
    await look(a, [{ ...again(vm), status: 'paused' }]);
    const stored = await store.vms.get(vm.id);
    expect(stored).toMatchObject({ status: 'paused', vnics: [{ actual: 'unplugged', vf: null }] });
  });

  test('a look that began before the job ended does not undo what the job did', async () => {
    await store.vms.setHost(vm.id, b.id);
    await store.vms.setVnicActual(vm.vnics[0]?.id as VnicId, 'plugged', vfAddress(9));
    await endJob();
    await look(a, [again(vm)], { ageMs: 60_000 });
    await look(b, [], { ageMs: 60_000 });
    expect(await store.vms.get(vm.id)).toMatchObject({ hostId: b.id, vnics: [{ vf: vfAddress(9) }] });
    // One that began afterwards is believed.
    await look(a, [again(vm)], { ageMs: 0 });
    expect(await store.vms.get(vm.id)).toMatchObject({ hostId: a.id, vnics: [{ vf: vfAddress(0) }] });
  });
});

test('a job that ended before the clock of the database was set back hides nothing from a look', async () => {
  const vm = aVm({ vnics: [aFoundVnic(1)] });
  await look(a, [vm]);
  await store.jobs.add(newId<JobId>(), migrateParams(a.id, { vmId: vm.id }), vm.name, null);
  const claimed = await store.jobs.saga.claimNext('test', 60_000);
  if (!claimed) throw new Error('no job to claim');
  await store.jobs.saga.write(claimed.claim, { state: 'failed' });
  await connectTo(connection, (client) =>
    client.query(`update jobs set ended_at = ended_at + interval '1 hour'`),
  );
  await look(a, []);
  expect(await store.vms.get(vm.id)).toMatchObject({ hostId: null, status: 'unknown' });
});

test('a look that began earlier does not bring back what a later one saw gone', async () => {
  const vm = aVm({ vnics: [aFoundVnic(1)] });
  const early = await store.hosts.nextLook();
  await look(a, [vm]);
  await look(a, []);
  await look(a, [again(vm)], { look: early });
  expect(await store.vms.list()).toMatchObject([{ id: vm.id, hostId: null }]);
});

test('looks at two hosts at once between which VMs move do not break each other', async () => {
  const vms = Array.from({ length: 12 }, (_, n) =>
    aVm({ id: vmId(n), vnics: [aFoundVnic(2 * n + 1), aFoundVnic(2 * n + 2)] }),
  );
  await look(a, vms);
  await Promise.all(
    Array.from({ length: 20 }, (_, round) => {
      const seen = vms.map(again);
      return look(round % 2 ? a : b, round % 3 ? seen : seen.reverse());
    }),
  );
  const stored = await store.vms.list();
  expect(stored).toHaveLength(12);
  expect(new Set(stored.map((vm) => vm.hostId)).size).toBe(1);
  expect(stored.flatMap((vm) => vm.vnics.map((vnic) => vnic.id)).sort()).toEqual(
    vms.flatMap((vm) => vm.vnics.map((vnic) => vnic.id)).sort(),
  );
});

test('first looks at once that show the same new VM adopt it once, under ids that stay', async () => {
  for (let round = 0; round < 10; round += 1) {
    const hosts = [aHost(2 * round + 3), aHost(2 * round + 4)];
    for (const host of hosts) await store.hosts.add(host);
    const vm = aVm({ id: vmId(round), vnics: [aFoundVnic(1), aFoundVnic(2)] });
    const vnicIds = async () => (await store.vms.get(vm.id))?.vnics.map((vnic) => vnic.id);
    const seenAfterEach = await Promise.all(
      [...hosts, ...hosts].map(async (host) => {
        await look(host, [again(vm)]);
        return await vnicIds();
      }),
    );
    const last = await vnicIds();
    expect(last).toHaveLength(2);
    expect(seenAfterEach).toEqual(hosts.flatMap(() => [last, last]));
  }
});

test('acting on a VM, vNIC, host or profile that is not there says so', async () => {
  const vm = aVm({ vnics: [aFoundVnic(1)] });
  await look(a, [vm]);
  const vnicId = vm.vnics[0]?.id as VnicId;
  const notFound = { code: 'NOT_FOUND' };
  await expect(store.vms.setHost(newId<VmId>(), a.id)).rejects.toMatchObject(notFound);
  await expect(store.vms.setHost(vm.id, newId())).rejects.toMatchObject(notFound);
  await expect(store.vms.setVnicActual(newId<VnicId>(), 'plugged', null)).rejects.toMatchObject(notFound);
  await expect(store.vms.setVnicProfile(newId<VnicId>(), null, null)).rejects.toMatchObject(notFound);
  await expect(store.vms.setVnicProfile(vnicId, newId(), null)).rejects.toMatchObject(notFound);
  expect(await store.vms.get('no-uuid' as VmId)).toBeNull();
  expect(await store.vms.get(newId<VmId>())).toBeNull();
});
