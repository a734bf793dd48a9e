/**
 * A directory cache keyed by the hash of what its content was made from.
 *
 * Invariant: an entry exists only complete. It is built under a temporary name and renamed, so an interrupted
 * build is never taken for one; its remains are removed by the next build. Builds do not nest.
 * Callers: `rootfs.ts`, `build-image.ts`, `bake.ts`, under the cache's lock (one builder at a time).
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync, utimesSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../src/base/clock.ts';
import { cacheDirectory, LAB_DIRECTORY } from './paths.ts';

const BUILDING = '.building-';
/** Entries kept of each kind: this one and those before (other branches, or a lab that still runs). */
const KEPT = 3;

/** Hash of texts; order matters, boundaries too. */
export function hashOf(parts: readonly string[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(`${Buffer.byteLength(part)}:`).update(part);
  return hash.digest('hex').slice(0, 16);
}

/** The text of source files of the lab, for `hashOf`; a directory stands for the files in it. */
export function sourcesOf(...names: string[]): string[] {
  return names.flatMap((name) => {
    const path = join(LAB_DIRECTORY, name);
    if (!statSync(path).isDirectory()) return [name, readFileSync(path, 'utf8')];
    return readdirSync(path)
      .sort()
      .flatMap((entry) => sourcesOf(join(name, entry)));
  });
}

/** The entry's directory if it is there. */
export function cached(kind: string, key: string): string | undefined {
  const path = join(cacheDirectory(), `${kind}-${key}`);
  return existsSync(path) ? path : undefined;
}

/** Returns the entry's directory, calling `build` to fill it first if it is not there. */
export async function cachedOr(
  kind: string,
  key: string,
  build: (directory: string) => Promise<void>,
): Promise<string> {
  const root = cacheDirectory();
  const path = join(root, `${kind}-${key}`);
  if (existsSync(path)) {
    const now = systemClock.now() / 1000;
    utimesSync(path, now, now);
    return path;
  }
  mkdirSync(root, { recursive: true, mode: 0o700 });
  for (const name of readdirSync(root)) {
    if (name.startsWith(BUILDING)) await rm(join(root, name), { recursive: true, force: true });
  }
  const temporary = join(root, `${BUILDING}${kind}-${key}`);
  mkdirSync(temporary);
  try {
    await build(temporary);
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    throw error;
  }
  renameSync(temporary, path);
  await removeOld(kind, path);
  return path;
}

async function removeOld(kind: string, current: string): Promise<void> {
  const root = cacheDirectory();
  const entries = readdirSync(root)
    .filter((name) => name.startsWith(`${kind}-`))
    .map((name) => join(root, name))
    .sort((left, right) => statSync(right).mtimeMs - statSync(left).mtimeMs);
  for (const path of entries.slice(KEPT)) {
    if (path !== current) await rm(path, { recursive: true, force: true });
  }
}
