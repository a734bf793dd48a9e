/** A host loses power, or the hosts lose each other, while a VM moves; see docs/operate/when-it-dies.md. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Job } from '../../src/model/job.ts';
import { bootHost, crashHost } from '../../src/simhost/machine.ts';
import { eventually } from '../support/eventually.ts';
import { MigrationWorld } from '../support/migration-world.ts';
import { aliasOf, vfOf } from '../support/sim-vms.ts';

let world: MigrationWorld;
beforeEach(async () => {
  world = await MigrationWorld.start({ vms: [{ name: 'web-1' }] });
});
afterEach(() => world.close());

const standing = (text: string): Promise<string> =>
  eventually(`an alert saying "${text}"`, async () =>
    (await world.alerts()).find((message) => message.includes(text)),
  );
const noAlert = () => eventually('no alert', async () => (await world.alerts()).length === 0);
const pluggedAtHome = () => eventually('plugged on host-a', () => world.vfs('host-a', 'web-1')[aliasOf(0)]);
const loseVm = () => world.allowed.down.add('web-1');
const knownAsDown = () => eventually('down', async () => (await world.vm('web-1')).status === 'down');

/** The guest has resumed on host-b, and its VF is not plugged yet. */
async function arrived(): Promise<Job> {
  world.slowAttach('host-b', 3_000);
  const job = await world.migrate('web-1');
  await world.begun(job, 'plug');
  await eventually('gone from the source', () => world.domain('host-a', 'web-1') === undefined);
  return job;
}

describe('a target that loses power in transfer', () => {
  test('is waited for while the VM runs on its source; when it is back the move is undone', async () => {
    const { job } = await world.inTransfer('web-1');
    crashHost(world.host('host-b'));
    expect(await standing('waits')).toBe(
      'Migration of web-1 from host-a to host-b waits: the source is running and the target does not ' +
        'answer. Nothing is resumed or destroyed until both hosts can be seen.',
    );
    expect(world.runsOn('web-1')).toEqual(['host-a']);
    await bootHost(world.host('host-b'));
    expect(await world.ended(job)).toMatchObject({ state: 'failed', error: { code: 'MIGRATION_FAILED' } });
    expect(await pluggedAtHome()).toBe(vfOf(0));
    await noAlert();
  });

  test('for good is not waited for once the job is abandoned; the VM has its VF on the source', async () => {
    const { job } = await world.inTransfer('web-1');
    crashHost(world.host('host-b'));
    await standing('waits');
    await world.abandon(job);
    await pluggedAtHome();
    await noAlert();
    await bootHost(world.host('host-b'));
  });
});

describe('a source that loses power', () => {
  test('in transfer takes the VM with it; when it is back that is said, and nothing is started', async () => {
    loseVm();
    const { job } = await world.inTransfer('web-1');
    crashHost(world.host('host-a'));
    expect(await standing('waits')).toContain(
      'the source does not answer and the VM is absent on the target',
    );
    await bootHost(world.host('host-a'));
    const { state, error } = await world.ended(job);
    expect(state).toBe('failed');
    expect(error?.message).toBe(
      'web-1 runs neither on host-a nor on host-b (the VM is shut_off on the source and absent on the ' +
        'target): it was shut off or crashed during the move; start it again',
    );
    await knownAsDown();
    expect(world.runsOn('web-1')).toEqual([]);
    await noAlert();
  });

  test('after the guest arrived keeps no VF from it; what is left there goes when it is back', async () => {
    world.slowAttach('host-b', 3_000);
    const job = await world.migrate('web-1');
    await eventually('on the target', () => world.runsOn('web-1').includes('host-b'));
    crashHost(world.host('host-a'));
    await eventually('plugged', () => world.vfs('host-b', 'web-1')[aliasOf(0)]);
    expect(await standing('host-a does not answer')).toBe(
      'web-1 runs on the target, but host-a does not answer; a copy left there is ended as soon as it does',
    );
    await bootHost(world.host('host-a'));
    expect(await world.ended(job)).toMatchObject({ state: 'succeeded' });
    expect(world.domain('host-a', 'web-1')).toBeUndefined();
    await noAlert();
  });
});

test('a target that loses power after the guest arrived takes the VM with it, and that is said', async () => {
  loseVm();
  const job = await arrived();
  crashHost(world.host('host-b'));
  // It had moved, and nobody can see yet what became of it.
  expect(await world.ended(job)).toMatchObject({ state: 'succeeded' });
  expect(await standing('Next try when host-b is up')).toMatch(
    /^vNIC nic2 of web-1 is not plugged on host-b: it is non_responsive: cannot connect to host-b/,
  );
  await bootHost(world.host('host-b'));
  await knownAsDown();
  expect(world.runsOn('web-1')).toEqual([]);
  await noAlert();
});

test('hosts that lose each other in transfer leave the VM on its source with its VF', async () => {
  const { job } = await world.inTransfer('web-1');
  world.fleet.setLink('host-a', 'host-b', false);
  expect(await world.ended(job)).toMatchObject({ state: 'failed', error: { code: 'MIGRATION_FAILED' } });
  expect(world.vfs('host-a', 'web-1')).toEqual({ [aliasOf(0)]: vfOf(0) });
  expect(world.domain('host-b', 'web-1')).toBeUndefined();
});
