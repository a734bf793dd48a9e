/** Maintenance of a host, over the real use cases on the simulated fleet. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { type SimulatedEngine, startSimulatedEngine } from '../support/simulated-engine.ts';

type Json = Record<string, unknown> & { readonly id: string; readonly name: string };

let engine: SimulatedEngine;
beforeAll(async () => {
  engine = await startSimulatedEngine();
});
afterAll(async () => {
  await engine.stop();
});

const list = async (collection: string, tag: string): Promise<Json[]> =>
  (await engine.ask<Record<string, Json[]>>('GET', collection)).body[tag] ?? [];
const host = async (name: string) => (await list(`hosts?search=name%3D${name}`, 'host'))[0] as Json;
const vm = async (name: string) => (await list(`vms?search=name%3D${name}`, 'vm'))[0] as Json;
const act = async (name: string, verb: string, body: object = {}) =>
  await engine.ask('POST', `hosts/${(await host(name)).id}/${verb}`, body);

describe('a host in maintenance', () => {
  test('takes no VM, is no target, and stays so when it is looked at', async () => {
    expect((await act('host-c', 'deactivate', { reason: 'new memory' })).body).toEqual({
      status: 'complete',
    });
    expect(await host('host-c')).toMatchObject({ status: 'maintenance', external_status: 'ok' });
    expect((await act('host-c', 'refresh')).status).toBe(200);
    expect((await host('host-c'))['status']).toBe('maintenance');
    const { id } = await vm('web-1');
    const targets = await list(`hosts?migration_target_of=${id}`, 'host');
    expect(targets.map((each) => each.name)).not.toContain('host-c');
    const refused = await engine.ask('POST', `vms/${id}/migrate`, { host: { name: 'host-c' } });
    expect(refused.status).toBe(409);
    expect(JSON.stringify(refused.body)).toContain('host-c is in maintenance and takes no VMs');
    // Asked again it is no error.
    expect((await act('host-c', 'deactivate')).status).toBe(200);
    expect((await act('host-c', 'activate')).status).toBe(200);
    expect((await host('host-c'))['status']).toBe('up');
    const again = await list(`hosts?migration_target_of=${id}`, 'host');
    expect(again.map((each) => each.name)).toContain('host-c');
    const codes = (await list('events', 'event')).map((event) => event['code']);
    expect(codes).toEqual(expect.arrayContaining(['15', '16']));
  });

  test('says what still runs there, which may leave; then it is in maintenance', async () => {
    const { id } = await vm('plain-1');
    const { body } = await engine.ask<{ host: Json }>('GET', `vms/${id}?follow=host`);
    const { name } = body.host;
    expect((await act(name, 'deactivate')).status).toBe(200);
    const leaving = await host(name);
    expect(leaving['status']).toBe('preparing_for_maintenance');
    expect(leaving['status_detail']).toContain('plain-1');
    for (const each of await list(`vms?search=host%3D${name}`, 'vm')) {
      if (each['status'] !== 'up') continue;
      const moved = await engine.ask('POST', `vms/${each.id}/migrate`, {});
      if (moved.status !== 200) continue;
      await eventually(`${each.name} to be up elsewhere`, async () => {
        const now = (await engine.ask<{ status: string; host: Json }>('GET', `vms/${each.id}?follow=host`))
          .body;
        return now.status === 'up' && now.host.name !== name;
      });
    }
    expect(await list(`vms?search=host%3D${name} and name%3Dplain-1`, 'vm')).toEqual([]);
    const { status, status_detail: detail } = await host(name);
    const rest = (await list(`vms?search=host%3D${name}`, 'vm')).filter((each) => each['status'] !== 'down');
    expect([status, rest.length > 0]).toEqual(
      rest.length > 0 ? ['preparing_for_maintenance', true] : ['maintenance', false],
    );
    expect(typeof detail).toBe(rest.length > 0 ? 'string' : 'undefined');
    expect((await act(name, 'activate')).status).toBe(200);
  });
});
