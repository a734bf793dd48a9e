/**
 * Everything of an embedded PostgreSQL that lies on disk: its data directory (made once, atomically), the
 * directory of its socket, who owns them, and the lock that keeps a second engine out. Used by `postgres.ts`
 * only.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import path from 'node:path';
import { type Clock, until } from '../base/clock.ts';
import { HandoverError, isCode, messageOf } from '../base/errors.ts';
import { choosePostgresBinaries, copyOfShipped, type PostgresBinaries } from './postgres-binaries.ts';

/** Names the socket only; nothing listens on the network. */
export const POSTGRES_PORT = 5432;
/** The database role the engine uses; it owns everything. */
export const POSTGRES_USER = 'handover';
/** sun_path of a unix socket holds 108 bytes with the final NUL. */
const SOCKET_PATH_BYTES_MAX = 107;
/** For copies of programs; only root gets there. */
const SHARED_CACHE = '/var/cache/handover';
const SETPRIV = '/usr/bin/setpriv';
const LOCK_LIMIT_MS = 10_000;
const INITDB_LIMIT_MS = 120_000;
const LOG_BYTES_MAX = 10 * 1024 * 1024;

/** The user PostgreSQL runs as; null = the engine's own. */
export type Account = { readonly name: string; readonly uid: number; readonly gid: number } | null;

/** What `postgres.ts` needs to run it. */
export interface Cluster {
  readonly dir: string;
  readonly socketDir: string;
  readonly logFile: string;
  readonly binaries: PostgresBinaries;
  readonly account: Account;
  /** Lets another engine have it. Call when PostgreSQL is gone. */
  release(): void;
}

/**
 * Takes `dataDir` for this engine and makes the cluster in it if there is none. Throws `IN_USE` if another
 * engine keeps it,
 * `INVALID_INPUT` if PostgreSQL is missing or cannot reach the directory.
 */
export async function prepareCluster(dataDir: string, clock: Clock): Promise<Cluster> {
  const root = makeDataDir(dataDir);
  const lock = await lockDir(root, clock);
  try {
    const account = accountForPostgres();
    // Only permission to pass: what lies in there keeps its own protection.
    if (account) chmodSync(root, (statSync(root).mode & 0o7777) | 0o011);
    const dir = path.join(root, 'postgres');
    expectReachable(root, account, 'choose a data directory elsewhere, /var/lib/handover for example');
    const binaries = withinReach(choosePostgresBinaries(dir), account);
    await createCluster(root, dir, binaries, account);
    const socketDir = makeSocketDir(root, account);
    const logFile = path.join(root, 'postgres.log');
    if (existsSync(logFile) && statSync(logFile).size > LOG_BYTES_MAX) renameSync(logFile, `${logFile}.1`);
    const release = () => {
      rmSync(socketDir, { recursive: true, force: true });
      closeSync(lock);
    };
    return { dir, socketDir, logFile, binaries, account, release };
  } catch (thrown) {
    closeSync(lock);
    throw thrown;
  }
}

function makeDataDir(dataDir: string): string {
  try {
    mkdirSync(dataDir, { recursive: true });
    return realpathSync(dataDir);
  } catch (thrown) {
    throw new HandoverError(
      'INVALID_INPUT',
      `the data directory ${dataDir} cannot be made or entered; choose another one`,
      { cause: thrown },
    );
  }
}

/**
 * An advisory lock on the directory itself, so that no lock file can go stale: the kernel drops it when this
 * process ends, however it ends. `flock` sets it on our open file; it stays after the command, and other
 * children do not inherit it.
 */
async function lockDir(dir: string, clock: Clock): Promise<number> {
  const fd = openSync(dir, 'r');
  try {
    await until(clock, `lock of ${dir}`, { limitMs: LOCK_LIMIT_MS, everyMs: 100 }, () => {
      const { status, error } = spawnSync('flock', ['--exclusive', '--nonblock', '3'], {
        stdio: ['ignore', 'ignore', 'ignore', fd],
      });
      if (error) {
        throw new HandoverError('INVALID_INPUT', 'the command flock is missing; install util-linux', {
          cause: error,
        });
      }
      return status === 0 ? true : undefined;
    });
    return fd;
  } catch (thrown) {
    closeSync(fd);
    if (!isCode(thrown, 'WAIT_TIMED_OUT')) throw thrown;
    throw new HandoverError(
      'IN_USE',
      `another Handover engine uses ${dir}; stop it or give this one a data directory of its own`,
    );
  }
}

/** PostgreSQL refuses to run as root: `postgres` if that user exists, else `nobody`. */
function accountForPostgres(): Account {
  if (process.getuid?.() !== 0) return null;
  for (const name of ['postgres', 'nobody']) {
    const uid = spawnSync('id', ['-u', name], { encoding: 'utf8' });
    if (uid.status !== 0) continue;
    const gid = execFileSync('id', ['-g', name], { encoding: 'utf8' });
    return { name, uid: Number(uid.stdout), gid: Number(gid) };
  }
  throw new HandoverError('INVALID_INPUT', 'there is no user postgres or nobody to run PostgreSQL as');
}

/** Spawn options that make a child run as `account`, with nothing of our environment that could steer it. */
export const runAs = (account: Account) => ({
  cwd: '/',
  env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin', LC_ALL: 'C' },
  ...(account ? { uid: account.uid, gid: account.gid } : {}),
});

/**
 * A command whose process gets `signal` from the kernel when ours ends, however it ends. Without setpriv
 * (util-linux 2.33) it would outlive us; the next start copes with that too.
 */
export function dyingWithUs(
  signal: 'INT' | 'KILL',
  command: readonly [string, ...string[]],
): readonly [string, ...string[]] {
  return existsSync(SETPRIV) ? [SETPRIV, '--pdeathsig', signal, ...command] : command;
}

/** Programs in root's home, or another that is closed to `account`, are run from a copy. */
export function withinReach(binaries: PostgresBinaries, account: Account): PostgresBinaries {
  if (account === null || binaries.packageRoot === null || mayEnter(binaries.dir, account)) return binaries;
  return copyOfShipped(binaries.packageRoot, SHARED_CACHE);
}

function mayEnter(dir: string, account: Account): boolean {
  return spawnSync('test', ['-x', dir], runAs(account)).status === 0;
}

function expectReachable(dir: string, account: Account, advice: string): void {
  if (mayEnter(dir, account)) return;
  throw new HandoverError(
    'INVALID_INPUT',
    `PostgreSQL, run as user ${account?.name ?? 'of the engine'}, may not enter ${dir}; ${advice}`,
  );
}

/**
 * initdb works aside and its result is renamed into place whole: an interrupted one is thrown away by the
 * next start.
 */
async function createCluster(
  root: string,
  dir: string,
  binaries: PostgresBinaries,
  account: Account,
): Promise<void> {
  if (existsSync(dir)) return;
  const unfinished = `${dir}.new`;
  // Its author may have been killed this instant; what still writes there is dying too.
  rmSync(unfinished, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  mkdirSync(unfinished, { mode: 0o700 });
  if (account) chownSync(unfinished, account.uid, account.gid);
  await runInitdb(binaries, unfinished, account);
  renameSync(unfinished, dir);
  const fd = openSync(root, 'r');
  fsyncSync(fd);
  closeSync(fd);
}

/**
 * Local connections are trusted: the socket lies in a directory only the engine and PostgreSQL's user can
 * enter.
 */
function runInitdb(binaries: PostgresBinaries, dir: string, account: Account): Promise<void> {
  const args = ['-D', dir, '-U', POSTGRES_USER, '--auth=trust', '--encoding=UTF8', '--locale=C'];
  const [program, ...rest] = dyingWithUs('KILL', [path.join(binaries.dir, 'initdb'), ...args]);
  const child = spawn(program, rest, {
    ...runAs(account),
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: INITDB_LIMIT_MS,
    killSignal: 'SIGKILL',
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-2_000);
  });
  return new Promise((resolve, reject) => {
    const fail = (why: string) =>
      reject(new HandoverError('STORE_UNAVAILABLE', `initdb could not make ${dir}: ${why}`));
    child.on('error', (error) => fail(messageOf(error)));
    child.on('close', (code, signal) => {
      if (code === 0) resolve();
      else fail(said.trim() || `ended with ${code ?? signal}`);
    });
  });
}

/**
 * The socket's directory: in the data directory, or where its path is too long for a socket, under /run or
 * /tmp by a name that the next start of the same data directory finds again. Never one that somebody else
 * made.
 */
function makeSocketDir(root: string, account: Account): string {
  const near = path.join(root, 'postgres-socket');
  const fits = Buffer.byteLength(path.join(near, `.s.PGSQL.${POSTGRES_PORT}`)) <= SOCKET_PATH_BYTES_MAX;
  const name = `handover-${createHash('sha256').update(root).digest('hex').slice(0, 12)}`;
  const dir = fits ? near : path.join(account ? '/run' : '/tmp', name);
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const seen = lstatSync(dir);
  const ours = [process.getuid?.(), account?.uid].includes(seen.uid);
  if (!seen.isDirectory() || !ours) {
    throw new HandoverError('INVALID_INPUT', `${dir} was made by somebody else; remove it`);
  }
  chmodSync(dir, 0o700);
  if (account) chownSync(dir, account.uid, account.gid);
  return dir;
}
