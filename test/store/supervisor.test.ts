/** The embedded PostgreSQL from start to stop. Its crashes are in `supervisor-crash.test.ts`. */
import { execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Clock, systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import { type EmbeddedPostgres, startPostgres } from '../../src/daemon/postgres.ts';
import { choosePostgresBinaries } from '../../src/daemon/postgres-binaries.ts';
import { runAs, withinReach } from '../../src/daemon/postgres-cluster.ts';
import { eventually } from '../support/eventually.ts';
import { connectTo } from '../support/postgres.ts';
import { processesIn, uidOf } from '../support/processes.ts';

const STOP_LIMIT_MS = 5_000;

const parent = mkdtempSync(path.join(tmpdir(), 'handover-pg-'));
chmodSync(parent, 0o711);
afterAll(() => rmSync(parent, { recursive: true, force: true }));

/** Used by one test after the other: making a cluster takes longer than most of them. */
let dataDir = path.join(parent, 'not', 'there', 'yet');
let cluster = path.join(dataDir, 'postgres');
let running: EmbeddedPostgres[];
beforeEach(() => {
  running = [];
});
afterEach(async () => {
  for (const each of running) await each.stop();
});

async function start(dir: string, clock: Clock = systemClock): Promise<EmbeddedPostgres> {
  const postgres = await startPostgres({ dataDir: dir, clock, log: silentLog });
  running.push(postgres);
  return postgres;
}

/** On this clock patience ends ten times as soon. */
const hasty: Clock = { ...systemClock, monotonicMs: () => systemClock.monotonicMs() * 10 };

const query = (postgres: EmbeddedPostgres, text: string) =>
  connectTo(postgres.connection, async (client) => (await client.query<Record<string, unknown>>(text)).rows);
const expectServing = async (postgres: EmbeddedPostgres) =>
  expect(await query(postgres, 'select 1 as one')).toEqual([{ one: 1 }]);

describe('a start', () => {
  test('makes what is missing and listens on a socket only its user and the engine can reach', async () => {
    const postgres = await start(dataDir);
    expect(await query(postgres, 'show listen_addresses')).toEqual([{ listen_addresses: '' }]);
    expect(await query(postgres, 'show fsync')).toEqual([{ fsync: 'on' }]);
    expect(statSync(postgres.connection.host).mode & 0o777).toBe(0o700);
    expect(statSync(cluster).mode & 0o777).toBe(0o700);
  });

  test('never runs PostgreSQL as root', async () => {
    await start(dataDir);
    const uids = processesIn(cluster).map(uidOf);
    expect(uids.length).toBeGreaterThan(0);
    expect(uids).not.toContain(0);
  });

  test('after a stop finds the data again', async () => {
    const first = await start(dataDir);
    await query(first, 'create table kept as select 42 as answer');
    await first.stop();
    const second = await start(dataDir);
    expect(await query(second, 'select answer from kept')).toEqual([{ answer: 42 }]);
  });

  test('on a path too long for a socket puts the socket elsewhere, and finds it there again', async () => {
    const long = path.join(parent, 'x'.repeat(100));
    renameSync(dataDir, long);
    dataDir = long;
    cluster = path.join(dataDir, 'postgres');
    const first = await start(dataDir);
    const { host } = first.connection;
    expect(host.startsWith(dataDir)).toBe(false);
    expect(statSync(host).mode & 0o777).toBe(0o700);
    await expectServing(first);
    await first.stop();
    expect(existsSync(host)).toBe(false);
    expect((await start(dataDir)).connection.host).toBe(host);
  });

  test('throws away what an interrupted initdb left', async () => {
    const fresh = path.join(parent, 'fresh');
    mkdirSync(path.join(fresh, 'postgres.new', 'base'), { recursive: true });
    writeFileSync(path.join(fresh, 'postgres.new', 'PG_VERSION'), '15\n');
    await expectServing(await start(fresh));
    expect(existsSync(path.join(fresh, 'postgres.new'))).toBe(false);
  });

  test('of a second engine on the same directory is refused, and the first goes on', async () => {
    const first = await start(dataDir);
    await expect(start(dataDir, hasty)).rejects.toMatchObject({ code: 'IN_USE' });
    await expectServing(first);
  });

  test('of a second engine waits for the first one that is just stopping', async () => {
    const first = await start(dataDir);
    const [second] = await Promise.all([start(dataDir), first.stop()]);
    await expectServing(second);
  });

  test('that cannot succeed says why, with the end of the log, and leaves nothing running', async () => {
    const settings = path.join(cluster, 'postgresql.conf');
    renameSync(settings, `${settings}.good`);
    writeFileSync(settings, 'no_such_setting = 1\n', { mode: 0o644 });
    await expect(start(dataDir, hasty)).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: expect.stringContaining('no_such_setting') as string,
    });
    expect(processesIn(cluster)).toEqual([]);
    renameSync(`${settings}.good`, settings);
    await expectServing(await start(dataDir));
  });

  test('where its user may not go says which directory and what to do', async () => {
    const closed = path.join(parent, 'closed');
    mkdirSync(path.join(closed, 'data'), { recursive: true });
    chmodSync(closed, 0o600);
    try {
      await expect(start(path.join(closed, 'data'))).rejects.toMatchObject({
        code: 'INVALID_INPUT',
        message: expect.stringMatching(/closed\/data.* choose/) as string,
      });
    } finally {
      chmodSync(closed, 0o700);
    }
  });

  test('adopts a PostgreSQL that runs there already, and stops it like its own', async () => {
    const { uid, gid } = statSync(cluster);
    const socketDir = (await start(dataDir)).connection.host;
    await running[0]?.stop();
    mkdirSync(socketDir);
    execFileSync('chown', [`${uid}:${gid}`, socketDir]);
    const account = process.getuid?.() === 0 ? { name: 'its owner', uid, gid } : null;
    const program = path.join(withinReach(choosePostgresBinaries(cluster), account).dir, 'postgres');
    const stranger = spawn(program, ['-D', cluster, '-h', '', '-k', socketDir], {
      ...runAs(account),
      stdio: 'ignore',
    });
    try {
      await eventually('the stranger to listen', () => existsSync(path.join(socketDir, '.s.PGSQL.5432')));
      const postgres = await start(dataDir);
      await expectServing(postgres);
      expect(stranger.exitCode).toBeNull();
      expect(processesIn(cluster)).toContain(stranger.pid);
      await postgres.stop();
      expect(processesIn(cluster)).toEqual([]);
    } finally {
      stranger.kill('SIGKILL');
    }
  });
});

describe('a stop', () => {
  test('leaves no process, no socket and no lock, and may be repeated', async () => {
    const postgres = await start(dataDir);
    const { host } = postgres.connection;
    await Promise.all([postgres.stop(), postgres.stop()]);
    await postgres.stop();
    expect(processesIn(cluster)).toEqual([]);
    expect(existsSync(host)).toBe(false);
    expect(readdirSync(dataDir).sort()).toEqual(['postgres', 'postgres.log']);
    expect(existsSync(path.join(cluster, 'postmaster.pid'))).toBe(false);
  });

  test('does not wait for clients, whatever they do', async () => {
    const postgres = await start(dataDir);
    const clients = [new pg.Client(postgres.connection), new pg.Client(postgres.connection)] as const;
    for (const client of clients) {
      client.on('error', () => undefined);
      await client.connect();
    }
    await clients[0].query('begin');
    const sleeping = clients[1].query('select pg_sleep(600)').catch(() => 'broken');
    const startedAtMs = systemClock.monotonicMs();
    await postgres.stop();
    expect(systemClock.monotonicMs() - startedAtMs).toBeLessThan(STOP_LIMIT_MS);
    expect(await sleeping).toBe('broken');
  });

  test('ends one that does not react', async () => {
    const postgres = await start(dataDir);
    for (const pid of processesIn(cluster)) process.kill(pid, 'SIGSTOP');
    const startedAtMs = systemClock.monotonicMs();
    await postgres.stop();
    expect(systemClock.monotonicMs() - startedAtMs).toBeLessThan(STOP_LIMIT_MS);
    // Its stopped children would notice once woken; PostgreSQL does not start while they are there.
    for (const pid of processesIn(cluster)) process.kill(pid, 'SIGKILL');
    await expectServing(await start(dataDir));
  });
});
