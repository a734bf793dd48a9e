/** Several engines on one database: what each must leave to the others, and what holds over all of them. */
import { afterEach, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { MigrationWorld, type WorldOptions } from '../support/migration-world.ts';
import { type SimVmSpec, vfOf } from '../support/sim-vms.ts';
import { takeVfOut } from '../support/take-vf-out.ts';

let world: MigrationWorld;
const start = async (options: WorldOptions): Promise<void> => {
  world = await MigrationWorld.start(options);
};
afterEach(() => world.close());

/** VMs with one VF each. */
const someVms = (count: number): SimVmSpec[] =>
  Array.from({ length: count }, (_, number) => ({ name: `web-${number + 1}`, vfs: [number] }));

const takeOut = (host: string, vm: string): Promise<void> => takeVfOut(world, host, vm);

/** Calls of one kind that hosts receive from now on. */
function countCalls(wanted: string): () => number {
  let count = 0;
  const { faults } = world.fleet;
  const ofCall = faults.ofCall.bind(faults);
  faults.ofCall = (procedure, host) => {
    if (procedure === wanted) count += 1;
    return ofCall(procedure, host);
  };
  return () => count;
}

test('the limits of migrations per host hold over two engines, and all VMs get there', async () => {
  // Without VFs, over which they would meet anyway.
  const vms = someVms(6).map(({ name }) => ({ name, vfs: [] }));
  const names = vms.map((vm) => vm.name);
  await start({ vms });
  await world.stopEngine();
  const jobs = await Promise.all(names.map((name) => world.migrate(name, { to: 'host-b' })));
  // All are due at once, so they choose at once.
  world.startEngine();
  await world.startReplica();
  let placesMost = 0;
  await eventually('all at their end', async () => {
    const live = await world.store.jobs.list({ live: true });
    placesMost = Math.max(placesMost, live.filter((job) => job.targetHostId !== null).length);
    return live.length === 0;
  });
  // outgoingMax and incomingMax are 2; a job holds its place until its source is clear.
  expect(placesMost).toBe(2);
  for (const job of jobs) expect(await world.ended(job)).toMatchObject({ state: 'succeeded' });
});

test('two engines that find vNICs missing plug each once', async () => {
  await start({ vms: someVms(4), vfCount: 8 });
  await world.startReplica();
  world.slowAttach('host-a', 2_000);
  const attached = countCalls('domainAttachDeviceFlags');
  const names = someVms(4).map((vm) => vm.name);
  for (const name of names) await takeOut('host-a', name);
  for (const name of names)
    await eventually(`${name} plugged`, () => Object.keys(world.vfs('host-a', name)).length === 1);
  await eventually('known', async () =>
    (await world.store.vms.list()).flatMap((vm) => vm.vnics).every((vnic) => vnic.actual === 'plugged'),
  );
  expect(attached()).toBe(4);
});

test('a migration waits for a vNIC that is being plugged, and moves with it', async () => {
  await start({ vms: [{ name: 'web-1' }] });
  await world.startReplica();
  world.slowAttach('host-a', 15_000);
  await takeOut('host-a', 'web-1');
  await eventually('a VF held', async () => (await world.store.reservations.list()).length === 1);
  const job = await world.migrate('web-1');
  await eventually('the job waiting', async () =>
    (await world.job(job)).waitReason?.includes('is being plugged'),
  );
  expect(await world.ended(job)).toMatchObject({ state: 'succeeded' });
  expect((await world.job(job)).data.vnics).toEqual([expect.objectContaining({ sourceVf: vfOf(0) })]);
});

test('a plug that takes long keeps no other host waiting, and no migration', async () => {
  const vms = [{ name: 'web-1' }, { name: 'web-2', host: 'host-b' }, { name: 'web-3', vfs: [1] }];
  await start({ vms, hostCount: 3 });
  world.slowAttach('host-a', 60_000);
  await takeOut('host-a', 'web-1');
  await eventually('a VF held', async () => (await world.store.reservations.list()).length === 1);
  await takeOut('host-b', 'web-2');
  await eventually('web-2 plugged', () => Object.keys(world.vfs('host-b', 'web-2')).length === 1);
  expect(await world.migrated('web-3', { to: 'host-c' })).toMatchObject({ state: 'succeeded' });
  expect(world.vfs('host-a', 'web-1')).toEqual({});
});

test.each(['unplug', 'transfer', 'plug', 'release'])(
  'an engine that is stopped in step %s leaves its job to one that runs beside it',
  async (step) => {
    await start({ vms: [{ name: 'web-1', vfs: [0, 1] }] });
    const job = await world.migrate('web-1');
    await world.begun(job, step);
    await world.startReplica();
    await world.stopEngine();
    const { state } = await world.ended(job);
    if (step !== 'transfer') expect(state).toBe('succeeded');
  },
);

test('the hosts of an engine that is stopped are watched by the other', async () => {
  await start({ vms: [{ name: 'web-1' }] });
  const replica = await world.startReplica();
  await world.stopEngine();
  await takeOut('host-a', 'web-1');
  await eventually('plugged', () => Object.keys(world.vfs('host-a', 'web-1')).length === 1);
  world.startEngine();
  await replica.stop();
  await takeOut('host-a', 'web-1');
  await eventually('plugged again', () => Object.keys(world.vfs('host-a', 'web-1')).length === 1);
});
