/**
 * The demo on simulated hosts, as a process of its own: refusals, passwords, and that it ends when told to.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { EngineApi } from '../../lab/engine-api.ts';
import { eventually } from '../support/eventually.ts';

const REPOSITORY = fileURLToPath(new URL('../../', import.meta.url));
/** "At any moment", as the demo promises. */
const END_LIMIT_MS = 5_000;

/** A demo and what it said so far. */
interface Demo {
  readonly child: ChildProcess;
  out: string;
  err: string;
  readonly ended: Promise<number | null>;
}

/** Not in a folder of ours: PostgreSQL's user must get there. */
let dataDir: string;
let folder: string;
let demos: Demo[];
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'handover-demo-data-'));
  folder = mkdtempSync(join(tmpdir(), 'handover-demo-test-'));
  demos = [];
});
afterEach(async () => {
  for (const { child, ended } of demos) {
    child.kill('SIGTERM');
    await ended;
  }
  for (const each of [dataDir, folder]) rmSync(each, { recursive: true, force: true });
});

function demo(...args: string[]): Demo {
  const { HANDOVER_ADMIN_PASSWORD: _none, ...env } = process.env;
  const all = ['--import', 'tsx', 'tools/demo.ts', '--simulated', '--port', '0', ...args];
  const child = spawn(process.execPath, all, { cwd: REPOSITORY, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise<number | null>((resolve) => void child.once('close', resolve));
  const started: Demo = { child, out: '', err: '', ended };
  child.stdout.on('data', (chunk: Buffer) => (started.out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (started.err += chunk.toString()));
  demos.push(started);
  return started;
}

const said = (from: Demo, text: string) =>
  eventually(`the demo says "${text}"`, () => {
    expect(from.child.exitCode, from.err).toBeNull();
    return from.out.includes(text);
  });
const passwordIn = (from: Demo) => /^Password of admin@internal: (\S+)$/m.exec(from.out)?.[1] ?? '';

/** Asks it to end; how long that took. */
async function end(running: Demo): Promise<number> {
  const from = performance.now();
  running.child.kill('SIGTERM');
  expect(await running.ended).toBe(0);
  return performance.now() - from;
}

test('a refused migration is one plain sentence, and the end only of a demo with --once', async () => {
  const data = ['--data', dataDir];
  const idle = demo('--idle', ...data);
  await said(idle, 'Waiting for you');
  const password = passwordIn(idle);
  const url = /runs at (\S+) /.exec(idle.out)?.[1] ?? '';
  const api = new EngineApi(() => url, password);
  const { id } = await api.named('vnicprofiles', 'vnic_profile', 'prod-vf');
  await api.request('PUT', `/ovirt-engine/api/vnicprofiles/${id}`, { migratable: 'false' });
  expect(await end(idle)).toBeLessThan(END_LIMIT_MS);

  const jsonFile = join(folder, 'report.json');
  const once = demo('--once', '--json', jsonFile, ...data);
  expect(await once.ended).toBe(1);
  expect(once.err).toMatch(/^demo: Cannot migrate VM\. .*non migratable/m);
  expect(once.err).not.toMatch(/[{}[\]]/);
  expect(JSON.parse(readFileSync(jsonFile, 'utf8'))).toEqual({ mode: 'simulated', migrations: [] });

  const goingOn = demo(...data);
  await said(goingOn, 'Next move in');
  expect(goingOn.out).toMatch(/^Cannot migrate VM\. .*non migratable/m);
  expect(passwordIn(goingOn)).toBe(password);
  expect(await end(goingOn)).toBeLessThan(END_LIMIT_MS);
}, 180_000);

test('it is gone soon after a signal, while its engine starts and while a VM moves', async () => {
  const starting = demo('--data', dataDir);
  // The first file is the demo's password, the next is of the engine.
  await eventually('the engine is at work', () => readdirSync(dataDir).length > 1);
  expect(await end(starting)).toBeLessThan(END_LIMIT_MS);
  const moving = demo();
  await said(moving, 'Moving web-1');
  expect(await end(moving)).toBeLessThan(END_LIMIT_MS);
});

test('--help says how it is used', async () => {
  const helped = demo('--help');
  expect([await helped.ended, helped.err]).toEqual([0, '']);
  expect(helped.out).toContain('HANDOVER_ADMIN_PASSWORD');
});
