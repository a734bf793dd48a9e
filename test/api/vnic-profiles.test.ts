/**
 * What a vNIC profile may be, over the real use cases on the simulated fleet. Names of the acceptance cases
 * (D1 to D15, E2 to E6, F10, G11, G12) are those of the oVirt reference.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type SimulatedEngine, startSimulatedEngine } from '../support/simulated-engine.ts';

type Json = Record<string, unknown> & { readonly id: string; readonly name: string };

let engine: SimulatedEngine;
/** Networks: `prod` has VLAN 42, and its profiles are used by VMs; `lab` is empty. */
let prod: Json;
let lab: Json;
beforeAll(async () => {
  engine = await startSimulatedEngine();
  prod = await named('networks', 'network', 'prod');
  lab = (await engine.ask<Json>('POST', 'networks', { name: 'lab' })).body;
});
afterAll(async () => {
  await engine.stop();
});

const UNKNOWN = '00000000-0000-4000-8000-000000000000';
const NOT_ON_PASSTHROUGH =
  "'Port Mirroring,'Qos' and 'Network Filter' are not supported on passthrough profiles.";
const VF = { pass_through: { mode: 'enabled' } };

const list = async (collection: string, tag: string): Promise<Json[]> =>
  (await engine.ask<Record<string, Json[]>>('GET', collection)).body[tag] ?? [];
async function named(collection: string, tag: string, name: string): Promise<Json> {
  const found = (await list(collection, tag)).find((each) => each.name === name);
  if (!found) throw new Error(`no ${tag} ${name}`);
  return found;
}
const add = async (profile: object) =>
  await engine.ask<Json>('POST', 'vnicprofiles', { name: 'p', network: { id: lab.id }, ...profile });
const put = async (profile: Json, changes: object) =>
  await engine.ask<Json>('PUT', `vnicprofiles/${profile.id}`, changes);
const added = async (profile: object): Promise<Json> => {
  const { status, body } = await add(profile);
  expect([status, body]).toEqual([201, body]);
  return body;
};
const expectRefused = (
  { status, body }: { status: number; body: unknown },
  expected: number,
  text: string | RegExp,
) => {
  expect([status, JSON.stringify(body)]).toEqual([expected, expect.stringMatching(text) as string]);
};
const escaped = (text: string) => new RegExp(text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));

beforeEach(async () => {
  // Those that fail over first: the others are named by them.
  const profiles = await list(`networks/${lab.id}/vnicprofiles`, 'vnic_profile');
  for (const each of profiles.toSorted((a, b) => Number('failover' in b) - Number('failover' in a))) {
    expect((await engine.ask('DELETE', `vnicprofiles/${each.id}`)).status).toBe(200);
  }
});

describe('a new profile', () => {
  test('needs a name and a network, and the network to be there (D1, D2, F10)', async () => {
    const empty = await engine.ask('POST', 'vnicprofiles', {});
    expect([empty.status, empty.body]).toEqual([
      400,
      expect.objectContaining({
        reason: 'Incomplete parameters',
        detail: 'VnicProfile [name, network.id] required for add',
      }),
    ]);
    expectRefused(await add({ network: { id: UNKNOWN } }), 400, 'there is no network');
    expectRefused(await add({ network: { id: 'nonsense' } }), 400, 'is not a UUID');
    for (const id of [UNKNOWN, 'nonsense']) {
      for (const method of ['GET', 'PUT', 'DELETE'] as const) {
        const answer = await engine.ask(method, `vnicprofiles/${id}`, method === 'PUT' ? {} : undefined);
        expect([method, answer.status]).toEqual([method, 404]);
      }
    }
  });

  test('has no QoS, filter or mirroring with passthrough, nor unknown ones (D3, D12, D13)', async () => {
    const [filter] = await list('networkfilters', 'network_filter');
    for (const over of [
      { port_mirroring: 'true' },
      { qos: { id: UNKNOWN } },
      { network_filter: { id: filter?.id } },
      { network_filter: { id: UNKNOWN } },
    ]) {
      expectRefused(await add({ ...VF, ...over }), 400, escaped(NOT_ON_PASSTHROUGH));
    }
    expectRefused(await add({ qos: { id: UNKNOWN } }), 400, 'there is no qos with the id');
    expectRefused(
      await add({ network_filter: { id: UNKNOWN } }),
      400,
      'there is no network_filter with the id',
    );
    expectRefused(await add({ network_filter: { id: filter?.id } }), 400, String(filter?.name));
    expectRefused(await add({ network_filter: { id: 'x' } }), 400, 'is not a UUID');
    expect(await added({ ...VF, qos: {}, network_filter: {}, port_mirroring: 'false' })).not.toHaveProperty(
      'qos',
    );
    expect(await added({ name: 'mirrored', port_mirroring: 'true' })).toMatchObject({
      port_mirroring: 'true',
    });
  });

  test('has a name of its own in its network, where case counts (D4)', async () => {
    await added({});
    const text =
      "The VM network interface profile's name is already used by an existing profile for the same network.";
    expectRefused(await add({}), 409, escaped(text));
    await added({ name: 'P' });
    const elsewhere = await added({ network: { id: prod.id } });
    expect((await engine.ask('DELETE', `vnicprofiles/${elsewhere.id}`)).status).toBe(200);
  });

  test('is migratable unless it says otherwise, which only a passthrough one can (G11)', async () => {
    expect(await added(VF)).toMatchObject({ migratable: 'true' });
    expect(await added({ ...VF, name: 'q', migratable: 'false' })).toMatchObject({ migratable: 'false' });
    expect(await added({ name: 'r', migratable: 'false' })).not.toHaveProperty('migratable');
  });

  test('is on no network that is external, isolated or not for VMs (D8, D9, D10, G12)', async () => {
    const network = async (over: object) => await engine.ask('POST', 'networks', { name: 'odd', ...over });
    expectRefused(await network({ external_provider: { id: UNKNOWN } }), 400, 'external_provider');
    expectRefused(await network({ port_isolation: 'true' }), 400, 'port_isolation');
    expectRefused(await network({ usages: { usage: ['display'] } }), 400, 'vm alone');
    expectRefused(await network({ usages: {} }), 400, 'vm alone');
    expectRefused(await network({ stp: 'true' }), 400, 'stp');
    expect(await list('networks?search=name%3Dodd', 'network')).toEqual([]);
  });

  test('comes and goes through its network too', async () => {
    const path = `networks/${lab.id}/vnicprofiles`;
    const made = await engine.ask<Json>('POST', path, { name: 'inner', ...VF });
    expect([made.status, made.body['network']]).toEqual([201, expect.objectContaining({ id: lab.id })]);
    expectRefused(await engine.ask('POST', path, {}), 400, escaped('VnicProfile [name] required for add'));
    expect((await engine.ask('GET', `${path}/${made.body.id}`)).body).toMatchObject({ name: 'inner' });
    expect((await engine.ask('GET', `networks/${prod.id}/vnicprofiles/${made.body.id}`)).status).toBe(404);
    expect((await engine.ask('DELETE', `networks/${prod.id}/vnicprofiles/${made.body.id}`)).status).toBe(404);
    expect((await engine.ask('GET', `vnicprofiles/${made.body.id}/permissions`)).body).toEqual({});
    expect((await engine.ask('DELETE', `${path}/${made.body.id}`)).status).toBe(200);
    expect((await engine.ask('GET', `vnicprofiles/${made.body.id}`)).status).toBe(404);
  });
});

describe('a change of a profile', () => {
  test('leaves its id and its network alone (D5, F10)', async () => {
    const profile = await added({});
    const immutable = await put(profile, { id: UNKNOWN, name: 'other' });
    expect([immutable.status, immutable.body]).toEqual([
      409,
      expect.objectContaining({ reason: 'Broken immutability constraint' }),
    ]);
    expectRefused(await put(profile, { network: { id: prod.id } }), 400, 'cannot be changed');
    expect(
      (await put(profile, { id: profile.id, network: { id: lab.id }, name: 'renamed' })).body,
    ).toMatchObject({
      name: 'renamed',
    });
  });

  test('gives it no name that another has; its own is no change (D4)', async () => {
    const profile = await added({});
    await added({ name: 'q' });
    expectRefused(await put(profile, { name: 'q' }), 409, 'already used by an existing profile');
    expect((await put(profile, { name: 'p' })).status).toBe(200);
    expect((await put(profile, { name: 'Q' })).status).toBe(200);
  });

  test('of passthrough or mirroring needs a profile nobody uses (D6, D7, D11)', async () => {
    const used = await named('vnicprofiles', 'vnic_profile', 'prod-vf');
    const plain = await named('vnicprofiles', 'vnic_profile', 'prod');
    expectRefused(await put(used, { pass_through: { mode: 'disabled' } }), 409, 'web-1');
    expectRefused(await put(plain, { port_mirroring: 'true' }), 409, 'used by');
    expect((await put(used, { pass_through: { mode: 'enabled' }, port_mirroring: 'false' })).status).toBe(
      200,
    );
    expect((await put(plain, { pass_through: { mode: 'disabled' }, port_mirroring: 'false' })).status).toBe(
      200,
    );
    expectRefused(await engine.ask('DELETE', `vnicprofiles/${used.id}`), 409, 'web-1');
    const free = await added({});
    expect((await put(free, { port_mirroring: 'true' })).status).toBe(200);
    expectRefused(await put(free, VF), 400, escaped(NOT_ON_PASSTHROUGH));
    const changed = await put(free, { ...VF, port_mirroring: 'false', migratable: 'false' });
    expect(changed.body).toMatchObject({ migratable: 'false', pass_through: { mode: 'enabled' } });
    expectRefused(await put(free, { qos: { id: UNKNOWN } }), 400, escaped(NOT_ON_PASSTHROUGH));
  });

  test('of migratable is allowed at any time', async () => {
    const used = await named('vnicprofiles', 'vnic_profile', 'prod-vf');
    expect((await put(used, { migratable: 'false' })).body).toMatchObject({ migratable: 'false' });
    expect((await put(used, { migratable: 'true' })).body).toMatchObject({ migratable: 'true' });
  });
});

describe('a standby profile', () => {
  let standby: Json;
  beforeEach(async () => {
    standby = await added({ name: 'standby' });
  });
  const failover = (id: string) => ({ failover: { id } });

  test('is an ordinary one, of a passthrough profile that is migratable (D14)', async () => {
    const both = await added({ ...VF, name: 'ok', ...failover(standby.id) });
    expect(both['failover']).toMatchObject({
      id: standby.id,
      href: `/ovirt-engine/api/vnicprofiles/${standby.id}`,
    });
    const only = 'supported only for a passthrough profile that is migratable';
    expectRefused(await add({ ...VF, migratable: 'false', ...failover(standby.id) }), 400, only);
    expectRefused(await add(failover(standby.id)), 400, only);
    const vf = await added({ ...VF, name: 'vf' });
    expectRefused(await add({ ...VF, ...failover(vf.id) }), 400, 'must not be a passthrough profile');
    expectRefused(await add({ ...VF, ...failover(UNKNOWN) }), 400, 'must exist');
    expectRefused(await put(vf, failover(vf.id)), 400, 'its own failover');
    expect(await added({ ...VF, name: 'none', failover: {} })).not.toHaveProperty('failover');
    expectRefused(await put(both, { migratable: 'false' }), 400, only);
  });

  test('can be set, kept and taken away again, while nobody uses the profile (D15)', async () => {
    const vf = await added({ ...VF, name: 'vf' });
    expect((await put(vf, failover(standby.id))).body['failover']).toMatchObject({ id: standby.id });
    expect((await put(vf, { ...failover(standby.id), description: 'x' })).status).toBe(200);
    expect((await put(vf, { name: 'vf-2' })).body['failover']).toMatchObject({ id: standby.id });
    expect((await put(vf, { failover: {} })).body).not.toHaveProperty('failover');
    const used = await named('vnicprofiles', 'vnic_profile', 'prod-vf');
    expectRefused(await put(used, failover(standby.id)), 409, 'used by');
    expect((await put(used, { failover: {} })).status).toBe(200);
  });

  test('is neither changed nor deleted while another profile names it', async () => {
    const vf = await added({ ...VF, name: 'vf', ...failover(standby.id) });
    expectRefused(await put(standby, { description: 'x' }), 400, 'it is the failover profile of vf');
    expectRefused(await engine.ask('DELETE', `vnicprofiles/${standby.id}`), 409, 'failover');
    await put(vf, { failover: {} });
    expect((await put(standby, { description: 'x' })).status).toBe(200);
  });
});

describe("a vNIC's profile", () => {
  const nicOf = async (name: string, kind: string) => {
    const vm = await named('vms', 'vm', name);
    const nics = await list(`vms/${vm.id}/nics`, 'nic');
    return `vms/${vm.id}/nics/${nics.find((each) => each['interface'] === kind)?.id}`;
  };

  test('is passthrough if and only if the vNIC is a VF; none is allowed (E2)', async () => {
    const [vf, plain] = [await nicOf('web-1', 'pci_passthrough'), await nicOf('web-1', 'virtio')];
    const profiles = {
      vf: await named('vnicprofiles', 'vnic_profile', 'prod-vf'),
      plain: await named('vnicprofiles', 'vnic_profile', 'prod'),
    };
    const mismatch = "The network interface type doesn't match the profile.";
    const give = async (nic: string, profile: Json) =>
      await engine.ask('PUT', nic, { vnic_profile: { id: profile.id } });
    expectRefused(await give(vf, profiles.plain), 409, escaped(mismatch));
    expectRefused(await give(plain, profiles.vf), 409, escaped(mismatch));
    expect((await give(plain, profiles.plain)).status).toBe(200);
    expect((await engine.ask('PUT', plain, { vnic_profile: {} })).body).not.toHaveProperty('vnic_profile');
    expect((await give(plain, profiles.plain)).status).toBe(200);
    expect((await give(vf, profiles.vf)).status).toBe(200);
  });

  test('has to be there, and the vNIC stays linked (E3, E6)', async () => {
    const vf = await nicOf('web-1', 'pci_passthrough');
    expectRefused(
      await engine.ask('PUT', vf, { vnic_profile: { id: UNKNOWN } }),
      400,
      'there is no vNIC profile',
    );
    expectRefused(await engine.ask('PUT', vf, { vnic_profile: { id: 'x' } }), 400, 'is not a UUID');
    expect((await engine.ask('PUT', vf, { linked: 'false' })).status).toBe(400);
    expect((await engine.ask('PUT', vf, { linked: 'true' })).status).toBe(200);
    expect((await engine.ask('PUT', vf, { id: UNKNOWN })).status).toBe(409);
  });
});
