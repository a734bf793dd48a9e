/** How a console that was built takes its place, where others may do the same. Builds none. */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { putInPlace } from './console.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'handover-place-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function build(name: string): string {
  const built = join(folder, name);
  mkdirSync(built);
  for (const file of ['index.html', '.built']) writeFileSync(join(built, file), name);
  return built;
}

test('what was there before is gone, and nothing is left beside', () => {
  const place = join(folder, 'dist');
  for (const name of ['one', 'two']) putInPlace(build(name), place);
  expect(readdirSync(folder)).toEqual(['dist']);
  expect(readFileSync(join(place, 'index.html'), 'utf8')).toBe('two');
});

test('of several at once one is there afterwards, whole', async () => {
  const place = join(folder, 'dist');
  const names = Array.from({ length: 40 }, (_unused, index) => `build-${index}`);
  for (const name of names) build(name);
  const ours = new URL('console.ts', import.meta.url).href;
  const some = (first: number) =>
    promisify(execFile)(process.execPath, [
      '--import',
      'tsx',
      '--input-type=module',
      '--eval',
      `const { putInPlace } = await import(${JSON.stringify(ours)});
       for (const name of ${JSON.stringify(names.filter((_name, index) => index % 4 === first))})
         putInPlace(${JSON.stringify(folder)} + '/' + name, ${JSON.stringify(place)});`,
    ]);
  await Promise.all([0, 1, 2, 3].map(some));
  expect(readdirSync(folder)).toEqual(['dist']);
  const [page, stamp] = ['index.html', '.built'].map((file) => readFileSync(join(place, file), 'utf8'));
  expect(names).toContain(page);
  expect(stamp).toBe(page);
});
