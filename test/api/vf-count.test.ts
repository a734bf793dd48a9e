/**
 * The number of VFs of a PF, over the real use cases on the simulated fleet. Names of the acceptance cases
 * (C1 to C6) are those of the oVirt reference.
 */
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
const hostNamed = async (name: string) => {
  const [host] = await list(`hosts?search=name%3D${name}`, 'host');
  return host as Json;
};
const nicsOf = async (host: Json) => await list(`hosts/${host.id}/nics`, 'host_nic');
const pathOf = async (hostName: string, nicName: string) => {
  const host = await hostNamed(hostName);
  const nic = (await nicsOf(host)).find((each) => each.name === nicName);
  return `hosts/${host.id}/nics/${nic?.id}`;
};
const change = async (path: string, configuration: object) =>
  await engine.ask('POST', `${path}/updatevirtualfunctionsconfiguration`, {
    virtual_functions_configuration: configuration,
  });
const setCount = async (path: string, count: number | string) =>
  await change(path, { number_of_virtual_functions: count });
const configOf = async (path: string) =>
  (await engine.ask<Json>('GET', path)).body['virtual_functions_configuration'] as Record<string, string>;
const vfsOf = async (path: string) => {
  const [, hostId, , nicId] = path.split('/');
  const nics = await list(`hosts/${hostId}/nics`, 'host_nic');
  return nics.filter((nic) => (nic['physical_function'] as Json | undefined)?.id === nicId);
};
const textOf = (body: unknown) => JSON.stringify(body);

describe('the number of VFs of a PF without users', () => {
  test('is changed on the host, up and down and to none, and the VFs are read again (C2)', async () => {
    const path = await pathOf('host-c', 'ens1f1');
    for (const count of [3, 0, 8, 5]) {
      const answer = await setCount(path, String(count));
      expect([answer.status, answer.body]).toEqual([200, { status: 'complete' }]);
      expect(await configOf(path)).toMatchObject({
        number_of_virtual_functions: String(count),
        max_number_of_virtual_functions: '8',
      });
      expect(await vfsOf(path)).toHaveLength(count);
    }
    const codes = (await list('events?max=20', 'event')).map((event) => event['code']);
    expect(codes).toContain('1201');
  });

  test.each([9, -1, 65_536])('is not %d, out of its range (C2)', async (count) => {
    const path = await pathOf('host-c', 'ens1f1');
    const before = await configOf(path);
    const answer = await setCount(path, count);
    expect(answer.status).toBe(400);
    expect(textOf(answer.body)).toContain(
      `The specified number of VFs on network interface ens1f1 is ${count}, the valid range is 0 - 8.`,
    );
    expect(await configOf(path)).toEqual(before);
  });

  test('is a number', async () => {
    const path = await pathOf('host-c', 'ens1f1');
    expect((await setCount(path, 'many')).status).toBe(400);
    expect((await change(path, {})).status).toBe(400);
  });

  test('is changed once by two who want the same, and never by both at once', async () => {
    const path = await pathOf('host-c', 'ens1f1');
    const answers = await Promise.all([setCount(path, 2), setCount(path, 7), setCount(path, 4)]);
    expect(answers.map((each) => each.status)).toContain(200);
    for (const { status, body } of answers) {
      if (status !== 200) expect([status, textOf(body)]).toEqual([400, expect.stringContaining('in use')]);
    }
    const { number_of_virtual_functions: now } = await configOf(path);
    expect(await vfsOf(path)).toHaveLength(Number(now));
    expect(['2', '4', '7']).toContain(now);
  });
});

describe('the number of VFs of a PF in use', () => {
  const busyPath = async () => {
    const [vm] = await list('vms?search=name%3Dweb-1', 'vm');
    const { body } = await engine.ask<{ host: Json }>('GET', `vms/${vm?.id}?follow=host`);
    const vf = (await list(`vms/${vm?.id}/nics`, 'nic')).find((nic) => nic['virtual_function'])?.[
      'virtual_function'
    ];
    const nics = await nicsOf(body.host);
    const owner = nics.find((nic) => nic['pci_address'] === vf)?.['physical_function'] as Json;
    return `hosts/${body.host.id}/nics/${owner.id}`;
  };

  test('is not changed, and it is said by whom (C3)', async () => {
    const path = await busyPath();
    const answer = await setCount(path, 2);
    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({ status: 'failed', fault: { code: 'VFS_IN_USE' } });
    const { detail } = answer.body['fault'] as { detail: string };
    expect(detail).toMatch(
      /^\[Cannot edit host NIC VFs configuration\. The selected network interface ens1f/,
    );
    expect(detail).toContain('has VFs that are in use.');
    expect(detail).toContain('attached to web-1');
    expect((await configOf(path))['number_of_virtual_functions']).toBe('8');
    const codes = (await list('events?max=5', 'event')).map((event) => event['code']);
    expect(codes).toContain('1202');
  });

  test('stays when it is sent unchanged, which is no error (C6)', async () => {
    const path = await busyPath();
    expect((await setCount(path, 8)).status).toBe(200);
  });

  test('is not changed while a migration has VFs of it reserved', async () => {
    const [vm] = await list('vms?search=name%3Dweb-1', 'vm');
    const target = await pathOf('host-b', 'ens1f0');
    expect((await engine.ask('POST', `vms/${vm?.id}/migrate`, { host: { name: 'host-b' } })).status).toBe(
      200,
    );
    const reserved = await eventually('a VF of the target to be reserved', async () =>
      (await nicsOf(await hostNamed('host-b'))).find((nic) => nic['virtual_function_state'] === 'reserved'),
    );
    const pf = reserved['physical_function'] as Json;
    const path = target.replace(/[^/]+$/, pf.id);
    const answer = await setCount(path, 2);
    expect([answer.status, textOf(answer.body)]).toEqual([400, expect.stringContaining('in use')]);
    await eventually(
      'the end of the migration',
      async () => (await engine.ask('GET', `vms/${vm?.id}`)).body['status'] === 'up',
    );
  });
});

describe('a nic that is no PF', () => {
  test('has no VFs to configure: 405, and 404 if it is not there at all (C1, C6)', async () => {
    const plain = await setCount(await pathOf('host-c', 'eno1'), 2);
    expect(plain.status).toBe(405);
    expect(textOf(plain.body)).toContain('nic eno1 of host-c has no SR-IOV');
    const host = await hostNamed('host-c');
    expect((await setCount(`hosts/${host.id}/nics/${host.id}`, 2)).status).toBe(404);
    expect((await setCount(`hosts/${host.id}/nics/nonsense`, 2)).status).toBe(404);
  });
});

describe('the networks a PF may serve', () => {
  test('are named one by one only if not all are allowed, each once (C4, C5)', async () => {
    const path = await pathOf('host-c', 'ens1f0');
    const networks = `${path}/virtualfunctionallowednetworks`;
    const labels = `${path}/virtualfunctionallowedlabels`;
    const [prod] = await list('networks?search=name%3Dprod', 'network');
    expect((await engine.ask('POST', networks, { id: prod?.id })).status).toBe(409);
    expect((await engine.ask('POST', labels, { id: 'blue' })).status).toBe(409);
    expect((await change(path, { all_networks_allowed: 'false' })).status).toBe(200);
    const unknown = await engine.ask('POST', networks, { id: '00000000-0000-4000-8000-000000000000' });
    expect(unknown.status).toBe(400);
    expect((await engine.ask('DELETE', `${networks}/${prod?.id}`)).status).toBe(404);
    expect((await engine.ask('DELETE', `${labels}/blue`)).status).toBe(404);
    expect((await engine.ask('POST', networks, { name: 'prod' })).status).toBe(200);
    expect((await engine.ask('POST', networks, { name: 'prod' })).status).toBe(409);
    expect((await engine.ask('POST', labels, { id: 'blue' })).status).toBe(201);
    expect((await engine.ask('POST', labels, { id: 'blue' })).status).toBe(409);
    expect((await engine.ask('GET', `${networks}/${prod?.id}`)).body).toMatchObject({ name: 'prod' });
    expect((await engine.ask('GET', `${labels}/blue`)).body).toMatchObject({ id: 'blue' });
    expect((await change(path, { all_networks_allowed: 'true' })).status).toBe(200);
    expect((await engine.ask('GET', networks)).body).toEqual({});
    expect((await engine.ask('GET', labels)).body).toEqual({});
  });
});
