/** The OpenAPI document of the native API is true of what the API answers. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type {
  HostSummaryView,
  OverviewView,
  PfUseView,
  ProfileView,
} from '../../src/api/types/fleet-view.ts';
import type { GuestView } from '../../src/api/types/guest-view.ts';
import type { JobView } from '../../src/api/types/job-view.ts';
import type { MovabilityView, PlanView, VmPage, VmView } from '../../src/api/types/vm-view.ts';
import { ERROR_CODES } from '../../src/base/errors.ts';
import { type ApiServer, startApiServer } from '../support/api-server.ts';
import { eventually } from '../support/eventually.ts';
import { type AnswerCheck, answerCheck, type OpenApi } from '../support/openapi-answers.ts';
import { type SimulatedEngine, startSimulatedEngine } from '../support/simulated-engine.ts';

const idOfNobody = '00000000-0000-4000-8000-000000000000';

let engine: SimulatedEngine;
/** Over a world of the test's making, for what the engine has no reason to get into. */
let server: ApiServer;
let document: OpenApi;
let check: AnswerCheck;
/** Operations that answered what they are for. */
const answered = new Set<string>();

beforeAll(async () => {
  engine = await startSimulatedEngine();
  server = await startApiServer();
  document = (await (await fetch(`${engine.url}/api/openapi.json`)).json()) as OpenApi;
  check = answerCheck(document);
});
afterAll(async () => {
  await engine.stop();
  await server.close();
});

/** Asks and checks the answer; `operation` is `VERB /path/{id}`, with `id` and `query` put in. */
async function ask<T>(
  operation: string,
  { id = '', query = '', status = 200, of = 'engine' as 'engine' | 'server' } = {},
): Promise<T> {
  const [verb = '', path = ''] = operation.split(' ');
  const [{ url, token }] = of === 'engine' ? [engine] : [server];
  const answer = await fetch(`${url}/api${path.replace('{id}', id)}${query}`, {
    method: verb,
    headers: { authorization: `Bearer ${token}` },
  });
  const body: unknown = await answer.json();
  expect([operation, answer.status, check.answer(operation, answer.status, body)]).toEqual([
    operation,
    status,
    [],
  ]);
  if (status === 200) answered.add(operation);
  return body as T;
}

const idOf = async (collection: 'vms' | 'hosts', name: string): Promise<string> => {
  const tag = collection.slice(0, -1);
  const { body } = await engine.ask<Record<string, { id: string }[]>>(
    'GET',
    `${collection}?search=name%3D${name}`,
  );
  return body[tag]?.[0]?.id ?? '';
};

async function migrate(name: string): Promise<string> {
  const { body } = await engine.ask<{ job: { id: string } }>(
    'POST',
    `vms/${await idOf('vms', name)}/migrate`,
    {},
  );
  return body.job.id;
}

describe('the document', () => {
  test('is for everybody, and nothing else below /api is', async () => {
    const open = async (path: string) => (await fetch(engine.url + path)).status;
    expect(await open('/api/openapi.json')).toBe(200);
    expect(await open('/api/openapi.json?pretty')).toBe(200);
    for (const path of ['/api/jobs', '/api/openapi.json/x', '/api/openapi.jsonx']) {
      expect([path, await open(path)]).toEqual([path, 401]);
    }
  });

  test('names every operation once, and declares the parameters of its path', () => {
    const entries = Object.entries(document.paths).flatMap(([path, verbs]) =>
      Object.values(verbs).map((entry) => [path, entry] as const),
    );
    const names = entries.map(([, { operationId }]) => operationId);
    expect(new Set(names).size).toBe(names.length);
    for (const [path, { parameters = [] }] of entries) {
      const declared = parameters.filter((each) => each.in === 'path').map(({ name }) => `{${name}}`);
      expect([path, declared]).toEqual([path, path.match(/\{\w+\}/g) ?? []]);
    }
  });

  test('knows the code of every error', () => {
    const { code } = document.components.schemas['Fault']?.properties ?? {};
    expect(code).toMatchObject({ enum: Object.keys(ERROR_CODES) });
  });

  test('is believed by no check that believes everything', () => {
    const alert = { key: 'k', message: 'm', vmId: null, hostId: null, raisedAt: '2023-11-14T22:13:20.000Z' };
    expect(check.value('Alert', alert)).toEqual([]);
    expect(check.value('Alert', { ...alert, more: 1 })).toHaveLength(1);
    expect(check.value('Alert', { ...alert, raisedAt: 1_700_000_000_000 })).toHaveLength(1);
    expect(check.value('Alert', { ...alert, vmId: 'web-1' })).toHaveLength(1);
    expect(check.value('Alert', { key: 'k' })).toHaveLength(4);
  });
});

describe('answers of the engine are as described', () => {
  test('jobs, while they run, when they were cancelled and when they are done', async () => {
    const cancelled = await migrate('plain-1');
    await ask('POST /jobs/{id}/cancel', { id: cancelled });
    const id = await migrate('web-1');
    const seen = new Set<string>();
    const job = await eventually('the end of the migration', async () => {
      const now = await ask<JobView>('GET /jobs/{id}', { id });
      seen.add(now.state);
      return now.ended ? now : null;
    });
    expect(job.state).toBe('succeeded');
    expect(seen.size).toBeGreaterThan(1);
    expect([job.steps.length > 0, job.vnics.length, job.progress === null]).toEqual([true, 1, false]);
    expect(await ask<JobView[]>('GET /jobs', { query: '?max=10' })).toHaveLength(2);
    expect(await ask<JobView[]>('GET /jobs', { query: `?vm=${job.vmId}` })).toHaveLength(1);
  });

  test('hosts with PFs, VFs and domains, and how they reach each other', async () => {
    const id = await idOf('hosts', 'host-a');
    expect(Object.keys(await ask<object>('POST /hosts/{id}/peer-tests', { id }))).toHaveLength(2);
    const host = await ask<{ inventory: Record<string, unknown[]>; peerTests: object }>('GET /hosts/{id}', {
      id,
    });
    for (const part of ['pfs', 'domains', 'bridges'])
      expect([part, host.inventory[part]?.length]).not.toEqual([part, 0]);
    expect(Object.keys(host.peerTests)).toHaveLength(2);
  });

  test('VMs, a page of them, and where they can move', async () => {
    const page = await ask<VmPage>('GET /vms', { query: '?name=WEB&max=1' });
    expect([page.total, page.vms.map(({ name }) => name)]).toEqual([1, ['web-1']]);
    const { id = '', hostId } = page.vms[0] ?? {};
    const there = await ask<VmPage>('GET /vms', { query: `?host=${hostId ?? ''}` });
    expect(there.vms.every((vm) => vm.hostId === hostId)).toBe(true);
    const vm = await ask<VmView>('GET /vms/{id}', { id });
    expect(vm.vnics.map(({ passthrough, pf }) => [passthrough, pf === null])).toContainEqual([true, false]);
    const plan = await ask<PlanView>('GET /vms/{id}/plan', { id });
    expect(plan.hosts.filter(({ fits }) => fits).map(({ hostId: each }) => each)).toContain(plan.chosenId);
    const copied = await ask<PlanView>('GET /vms/{id}/plan', { id, query: '?copyStorage=true' });
    expect(copied.possible).toBe(true);
    const [movable] = await ask<MovabilityView[]>('GET /movability', { query: `?vms=${id}` });
    expect(movable).toMatchObject({ vmId: id, vm: 'web-1', source: vm.host, possible: true, why: null });
    expect(await ask('GET /movability', { query: `?vms=${idOfNobody}` })).toEqual([]);
  });

  test("the guest's side of a VM, what is found in it, and what its owner says of it", async () => {
    const [vm] = (await ask<VmPage>('GET /vms', { query: '?name=web-1' })).vms;
    const id = vm?.id ?? '';
    const checked = await ask<GuestView>('POST /vms/{id}/guest/check', { id });
    expect(checked).toMatchObject({ vmId: id, policy: 'warn', standby: 'ready', probeAddress: null });
    expect(checked.findings.map(({ code }) => code)).toContain('bonded');
    expect(await ask<GuestView>('GET /vms/{id}/guest', { id })).toEqual(checked);
    const required = await ask<GuestView>('POST /vms/{id}/guest/policy', { id, query: '?standby=require' });
    expect(required.policy).toBe('require');
    const probed = await ask<GuestView>('POST /vms/{id}/guest/probe', { id, query: '?address=192.0.2.7' });
    expect(probed).toMatchObject({ policy: 'require', probeAddress: '192.0.2.7' });
    expect(await ask<GuestView>('POST /vms/{id}/guest/probe', { id })).toMatchObject({ probeAddress: null });
    await ask('POST /vms/{id}/guest/policy', { id, query: '?standby=maybe', status: 400 });
    await ask('POST /vms/{id}/guest/probe', { id, query: '?address=web-1', status: 400 });
    await ask('GET /vms/{id}/guest', { id: idOfNobody, status: 404 });
    await ask('POST /vms/{id}/guest/policy', { id, query: '?standby=warn' });
  });

  test('a drill, which is a job, and what it found', async () => {
    const id = await idOf('vms', 'web-1');
    await ask('POST /vms/{id}/guest/drill', { id: idOfNobody, status: 404 });
    const job = await ask<JobView>('POST /vms/{id}/guest/drill', { id });
    expect(job).toMatchObject({ kind: 'drill_vm', vmId: id, sourceId: job.targetId });
    await ask('POST /vms/{id}/guest/drill', { id, status: 409 });
    await eventually('the end of the drill', async () => {
      return (await ask<JobView>('GET /jobs/{id}', { id: job.id })).ended;
    });
    const { lastDrill } = await ask<GuestView>('GET /vms/{id}/guest', { id });
    expect(lastDrill).toMatchObject({ jobId: job.id, ok: true, reason: null });
    expect(lastDrill?.networkGaps).toMatchObject([
      { by: 'guest', vnic: expect.any(String) as string, doubt: null },
    ]);
    const metrics = await fetch(`${engine.url}/api/metrics`, {
      headers: { authorization: `Bearer ${engine.token}` },
    });
    expect(metrics.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    const lines = (await metrics.text()).split('\n');
    expect(lines).toContain('handover_jobs_ended_total{kind="drill_vm",state="succeeded"} 1');
    expect(lines).toContain('handover_network_gap_seconds_count{kind="drill_vm",phase="unplug"} 1');
    answered.add('GET /metrics');
  });

  test('the guest kit, which is a text', async () => {
    const id = await idOf('vms', 'web-1');
    const kit = async (query: string) =>
      await fetch(`${engine.url}/api/vms/${id}/guest-kit${query}`, {
        headers: { authorization: `Bearer ${engine.token}` },
      });
    const described = document.paths['/vms/{id}/guest-kit']?.['get'];
    expect(described?.responses[200].content).toHaveProperty('text/plain');
    const script = await kit('');
    expect(script.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(await script.text()).toContain('handover-guest.sh');
    const networkd = await (await kit('?format=networkd')).text();
    const { vnics } = await ask<VmView>('GET /vms/{id}', { id });
    for (const { mac } of vnics) expect(networkd).toContain(`PermanentMACAddress=${mac}`);
    expect((await kit('?format=windows')).status).toBe(400);
    answered.add('GET /vms/{id}/guest-kit');
  });

  test('the fleet, the VFs of a host and the profiles with who uses them', async () => {
    const overview = await ask<OverviewView>('GET /overview');
    expect(overview.networks.find(({ name }) => name === 'prod')?.vfs.free).toBeGreaterThan(0);
    const hosts = await ask<HostSummaryView[]>('GET /hosts');
    const hostA = hosts.find(({ name }) => name === 'host-a');
    // Of the VMs there are, batch-1 is down.
    const running = hosts.reduce((count, host) => count + host.runningCount, 0);
    expect(running).toBe(hosts.reduce((count, host) => count + host.vmCount, 0) - 1);
    const pfs = await ask<PfUseView[]>('GET /hosts/{id}/pfs', { id: hostA?.id ?? '' });
    const vfs = pfs.flatMap((pf) => pf.vfs);
    expect(hostA?.vfs).toEqual({
      total: vfs.length,
      free: vfs.filter(({ state }) => state === 'free').length,
    });
    expect(vfs.filter(({ state, vm }) => state === 'attached' && vm !== null)).not.toEqual([]);
    const profiles = await ask<ProfileView[]>('GET /vnic-profiles');
    expect(profiles.find(({ name }) => name === 'prod-vf')?.vmCount).toBeGreaterThan(0);
  });

  test('alerts, of which there are none, and the document itself', async () => {
    await ask('GET /alerts');
    await ask('GET /openapi.json');
  });

  test('events, as they are told', async () => {
    const answer = await fetch(`${engine.url}/api/events/stream?after=0`, {
      headers: { authorization: `Bearer ${engine.token}` },
    });
    expect(answer.headers.get('content-type')).toBe('text/event-stream');
    const told: unknown[] = [];
    let rest = '';
    for await (const chunk of (answer.body as ReadableStream<Uint8Array>).pipeThrough(
      new TextDecoderStream(),
    )) {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      told.push(
        ...lines
          .filter((line) => line.startsWith('data: '))
          .map((line) => JSON.parse(line.slice(6)) as unknown),
      );
      if (told.length > 3) break;
    }
    expect(told.flatMap((event) => check.value('Event', event))).toEqual([]);
    answered.add('GET /events/stream');
  });

  test('what is refused', async () => {
    await ask('GET /jobs/{id}', { id: idOfNobody, status: 404 });
    await ask('GET /vms', { query: '?max=1000', status: 400 });
    await ask('GET /movability', { query: '?vms=web-1', status: 400 });
    await ask('GET /hosts/{id}', { id: 'nonsense', status: 404 });
    await ask('GET /jobs', { query: '?max=0', status: 400 });
    const [job] = await ask<JobView[]>('GET /jobs');
    expect(await ask('POST /jobs/{id}/retry', { id: job?.id ?? '', status: 409 })).toMatchObject({
      code: 'JOB_NOT_RESUMABLE',
    });
  });
});

test('answers of what needs an operator are as described', async () => {
  await server.ask('POST', `vms/${server.web1.id}/migrate`, { body: '{}' });
  const park = () => {
    server.world.jobs = server.world.jobs.map((job) => ({
      ...job,
      state: 'needs_operator' as const,
      error: {
        code: 'HOST_UNREACHABLE' as const,
        message: 'host-b does not answer',
        detail: { host: 'host-b' },
      },
    }));
    return server.world.jobs[0]?.id ?? '';
  };
  await ask('POST /jobs/{id}/retry', { id: park(), of: 'server' });
  await ask('POST /jobs/{id}/abandon', { id: park(), of: 'server' });
  const { vm, host } = { vm: server.web1.id, host: server.hostA.id };
  server.world.alerts = [
    { key: 'vnic:1', message: 'm', vmId: vm, hostId: host, raisedAt: 1_700_000_000_000 },
  ];
  expect(await ask('GET /alerts', { of: 'server' })).toHaveLength(1);
});

test('there is no operation whose answer was not looked at', () => {
  const all = Object.entries(document.paths).flatMap(([path, verbs]) =>
    Object.keys(verbs).map((verb) => `${verb.toUpperCase()} ${path}`),
  );
  expect([...answered].sort()).toEqual(all.sort());
});
