/** What dies and what survives: PostgreSQL, the engine, both. What was acknowledged is never lost. */
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { isCode } from '../../src/base/errors.ts';
import { silentLog } from '../../src/base/log.ts';
import { type EmbeddedPostgres, startPostgres } from '../../src/daemon/postgres.ts';
import { eventually } from '../support/eventually.ts';
import { aHost } from '../support/builders.ts';
import { connectTo, openReplica } from '../support/postgres.ts';
import { processesIn } from '../support/processes.ts';

const GONE_LIMIT_MS = 5_000;

const parent = mkdtempSync(path.join(tmpdir(), 'handover-pg-'));
chmodSync(parent, 0o711);
afterAll(() => rmSync(parent, { recursive: true, force: true }));

/** Used by one test after the other: making a cluster takes longer than most of them. */
const DATA_DIR = path.join(parent, 'data');
let dataDir: string;
let cluster: string;
let running: EmbeddedPostgres | null;
let engine: ChildProcess | null;
beforeEach(() => {
  useDataDir(DATA_DIR);
  running = null;
  engine = null;
});
afterEach(async () => {
  engine?.kill('SIGKILL');
  await running?.stop();
  await eventually('all processes to be gone', () => processesIn(cluster).length === 0);
});

function useDataDir(dir: string): void {
  dataDir = dir;
  cluster = path.join(dir, 'postgres');
}

async function start(): Promise<EmbeddedPostgres> {
  running = await startPostgres({ dataDir, clock: systemClock, log: silentLog });
  return running;
}

const postmasterPid = () => Number.parseInt(readFileSync(path.join(cluster, 'postmaster.pid'), 'utf8'), 10);

/** An engine in a process of its own that adds rows, and the last number it said was kept. */
function startEngine(): { child: ChildProcess; lastKept: () => number } {
  const program = path.join(import.meta.dirname, 'supervised-engine.ts');
  const child = spawn(process.execPath, ['--import', 'tsx', program, dataDir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  engine = child;
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-100);
  });
  return { child, lastKept: () => Number(said.trimEnd().split('\n').at(-1) ?? 0) };
}

async function killed(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  await eventually('the engine to be dead', () => child.signalCode !== null);
}

async function expectKept(postgres: EmbeddedPostgres, lastKept: number): Promise<void> {
  const rows = await connectTo(
    postgres.connection,
    async (client) =>
      (await client.query<{ count: string; max: number }>('select count(*), max(number) from kept')).rows,
  );
  const { count, max } = rows[0] as { count: string; max: number };
  // One more may have been kept before its number could be said.
  expect(max).toBeGreaterThanOrEqual(lastKept);
  expect(max).toBeLessThanOrEqual(lastKept + 1);
  expect(Number(count)).toBe(max);
}

describe('PostgreSQL is killed', () => {
  test('it comes back, and the store with it, without anybody doing anything', async () => {
    const postgres = await start();
    const store = await openReplica(postgres.connection);
    const host = aHost(1);
    await store.hosts.add(host);
    let wakes = 0;
    store.jobs.saga.onWake(() => {
      wakes += 1;
    });
    const before = postmasterPid();
    process.kill(before, 'SIGKILL');
    const codes = new Set<string>();
    const hosts = await eventually('the store to answer again', async () => {
      try {
        const found = await store.hosts.list();
        return existsSync(path.join(cluster, 'postmaster.pid')) && postmasterPid() !== before && found;
      } catch (thrown) {
        codes.add(isCode(thrown, 'STORE_UNAVAILABLE') ? thrown.code : String(thrown));
        return null;
      }
    });
    expect(hosts).toEqual([host]);
    expect([...codes].filter((code) => code !== 'STORE_UNAVAILABLE')).toEqual([]);
    await eventually('the wake after the reconnection', () => wakes > 0);
    await store.close();
  });

  test('five times in a row it comes back five times', async () => {
    const postgres = await start();
    for (let round = 0; round < 5; round += 1) {
      const before = postmasterPid();
      process.kill(before, 'SIGKILL');
      await eventually('a new one', async () => {
        if (!existsSync(path.join(cluster, 'postmaster.pid')) || postmasterPid() === before) return false;
        return await connectTo(postgres.connection, async () => true).catch(() => false);
      });
    }
  });
});

describe('the engine is killed', () => {
  test('PostgreSQL ends by itself, and what was acknowledged is there at the next start', async () => {
    const { child, lastKept } = startEngine();
    await eventually('rows', () => lastKept() > 20);
    await killed(child);
    const startedAtMs = systemClock.monotonicMs();
    await eventually('PostgreSQL to be gone', () => processesIn(cluster).length === 0);
    expect(systemClock.monotonicMs() - startedAtMs).toBeLessThan(GONE_LIMIT_MS);
    await expectKept(await start(), lastKept());
  });

  test('and started again in the same instant, it goes on', async () => {
    const { child, lastKept } = startEngine();
    await eventually('rows', () => lastKept() > 20);
    await killed(child);
    await expectKept(await start(), lastKept());
  });

  test('together with PostgreSQL, it goes on too', async () => {
    const { child, lastKept } = startEngine();
    await eventually('rows', () => lastKept() > 20);
    process.kill(postmasterPid(), 'SIGKILL');
    await killed(child);
    await expectKept(await start(), lastKept());
  });

  test('during initdb, the next start makes the cluster anew', async () => {
    useDataDir(path.join(parent, 'fresh'));
    const { child } = startEngine();
    await eventually('initdb to be at work', () => existsSync(path.join(dataDir, 'postgres.new', 'base')));
    await killed(child);
    expect(existsSync(cluster)).toBe(false);
    const postgres = await start();
    await connectTo(postgres.connection, (client) => client.query('select 1'));
    expect(existsSync(path.join(dataDir, 'postgres.new'))).toBe(false);
  });
});
