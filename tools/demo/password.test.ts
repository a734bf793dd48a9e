/** A data directory that is used again keeps its password. */
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { demoPassword } from './password.ts';

let folder: string;
let dataDir: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'handover-demo-password-'));
  dataDir = join(folder, 'data');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('a fresh directory gets a new password, one that is used again keeps it', () => {
  expect(demoPassword(dataDir, undefined, 'first')).toBe('first');
  expect(demoPassword(dataDir, '', 'second')).toBe('first');
  expect((statSync(join(dataDir, 'demo-password')).mode & 0o777).toString(8)).toBe('600');
  expect(demoPassword(null, undefined, 'third')).toBe('third');
});

test('a password that is given wins, and is the one of the directory from then on', () => {
  demoPassword(dataDir, undefined, 'first');
  expect(demoPassword(dataDir, 'given', 'second')).toBe('given');
  expect(demoPassword(dataDir, undefined, 'third')).toBe('given');
  expect(demoPassword(null, 'given', 'fourth')).toBe('given');
});

test('the directory of an engine that is not the demo keeps its password too', () => {
  mkdirSync(join(dataDir, 'postgres'), { recursive: true });
  expect(() => demoPassword(dataDir, undefined, 'first')).toThrow('set HANDOVER_ADMIN_PASSWORD');
  writeFileSync(join(dataDir, 'postgres', 'PG_VERSION'), '18');
  expect(demoPassword(dataDir, 'given', 'first')).toBe('given');
});
