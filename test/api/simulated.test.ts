/**
 * The API over the real use cases, store and saga on the simulated fleet: what a client sees from the first
 * request to the end of a migration.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { JobView } from '../../src/api/types/job-view.ts';
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

const list = async (collection: string, tag: string): Promise<Json[]> => {
  const { body } = await engine.ask<Record<string, Json[]>>('GET', collection);
  return body[tag] ?? [];
};
const named = async (collection: string, tag: string, name: string): Promise<Json> => {
  const [found] = await list(`${collection}?search=${encodeURIComponent(`name=${name}`)}`, tag);
  expect(found, name).toBeDefined();
  return found as Json;
};
const job = async (id: string) => (await engine.ask<JobView>('GET', `/api/jobs/${id}`)).body;
const hostNameOf = async (vmId: string) => {
  const { body } = await engine.ask<{ host: Json }>('GET', `vms/${vmId}?follow=host`);
  return body.host.name;
};
const vfOf = async (vmId: string) =>
  (await list(`vms/${vmId}/nics`, 'nic')).find((nic) => nic['interface'] === 'pci_passthrough');

describe('the inventory', () => {
  test('has the hosts, networks, profiles and VMs of the demo', async () => {
    const names = async (collection: string, tag: string) =>
      (await list(collection, tag)).map((each) => each.name).sort();
    expect(await names('hosts', 'host')).toEqual(['host-a', 'host-b', 'host-c']);
    expect(await names('networks', 'network')).toEqual(['ovirtmgmt', 'prod']);
    expect(await names('vnicprofiles', 'vnic_profile')).toEqual(['prod', 'prod-vf', 'prod-vf-pinned']);
    expect(await names('vms', 'vm')).toEqual(['batch-1', 'db-1', 'plain-1', 'web-1']);
  });

  test('lists as many VFs as the PFs have, used or not', async () => {
    for (const host of await list('hosts', 'host')) {
      const nics = await list(`hosts/${host.id}/nics`, 'host_nic');
      for (const pf of nics.filter((nic) => nic['virtual_functions_configuration'])) {
        const vfs = nics.filter((nic) => (nic['physical_function'] as Json | undefined)?.id === pf.id);
        expect(pf['virtual_functions_configuration']).toMatchObject({
          number_of_virtual_functions: String(vfs.length),
          max_number_of_virtual_functions: '8',
        });
        expect(vfs).toHaveLength(8);
      }
    }
  });
});

describe('what is refused', () => {
  test('a VM whose VF profile is not migratable, in the words of oVirt', async () => {
    const vm = await named('vms', 'vm', 'db-1');
    const { status, body } = await engine.ask('POST', `vms/${vm.id}/migrate`, {});
    expect(status).toBe(400);
    expect(body).toMatchObject({ status: 'failed', fault: { code: 'VM_NOT_MIGRATABLE' } });
    const { detail } = body['fault'] as { detail: string };
    expect(detail).toMatch(
      /^\[Cannot migrate VM\. Migration is not supported for VMs containing 'non migratable' 'passthrough'/,
    );
    expect(detail).toContain('handover vnic-profile update');
  });

  test('a VM that is down, the host it is on, and a cancel of nothing', async () => {
    const down = await named('vms', 'vm', 'batch-1');
    expect((await engine.ask('POST', `vms/${down.id}/migrate`, {})).status).toBe(400);
    const plain = await named('vms', 'vm', 'plain-1');
    const same = await engine.ask('POST', `vms/${plain.id}/migrate`, { host: { name: 'host-b' } });
    expect(same.status).toBe(409);
    expect(JSON.stringify(same.body)).toContain('ource and destination is the same.');
    const idle = await engine.ask('POST', `vms/${plain.id}/cancelmigration`, {});
    expect(idle.status).toBe(409);
    expect(JSON.stringify(idle.body).match(/Cannot cancel migration/g)).toHaveLength(1);
  });

  test('what a vNIC profile can not be', async () => {
    const prod = await named('networks', 'network', 'prod');
    const profile = { name: 'x', network: { id: prod.id }, pass_through: { mode: 'enabled' } };
    const post = async (over: object) => await engine.ask('POST', 'vnicprofiles', { ...profile, ...over });
    const mirrored = await post({ port_mirroring: 'true' });
    expect(mirrored.status).toBe(400);
    expect(mirrored.body['detail']).toContain("'Port Mirroring,'Qos' and 'Network Filter' are not supported");
    expect((await post({ name: 'prod-vf' })).status).toBe(409);
    const used = await named('vnicprofiles', 'vnic_profile', 'prod-vf');
    expect((await engine.ask('DELETE', `vnicprofiles/${used.id}`)).status).toBe(409);
    expect((await engine.ask('DELETE', `networks/${prod.id}`)).status).toBe(409);
    const made = await post({ name: 'PROD-VF' });
    expect([made.status, made.body['migratable']]).toEqual([201, 'true']);
    expect((await engine.ask('DELETE', `vnicprofiles/${String(made.body['id'])}`)).status).toBe(200);
  });

  test('a host that can not be reached, which is then not there', async () => {
    const body = { name: 'h9', libvirt_uri: 'qemu+unix:///system?socket=/nonexistent/libvirt.sock' };
    const answer = await engine.ask('POST', 'hosts', body);
    expect(answer.status).toBe(503);
    expect(JSON.stringify(answer.body)).toContain('/nonexistent/libvirt.sock');
    expect(await list('hosts', 'host')).toHaveLength(3);
    expect((await engine.ask('POST', 'hosts', { ...body, libvirt_uri: 'esx://h9/' })).status).toBe(400);
  });
});

describe('a migration', () => {
  test('is migrating from before the answer, as Ansible needs, then up with its VF', async () => {
    const vm = await named('vms', 'vm', 'web-1');
    const source = await hostNameOf(vm.id);
    const before = await vfOf(vm.id);
    const started = await engine.ask<{ job: Json }>('POST', `vms/${vm.id}/migrate`, {
      host: { name: 'host-b' },
      cluster: { name: 'Default' },
    });
    expect(started.status).toBe(200);
    const status = async () => (await engine.ask('GET', `vms/${vm.id}`)).body['status'];
    expect(await status()).toBe('migrating');
    const again = await engine.ask('POST', `vms/${vm.id}/migrate`, {});
    expect(again.status).toBe(409);
    await eventually('the VM to be up', async () => (await status()) === 'up');
    expect(await hostNameOf(vm.id)).toBe('host-b');
    expect(await vfOf(vm.id)).toMatchObject({
      id: before?.id,
      mac: before?.['mac'],
      plugged: 'true',
      actual_state: 'plugged',
      virtual_function: expect.stringMatching(/^0000:3b:/) as string,
    });

    const id = started.body.job.id;
    const ended = await eventually('the job to end', async () => {
      const seen = await job(id);
      return seen.ended && seen;
    });
    expect(ended).toMatchObject({ state: 'succeeded', source, target: 'host-b', leftBehind: [] });
    expect(ended.vnics).toMatchObject([{ sourceVf: before?.['virtual_function'], state: 'plugged' }]);
    const shown = await engine.ask<{ status: string; steps: { step: Json[] } }>(
      'GET',
      `jobs/${id}?follow=steps`,
    );
    expect(shown.body).toMatchObject({
      status: 'finished',
      description: `Migrating VM web-1 from Host ${source} to Host host-b`,
    });
    expect(shown.body.steps.step.map((step) => step['status'])).not.toContain('started');
    const codes = (await list('events?search=vm.name%3Dweb-1', 'event')).map((event) => event['code']);
    expect(codes).toEqual(expect.arrayContaining(['62', '1012', '63']));
  });

  test('that is cancelled during its transfer ends on the source with the VF it had', async () => {
    const vm = await named('vms', 'vm', 'web-1');
    const source = await hostNameOf(vm.id);
    const before = await vfOf(vm.id);
    const started = await engine.ask<{ job: Json }>('POST', `vms/${vm.id}/migrate`, {});
    await eventually('the transfer to begin', async () =>
      (await job(started.body.job.id)).steps.some((step) => step.name === 'transfer'),
    );
    const cancelled = await engine.ask('POST', `vms/${vm.id}/cancelmigration`, {});
    expect(cancelled.status).toBe(200);
    const ended = await eventually('the job to end', async () => {
      const seen = await job(started.body.job.id);
      return seen.ended && seen;
    });
    expect(ended.state).toBe('cancelled');
    expect(await hostNameOf(vm.id)).toBe(source);
    const after = await eventually('the VF to be back', async () => {
      const nic = await vfOf(vm.id);
      return nic?.['actual_state'] === 'plugged' && nic;
    });
    expect(after['virtual_function']).toBe(before?.['virtual_function']);
  });
});

test('a VM is stopped and started again with its VF', async () => {
  const vm = await named('vms', 'vm', 'db-1');
  const status = async () => (await engine.ask<{ status: string }>('GET', `vms/${vm.id}`)).body.status;
  expect((await engine.ask('POST', `vms/${vm.id}/stop`, {})).status).toBe(200);
  expect(await status()).toBe('down');
  const again = await engine.ask('POST', `vms/${vm.id}/stop`, {});
  expect(again).toMatchObject({ status: 409, body: { fault: { code: 'VM_STATUS_WRONG' } } });
  const started = await engine.ask('POST', `vms/${vm.id}/start`, {});
  expect(started).toMatchObject({ status: 200, body: { status: 'complete' } });
  expect(await status()).toBe('up');
  expect(await vfOf(vm.id)).toMatchObject({ plugged: 'true', actual_state: 'plugged' });
});

describe('a vNIC on a VF', () => {
  test('is taken out of the running guest and plugged again, as actions and by its flag', async () => {
    const vm = await named('vms', 'vm', 'db-1');
    const before = await vfOf(vm.id);
    const path = `vms/${vm.id}/nics/${before?.id}`;
    expect(before?.['actions']).toMatchObject({
      link: [
        { rel: 'activate', href: `/ovirt-engine/api/${path}/activate` },
        { rel: 'deactivate', href: `/ovirt-engine/api/${path}/deactivate` },
      ],
    });
    const out = await engine.ask('POST', `${path}/deactivate`, {});
    expect(out).toMatchObject({ status: 200, body: { status: 'complete' } });
    const nic = async () => (await engine.ask<Json>('GET', path)).body;
    expect(await nic()).toMatchObject({ plugged: 'false', actual_state: 'unplugged' });
    expect(await nic()).not.toHaveProperty('virtual_function');
    // Asked for what is so already: nothing happens, and that is fine.
    expect((await engine.ask('POST', `${path}/deactivate`, {})).status).toBe(200);
    const back = await engine.ask<Json>('PUT', path, { plugged: true });
    expect(back).toMatchObject({ status: 200, body: { plugged: 'true', actual_state: 'plugged' } });
  });

  test('and an ordinary one too', async () => {
    const vm = await named('vms', 'vm', 'web-1');
    const ordinary = (await list(`vms/${vm.id}/nics`, 'nic')).find((nic) => nic['interface'] === 'virtio');
    const path = `vms/${vm.id}/nics/${ordinary?.id}`;
    for (const [act, actual_state] of [
      ['deactivate', 'unplugged'],
      ['activate', 'plugged'],
    ]) {
      expect(await engine.ask('POST', `${path}/${act}`, {})).toMatchObject({ status: 200 });
      expect((await engine.ask('GET', path)).body).toMatchObject({ actual_state });
    }
  });
});

test('a vNIC on a VF is added to a running VM, and removed', async () => {
  const vm = await named('vms', 'vm', 'web-1');
  const profile = await named('vnicprofiles', 'vnic_profile', 'prod-vf');
  const nics = `vms/${vm.id}/nics`;
  const wanted = { name: 'fast', interface: 'pci_passthrough', vnic_profile: { id: profile.id } };
  const added = await engine.ask<Json>('POST', nics, wanted);
  expect(added).toMatchObject({
    status: 201,
    body: { name: 'fast', plugged: 'true', actual_state: 'plugged' },
  });
  expect((await engine.ask('POST', nics, wanted)).status).toBe(409);
  expect(await engine.ask('POST', nics, { ...wanted, interface: 'virtio' })).toMatchObject({
    status: 409,
    body: { code: 'VNIC_PROFILE_MISMATCH' },
  });
  expect((await engine.ask('POST', nics, { interface: 'pci_passthrough' })).body).toMatchObject({
    reason: 'Incomplete parameters',
  });
  const path = `${nics}/${added.body.id}`;
  const active = await engine.ask('DELETE', path);
  expect(active).toMatchObject({ status: 409, body: { code: 'IN_USE' } });
  await engine.ask('POST', `${path}/deactivate`, {});
  expect(await engine.ask('DELETE', path)).toMatchObject({ status: 200, body: { status: 'complete' } });
  expect((await engine.ask('GET', path)).status).toBe(404);
});
