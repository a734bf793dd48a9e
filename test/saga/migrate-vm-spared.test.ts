/** What hosts are spared while one of their guests is without its VF: dialling, and looks at everything. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Job } from '../../src/model/job.ts';
import { LIFECYCLE, type SimEvent } from '../../src/simhost/events.ts';
import { eventually } from '../support/eventually.ts';
import { MigrationWorld } from '../support/migration-world.ts';

let world: MigrationWorld;
let letGo: () => void;
let job: Job;
beforeEach(async () => {
  world = await MigrationWorld.start({ vms: [{ name: 'web-1' }] });
  // Long enough to prepare something after the step began and before the VF is out.
  world.fleet.faults.add({
    procedure: 'domainDetachDeviceAlias',
    host: 'host-a',
    delayMs: 5_000,
  });
  letGo = world.holdTransfer('web-1');
  job = await world.migrate('web-1');
  await eventually('the guest about to be asked', async () => {
    const now = await world.store.jobs.get(job.id);
    return now?.data.unplugAskedAt !== undefined;
  });
});
afterEach(() => world.close());

const inTransfer = () =>
  eventually('the memory on its way', () => world.domain('host-a', 'web-1')?.transfer?.phase === 'sending');
const is = (event: SimEvent, name: keyof typeof LIFECYCLE): boolean =>
  event.type === 'lifecycle' && event.event === LIFECYCLE[name][0];
const arrives = async () => {
  letGo();
  expect(await world.ended(job)).toMatchObject({ state: 'succeeded', error: null });
};

test('no connection is dialled until the migrate call is under way', async () => {
  const { dialled } = world.lines;
  await inTransfer();
  expect(world.lines.dialled).toBe(dialled);
  await arrives();
});

test('no host is looked at as a whole, whatever its events tell', async () => {
  const looks = ['host-a', 'host-b'].map((host) =>
    world.fleet.faults.add({
      procedure: 'nodeGetMemoryStats',
      host,
      effect: { type: 'refuse', libvirtCode: 1, message: 'internal error: looked' },
    }),
  );
  await inTransfer();
  const endMs = world.clock.monotonicMs() + 5_000;
  await eventually('5 s in transfer', () => world.clock.monotonicMs() >= endMs);
  // A host that refuses a look becomes non-responsive.
  const hosts = await world.store.hosts.list();
  expect(hosts.map(({ name, status }) => [name, status])).toEqual([
    ['host-a', 'up'],
    ['host-b', 'up'],
  ]);
  for (const allow of looks) allow();
  await arrives();
});

test('the source is asked nothing while the guest stands still', async () => {
  await inTransfer();
  world.fleet.faults.add({
    procedure: 'domainMigrateFinish3Params',
    host: 'host-b',
    delayMs: 1_500,
  });
  let stillSinceMs: number | null = null;
  world.host('host-a').listen((event) => {
    // What was asked before this was heard is on its way.
    if (is(event, 'suspendedMigrated')) setImmediate(() => (stillSinceMs = world.clock.monotonicMs()));
  });
  world.host('host-b').listen((event) => {
    if (is(event, 'resumedMigrated')) stillSinceMs = null;
  });
  const asked: string[] = [];
  let stoodStill = false;
  const { faults } = world.fleet;
  const ofCall = faults.ofCall.bind(faults);
  faults.ofCall = (procedure, host) => {
    stoodStill ||= stillSinceMs !== null;
    // For two seconds nothing is asked; on a busy machine it may stand still for longer.
    if (host === 'host-a' && world.clock.monotonicMs() - (stillSinceMs ?? -Infinity) < 1_900)
      asked.push(procedure);
    return ofCall(procedure, host);
  };
  await arrives();
  expect(stoodStill).toBe(true);
  expect(asked).toEqual([]);
});

test('the VF waits until libvirt is done with the move', async () => {
  await inTransfer();
  world.fleet.faults.add({ procedure: 'domainMigrateFinish3Params', host: 'host-b', delayMs: 1_000 });
  await arrives();
  const { plugAskedAt, performReturnedAt } = (await world.job(job)).data;
  expect(plugAskedAt).toBeGreaterThanOrEqual(performReturnedAt ?? Infinity);
});

test('the VF waits until the guest has announced itself', async () => {
  await inTransfer();
  let resumedAt = Number.NaN;
  world.host('host-b').listen((event) => {
    if (is(event, 'resumedMigrated')) resumedAt = world.clock.now();
  });
  await arrives();
  const { plugAskedAt } = (await world.job(job)).data;
  expect((plugAskedAt ?? Number.NaN) - resumedAt).toBeGreaterThanOrEqual(1_490);
});

test('the VF waits no longer than three seconds, however long libvirt goes on', async () => {
  await inTransfer();
  let resumedAt = Number.NaN;
  world.host('host-b').listen((event) => {
    if (!is(event, 'resumedMigrated')) return;
    resumedAt = world.clock.now();
    world.fleet.faults.add({ bytes: 'sent', host: 'host-a', delayMs: 10_000 });
  });
  await arrives();
  const { plugAskedAt, performReturnedAt } = (await world.job(job)).data;
  expect((plugAskedAt ?? Number.NaN) - resumedAt).toBeGreaterThanOrEqual(3_000);
  expect(plugAskedAt).toBeLessThan(performReturnedAt ?? 0);
});
