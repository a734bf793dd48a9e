/** vNICs that should be plugged and are not: when they are tried again, and what stands until then. */
import { afterEach, describe, expect, test } from 'vitest';
import { PROMPT_UNPLUG } from '../../src/simhost/inventory.ts';
import { eventually } from '../support/eventually.ts';
import { MigrationWorld, type WorldOptions } from '../support/migration-world.ts';
import { takeVfOut } from '../support/take-vf-out.ts';
import { aliasOf, vfOf } from '../support/sim-vms.ts';

let world: MigrationWorld;
const start = async (options: WorldOptions = { vms: [{ name: 'web-1' }] }): Promise<void> => {
  world = await MigrationWorld.start(options);
};
afterEach(() => world.close());

const ATTACH = 'domainAttachDeviceFlags';
const REFUSAL = { type: 'refuse', libvirtCode: 1, message: 'internal error: the guest said no' } as const;

const takeOut = (): Promise<void> => takeVfOut(world, 'host-a', 'web-1');

const plugged = (host = 'host-a') =>
  eventually('plugged', () => Object.keys(world.vfs(host, 'web-1')).length === 1);
const alertSaying = (text: string): Promise<string> =>
  eventually(`an alert saying "${text}"`, async () =>
    (await world.alerts()).find((message) => message.includes(text)),
  );
/** Wall clock ms of the next try, by the alert. */
const nextTryOf = (alert: string): number => Date.parse(/Next try at (\S+Z)/.exec(alert)?.[1] ?? '');

describe('a plug that fails', () => {
  test('is tried again after 3 s and growing pauses, under an alert that says why and when', async () => {
    await start();
    const triedAtMs: number[] = [];
    const { faults } = world.fleet;
    const ofCall = faults.ofCall.bind(faults);
    faults.ofCall = (procedure, host) => {
      if (procedure === ATTACH) triedAtMs.push(world.clock.monotonicMs());
      return ofCall(procedure, host);
    };
    const allow = faults.add({ procedure: ATTACH, effect: REFUSAL });
    await takeOut();
    const alert = await alertSaying('the guest said no');
    expect(alert).toMatch(/^vNIC nic2 of web-1 is not plugged on host-a: .*the guest said no/);
    expect(nextTryOf(alert)).toBeGreaterThan(0);
    // Each try is three VFs.
    await eventually('five tries', () => triedAtMs.length >= 15);
    const pauses = [0, 1, 2, 3].map(
      (index) => (triedAtMs[3 * index + 3] as number) - (triedAtMs[3 * index + 2] as number),
    );
    for (const [index, least] of [3_000, 5_400, 9_720, 17_496].entries())
      expect(pauses[index]).toBeGreaterThanOrEqual(least);
    allow();
    await plugged();
    await eventually('the alert cleared', async () => (await world.alerts()).length === 0);
  });

  test('is tried at once when a VF is freed, on that VF', async () => {
    await start({ vms: [{ name: 'web-1' }], vfCount: 2 });
    const endStranger = await world.steal('host-a', [1]);
    const allow = world.fleet.faults.add({ procedure: ATTACH, effect: REFUSAL });
    await takeOut();
    const endThief = await world.steal('host-a', [0]);
    allow();
    const alert = await eventually('a pause of half a minute', async () => {
      const [message = ''] = await world.alerts();
      return nextTryOf(message) - world.clock.now() > 25_000 && message;
    });
    await endStranger();
    await plugged();
    expect(world.clock.now()).toBeLessThan(nextTryOf(alert));
    expect(world.vfs('host-a', 'web-1')).toEqual({ [aliasOf(0)]: vfOf(1) });
    await endThief();
  });

  test('on a host that stops answering waits for the host, and is tried as soon as it answers', async () => {
    await start();
    const allow = world.fleet.faults.add({ procedure: ATTACH, effect: REFUSAL });
    await takeOut();
    await alertSaying('the guest said no');
    const mend = await world.lines.cut('host-a');
    const alert = await alertSaying('Next try when host-a is up');
    expect(alert).toContain('nic2 of web-1');
    allow();
    mend();
    await plugged();
  });

  test('whose answer was lost is looked for before anything is tried', async () => {
    await start();
    let attached = 0;
    world.host('host-a').listen((event) => {
      if (event.type === 'deviceAdded') attached += 1;
    });
    world.fleet.faults.add({ procedure: ATTACH, maxCount: 1, effect: { type: 'dropReply' } });
    await takeOut();
    await plugged();
    await eventually('known', async () => (await world.vnics('web-1'))[0]?.actual === 'plugged');
    expect(attached).toBe(1);
  });
});

/** A stranger takes a VF as soon as it is out of the VM. */
async function stealWhenFree(number: number): Promise<() => Promise<void>> {
  await eventually('the VF out', () => Object.keys(world.vfs('host-a', 'web-1')).length === 0);
  return world.steal('host-a', [number]);
}

describe('a guest that gives its VF back after the job gave up', () => {
  test('after another restart of the engine has its vNIC plugged on the same host', async () => {
    await start({ vms: [{ name: 'web-1', guest: { unplug: { type: 'never' } } }] });
    expect(await world.migrated('web-1', { unplugTimeoutMs: 2_000 })).toMatchObject({ state: 'failed' });
    await world.stopEngine();
    world.guest('web-1').unplug = PROMPT_UNPLUG;
    world.guest('web-1').answerPending();
    await eventually('out', () => Object.keys(world.vfs('host-a', 'web-1')).length === 0);
    world.startEngine();
    await plugged();
    expect(world.runsOn('web-1')).toEqual(['host-a']);
  });

  test('and has lost it to a stranger meanwhile gets another', async () => {
    await start({ vms: [{ name: 'web-1', guest: { unplug: { type: 'never' } } }] });
    expect(await world.migrated('web-1', { unplugTimeoutMs: 2_000 })).toMatchObject({ state: 'failed' });
    await world.stopEngine();
    world.guest('web-1').unplug = PROMPT_UNPLUG;
    world.guest('web-1').answerPending();
    const endThief = await stealWhenFree(0);
    world.startEngine();
    await plugged();
    expect(world.vfs('host-a', 'web-1')[aliasOf(0)]).not.toBe(vfOf(0));
    await endThief();
  });
});

test('a second try of a move that failed, to another host, has VFs reserved there', async () => {
  await start({ vms: [{ name: 'web-1', vfs: [0, 1] }], hostCount: 3 });
  world.fleet.faults.add({
    procedure: 'domainMigratePerform3Params',
    maxCount: 1,
    effect: { type: 'refuse', libvirtCode: 9, message: 'operation failed' },
  });
  // The guest is as it was left in the worst case: its vNICs are out when it is moved again.
  const allow = world.fleet.faults.add({ procedure: ATTACH, effect: REFUSAL });
  expect(await world.migrated('web-1', { to: 'host-b' })).toMatchObject({ state: 'failed' });
  expect(await world.store.reservations.list({ hostId: world.hostId('host-b') })).toEqual([]);
  const { job, letGo } = await world.inTransfer('web-1', { to: 'host-c' });
  const held = await world.store.reservations.list({ hostId: world.hostId('host-c') });
  expect(held.map((each) => [each.jobId, each.side])).toEqual([
    [job.id, 'target'],
    [job.id, 'target'],
  ]);
  allow();
  letGo();
  expect(await world.ended(job)).toMatchObject({ state: 'succeeded' });
  expect(Object.keys(world.vfs('host-c', 'web-1')).sort()).toEqual([aliasOf(0), aliasOf(1)]);
});

test('steps of a job show each phase, and in it each vNIC', async () => {
  await start({ vms: [{ name: 'web-1', vfs: [0, 1] }] });
  const job = await world.migrated('web-1');
  const steps = await world.store.jobs.steps(job.id);
  const vnics = (await world.vnics('web-1')).map((vnic) => vnic.id);
  for (const name of ['unplug', 'plug']) {
    const ofVnics = steps.filter((step) => step.name === name && step.vnicId !== null);
    expect(new Set(ofVnics.map((step) => step.vnicId))).toEqual(new Set(vnics));
    expect(ofVnics.map((step) => step.state)).toEqual(['finished', 'finished']);
    expect(ofVnics.every((step) => step.endedAt !== null && step.message?.includes('0000:3b:02.'))).toBe(
      true,
    );
  }
});
