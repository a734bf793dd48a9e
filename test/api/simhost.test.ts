/** An engine on simulated hosts of another process: added by URI, looked at through their channels, used. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { JobView } from '../../src/api/types/job-view.ts';
import { eventually } from '../support/eventually.ts';
import { SimhostProcess } from '../support/simhost-process.ts';
import { type SimulatedEngine, startSimulatedEngine } from '../support/simulated-engine.ts';

type Json = Record<string, unknown> & { readonly id: string };

let directory: string;
let hosts: SimhostProcess;
let engine: SimulatedEngine;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'handover-simhost-'));
  hosts = await SimhostProcess.start('--directory', directory);
  engine = await startSimulatedEngine(directory);
});
afterAll(async () => {
  await engine.stop();
  await hosts.stop();
  rmSync(directory, { recursive: true });
});

test('a VM with a VF moves between them, and the source is left as it should be', async () => {
  const network = await post('networks', { name: 'prod', vlan: { id: '42' } });
  const profile = { name: 'prod-vf', network: { id: network.id }, pass_through: { mode: 'enabled' } };
  await post('vnicprofiles', profile);
  for (const name of ['host-a', 'host-b']) {
    const { uri, peerUri } = hosts.host(name);
    await post('hosts', { name, libvirt_uri: uri, peer_uri: peerUri });
  }
  const { body } = await engine.ask<{ vm: Json[] }>('GET', 'vms?search=name%3Dweb-1');
  const started = await engine.ask<{ job: Json }>('POST', `vms/${body.vm[0]?.id}/migrate`, {});
  const job = await eventually('the end of the job', async () => {
    const { body: seen } = await engine.ask<JobView>('GET', `/api/jobs/${started.body.job.id}`);
    return seen.ended && seen;
  });
  expect(job).toMatchObject({ state: 'succeeded', source: 'host-a', target: 'host-b', leftBehind: [] });
  const { domains } = await hosts.state('host-b');
  expect(domains.find(({ name }) => name === 'web-1')).toMatchObject({ state: 1, guest: { running: true } });
  const source = await hosts.state('host-a');
  expect(source.domains.map(({ name }) => name)).toEqual(['db-1']);
  expect(source.vfs.find(({ pciAddress }) => pciAddress === '0000:3b:0a.0')).toMatchObject({
    holder: null,
    mac: '00:00:00:00:00:00',
    vlan: 0,
  });
});

async function post(path: string, body: object): Promise<Json> {
  const answer = await engine.ask<Json>('POST', path, body);
  expect(answer.status, JSON.stringify(answer.body)).toBe(201);
  return answer.body;
}
