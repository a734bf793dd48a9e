/** libgovirt from Debian, unmodified, as a client: what it can not read, no program on it can. */
import { spawn } from 'node:child_process';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { installPackages } from '../../tools/setup/apt.ts';
import { type ApiServer, startApiServer } from '../support/api-server.ts';
import { consoleLog } from '../support/console-log.ts';
import { ADMIN } from '../support/memory-access.ts';

await installPackages(['gir1.2-govirt-1.0', 'python3-gi'], { log: consoleLog });

/** Debian's own: bindings are installed for no other. */
const PYTHON = '/usr/bin/python3';
const LIMIT_MS = 30_000;

let server: ApiServer;
beforeAll(async () => {
  server = await startApiServer();
});
afterAll(async () => {
  await server.close();
});

/** Runs the client; what it saw and what the library complained of. */
async function runClient(): Promise<{ seen: Record<string, unknown>; complaints: string[] }> {
  const script = new URL('govirt-client.py', import.meta.url).pathname;
  const client = spawn(PYTHON, [script, server.url, ADMIN.user, ADMIN.password], { timeout: LIMIT_MS });
  let [out, errors] = ['', ''];
  client.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  client.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  const status = await new Promise((resolve) => client.on('close', resolve));
  expect([status, errors]).toEqual([0, errors]);
  const complaints = errors
    .split('\n')
    // That a whole URL is given is said before anything is asked.
    .filter((line) => /WARNING|CRITICAL/.test(line) && !line.includes('is deprecated'));
  return { seen: JSON.parse(out) as Record<string, unknown>, complaints };
}

test('libgovirt signs on, lists, searches, follows references and links, and acts', async () => {
  const { seen, complaints } = await runClient();
  expect(seen).toMatchObject({
    api: true,
    vms: ['web-1'],
    found: ['web-1'],
    hosts: ['host-a', 'host-b'],
    clusters: ['Default'],
    data_centers: ['Default'],
    host_of_vm: 'host-a',
    cluster_of_vm: 'Default',
    clusters_of_data_center: ['Default'],
    action_sent: true,
    action_answer: expect.stringContaining('<status>complete</status>') as string,
  });
  expect(server.world.jobs).toMatchObject([{ vmName: 'web-1', state: 'queued' }]);
  expect(complaints).toEqual([]);
});
