/** The operator's hooks in a migration: real programs, at their points, and what a failure does. */
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { silentLog } from '../../src/base/log.ts';
import { readHooks } from '../../src/daemon/hooks-file.ts';
import type { OperatorHook } from '../../src/migration/port.ts';
import { HOOK_POINTS, type HookInput, type HookPoint } from '../../src/model/hook.ts';
import type { Job } from '../../src/model/job.ts';
import { aCaller } from '../support/builders.ts';
import { MigrationWorld, type WorldOptions } from '../support/migration-world.ts';
import { eventually } from '../support/eventually.ts';
import { aliasOf, VLAN, vfOf } from '../support/sim-vms.ts';

const WEB_1 = { name: 'web-1' };
let world: MigrationWorld;
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'handover-hooks-'));
});
afterEach(async () => {
  await world.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Every hook notes its input here, then does what it is told. */
const noteFile = () => join(folder, 'noted');
const noted = (): HookInput[] =>
  existsSync(noteFile())
    ? readFileSync(noteFile(), 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as HookInput)
    : [];
/** Where it ran, and where the VM was said to be. */
const notedPlaces = () => noted().map(({ point, host }) => `${point} ${host.name}`);

interface Told {
  readonly point: HookPoint;
  readonly name?: string;
  readonly does?: string;
  readonly url?: string;
  readonly onFailure?: 'stop' | 'warn';
  readonly limitSeconds?: number;
}

function hooksOf(told: readonly Told[]): readonly OperatorHook[] {
  const entries = told.map(({ name, does = '', ...rest }, index) => {
    const run = join(folder, `hook-${index}`);
    writeFileSync(run, `#!/bin/sh\n{ cat; echo; } >>${noteFile()}\n${does}\n`);
    chmodSync(run, 0o755);
    const program = rest.url === undefined ? { run } : {};
    return { name: name ?? `at-${rest.point}`, onFailure: 'warn', ...program, ...rest };
  });
  const file = join(folder, 'hooks.json');
  writeFileSync(file, JSON.stringify(entries));
  return readHooks(file);
}

async function startWorld(
  hooks: readonly OperatorHook[],
  options: Partial<WorldOptions> = {},
): Promise<void> {
  world = await MigrationWorld.start({ vms: [WEB_1], hooks, ...options });
}
const everyPoint = (rest: Partial<Told> = {}) => HOOK_POINTS.map((point): Told => ({ point, ...rest }));
const messageOf = async (job: Job, step: string) => (await world.begun(job, step)).message;
/** It runs on its source, with its VF, and its traffic over that. */
function expectAsBefore(): void {
  expect(world.runsOn('web-1')).toEqual(['host-a']);
  expect(world.vfs('host-a', 'web-1')).toEqual({ [aliasOf(0)]: vfOf(0) });
  expect(world.vfs('host-b', 'web-1')).toEqual({});
  expect(world.guest('web-1').activeNic()?.name).toBe('ens8');
}

test('hooks run at all six points in order, told where the VM and its vNICs are', async () => {
  await startWorld(hooksOf(everyPoint()));
  const job = await world.migrated('web-1');
  expect(job.state).toBe('succeeded');
  expect(notedPlaces()).toEqual([
    'before-unplug host-a',
    'after-unplug host-a',
    'before-transfer host-a',
    'after-transfer host-b',
    'before-plug host-b',
    'after-plug host-b',
  ]);
  expect(noted().map(({ vnics }) => vnics[0]?.state)).toEqual([
    'plugged',
    'unplugged',
    'unplugged',
    'unplugged',
    'unplugged',
    'plugged',
  ]);
  const [vnic] = await world.vnics('web-1');
  expect(noted().at(-1)).toMatchObject({
    jobId: job.id,
    vm: { id: world.vmId('web-1'), name: 'web-1' },
    source: { id: world.hostId('host-a'), name: 'host-a' },
    target: { id: world.hostId('host-b'), name: 'host-b' },
    vnics: [{ id: vnic?.id, mac: vnic?.mac, vlan: VLAN, sourceVf: vfOf(0), targetVf: vnic?.vf }],
  });
  expect(noted()[0]?.times).toEqual({
    unplugAsked: null,
    transferStarted: null,
    resumed: null,
    plugAsked: null,
  });
  expect(Object.values(noted().at(-1)?.times ?? {}).map((time) => typeof time)).toEqual(
    new Array(4).fill('string'),
  );
  const took = String.raw`\d+\.\d s`;
  const says = (step: string) => messageOf(job, step);
  expect(await says('shift')).toMatch(new RegExp(`^hook at-before-unplug ${took}; bond0 on ens3`));
  expect(await says('unplug')).toMatch(new RegExp(`off ${vfOf(0)}; hook at-after-unplug ${took}$`));
  expect(await says('recheck')).toMatch(new RegExp(`; hook at-before-transfer ${took}$`));
  expect(await says('plug')).toMatch(
    new RegExp(
      `^hook at-after-transfer ${took}; hook at-before-plug ${took}; .*; hook at-after-plug ${took}$`,
    ),
  );
  expect(await world.said(job, 'HOOK_FAILED')).toEqual([]);
});

test('at each point the hosts are as its name says', async () => {
  const seen: Record<string, unknown> = {};
  const look = (point: HookPoint): OperatorHook => ({
    name: point,
    point,
    onFailure: 'warn',
    run: () => {
      const [host = ''] = world.runsOn('web-1');
      seen[point] = {
        host,
        vfs: Object.keys(world.vfs(host, 'web-1')).length,
        overVf: world.guest('web-1').activeNic()?.name !== 'ens3',
        source: world.domain('host-a', 'web-1')?.transfer?.phase ?? 'no transfer',
      };
      return Promise.resolve(null);
    },
  });
  await startWorld(HOOK_POINTS.map(look));
  await world.migrated('web-1');
  const source = 'no transfer';
  expect(seen).toMatchObject({
    'before-unplug': { host: 'host-a', vfs: 1, overVf: true, source },
    'after-unplug': { host: 'host-a', vfs: 0, overVf: false, source },
    'before-transfer': { host: 'host-a', vfs: 0, overVf: false, source },
    'after-transfer': { host: 'host-b', vfs: 0, overVf: false },
    'before-plug': { host: 'host-b', vfs: 0, overVf: false },
    'after-plug': { host: 'host-b', vfs: 1 },
  });
});

test('a profile and its network are named to hooks', async () => {
  await startWorld(hooksOf([{ point: 'before-unplug' }]));
  const profile = (await world.store.profiles.list()).find(({ name }) => name === 'prod-vf');
  const [vnic] = await world.vnics('web-1');
  if (!profile || !vnic) throw new Error('no profile, or no vNIC');
  await world.useCases.setVnicProfile(aCaller(), world.vmId('web-1'), vnic.id, profile.id);
  await world.migrated('web-1');
  expect(noted()[0]?.vnics).toMatchObject([{ profileId: profile.id, networkId: profile.networkId }]);
});

test('one that stops before the unplug leaves the VM on its source with its VF, nothing held', async () => {
  const stop: Told = {
    point: 'before-unplug',
    does: 'echo pool is busy >&2; exit 4',
    onFailure: 'stop',
    name: 'drain',
  };
  const late: Told = { point: 'before-unplug', name: 'second' };
  await startWorld(hooksOf([stop, late, { point: 'before-plug' }, { point: 'after-plug' }]));
  const asked = vi.spyOn(world.guest('web-1'), 'askUnplug');
  const job = await world.migrated('web-1');
  expect(job).toMatchObject({ state: 'failed', error: { code: 'HOOK_FAILED' } });
  expect(job.error?.message).toMatch(
    /^hook drain at before-unplug failed: exit code 4 \(pool is busy\); mend .* set its onFailure to warn/,
  );
  expect(await messageOf(job, 'shift')).toMatch(/^hook at-after-plug \d/);
  expect(asked).not.toHaveBeenCalled();
  expectAsBefore();
  expect(await world.store.reservations.list()).toEqual([]);
  // The VF never left, and what the first one began is told to those that take it back.
  expect(notedPlaces()).toEqual(['before-unplug host-a', 'after-plug host-a']);
  expect(await world.heard(job, 'MIGRATION_FAILED')).toEqual([expect.stringContaining('hook drain')]);
});

test.each(['after-unplug', 'before-transfer'] as const)(
  'one that stops %s has the VF plugged again, with the hooks of a plug on the source',
  async (point) => {
    const plugs: Told[] = [{ point: 'before-plug' }, { point: 'after-plug' }];
    await startWorld(hooksOf([{ point, does: 'exit 1', onFailure: 'stop' }, ...plugs]));
    const job = await world.migrated('web-1');
    expect(job).toMatchObject({ state: 'failed', error: { code: 'HOOK_FAILED' } });
    expect(notedPlaces()).toEqual([`${point} host-a`, 'before-plug host-a', 'after-plug host-a']);
    expect(noted().map(({ vnics }) => vnics[0]?.state)).toEqual(['unplugged', 'unplugged', 'plugged']);
    expectAsBefore();
    expect(await world.store.reservations.list()).toEqual([]);
    expect(job.data.transferStartedAt).toBeUndefined();
  },
);

test('those that warn and fail are told of, each, and the migration goes on', async () => {
  await startWorld(hooksOf(everyPoint({ does: 'echo sorry >&2; exit 9' })));
  const job = await world.migrated('web-1');
  expect(job.state).toBe('succeeded');
  expect(world.runsOn('web-1')).toEqual(['host-b']);
  expect(Object.keys(world.vfs('host-b', 'web-1'))).toEqual([aliasOf(0)]);
  const messages = (await world.said(job, 'HOOK_FAILED')).sort();
  expect(messages.map((message) => message.replace(/after \d+\.\d s/, 'after T'))).toEqual(
    HOOK_POINTS.map(
      (point) =>
        `web-1: hook at-${point} failed after T: exit code 9 (sorry), at ${point}. ` +
        `It stops nothing; see to what it should have done`,
    ).sort(),
  );
  expect(await messageOf(job, 'unplug')).toMatch(/; hook at-after-unplug failed after .*sorry/);
});

test('a cancel ends a hook that runs, and the VM stays', async () => {
  await startWorld(hooksOf([{ point: 'after-unplug', does: 'exec sleep 600', onFailure: 'stop' }]));
  const job = await world.migrate('web-1');
  await eventually('the hook runs', () => noted().length > 0);
  await world.cancel('web-1');
  expect(await world.ended(job)).toMatchObject({ state: 'cancelled' });
  expectAsBefore();
});

test.each(HOOK_POINTS)(
  'after a restart a hook %s that was cut off runs again, and one that had ended does not',
  async (point) => {
    const go = join(folder, 'go');
    const does = `[ -e ${go} ] || exec sleep 600`;
    await startWorld(
      hooksOf([
        { point, name: 'short' },
        { point, name: 'long', does },
      ]),
    );
    const job = await world.migrate('web-1');
    await eventually('both were begun', () => noted().length === 2);
    await world.stopEngine();
    writeFileSync(go, '');
    world.startEngine();
    const ended = await world.ended(job);
    expect(ended).toMatchObject({ state: 'succeeded' });
    expect(ended.data.hooks).toMatchObject([{ name: 'short' }, { name: 'long' }]);
    expect(noted().length).toBe(3);
    expect(Object.keys(world.vfs('host-b', 'web-1'))).toEqual([aliasOf(0)]);
  },
);

test('a guest that keeps its VF ends with the hooks after a plug, and none before: it was in', async () => {
  await startWorld(hooksOf(everyPoint()));
  world.guest('web-1').unplug = { type: 'refuse', afterMs: 100 };
  const job = await world.migrated('web-1');
  expect(job).toMatchObject({ state: 'failed', error: { code: 'UNPLUG_TIMED_OUT' } });
  expect(notedPlaces()).toEqual(['before-unplug host-a', 'after-plug host-a']);
  expectAsBefore();
});

test('a VM without a VF has hooks of the transfer only', async () => {
  await startWorld(hooksOf(everyPoint()), { vms: [{ ...WEB_1, vfs: [] }] });
  expect((await world.migrated('web-1')).state).toBe('succeeded');
  expect(notedPlaces()).toEqual(['before-transfer host-a', 'after-transfer host-b']);
});

test('nothing of the address of a hook is in the log, the events or the job', async () => {
  const lines: string[] = [];
  const line = (message: string, fields?: object) => void lines.push(message, JSON.stringify(fields ?? {}));
  const log = { ...silentLog, debug: line, info: line, warn: line, error: line, child: () => log };
  const url = 'http://user:s3cret@127.0.0.1:1/t0ken?key=s3cret';
  await startWorld(hooksOf(everyPoint({ url })), { log });
  const job = await world.migrated('web-1');
  expect(job.state).toBe('succeeded');
  const said = await world.said(job, 'HOOK_FAILED');
  expect(said).toHaveLength(HOOK_POINTS.length);
  expect(said[0]).toMatch(/no answer \(ECONNREFUSED\)/);
  expect(lines.join('\n')).toMatch(/at-before-unplug/);
  const everything = [lines, await world.store.events.list({ limit: 1000 }), job, await world.steps(job)];
  expect(JSON.stringify(everything)).not.toMatch(/s3cret|t0ken/);
});

test('a drill has the hooks of unplug and plug, where the VM is, and one that stops undoes it', async () => {
  await startWorld(hooksOf(everyPoint()));
  const drill = async () => await world.ended(await world.useCases.drillVm(aCaller(), world.vmId('web-1')));
  expect((await drill()).state).toBe('succeeded');
  expect(notedPlaces()).toEqual([
    'before-unplug host-a',
    'after-unplug host-a',
    'before-plug host-a',
    'after-plug host-a',
  ]);
  expectAsBefore();
  await world.close();
  await startWorld(hooksOf([{ point: 'after-unplug', does: 'exit 1', onFailure: 'stop' }]));
  expect((await drill()).error).toMatchObject({ code: 'HOOK_FAILED' });
  expectAsBefore();
});
