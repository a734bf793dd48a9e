/** Migrating, cancelling, and what jobs and events say of it. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { JobId, VmId } from '../../src/base/ids.ts';
import type { HandoverEvent, JobState, JobStep, StepState } from '../../src/model/job.ts';
import { type ApiServer, startApiServer } from '../support/api-server.ts';

let server: ApiServer;
beforeEach(async () => {
  server = await startApiServer();
});
afterEach(async () => {
  await server.close();
});

type Json = Record<string, unknown>;
const migrate = async (body: string, query = '', format: 'xml' | 'json' = 'json') =>
  await server.ask('POST', `vms/${server.web1.id}/migrate${query}`, { body, format });

function setJob(state: JobState, over: object = {}): void {
  server.world.jobs = server.world.jobs.map((job) => ({ ...job, state, ...over }));
}

describe('migrate', () => {
  test('answers at once with the job, and the VM is migrating by then', async () => {
    const answer = await migrate('<action/>', '?correlation_id=move-1', 'xml');
    expect(answer.status).toBe(200);
    expect(answer.text).toMatch(/<job href="\/ovirt-engine\/api\/jobs\/[0-9a-f-]+" id="[0-9a-f-]+"\/>/);
    expect(answer.text).toContain('<status>complete</status>');
    expect((await server.ask('GET', `vms/${server.web1.id}`)).json()).toMatchObject({ status: 'migrating' });
    expect(server.world.lastCaller).toMatchObject({ user: 'admin@internal' });
    expect(server.world.jobs[0]?.correlationId).toBe('move-1');
  });

  test.each([
    ['by id', () => `{"host":{"id":"${server.hostB.id}"}}`],
    ['by name', () => '{"host":{"name":"host-b"},"force":"false"}'],
    ['as Ansible does', () => '{"host":{"name":"host-b"},"cluster":{"name":"Default","cpu":{"type":"x"}}}'],
  ])('takes its target %s', async (_how, body) => {
    expect((await migrate(body())).status).toBe(200);
    expect(server.world.jobs[0]?.params.targetHostId).toBe(server.hostB.id);
  });

  test('takes limits and copying of disks as extensions', async () => {
    const body =
      '<action><copy_storage>true</copy_storage><unplug_timeout_ms>5000</unplug_timeout_ms>' +
      '<downtime_ms_max>200</downtime_ms_max></action>';
    await migrate(body, '', 'xml');
    expect(server.world.jobs[0]?.params).toMatchObject({
      copyStorage: true,
      unplugTimeoutMs: 5000,
      downtimeMsMax: 200,
    });
  });

  test('to an unknown host, or into another cluster, is refused before anything begins', async () => {
    const unknown = await migrate('{"host":{"name":"host-z"}}');
    expect(unknown.status).toBe(400);
    expect(unknown.json()).toMatchObject({ status: 'failed' });
    expect(unknown.text).toContain('known hosts: host-a, host-b');
    expect((await migrate('{"cluster":{"name":"Other"}}')).status).toBe(400);
    expect(server.world.jobs).toEqual([]);
  });

  test('that is refused is a failed action whose fault begins with the words of oVirt', async () => {
    await migrate('{}');
    const again = await migrate('{}');
    expect(again.status).toBe(409);
    expect(again.json()).toMatchObject({
      status: 'failed',
      fault: { reason: 'Operation Failed', code: 'VM_ALREADY_MIGRATING' },
    });
    expect(again.text).toContain('[Cannot migrate VM. VM migration is in progress.');
    setJob('failed');
    const same = await migrate('{"host":{"name":"host-a"}}');
    expect([same.status, same.text]).toEqual([
      409,
      expect.stringContaining('source and destination is the same.'),
    ]);
  });

  test('with plan=true explains and changes nothing', async () => {
    for (const answer of [await migrate('{"plan":"true"}'), await migrate('{}', '?plan=true')]) {
      const plan = answer.json<{ migration_plan: Json }>().migration_plan;
      expect(plan).toMatchObject({
        possible: 'true',
        vm: { name: 'web-1' },
        source_host: { name: 'host-a' },
        chosen_host: { name: 'host-b' },
      });
      expect(plan['hosts']).toMatchObject({
        candidate: [
          { host: { name: 'host-a' }, fits: 'false', reasons: { reason: [{ code: 'is_source' }] } },
          {
            host: { name: 'host-b' },
            fits: 'true',
            assignments: { assignment: [{ nic: { name: 'nic1' }, target_vf: '0000:3b:02.0' }] },
          },
        ],
      });
    }
    const xml = await migrate('<action><plan>true</plan></action>', '', 'xml');
    expect(xml.text).toContain('<migration_plan><possible>true</possible>');
    expect(server.world.jobs).toEqual([]);
  });
});

describe('cancelmigration', () => {
  const cancel = async () =>
    await server.ask('POST', `vms/${server.web1.id}/cancelmigration`, { body: '<action/>', format: 'xml' });

  test('is 200 only if the VM stays on its source', async () => {
    await migrate('{}');
    expect((await cancel()).status).toBe(200);
    expect(server.world.jobs[0]?.state).toBe('cancelled');
  });

  test('is 409 past the pivot, and when nothing migrates', async () => {
    const idle = await cancel();
    expect(idle.status).toBe(409);
    expect(idle.text).toContain('Cannot cancel migration for non migrating VM.');
    await migrate('{}');
    setJob('running', { pivoted: true });
    const late = await cancel();
    expect([late.status, late.text]).toEqual([409, expect.stringContaining('<status>failed</status>')]);
  });
});

describe('jobs', () => {
  test.each([
    ['queued', 'started'],
    ['running', 'started'],
    ['undoing', 'started'],
    ['needs_operator', 'started'],
    ['succeeded', 'finished'],
    ['failed', 'failed'],
    ['cancelled', 'aborted'],
  ] as const)('that are %s are %s in the words of oVirt', async (state, status) => {
    await migrate('{"host":{"name":"host-b"}}');
    setJob(state);
    const [job] = (await server.ask('GET', 'jobs?max=5')).json<{ job: Json[] }>().job;
    expect(job).toMatchObject({
      status,
      description: 'Migrating VM web-1 from Host host-a to Host host-b',
      external: 'false',
    });
  });

  test('have steps with types of oVirt and our phase in the description', async () => {
    await migrate('{}');
    const jobId = server.world.jobs[0]?.id as JobId;
    const vnicId = server.web1.vnics[0]?.id ?? null;
    const step = (number: number, name: string, state: StepState, over: Partial<JobStep> = {}): JobStep => ({
      jobId,
      number,
      name,
      vnicId: null,
      state,
      attempts: 1,
      message: null,
      startedAt: 1_700_000_000_000,
      endedAt: state === 'started' ? null : 1_700_000_000_500,
      ...over,
    });
    server.world.steps = [
      step(1, 'reserve', 'finished'),
      step(2, 'shift', 'skipped'),
      step(3, 'unplug', 'undone'),
      step(4, 'unplug', 'failed', { vnicId, message: 'the guest keeps it' }),
      step(5, 'something_new', 'started'),
    ];
    const answer = await server.ask('GET', `jobs/${jobId}?follow=steps`);
    const { steps } = answer.json<{ steps: { step: Json[] } }>();
    expect(steps.step.map((each) => [each['number'], each['type'], each['status']])).toEqual([
      ['1', 'validating', 'finished'],
      ['2', 'executing', 'finished'],
      ['3', 'executing', 'aborted'],
      ['4', 'executing', 'failed'],
      ['5', 'executing', 'started'],
    ]);
    expect(steps.step[1]?.['description']).toContain('shift - Moving traffic to the standby path (skipped)');
    expect(steps.step[3]).toMatchObject({ parent_step: { id: steps.step[2]?.['id'] } });
    expect(steps.step[3]?.['description']).toContain('the guest keeps it');
    const href = String(steps.step[0]?.['href']);
    expect((await server.ask('GET', href)).json()).toMatchObject({ number: '1' });
  });

  test('are told in full by the native API', async () => {
    await migrate('{"host":{"name":"host-b"}}');
    setJob('succeeded', { endedAt: 1_700_000_004_000, data: { downtimeMs: 38, warnings: ['w'] } });
    const id = server.world.jobs[0]?.id;
    const job = (await server.ask('GET', `/api/jobs/${id}`)).json();
    expect(job).toMatchObject({
      vm: 'web-1',
      source: 'host-a',
      target: 'host-b',
      state: 'succeeded',
      ended: true,
      endedAt: '2023-11-14T22:13:24.000Z',
      downtimeMs: 38,
      networkGapMs: null,
      networkGaps: [],
      warnings: ['w'],
    });
    expect((await server.ask('GET', '/api/jobs?live=true')).json()).toEqual([]);
  });

  test('that wait for an operator are retried or abandoned, others are not', async () => {
    await migrate('{}');
    const id = server.world.jobs[0]?.id;
    expect((await server.ask('POST', `/api/jobs/${id}/retry`)).status).toBe(409);
    setJob('needs_operator');
    expect((await server.ask('POST', `/api/jobs/${id}/retry`)).json()).toMatchObject({ state: 'running' });
    setJob('needs_operator');
    expect((await server.ask('POST', `/api/jobs/${id}/abandon`)).json()).toMatchObject({ state: 'failed' });
    expect((await server.ask('POST', `/api/jobs/${id}/cancel`)).status).toBe(409);
  });
});

describe('events', () => {
  const event = (id: number, over: Partial<HandoverEvent> = {}): HandoverEvent => ({
    id,
    code: 62,
    severity: 'normal',
    time: 1_700_000_000_000 + id,
    message: `event ${id}`,
    vmId: null,
    hostId: null,
    jobId: null,
    correlationId: null,
    ...over,
  });
  const ids = async (query: string) => {
    const answer = await server.ask('GET', `events${query}`);
    return (answer.json<{ event?: Json[] }>().event ?? []).map((each) => each['id']);
  };

  test('come newest first, from an id on, at most so many', async () => {
    server.world.events = [event(1), event(2), event(3), event(4)];
    expect(await ids('')).toEqual(['4', '3', '2', '1']);
    expect(await ids('?max=2')).toEqual(['4', '3']);
    expect(await ids('?from=2')).toEqual(['4', '3']);
    expect(await ids('?from=4')).toEqual([]);
    expect((await server.ask('GET', 'events/3')).json()).toMatchObject({
      description: 'event 3',
      code: '62',
    });
    expect((await server.ask('GET', 'events/9')).status).toBe(404);
    expect((await server.ask('GET', 'events?from=x')).status).toBe(400);
  });

  test('are searched by severity, code and VM', async () => {
    const vmId: VmId = server.web1.id;
    server.world.events = [event(1), event(2, { severity: 'error', code: 12003, vmId })];
    expect(await ids('?search=severity%3Derror')).toEqual(['2']);
    expect(await ids('?search=type%3D62')).toEqual(['1']);
    expect(await ids('?search=vm.name%3Dweb-1')).toEqual(['2']);
    expect(await ids('?search=sortby%20time%20desc%20page%201&max=1')).toEqual(['2']);
  });

  test('have references and a date', async () => {
    server.world.events = [event(1, { vmId: server.web1.id, hostId: server.hostA.id })];
    const [first] = (await server.ask('GET', 'events')).json<{ event: Json[] }>().event;
    expect(first).toMatchObject({ time: 1_700_000_000_001, vm: { id: server.web1.id } });
    const xml = (await server.ask('GET', 'events', { format: 'xml' })).text;
    expect(xml).toContain('<time>2023-11-14T22:13:20.001Z</time>');
  });
});

describe('alerts', () => {
  test('that stand are told by the native API', async () => {
    server.world.alerts = [
      { key: 'vnic:1', message: 'm', vmId: null, hostId: null, raisedAt: 1_700_000_000_000 },
    ];
    expect((await server.ask('GET', '/api/alerts')).json()).toMatchObject([
      { message: 'm', raisedAt: '2023-11-14T22:13:20.000Z' },
    ]);
  });
});
