/** The commands of docs/operate/coming-from-ovirt.md, as they stand there, against the real engine. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type SimulatedEngine, startSimulatedEngine } from '../support/simulated-engine.ts';

const PAGE = new URL('../../docs/operate/coming-from-ovirt.md', import.meta.url);
const LIMIT_MS = 120_000;
const run = promisify(execFile);

let engine: SimulatedEngine;
beforeAll(async () => {
  engine = await startSimulatedEngine();
});
afterAll(() => engine.stop());

test('every command of the page does what it says', { timeout: LIMIT_MS }, async () => {
  const blocks = [...readFileSync(PAGE, 'utf8').matchAll(/^```sh\n(.*?)^```$/gms)].map(([, text]) => text);
  expect(blocks.length).toBeGreaterThan(6);
  const marked = blocks.map((text, at) => `echo "== ${at}"\n${text}`).join('\n');
  const { stdout } = await run('bash', ['-euo', 'pipefail', '-c', marked], {
    env: { ...process.env, HANDOVER: engine.url, HANDOVER_PASSWORD: engine.password },
    timeout: LIMIT_MS,
  });
  const answers = stdout.split(/^== \d+$/m).slice(1);
  const saying = (text: string) => answers.find((each) => each.includes(text));
  expect(saying('"vnic_profile":{')).toContain('"pass_through":{"mode":"enabled"}');
  expect(saying('"migratable":"true"')).toBeDefined();
  expect(saying('"migration_plan"')).toBeDefined();
  expect(saying('"parent_step"')).toContain('"description":"Migration ');
  expect(saying('"name":"standby"')).toContain('"actual_state":"plugged"');
  expect(saying('"status":"complete"')).toBeDefined();
});
