/**
 * SIGKILL of an engine at every named point of a migration, forward and while it undoes: another engine takes
 * the job up and brings it to its end, with every promise kept. What is named: `crash-points.ts`.
 */
import { afterAll, describe, expect, test } from 'vitest';
import { MIGRATION_STEPS } from '../../src/migration/migrate-vm.ts';
import { eventually } from '../support/eventually.ts';
import { freshDatabase } from '../support/postgres.ts';
import { CrashWorld } from '../support/crash/crash-world.ts';
import { endSpareEngine } from '../support/crash/engine-process.ts';
import { aliasOf, vfOf } from '../support/sim-vms.ts';

const LEASE_MS = 1_500;
const VM = { name: 'web-1', vfs: [0, 1], autostart: true } as const;

const STEP_POINTS = MIGRATION_STEPS.flatMap(({ name }) => [
  `${name}:before-run`,
  `${name}:after-run`,
  `${name}:after-record`,
]);
const ACT_POINTS = ['requestUnplug', 'migrate', 'plug', 'setAutostart'].flatMap((act) => [
  `${act}:before`,
  `${act}:after`,
]);
const FORWARD = ['place:given', ...STEP_POINTS, ...ACT_POINTS, 'job:ended'];
/** Nobody can know whether libvirt was asked to move the VM: it is where it is seen. */
const UNDECIDED = ['recheck:after-run', 'recheck:after-record', 'transfer:before-run', 'migrate:before'];
const UNDO = [
  'undoing:recorded',
  ...MIGRATION_STEPS.filter((step) => step.undo).flatMap(({ name }) => [
    `${name}:after-undo`,
    `${name}:undo-recorded`,
  ]),
  'plug:before',
  'plug:after',
  'job:ended',
];

afterAll(endSpareEngine);

const start = async (): Promise<CrashWorld> =>
  CrashWorld.start({ connection: await freshDatabase(), vms: [VM], leaseMs: LEASE_MS });
const expectOn = (world: CrashWorld, host: string): void => {
  expect(world.runsOn('web-1')).toEqual([host]);
  expect(Object.keys(world.vfs(host, 'web-1')).sort()).toEqual([aliasOf(0), aliasOf(1)]);
};

test('every point of a migration is named here', async () => {
  const world = await start();
  const engine = await world.engine();
  expect(await world.ended(await world.migrate('web-1'))).toMatchObject({ state: 'succeeded' });
  // The database has it before the engine's process has told the last point.
  await eventually('the last point', () => engine.reached.includes('job:ended'));
  expect(new Set(engine.reached)).toEqual(new Set(FORWARD));
  await world.close();
});

describe.concurrent('killed at', () => {
  test.each(FORWARD)('%s, an engine leaves a job that another brings to its end', async (point) => {
    const world = await start();
    const killed = await world.engine({ point, then: 'SIGKILL' });
    const job = await world.migrate('web-1');
    await eventually(`an engine dead at ${point}`, () => killed.ended);
    await world.engine();
    const { state } = await world.ended(job);
    if (!UNDECIDED.includes(point)) expect(state).toBe('succeeded');
    expectOn(world, state === 'succeeded' ? 'host-b' : 'host-a');
    await world.close();
  });

  test.each(UNDO)(
    '%s while it undoes, an engine leaves a job that another undoes to the end',
    async (point) => {
      const world = await start();
      world.fleet.faults.add({
        procedure: 'domainMigratePerform3Params',
        effect: { type: 'refuse', libvirtCode: 9, message: 'operation failed' },
      });
      const killed = await world.engine({ point, then: 'SIGKILL' });
      const job = await world.migrate('web-1');
      await eventually(`an engine dead at ${point}`, () => killed.ended);
      await world.engine();
      expect(await world.ended(job)).toMatchObject({ state: 'failed' });
      expectOn(world, 'host-a');
      expect(world.vfs('host-a', 'web-1')).toEqual({ [aliasOf(0)]: vfOf(0), [aliasOf(1)]: vfOf(1) });
      await world.close();
    },
  );
});
