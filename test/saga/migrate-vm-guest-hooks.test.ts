/** The guest's own hooks, which the guest kit runs, in a migration. */
import { afterEach, expect, test } from 'vitest';
import { MigrationWorld } from '../support/migration-world.ts';

let world: MigrationWorld;
afterEach(() => world.close());

/** A guest with the kit; what its hooks were called for, and where they were then. */
async function start(hooks: (point: string) => { code: number; words: string }): Promise<string[]> {
  world = await MigrationWorld.start({ vms: [{ name: 'web-1' }] });
  const guest = world.guest('web-1');
  const called: string[] = [];
  guest.kit = ([verb, point = '']) => {
    if (verb !== 'hook') return { code: 0, printed: '{"conflicts":[]}' };
    called.push(`${point} on ${world.runsOn('web-1').join()}, over ${guest.activeNic()?.name}`);
    return hooks(point);
  };
  return called;
}
const messageOf = async (job: Parameters<MigrationWorld['begun']>[0], step: string) =>
  (await world.begun(job, step)).message;
const FINE = { code: 0, words: 'handover-guest: app: done\n' };

test('run while the VF is still there, and once it is back on the target', async () => {
  const called = await start(() => FINE);
  const job = await world.migrated('web-1');
  expect(called).toEqual(['before-unplug on host-a, over ens8', 'after-plug on host-b, over ens8']);
  expect(await messageOf(job, 'shift')).toContain("the guest's before-unplug hooks: app: done");
  expect(await messageOf(job, 'verify')).toContain("the guest's after-plug hooks: app: done");
});

test('that fail are told, and the VM moves', async () => {
  await start(() => ({ code: 1, words: 'handover-guest: app: failed with status 3\n' }));
  const job = await world.migrated('web-1');
  expect(job.state).toBe('succeeded');
  expect(await world.heard(job, 'HOOK_FAILED')).toEqual(
    ['before-unplug', 'after-plug'].map((point): unknown =>
      expect.stringMatching(`web-1: the guest's ${point} hooks: app: failed with status 3. It stops nothing`),
    ),
  );
});

test('run again after the VF came back to its source', async () => {
  const called = await start(() => FINE);
  world.guest('web-1').unplug = { type: 'never' };
  world.allowed.lostRequests = true;
  expect((await world.ended(await world.migrate('web-1'))).state).toBe('failed');
  expect(called.map((each) => each.split(',')[0])).toEqual([
    'before-unplug on host-a',
    'after-plug on host-a',
  ]);
});
