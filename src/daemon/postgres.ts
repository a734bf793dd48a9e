/**
 * The embedded PostgreSQL: a real one, run and watched by the engine, reached over a unix socket only. Called
 * by the composition root and by tests, when no database is configured.
 *
 * Invariants: one engine per data directory. While the engine lives, a PostgreSQL that ends is started again.
 * `stop` returns when it is gone, within 5 s. When the engine dies without stopping it, the kernel asks
 * PostgreSQL to shut down (parent death signal); one that runs all the same is adopted by the next engine.
 *
 * It is started again every 100 ms until it answers, since right after a crash the remains of the old one may
 * stand in the way (lock file, shared memory still attached by its children) for some seconds.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, readlinkSync } from 'node:fs';
import path from 'node:path';
import pg from 'pg';
import { type Clock, until } from '../base/clock.ts';
import { HandoverError, isCode, messageOf } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import {
  type Cluster,
  dyingWithUs,
  POSTGRES_PORT,
  POSTGRES_USER,
  prepareCluster,
  runAs,
} from './postgres-cluster.ts';

const DATABASE = 'handover';
/** Recovery after a crash replays the journal before it lets anybody in. */
const START_LIMIT_MS = 60_000;
const RESPAWN_EVERY_MS = 100;
const WATCH_EVERY_MS = 250;
const PROBE_LIMIT_MS = 2_000;
/**
 * How it is ended, gentlest first. All of it is safe for the data; only the first leaves nothing to recover.
 */
const STOP_SIGNALS = [
  { signal: 'SIGINT', limitMs: 3_000 },
  { signal: 'SIGQUIT', limitMs: 1_000 },
  { signal: 'SIGKILL', limitMs: 500 },
] as const;

/** A PostgreSQL that is kept running until `stop`. */
export interface EmbeddedPostgres {
  /** For `openStore`. Valid until `stop`, also across restarts of PostgreSQL. */
  readonly connection: {
    readonly host: string;
    readonly port: number;
    readonly user: string;
    readonly database: string;
  };
  /** Ends PostgreSQL and gives the data directory free. Within 5 s; may be called twice. */
  stop(): Promise<void>;
}

/**
 * Starts PostgreSQL on `dataDir` (made if missing; the cluster goes to `postgres` in it), or adopts the one
 * that runs there. Throws `IN_USE`, `INVALID_INPUT` (see `prepareCluster`) or `STORE_UNAVAILABLE` with the
 * end of its log.
 */
export async function startPostgres(options: {
  readonly dataDir: string;
  readonly clock: Clock;
  readonly log: Log;
}): Promise<EmbeddedPostgres> {
  const { clock, log } = options;
  const cluster = await prepareCluster(options.dataDir, clock);
  const stopping = new AbortController();
  const server = serverOf(cluster);
  const connection = {
    host: cluster.socketDir,
    port: POSTGRES_PORT,
    user: POSTGRES_USER,
    database: DATABASE,
  };

  const bringUp = () =>
    until(
      clock,
      'start of PostgreSQL',
      { limitMs: START_LIMIT_MS, everyMs: RESPAWN_EVERY_MS, signal: stopping.signal },
      async () => {
        if (await accepts(connection)) return true;
        if (server.pid() === null) server.spawn();
        return undefined;
      },
    );

  async function watch(): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        await clock.sleep(WATCH_EVERY_MS, stopping.signal);
        if (server.pid() !== null) continue;
        log.error('PostgreSQL ended unexpectedly; it is started again', { logFile: cluster.logFile });
        await bringUp();
        log.info('PostgreSQL is back');
      } catch (thrown) {
        if (!stopping.signal.aborted) log.error('PostgreSQL is still away', { error: messageOf(thrown) });
      }
    }
  }

  try {
    await bringUp();
    await createDatabase(connection);
  } catch (thrown) {
    await endServer(server, clock, log);
    cluster.release();
    throw isCode(thrown, 'WAIT_TIMED_OUT') ? neverStarted(cluster, thrown) : thrown;
  }
  const watching = watch();
  let stopped: Promise<void> | null = null;
  return {
    connection,
    stop() {
      stopped ??= (async () => {
        stopping.abort();
        await watching;
        await endServer(server, clock, log);
        cluster.release();
      })();
      return stopped;
    },
  };
}

/** The running postmaster, ours or adopted. */
interface Server {
  /** Its process id; null if none runs. */
  pid(): number | null;
  /** Whether the process `pid` told of is still there. The pid file goes before the process does. */
  runs(pid: number): boolean;
  spawn(): void;
}

function serverOf(cluster: Cluster): Server {
  let child: ChildProcess | null = null;
  const childRuns = () => child !== null && child.exitCode === null && child.signalCode === null;
  return {
    pid: () => (childRuns() ? (child?.pid ?? null) : recordedPid(cluster.dir)),
    runs: (pid) => (pid === child?.pid ? childRuns() : worksIn(cluster.dir, pid)),
    spawn() {
      child = spawnPostmaster(cluster);
      // A program that cannot be started shows as "none runs"; the reason is in the error of the start.
      child.on('error', () => {
        child = null;
      });
    },
  };
}

/** The postmaster named by the cluster's own pid file, if that process still is it. */
function recordedPid(dir: string): number | null {
  try {
    const pid = Number.parseInt(readFileSync(path.join(dir, 'postmaster.pid'), 'utf8'), 10);
    return worksIn(dir, pid) ? pid : null;
  } catch {
    return null;
  }
}

/**
 * Whether the process lives and works in `dir`, as PostgreSQL does in its data directory: a reused number
 * does not.
 */
function worksIn(dir: string, pid: number): boolean {
  try {
    return readlinkSync(`/proc/${pid}/cwd`) === dir;
  } catch {
    return false;
  }
}

/**
 * In a session of its own: a Ctrl-C at the engine's terminal must reach the engine alone, which then stops it
 * in order.
 */
function spawnPostmaster(cluster: Cluster): ChildProcess {
  const settings = {
    listen_addresses: '',
    unix_socket_directories: `"${cluster.socketDir}"`,
    unix_socket_permissions: '0700',
    log_checkpoints: 'off',
    // After a crash all files are synced first. One by one took 6 of 8 s on a busy disk; at once it is under
    // 1 s.
    recovery_init_sync_method: 'syncfs',
  };
  const [program, ...args] = dyingWithUs('INT', [
    path.join(cluster.binaries.dir, 'postgres'),
    ...['-D', cluster.dir, '-p', String(POSTGRES_PORT)],
    ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  ]);
  const logFd = openSync(cluster.logFile, 'a', 0o600);
  const child = spawn(program, args, {
    ...runAs(cluster.account),
    detached: true,
    stdio: ['ignore', logFd, logFd],
  });
  closeSync(logFd);
  child.unref();
  return child;
}

async function withConnection<Result>(
  connection: pg.ClientConfig,
  work: (client: pg.Client) => Promise<Result>,
): Promise<Result> {
  const client = new pg.Client({
    ...connection,
    database: 'postgres',
    connectionTimeoutMillis: PROBE_LIMIT_MS,
  });
  client.on('error', () => {});
  try {
    await client.connect();
    return await work(client);
  } finally {
    await client.end().catch(() => {});
  }
}

const accepts = (connection: pg.ClientConfig): Promise<boolean> =>
  withConnection(connection, async () => true).catch(() => false);

async function createDatabase(connection: pg.ClientConfig): Promise<void> {
  await withConnection(connection, async (client) => {
    const found = await client.query('select from pg_database where datname = $1', [DATABASE]);
    if (found.rowCount === 0) await client.query(`create database ${DATABASE}`);
  });
}

async function endServer(server: Server, clock: Clock, log: Log): Promise<void> {
  for (const { signal, limitMs } of STOP_SIGNALS) {
    const pid = server.pid();
    if (pid === null) return;
    const isGone = () => (server.runs(pid) ? undefined : true);
    if (signal !== 'SIGINT') log.warn('PostgreSQL does not end by itself', { pid, signal });
    try {
      process.kill(pid, signal);
      await until(clock, 'end of PostgreSQL', { limitMs, everyMs: 20 }, isGone);
    } catch (thrown) {
      const wasGone = (thrown as NodeJS.ErrnoException).code === 'ESRCH';
      if (!wasGone && !isCode(thrown, 'WAIT_TIMED_OUT')) throw thrown;
    }
  }
}

function neverStarted(cluster: Cluster, cause: unknown): HandoverError {
  const text = existsSync(cluster.logFile) ? readFileSync(cluster.logFile, 'utf8') : '';
  const lastLines = text.trimEnd().split('\n').slice(-3).join('\n');
  return new HandoverError(
    'STORE_UNAVAILABLE',
    `PostgreSQL did not start; its log ${cluster.logFile} ends with: ${lastLines || '(empty)'}`,
    { cause },
  );
}
