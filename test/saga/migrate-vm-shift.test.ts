/** What a migration does with the bond of a guest, and with guests that have none. */
import { afterEach, expect, test, vi } from 'vitest';
import { EVENT_CODES, type Job } from '../../src/model/job.ts';
import { LIFECYCLE } from '../../src/simhost/events.ts';
import { MigrationWorld } from '../support/migration-world.ts';

let world: MigrationWorld;
afterEach(() => world.close());

const startWorld = async (): Promise<void> => {
  world = await MigrationWorld.start({ vms: [{ name: 'web-1' }] });
};
const vnicName = async (): Promise<string | undefined> => (await world.vnics('web-1'))[0]?.name;
const warnings = async (): Promise<string[]> =>
  (await world.store.events.list({}))
    .filter(({ code }) => code === EVENT_CODES.STANDBY_MISSING)
    .map(({ message }) => message);

test('the traffic is on the standby before the VF is asked for, and on the VF after the move', async () => {
  await startWorld();
  const guest = world.guest('web-1');
  const told = vi.spyOn(guest, 'writeKernelFile');
  const asked = vi.spyOn(guest, 'askUnplug');
  const job = await world.migrated('web-1');
  expect(job).toMatchObject({ state: 'succeeded' });
  expect((await world.begun(job, 'shift')).message).toBe('bond0 on ens3, announced');
  const toStandby = told.mock.calls.findIndex(([, text]) => text === 'ens3');
  expect(toStandby).not.toBe(-1);
  expect(told.mock.invocationCallOrder[toStandby]).toBeLessThan(asked.mock.invocationCallOrder[0] ?? 0);
  expect((await world.begun(job, 'verify')).message).toMatch(/; bond0 on ens8, announced$/);
  expect(world.guest('web-1').activeNic()?.name).toBe('ens8');
});

/** What is written to the updelay of web-1's bond from now on, ms, and the leg that was active then. */
function upDelays(): [ms: number, active: string | undefined][] {
  const guest = world.guest('web-1');
  const told: [number, string | undefined][] = [];
  const write = guest.writeKernelFile.bind(guest);
  guest.writeKernelFile = (path, text) => {
    if (path.endsWith('/updelay')) told.push([Number(text), guest.activeNic()?.name]);
    return write(path, text);
  };
  return told;
}

test('a bond waits before it goes back to its VF, and no longer than before after the move', async () => {
  await startWorld();
  world.guest('web-1').upDelayMs = 200;
  const told = upDelays();
  const job = await world.migrated('web-1');
  expect(job).toMatchObject({ state: 'succeeded', data: { upDelays: {} } });
  expect(told).toEqual([
    [1_000, 'ens8'],
    [200, 'ens8'],
  ]);
  expect(world.guest('web-1').upDelayMs).toBe(200);
});

test('a bond whose VF does not leave waits no longer than before', async () => {
  await startWorld();
  const told = upDelays();
  world.guest('web-1').unplug = { type: 'refuse', afterMs: 100 };
  expect(await world.migrated('web-1')).toMatchObject({ state: 'failed' });
  expect(told).toEqual([
    [1_000, 'ens8'],
    [0, 'ens8'],
  ]);
});

test('a bond that cannot be told to wait no longer is left behind, with what to write where', async () => {
  await startWorld();
  const guest = world.guest('web-1');
  const plug = guest.plug.bind(guest);
  guest.plug = (...nic) => {
    guest.agentRefuses.add('guest-file-write');
    plug(...nic);
  };
  const job = await world.migrated('web-1');
  expect(job).toMatchObject({ state: 'succeeded', data: { upDelays: { bond0: 0 } } });
  expect(job.data.leftBehind?.join()).toContain('write 0 to /sys/class/net/bond0/bonding/updelay');
});

test('a bond that waits long enough by itself is left as it is', async () => {
  await startWorld();
  world.guest('web-1').upDelayMs = 2_000;
  const told = upDelays();
  expect(await world.migrated('web-1')).toMatchObject({ state: 'succeeded', data: { upDelays: {} } });
  expect(told).toEqual([]);
});

test('a bond that does not return by itself is told to, once its VF has a link', async () => {
  await startWorld();
  world.guest('web-1').reselectsPrimary = false;
  const job = await world.migrated('web-1');
  expect((await world.begun(job, 'verify')).message).toMatch(/; bond0 on ens8, announced$/);
  expect(world.guest('web-1').activeNic()?.name).toBe('ens8');
});

/** A migration whose attach takes two seconds; what the agent was asked meanwhile. */
async function watchedMove(): Promise<{ job: Job; askedInAttach: string[] }> {
  let isAttaching = false;
  const askedInAttach: string[] = [];
  const { faults } = world.fleet;
  faults.add({ procedure: 'domainAttachDeviceFlags', host: 'host-b', delayMs: 2_000 });
  const ofCall = faults.ofCall.bind(faults);
  faults.ofCall = (procedure, host) => {
    if (procedure === 'domainAttachDeviceFlags') isAttaching = true;
    else if (isAttaching && procedure === 'qemuAgentCommand') askedInAttach.push(host);
    return ofCall(procedure, host);
  };
  world.host('host-b').listen((event) => {
    if (event.type === 'deviceAdded') isAttaching = false;
  });
  return { job: await world.migrated('web-1'), askedInAttach };
}

const watching = { startProbe: () => Promise.reject(new Error('nothing is probed')) };

test('while a VF is attached the guest is asked nothing, and its gap is known all the same', async () => {
  world = await MigrationWorld.start({ vms: [{ name: 'web-1' }], watching });
  const { job, askedInAttach } = await watchedMove();
  expect(askedInAttach).toEqual([]);
  expect(job.data.networkGaps).toMatchObject([{ by: 'guest', doubt: null }]);
  for (const phase of ['unplug', 'switchover', 'plug'] as const)
    expect(job.data.networkGapMs?.[phase], phase).toBeGreaterThan(0);
  expect(job.data.networkGapMs?.plug).toBeLessThan(1_000);
});

test('a guest that may not count by itself has no gap at plug, and that is said', async () => {
  world = await MigrationWorld.start({ vms: [{ name: 'web-1' }], watching });
  world.guest('web-1').agentRefuses.add('guest-exec');
  const { job, askedInAttach } = await watchedMove();
  expect(askedInAttach).toEqual([]);
  expect(job.data.networkGapMs).toMatchObject({ plug: null, unplug: expect.any(Number) as number });
  const [gap] = job.data.networkGaps ?? [];
  expect(gap?.doubt).toContain('left alone');
});

test('a guest that is too busy to count in time has gaps that may be shorter, and that is said', async () => {
  world = await MigrationWorld.start({ vms: [{ name: 'web-1' }], watching });
  world.guest('web-1').countsEveryMs = 600;
  const job = await world.migrated('web-1');
  const [gap] = job.data.networkGaps ?? [];
  expect(gap?.gapMs?.unplug).toBeGreaterThan(550);
  expect(gap?.doubt).toMatch(/nothing was counted for [5-8]\d\d ms/);
});

test('the time an agent takes to be back after the move is not taken for a silence', async () => {
  world = await MigrationWorld.start({ vms: [{ name: 'web-1' }], watching });
  const effect = { type: 'refuse', libvirtCode: 86, message: 'QEMU guest agent is not connected' } as const;
  const back = world.fleet.faults.add({ procedure: 'qemuAgentCommand', host: 'host-b', effect });
  world.host('host-b').listen((event) => {
    if (event.type !== 'lifecycle' || event.event !== LIFECYCLE.resumedMigrated[0]) return;
    // libvirt is not done with the move before the agent is back.
    const quick = world.fleet.faults.add({ bytes: 'sent', host: 'host-a', delayMs: 10_000 });
    world.clock.after(5_000, quick);
    world.clock.after(2_000, back);
  });
  const job = await world.migrated('web-1');
  const [gap] = job.data.networkGaps ?? [];
  expect(gap?.gapMs?.switchover).toBeGreaterThan(100);
  expect(gap?.gapMs?.switchover).toBeLessThan(1_500);
  expect(gap?.doubt).toContain('nothing answered for');
});

test('a bond whose VF could not be plugged is announced where it is', async () => {
  await startWorld();
  const effect = { type: 'refuse', libvirtCode: 1, message: 'no' } as const;
  const allow = world.fleet.faults.add({ procedure: 'domainAttachDeviceFlags', host: 'host-b', effect });
  const job = await world.migrated('web-1');
  expect((await world.begun(job, 'verify')).message).toBe('no VF to verify; bond0 on ens3, announced');
  allow();
  await world.until('plugged', async () => (await world.vnics('web-1'))[0]?.actual === 'plugged');
});

test('where the agent may not write, the bond is left to itself and the step says so', async () => {
  await startWorld();
  world.guest('web-1').agentRefuses.add('guest-file-write');
  const job = await world.migrated('web-1');
  expect(job).toMatchObject({ state: 'succeeded' });
  expect((await world.begun(job, 'shift')).message).toMatch(
    /bond moves the traffic when the VF leaves: the guest agent may not tell bond0 to use ens3/,
  );
});

test('a guest that keeps its VF has its traffic on it again after the undo', async () => {
  await startWorld();
  world.guest('web-1').unplug = { type: 'refuse', afterMs: 100 };
  const job = await world.migrated('web-1');
  expect(job).toMatchObject({ state: 'failed', error: { code: 'UNPLUG_TIMED_OUT' } });
  expect((await world.begun(job, 'shift')).message).toMatch(/^bond0 on ens8/);
  expect(world.guest('web-1').activeNic()?.name).toBe('ens8');
});

test('a missing standby is said by plan, job and event, and the VM is moved', async () => {
  await startWorld();
  world.guest('web-1').hasBond = false;
  const said = `vNIC ${await vnicName()}: its VF is in no bond`;
  expect((await world.plan('web-1')).warnings.map(({ message }) => message)).toEqual([
    expect.stringContaining(said),
  ]);
  const job = await world.migrated('web-1');
  expect(job.state).toBe('succeeded');
  expect(job.data.warnings).toEqual(expect.arrayContaining([expect.stringContaining(said)]));
  expect(await warnings()).toEqual([expect.stringContaining(said)]);
});

test('a VM whose owner requires a standby is not touched without one, and it says what to do', async () => {
  await startWorld();
  await world.setStandbyPolicy('web-1', 'require');
  // The plan was made when there was one.
  expect((await world.plan('web-1')).possible).toBe(true);
  world.guest('web-1').hasBond = false;
  const asked = vi.spyOn(world.guest('web-1'), 'askUnplug');
  const job = await world.migrated('web-1');
  expect(job).toMatchObject({ state: 'failed', error: { code: 'MIGRATION_REFUSED' } });
  expect(job.error?.message).toMatch(/in no bond.*handover guest kit web-1.*handover guest policy web-1/);
  expect(asked).not.toHaveBeenCalled();
  const { possible, refusals } = await world.plan('web-1');
  expect([possible, refusals.map(({ code }) => code)]).toEqual([false, ['no_standby']]);
});

test('nothing is said of a standby to an owner who does not want to hear it', async () => {
  await startWorld();
  await world.setStandbyPolicy('web-1', 'ignore');
  world.guest('web-1').hasBond = false;
  expect((await world.plan('web-1')).warnings).toEqual([]);
  const job = await world.migrated('web-1');
  expect([job.state, await warnings()]).toEqual(['succeeded', []]);
  expect(job.data.warnings?.join()).not.toMatch(/bond/);
});

test('a guest that nobody can look into is moved, even where a standby is required', async () => {
  world = await MigrationWorld.start({ vms: [{ name: 'web-1', guest: { agent: false } }] });
  await world.setStandbyPolicy('web-1', 'require');
  const job = await world.migrated('web-1');
  expect([job.state, await warnings()]).toEqual(['succeeded', []]);
  expect((await world.begun(job, 'shift')).message).toMatch(/no guest agent answers/);
});
