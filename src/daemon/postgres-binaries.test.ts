/** Which PostgreSQL is chosen, and that every one found here can run. */
import { execFileSync } from 'node:child_process';
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  choosePostgresBinaries,
  copyOfShipped,
  findPostgresBinaries,
  type PostgresBinaries,
  restoreLibraryLinks,
} from './postgres-binaries.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'handover-binaries-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const madeBy = (major: number): PostgresBinaries => ({ major, dir: `/pg/${major}`, packageRoot: null });

test('a new cluster gets the best there is', () => {
  expect(choosePostgresBinaries(dir, [madeBy(17), madeBy(15), madeBy(18)]).major).toBe(17);
});

test('a cluster stays with the version that made it', () => {
  writeFileSync(path.join(dir, 'PG_VERSION'), '15\n');
  expect(choosePostgresBinaries(dir, [madeBy(17), madeBy(15)]).major).toBe(15);
});

test('where its version is missing, the package to install is named', () => {
  writeFileSync(path.join(dir, 'PG_VERSION'), '16\n');
  expect(() => choosePostgresBinaries(dir, [madeBy(17)])).toThrow(/install the package postgresql-16/);
});

test('where there is none at all, the ways out are named', () => {
  expect(() => choosePostgresBinaries(dir, [])).toThrow(
    /install the package postgresql .*HANDOVER_DATABASE_URL/,
  );
});

test('the links of the shipped one are made where an install without scripts left them out', () => {
  const lib = path.join(dir, 'native', 'lib');
  mkdirSync(lib, { recursive: true });
  writeFileSync(path.join(lib, 'libicuuc.so.60.2'), '');
  const links = [{ source: 'native/lib/libicuuc.so.60.2', target: 'native/lib/libicuuc.so.60' }];
  writeFileSync(path.join(dir, 'native', 'pg-symlinks.json'), JSON.stringify(links));
  restoreLibraryLinks(dir);
  restoreLibraryLinks(dir);
  expect(lstatSync(path.join(lib, 'libicuuc.so.60')).isSymbolicLink()).toBe(true);
  expect(readlinkSync(path.join(lib, 'libicuuc.so.60'))).toBe('libicuuc.so.60.2');
});

test('the copy of the shipped one is whole, made once and open to every user', () => {
  const bin = path.join(dir, 'package', 'native', 'bin');
  mkdirSync(bin, { recursive: true, mode: 0o700 });
  writeFileSync(path.join(dir, 'package', 'package.json'), '{"version":"18.4.0"}');
  writeFileSync(path.join(bin, 'initdb'), '', { mode: 0o700 });
  const cache = path.join(dir, 'cache');
  const copy = copyOfShipped(path.join(dir, 'package'), cache);
  expect(copy).toEqual({ major: 18, dir: path.join(cache, 'postgresql-18.4.0', 'bin'), packageRoot: null });
  expect(statSync(copy.dir).mode & 0o777).toBe(0o755);
  expect(statSync(path.join(copy.dir, 'initdb')).mode & 0o777).toBe(0o755);
  writeFileSync(path.join(bin, 'postgres'), '');
  expect(copyOfShipped(path.join(dir, 'package'), cache)).toEqual(copy);
  expect(readdirSync(copy.dir)).toEqual(['initdb']);
  expect(readdirSync(cache)).toEqual(['postgresql-18.4.0']);
});

test('every PostgreSQL found on this machine is at least 15 and says its version', () => {
  const found = findPostgresBinaries();
  expect(found.length).toBeGreaterThan(0);
  for (const each of found) {
    const chosen = choosePostgresBinaries(dir, [each]);
    for (const program of ['postgres', 'initdb']) {
      const said = execFileSync(path.join(chosen.dir, program), ['--version'], { encoding: 'utf8' });
      expect(said).toContain(` ${each.major}.`);
      expect(each.major).toBeGreaterThanOrEqual(15);
    }
  }
});
