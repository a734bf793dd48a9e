/** PostgreSQL dies, with the engine or without; connections to it break. What was begun comes to its end. */
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import { type EmbeddedPostgres, startPostgres } from '../../src/daemon/postgres.ts';
import { CrashWorld } from '../support/crash/crash-world.ts';
import { endSpareEngine } from '../support/crash/engine-process.ts';
import { eventually } from '../support/eventually.ts';
import { connectTo, freshDatabase } from '../support/postgres.ts';
import { aliasOf } from '../support/sim-vms.ts';

const LEASE_MS = 3_000;
const POINTS = [
  'place:given',
  'unplug:before-run',
  'requestUnplug:after',
  'migrate:before',
  'transfer:after-run',
  'plug:before',
  'plug:after',
  'release:after-run',
];

/** One that is killed, of its own; every test has a database in it. */
const dataDir = mkdtempSync(path.join(tmpdir(), 'handover-crash-'));
chmodSync(dataDir, 0o711);
let postgres: EmbeddedPostgres;
let databases = 0;
beforeAll(async () => {
  postgres = await startPostgres({ dataDir, clock: systemClock, log: silentLog });
});
afterAll(async () => {
  await endSpareEngine();
  await postgres.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

const start = async (): Promise<CrashWorld> => {
  databases += 1;
  const database = `test_${databases}`;
  await connectTo(postgres.connection, (client) => client.query(`create database ${database}`));
  const connection = { ...postgres.connection, database };
  return CrashWorld.start({ connection, vms: [{ name: 'web-1', vfs: [0, 1] }], leaseMs: LEASE_MS });
};

const postmaster = () => {
  const file = path.join(dataDir, 'postgres', 'postmaster.pid');
  return existsSync(file) ? Number.parseInt(readFileSync(file, 'utf8'), 10) : 0;
};

/**
 * The postmaster; its children see it and end. Resolves to a wait for the next one: a child of the old may
 * still answer.
 */
function killPostgres(): () => Promise<unknown> {
  const old = postmaster();
  process.kill(old, 'SIGKILL');
  return () =>
    eventually('PostgreSQL back', async () => {
      if (postmaster() === old) return false;
      return connectTo(postgres.connection, (client) => client.query('select 1')).catch(() => false);
    });
}

describe('PostgreSQL killed at', () => {
  test.each(POINTS)('%s comes back, and the engine brings its job to its end', async (point) => {
    const world = await start();
    const engine = await world.engine({ point, then: 'wait' });
    const job = await world.migrate('web-1');
    await engine.waits();
    const isBack = killPostgres();
    engine.goOn();
    await isBack();
    expect(await world.ended(job)).toMatchObject({ state: 'succeeded' });
    expect(Object.keys(world.vfs('host-b', 'web-1')).sort()).toEqual([aliasOf(0), aliasOf(1)]);
    await world.close();
  });

  test.each(POINTS)('%s with the engine, and another engine brings the job to its end', async (point) => {
    const world = await start();
    const engine = await world.engine({ point, then: 'wait' });
    const job = await world.migrate('web-1');
    await engine.waits();
    const isBack = killPostgres();
    await engine.kill();
    await isBack();
    await world.engine();
    const { state } = await world.ended(job);
    if (point !== 'migrate:before') expect(state).toBe('succeeded');
    const host = state === 'succeeded' ? 'host-b' : 'host-a';
    expect(Object.keys(world.vfs(host, 'web-1')).sort()).toEqual([aliasOf(0), aliasOf(1)]);
    await world.close();
  });
});

test('connections to PostgreSQL that break all the time keep no migration from its end', async () => {
  const connection = await freshDatabase();
  const world = await CrashWorld.start({
    connection,
    vms: [{ name: 'web-1', vfs: [0, 1] }],
    leaseMs: LEASE_MS,
  });
  await world.engine();
  await world.engine();
  const job = await world.migrate('web-1');
  let isOver = false;
  const breaking = connectTo(connection, async (client) => {
    while (!isOver) {
      await client.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and pid <> pg_backend_pid()`,
      );
      await systemClock.sleep(100);
    }
  });
  const { state } = await world.ended(job);
  isOver = true;
  await breaking;
  expect(state).toBe('succeeded');
  await world.close();
});
