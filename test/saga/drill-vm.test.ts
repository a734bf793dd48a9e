/** What a drill does with a VM, what it finds, and what it refuses. */
import { afterEach, expect, test, vi } from 'vitest';
import { toDrillView } from '../../src/api/native/drill-view.ts';
import type { DrillView } from '../../src/api/types/guest-view.ts';
import type { Job } from '../../src/model/job.ts';
import type { SimVmSpec } from '../support/sim-vms.ts';
import { aliasOf, vfOf } from '../support/sim-vms.ts';
import { aCaller } from '../support/builders.ts';
import { failureOf, MigrationWorld, type WorldOptions } from '../support/migration-world.ts';

const CALLER = aCaller();

let world: MigrationWorld;
afterEach(() => world.close());

const startWorld = async (
  vm: Partial<SimVmSpec> = {},
  options: Partial<WorldOptions> = {},
): Promise<void> => {
  world = await MigrationWorld.start({ vms: [{ name: 'web-1', ...vm }], ...options });
};
const drill = async (): Promise<Job> => await world.useCases.drillVm(CALLER, world.vmId('web-1'));
const drilled = async (): Promise<Job> => await world.ended(await drill());
const asBefore = { [aliasOf(0)]: vfOf(0) };
const result = async (): Promise<DrillView | null> => {
  const { lastDrill } = await world.useCases.getGuest(CALLER, world.vmId('web-1'));
  return lastDrill && toDrillView(lastDrill);
};

test('the VF leaves with the traffic on the standby, and is back with the traffic on it', async () => {
  await startWorld();
  const guest = world.guest('web-1');
  const told = vi.spyOn(guest, 'writeKernelFile');
  const asked = vi.spyOn(guest, 'askUnplug');
  expect(await result()).toBe(null);
  const job = await drilled();
  expect(job).toMatchObject({ kind: 'drill_vm', state: 'succeeded', error: null });
  const toStandby = told.mock.calls.findIndex(([, text]) => text === 'ens3');
  expect(toStandby).not.toBe(-1);
  expect(told.mock.invocationCallOrder[toStandby]).toBeLessThan(asked.mock.invocationCallOrder[0] ?? 0);
  expect(world.vfs('host-a', 'web-1')).toEqual(asBefore);
  expect(guest.activeNic()?.name).toBe('ens8');
  expect((await world.steps(job)).map(({ name, state }) => `${name} ${state}`)).toEqual([
    'reserve finished',
    'preflight finished',
    'shift finished',
    'unplug finished',
    'plug finished',
    'verify finished',
    'settle finished',
  ]);
  expect(await result()).toMatchObject({ jobId: job.id, ok: true, reason: null });
  const { durationsMs } = (await result()) as DrillView;
  for (const ms of Object.values(durationsMs)) expect(ms).toBeGreaterThanOrEqual(0);
  expect(await world.heard(job, 'DRILL_DONE')).toEqual([expect.stringContaining('VM: web-1, Host: host-a')]);
});

test('its VFs are held, the VM shows as up, and nobody else changes it meanwhile', async () => {
  await startWorld();
  world.guest('web-1').unplug = { type: 'answer', minMs: 20_000, maxMs: 20_000 };
  const job = await drill();
  await world.until('both asked', () => world.guest('web-1').pendingUnplugs.length === 1);
  expect((await world.store.reservations.list({ jobId: job.id })).map(({ vf }) => vf)).toEqual([vfOf(0)]);
  expect((await world.vm('web-1')).status).toBe('up');
  const others = [drill, () => world.migrate('web-1'), () => world.setPlugged('web-1', false)];
  for (const other of others)
    expect(await failureOf(other())).toMatchObject({
      code: 'VM_ALREADY_MIGRATING',
      message: expect.stringMatching(/drill/) as string,
    });
  const { hosts } = await world.useCases.surveyFleet(CALLER);
  expect(hosts.map(({ leaving, entering }) => leaving + entering)).toEqual([0, 0]);
  expect(await world.ended(job)).toMatchObject({ state: 'succeeded', targetHostId: null });
  expect(await world.store.reservations.list()).toEqual([]);
});

test('a guest that keeps its VF has its traffic on it again, and the result says why', async () => {
  await startWorld();
  world.allowed.notPlugged.add('web-1');
  world.guest('web-1').unplug = { type: 'never' };
  const job = await drilled();
  expect(job).toMatchObject({ state: 'failed', error: { code: 'UNPLUG_TIMED_OUT' } });
  expect(world.vfs('host-a', 'web-1')).toEqual(asBefore);
  expect(world.guest('web-1').activeNic()?.name).toBe('ens8');
  expect(await world.store.reservations.list()).toEqual([]);
  expect(await result()).toMatchObject({
    ok: false,
    reason: expect.stringContaining('did not give vNIC') as string,
    durationsMs: { unplug: null, plug: null, return: null },
  });
  expect(await world.heard(job, 'DRILL_FAILED')).toHaveLength(1);
  // It may come at any time: another drill would not be one.
  expect(await failureOf(drill())).toMatchObject({ code: 'DRILL_REFUSED' });
});

test('a VF that cannot be plugged again fails the drill, and is plugged by who mends it', async () => {
  await startWorld({}, { vfCount: 1 });
  const effect = { type: 'refuse', libvirtCode: 38, message: 'Failed to bind device' } as const;
  const procedure = 'domainAttachDeviceFlags';
  world.fleet.faults.add({ procedure, host: 'host-a', nth: 1, effect });
  const job = await drilled();
  expect(job).toMatchObject({ state: 'failed', error: { code: 'DRILL_FAILED' } });
  expect(job.error?.message).toMatch(/is not plugged again/);
  await world.until('plugged', () => world.vfs('host-a', 'web-1')[aliasOf(0)] === vfOf(0));
});

test('a VF that had to give way to another is said to', async () => {
  await startWorld();
  const effect = { type: 'refuse', libvirtCode: 38, message: 'Failed to bind device' } as const;
  world.fleet.faults.add({ procedure: 'domainAttachDeviceFlags', host: 'host-a', nth: 1, effect });
  const job = await drilled();
  expect(job).toMatchObject({ state: 'failed', error: { code: 'DRILL_FAILED' } });
  expect(job.error?.message).toMatch(/could not be plugged on 0000:3b:02.0 again, and is on 0000:3b:02/);
});

test('cancelled while the guest is asked, the VM has its VF, or gets it back whenever it goes', async () => {
  await startWorld();
  world.guest('web-1').unplug = { type: 'answer', minMs: 5_000, maxMs: 5_000 };
  const job = await drill();
  await world.until('it is asked', () => world.guest('web-1').pendingUnplugs.length === 1);
  await world.useCases.cancelJob(CALLER, job.id);
  expect(await world.ended(job)).toMatchObject({ state: 'cancelled' });
  expect(world.vfs('host-a', 'web-1')).toEqual(asBefore);
  expect(await result()).toMatchObject({ ok: false, reason: expect.stringContaining('cancelled') as string });
});

test('a drill that would cut the network is refused with what is missing and its fix', async () => {
  await startWorld();
  await world.setStandbyPolicy('web-1', 'ignore');
  world.guest('web-1').hasBond = false;
  const asked = vi.spyOn(world.guest('web-1'), 'askUnplug');
  expect(await failureOf(drill())).toMatchObject({
    code: 'DRILL_REFUSED',
    message: expect.stringMatching(/in no bond.*handover guest kit web-1/) as string,
  });
  expect(asked).not.toHaveBeenCalled();
});

test('a bond that is lost after the drill was asked for still keeps it from the VF', async () => {
  await startWorld();
  await world.stopEngine();
  const job = await drill();
  world.guest('web-1').hasBond = false;
  const asked = vi.spyOn(world.guest('web-1'), 'askUnplug');
  world.startEngine();
  expect(await world.ended(job)).toMatchObject({ state: 'failed', error: { code: 'DRILL_REFUSED' } });
  expect(asked).not.toHaveBeenCalled();
});

test('where nobody can tell of a standby the drill runs, and says what it could not know', async () => {
  await startWorld({ guest: { agent: false } });
  expect(await drilled()).toMatchObject({ state: 'succeeded' });
  const { ok, durationsMs, doubts } = (await result()) as DrillView;
  expect([ok, durationsMs.shift, durationsMs.return]).toEqual([true, null, null]);
  expect(doubts.join('; ')).toMatch(/no guest agent answers.*no engine watched the traffic/);
});

test('a VM without a VF, or that is down, has nothing to rehearse', async () => {
  await startWorld({ vfs: [] });
  expect(await failureOf(drill())).toMatchObject({
    code: 'DRILL_REFUSED',
    message: expect.stringContaining('no VF plugged') as string,
  });
  world.allowed.down.add('web-1');
  await world.useCases.stopVm(CALLER, world.vmId('web-1'));
  expect(await failureOf(drill())).toMatchObject({
    code: 'VM_STATUS_WRONG',
    message: expect.stringContaining('handover vm start web-1') as string,
  });
});

test('the network gap is measured in the guest, without a switchover', async () => {
  const startProbe = () => Promise.reject(new Error('nothing is probed'));
  await startWorld({}, { watching: { startProbe } });
  const job = await drilled();
  expect(job.state).toBe('succeeded');
  const { networkGapMs, networkGaps, doubts } = (await result()) as DrillView;
  expect(networkGaps).toMatchObject([{ by: 'guest', doubt: null }]);
  expect(networkGapMs).toMatchObject({ switchover: null });
  expect(networkGapMs?.unplug).toBeGreaterThan(0);
  expect(networkGapMs?.plug).toBeGreaterThan(0);
  expect(doubts).toEqual([]);
});
