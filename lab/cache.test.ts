/**
 * The cache: complete entries only, whatever happens to a build. Run by the unit tier, on a directory of its
 * own.
 */
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { cached, cachedOr, hashOf } from './cache.ts';

let root = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'handover-cache-'));
  vi.stubEnv('HANDOVER_LAB_CACHE', root);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(root, { recursive: true, force: true });
});

/** Fills an entry with one file. */
async function build(directory: string): Promise<void> {
  writeFileSync(join(directory, 'file'), 'content');
}

test('an entry is built once and found after that', async () => {
  const path = await cachedOr('image', 'k1', build);
  expect(existsSync(join(path, 'file'))).toBe(true);
  const again = await cachedOr('image', 'k1', () => Promise.reject(new Error('built again')));
  expect(again).toBe(path);
  expect(cached('image', 'k1')).toBe(path);
});

test('a build that fails leaves nothing behind', async () => {
  const failing = async (directory: string) => {
    await build(directory);
    throw new Error('no space');
  };
  await expect(cachedOr('image', 'k1', failing)).rejects.toThrow('no space');
  expect(readdirSync(root)).toEqual([]);
});

test('what a killed build left is never taken for an entry, and goes with the next build', async () => {
  let left: string | undefined;
  // The process is killed in the middle: neither the rename nor the tidying runs.
  void cachedOr('image', 'k1', (directory) => {
    left = directory;
    return new Promise(() => {});
  });
  expect(left && existsSync(left)).toBe(true);
  expect(cached('image', 'k1')).toBeUndefined();
  await cachedOr('image', 'k2', build);
  expect(readdirSync(root)).toEqual(['image-k2']);
});

test('only the last three entries of a kind are kept', async () => {
  for (const key of ['k1', 'k2', 'k3', 'k4']) await cachedOr('image', key, build);
  await cachedOr('snapshot', 'k1', build);
  expect(readdirSync(root).filter((name) => name.startsWith('image-'))).toHaveLength(3);
  expect(cached('image', 'k4')).toBeDefined();
  expect(cached('snapshot', 'k1')).toBeDefined();
});

test('the hash tells the same texts divided differently apart', () => {
  expect(hashOf(['ab', 'c'])).not.toBe(hashOf(['a', 'bc']));
  expect(hashOf(['ab', 'c'])).toBe(hashOf(['ab', 'c']));
});
