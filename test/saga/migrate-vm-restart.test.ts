/** An engine that is stopped in the middle and started again goes on from what it sees on the hosts. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { MigrationWorld } from '../support/migration-world.ts';
import { aliasOf, vfOf } from '../support/sim-vms.ts';

let world: MigrationWorld;
beforeEach(async () => {
  world = await MigrationWorld.start({ vms: [{ name: 'web-1', vfs: [0, 1] }] });
});
afterEach(() => world.close());

test.each(['reserve', 'preflight', 'unplug', 'plug', 'verify', 'release'])(
  'stopped in step %s and started again, it brings the VM to the target',
  async (step) => {
    const job = await world.migrate('web-1');
    await world.begun(job, step);
    await world.stopEngine();
    world.startEngine();
    expect(await world.ended(job)).toMatchObject({ state: 'succeeded' });
    expect(world.runsOn('web-1')).toEqual(['host-b']);
    expect(Object.keys(world.vfs('host-b', 'web-1')).sort()).toEqual([aliasOf(0), aliasOf(1)]);
  },
);

test.each(['recheck', 'transfer'])(
  'stopped in step %s, when nobody knows whether libvirt was asked, it has the VM in one place with its VFs',
  async (step) => {
    const job = await world.migrate('web-1');
    await world.begun(job, step);
    await world.stopEngine();
    world.startEngine();
    const { state } = await world.ended(job);
    const host = state === 'succeeded' ? 'host-b' : 'host-a';
    expect(world.runsOn('web-1')).toEqual([host]);
    expect(Object.keys(world.vfs(host, 'web-1')).sort()).toEqual([aliasOf(0), aliasOf(1)]);
  },
);

test('a guest that moved while the engine was away is found on the target', async () => {
  const { job, letGo } = await world.inTransfer('web-1');
  await world.stopEngine();
  letGo();
  await eventually('moved', () => world.runsOn('web-1')[0] === 'host-b');
  await eventually('gone from the source', () => world.domain('host-a', 'web-1') === undefined);
  world.startEngine();
  expect(await world.ended(job)).toMatchObject({ state: 'succeeded' });
});

test.each(['host-a', 'host-b'])(
  'taken up while %s does not answer, a guest that moved is waited for and plugged on the target',
  async (host) => {
    const { job, letGo } = await world.inTransfer('web-1');
    await world.stopEngine();
    letGo();
    await eventually('gone from the source', () => world.domain('host-a', 'web-1') === undefined);
    const mend = await world.lines.cut(host);
    world.startEngine();
    await eventually('an alert', async () =>
      (await world.alerts()).some((message) => message.includes('does not answer')),
    );
    mend();
    expect(await world.ended(job)).toMatchObject({ state: 'succeeded' });
    expect(Object.keys(world.vfs('host-b', 'web-1')).sort()).toEqual([aliasOf(0), aliasOf(1)]);
  },
);

test('a transfer that goes on is adopted, not begun a second time', async () => {
  const { job, letGo } = await world.inTransfer('web-1');
  await world.stopEngine();
  world.startEngine();
  await eventually('the job taken up', async () =>
    (await world.steps(job)).some((step) => step.name === 'transfer' && step.attempts === 2),
  );
  letGo();
  expect(await world.ended(job)).toMatchObject({ state: 'succeeded' });
});

test('a guest that gave its VFs back while the engine was away moves on', async () => {
  world.guest('web-1').unplug = { type: 'answer', minMs: 2_000, maxMs: 2_000 };
  const job = await world.migrate('web-1');
  await eventually('the guest asked', () => world.guest('web-1').pendingUnplugs.length === 2);
  await world.stopEngine();
  await eventually('both out', () => Object.keys(world.vfs('host-a', 'web-1')).length === 0);
  world.startEngine();
  expect(await world.ended(job)).toMatchObject({ state: 'succeeded' });
});

test('a cancel asked for while nobody ran the job is heard by who takes it up', async () => {
  const { job } = await world.inTransfer('web-1');
  await world.stopEngine();
  const cancelled = world.cancel('web-1');
  world.startEngine();
  await cancelled;
  expect(await world.ended(job)).toMatchObject({ state: 'cancelled' });
  expect(world.vfs('host-a', 'web-1')).toEqual({ [aliasOf(0)]: vfOf(0), [aliasOf(1)]: vfOf(1) });
});

test('stopped while it undoes, it undoes the rest', async () => {
  world.slowAttach('host-a', 2_000);
  const { job } = await world.inTransfer('web-1');
  await world.cancel('web-1');
  await world.stopEngine();
  expect((await world.job(job)).state).toBe('undoing');
  world.startEngine();
  expect(await world.ended(job)).toMatchObject({ state: 'cancelled' });
  expect(world.vfs('host-a', 'web-1')).toEqual({ [aliasOf(0)]: vfOf(0), [aliasOf(1)]: vfOf(1) });
});
