/** Each resource as clients ask for it, in both formats. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type ApiServer, type Json, list, startApiServer } from '../support/api-server.ts';
import { newId } from '../support/builders.ts';

let server: ApiServer;
beforeEach(async () => {
  server = await startApiServer();
});
afterEach(async () => {
  await server.close();
});

const names = (answer: { json<T>(): T }, tag: string) => list(answer, tag).map((each) => each['name']);

describe('the root', () => {
  test('names the product and links every collection, with a slash at its end or without', async () => {
    for (const path of ['/ovirt-engine/api', '/ovirt-engine/api/', '/ovirt-engine/api/v4']) {
      const answer = await server.ask('GET', path);
      expect(answer.status).toBe(200);
      const root = answer.json<Json>();
      expect(root['product_info']).toMatchObject({ name: 'Handover', version: { major: '4' } });
      expect(root['summary']).toMatchObject({ hosts: { total: '2', active: '2' }, vms: { total: '1' } });
      const base = path.endsWith('v4') ? path : '/ovirt-engine/api';
      expect(root['link']).toContainEqual({ rel: 'vms', href: `${base}/vms` });
      expect(root['link']).toContainEqual({ rel: 'vms/search', href: `${base}/vms?search={query}` });
    }
  });

  test('links only to collections that answer, and all of them do', async () => {
    const root = (await server.ask('GET', '')).json<{ link: { rel: string; href: string }[] }>();
    for (const { rel, href } of root.link) {
      if (rel.includes('/')) continue;
      const answer = await server.ask('GET', href, { format: 'xml' });
      expect([rel, answer.status]).toEqual([rel, 200]);
    }
  });
});

describe('the data center and the cluster', () => {
  test('are found by name and by what is in them', async () => {
    const centers = await server.ask('GET', 'datacenters?search=Clusters.name%3DDefault');
    expect(names(centers, 'data_center')).toEqual(['Default']);
    const clusters = await server.ask('GET', 'clusters?search=name%3DDefault&follow=networks');
    expect(list(clusters, 'cluster')[0]?.['networks']).toMatchObject({ network: [{ name: 'prod' }] });
    const id = list(clusters, 'cluster')[0]?.id;
    expect((await server.ask('GET', `clusters/${id}`)).status).toBe(200);
    expect((await server.ask('GET', `clusters/${newId<string>()}`)).status).toBe(404);
  });
});

describe('networks', () => {
  test('are created, changed and deleted in XML', async () => {
    const body =
      '<network><name>lab</name><vlan id="7"/><mtu>9000</mtu><usages><usage>vm</usage></usages>' +
      '<data_center><name>Default</name></data_center></network>';
    const made = await server.ask('POST', 'networks', { body, format: 'xml' });
    expect(made.status).toBe(201);
    expect(made.text).toMatch(/<network href="\/ovirt-engine\/api\/networks\/[0-9a-f-]+" id="[^"]+">/);
    expect(made.text).toContain('<vlan id="7"/>');
    const location = made.headers.get('location') ?? '';
    const changed = await server.ask('PUT', location, { body: '<network><vlan/></network>', format: 'xml' });
    expect(changed.text).not.toContain('<vlan');
    expect(changed.text).toContain('<mtu>9000</mtu>');
    const gone = await server.ask('DELETE', location, { format: 'xml' });
    expect([gone.status, gone.text]).toEqual([200, expect.stringContaining('<status>complete</status>')]);
    expect((await server.ask('GET', location)).status).toBe(404);
  });

  test('have one label, as a list', async () => {
    const path = `networks/${server.prod.id}/networklabels`;
    expect((await server.ask('GET', path)).json()).toEqual({});
    expect((await server.ask('POST', path, { body: '{"id":"blue"}' })).status).toBe(201);
    expect((await server.ask('POST', path, { body: '{"id":"red"}' })).status).toBe(409);
    expect(list(await server.ask('GET', path), 'network_label')).toMatchObject([{ id: 'blue' }]);
    expect((await server.ask('DELETE', `${path}/red`)).status).toBe(404);
    expect((await server.ask('DELETE', `${path}/blue`)).status).toBe(200);
    expect(server.world.networks[0]?.label).toBeNull();
  });

  test('that are used are not deleted', async () => {
    const answer = await server.ask('DELETE', `networks/${server.prod.id}`, { format: 'xml' });
    expect(answer.status).toBe(409);
    expect(answer.text).toContain('Cannot remove Network.');
  });
});

describe('vNIC profiles', () => {
  test('are created as Ansible does, with empty elements for nothing', async () => {
    const body =
      `<vnic_profile><name>fast</name><network id="${server.prod.id}"/><network_filter/><qos/>` +
      '<pass_through><mode>enabled</mode></pass_through><port_mirroring>false</port_mirroring>' +
      '</vnic_profile>';
    const made = await server.ask('POST', 'vnicprofiles', { body, format: 'xml' });
    expect(made.status).toBe(201);
    expect(made.text).toContain('<migratable>true</migratable>');
    expect(made.text).toContain('<port_mirroring>false</port_mirroring>');
    expect(made.text).not.toMatch(/<(network_filter|qos)/);
    const copies = await server.ask('GET', `networks/${server.prod.id}/vnicprofiles`);
    expect(names(copies, 'vnic_profile')).toEqual(['prod-vf', 'prod', 'fast']);
  });

  test('show migratable for passthrough ones only', async () => {
    const profiles = list(await server.ask('GET', 'vnicprofiles'), 'vnic_profile');
    expect(profiles[0]).toMatchObject({ migratable: 'true', pass_through: { mode: 'enabled' } });
    expect(profiles[1]).not.toHaveProperty('migratable');
    expect(profiles[1]).toMatchObject({ pass_through: { mode: 'disabled' }, port_mirroring: 'false' });
  });

  test('are changed in part, and lose their standby by an empty element', async () => {
    const path = `vnicprofiles/${server.vfProfile.id}`;
    const standby = `{"failover":{"id":"${server.plainProfile.id}"}}`;
    expect((await server.ask('PUT', path, { body: standby })).json()).toMatchObject({
      name: 'prod-vf',
      failover: { id: server.plainProfile.id },
    });
    const changed = await server.ask('PUT', path, {
      body: '<vnic_profile><failover/><migratable>false</migratable></vnic_profile>',
      headers: { 'content-type': 'application/xml' },
    });
    expect(changed.json()).toMatchObject({ migratable: 'false' });
    expect(changed.json()).not.toHaveProperty('failover');
  });

  test('without name and network are refused in the words of oVirt', async () => {
    const answer = await server.ask('POST', 'vnicprofiles', { body: '{}' });
    expect(answer.status).toBe(400);
    expect(answer.json()).toMatchObject({
      reason: 'Incomplete parameters',
      detail: 'VnicProfile [name, network.id] required for add',
    });
  });

  test('with a taken name are a conflict', async () => {
    const body = `{"name":"prod-vf","network":{"id":"${server.prod.id}"}}`;
    const answer = await server.ask('POST', 'vnicprofiles', { body });
    expect(answer.status).toBe(409);
    expect(answer.json<Json>()['detail']).toContain('is already used by an existing profile');
  });

  test('with malformed ids are 404 in a path and 400 in a body', async () => {
    expect((await server.ask('GET', 'vnicprofiles/nonsense')).status).toBe(404);
    const body = '{"name":"x","network":{"id":"nonsense"}}';
    expect((await server.ask('POST', 'vnicprofiles', { body })).status).toBe(400);
  });

  test('with a filter on a VF are refused with the text clients know', async () => {
    const body = `{"name":"x","network":{"id":"${server.prod.id}"},"pass_through":{"mode":"enabled"},
      "network_filter":{"id":"${newId<string>()}"}}`;
    const answer = await server.ask('POST', 'vnicprofiles', { body });
    expect(answer.status).toBe(400);
    expect(answer.json<Json>()['detail']).toContain(
      "'Port Mirroring,'Qos' and 'Network Filter' are not supported on passthrough profiles.",
    );
  });
});

describe('hosts', () => {
  test('are shown with what was seen on them', async () => {
    const [host] = list(await server.ask('GET', 'hosts?search=name%3Dhost-a'), 'host');
    expect(host).toMatchObject({
      name: 'host-a',
      status: 'up',
      memory: String(16 * 1024 ** 3),
      libvirt_version: { full_version: '11.3.0', major: '11' },
      summary: { active: '1', migrating: '0', total: '1' },
    });
  });

  test('are added by address as oVirt does, or by libvirt URI', async () => {
    const byAddress = await server.ask('POST', 'hosts', {
      body:
        '<host><name>h1</name><address>10.0.0.1</address><root_password>secret</root_password>' +
        '<ssh><port>2222</port><user><user_name>admin</user_name></user></ssh></host>',
      format: 'xml',
    });
    expect(byAddress.status).toBe(201);
    expect(byAddress.text).toContain('<libvirt_uri>qemu+ssh://admin@10.0.0.1:2222/system</libvirt_uri>');
    expect(byAddress.text).not.toContain('secret');
    const byUri = await server.ask('POST', 'hosts', {
      body: '{"name":"h2","libvirt_uri":"qemu+tls://h2/system","migration_address":"10.1.0.2"}',
    });
    expect(byUri.json()).toMatchObject({ address: 'h2', migration_address: '10.1.0.2' });
    const sixth = await server.ask('POST', 'hosts', { body: '{"name":"h3","address":"fd00::3"}' });
    expect(sixth.json()).toMatchObject({
      address: 'fd00::3',
      libvirt_uri: 'qemu+ssh://root@[fd00::3]/system',
    });
  });

  test.each(['{"name":"x","address":"a b"}', '{"name":"x","address":"-oProxyCommand=x /"}', '{"name":"x"}'])(
    'are not added by a bad address: %s',
    async (body) => {
      expect((await server.ask('POST', 'hosts', { body })).status).toBe(400);
      expect(server.world.hosts).toHaveLength(2);
    },
  );

  test('a VM could move to leave out the one it is on', async () => {
    const targets = await server.ask('GET', `hosts?migration_target_of=${server.web1.id}`);
    expect(names(targets, 'host')).toEqual(['host-b']);
  });

  test('are refreshed, changed and removed', async () => {
    const path = `hosts/${server.hostB.id}`;
    expect((await server.ask('POST', `${path}/refresh`, { body: '{}' })).json()).toEqual({
      status: 'complete',
    });
    const changed = await server.ask('PUT', path, { body: '{"outgoing_migrations_max":4}' });
    expect(changed.json()).toMatchObject({ outgoing_migrations_max: '4', name: 'host-b' });
    expect((await server.ask('DELETE', path, { format: 'xml' })).text).toContain('complete');
    expect((await server.ask('GET', path)).status).toBe(404);
  });
});

describe('host nics', () => {
  const nicsOf = async (hostId: string) => list(await server.ask('GET', `hosts/${hostId}/nics`), 'host_nic');

  test('list every VF of a PF, attached or free, with a netdev or without', async () => {
    const nics = await nicsOf(server.hostA.id);
    const pf = nics.find((nic) => nic['name'] === 'ens1f0');
    expect(pf?.['virtual_functions_configuration']).toEqual({
      all_networks_allowed: 'true',
      max_number_of_virtual_functions: '7',
      number_of_virtual_functions: '2',
      number_of_free_virtual_functions: '1',
    });
    const vfs = nics.filter((nic) => nic['physical_function']);
    expect(vfs.map((vf) => [vf['name'], vf['virtual_function_state'], vf['pci_address']])).toEqual([
      ['enp59s0f0v0', 'free', '0000:3b:02.0'],
      ['ens1f0v1', 'attached', '0000:3b:02.1'],
    ]);
    expect(vfs[1]).toMatchObject({
      physical_function: { id: pf?.['id'] },
      virtual_function_reason: 'attached to web-1',
    });
  });

  test('keep their ids and are found by them', async () => {
    const [first] = await nicsOf(server.hostA.id);
    const again = await server.ask('GET', `hosts/${server.hostA.id}/nics/${first?.id}`);
    expect(again.json<Json>()['name']).toBe(first?.['name']);
    expect((await server.ask('GET', `hosts/${server.hostB.id}/nics/${first?.id}`)).status).toBe(404);
  });

  test('say which networks a PF may serve', async () => {
    const pf = (await nicsOf(server.hostA.id)).find((nic) => nic['name'] === 'ens1f0');
    const path = `hosts/${server.hostA.id}/nics/${pf?.id}`;
    const update = `${path}/updatevirtualfunctionsconfiguration`;
    const networks = `${path}/virtualfunctionallowednetworks`;
    const labels = `${path}/virtualfunctionallowedlabels`;
    const network = `{"id":"${server.prod.id}"}`;
    expect((await server.ask('POST', networks, { body: network })).status).toBe(409);
    const body =
      '<action><virtual_functions_configuration><all_networks_allowed>false</all_networks_allowed>' +
      '<number_of_virtual_functions>2</number_of_virtual_functions>' +
      '</virtual_functions_configuration></action>';
    expect((await server.ask('POST', update, { body, format: 'xml' })).status).toBe(200);
    expect((await server.ask('POST', networks, { body: network })).json()).toEqual({ status: 'complete' });
    expect((await server.ask('POST', networks, { body: network })).status).toBe(409);
    expect((await server.ask('POST', labels, { body: '{"id":"blue"}' })).status).toBe(201);
    expect(names(await server.ask('GET', networks), 'network')).toEqual(['prod']);
    expect(list(await server.ask('GET', labels), 'network_label')).toMatchObject([{ id: 'blue' }]);
    expect((await server.ask('DELETE', `${networks}/${server.prod.id}`)).status).toBe(200);
    expect((await server.ask('DELETE', `${labels}/blue`)).status).toBe(200);
    expect(server.world.pfConfigs).toMatchObject([{ allNetworksAllowed: false, networkIds: [], labels: [] }]);
  });

  test('without SR-IOV have no VF configuration: 405', async () => {
    const eno1 = (await nicsOf(server.hostA.id)).find((nic) => nic['name'] === 'eno1');
    const path = `hosts/${server.hostA.id}/nics/${eno1?.id}/updatevirtualfunctionsconfiguration`;
    const body = '{"virtual_functions_configuration":{"all_networks_allowed":"true"}}';
    const answer = await server.ask('POST', path, { body });
    expect(answer.status).toBe(405);
    expect(answer.json()).toMatchObject({ status: 'failed', fault: { reason: 'Operation Failed' } });
  });

  test('say why the number of VFs is not changed', async () => {
    const pf = (await nicsOf(server.hostA.id)).find((nic) => nic['name'] === 'ens1f0');
    const path = `hosts/${server.hostA.id}/nics/${pf?.id}/updatevirtualfunctionsconfiguration`;
    const body = '{"virtual_functions_configuration":{"number_of_virtual_functions":"4"}}';
    const answer = await server.ask('POST', path, { body });
    expect(answer.status).toBe(400);
    expect(answer.text).toContain('Cannot edit host NIC VFs configuration.');
  });
});

describe('VMs', () => {
  test('have what libgovirt and Ansible need to be there', async () => {
    const answer = await server.ask('GET', 'vms', { format: 'xml' });
    for (const element of ['<display>', '<cpu>', '<bios>', '<os>', '<memory_policy>', '<placement_policy>']) {
      expect(answer.text).toContain(element);
    }
    expect(answer.text).toContain(`<link href="/ovirt-engine/api/vms/${server.web1.id}/nics" rel="nics"/>`);
    for (const action of ['start', 'shutdown', 'stop', 'migrate', 'cancelmigration'])
      expect(answer.text).toMatch(
        new RegExp(`<actions>.*<link href="[^"]*/${action}" rel="${action}"/>.*</actions>`),
      );
  });

  test('are found by name, status and host', async () => {
    for (const search of [
      'name=web-1',
      'name="web-1"',
      'name=web*',
      'status=up',
      'host=host-a and status=up',
    ]) {
      const found = await server.ask('GET', `vms?search=${encodeURIComponent(search)}`);
      expect([search, names(found, 'vm')]).toEqual([search, ['web-1']]);
    }
    expect((await server.ask('GET', 'vms?search=name%3Dother&follow=')).json()).toEqual({});
    expect((await server.ask('GET', 'vms?search=colour%3Dred')).status).toBe(400);
    expect((await server.ask('GET', 'vms;max=0')).json()).toEqual({});
    expect((await server.ask('GET', 'vms?max=x')).status).toBe(400);
  });

  test('hold what follow names, in either spelling, at any depth', async () => {
    for (const follow of ['nics.vnic_profile.network', 'nics.vnicprofile.network,permissions']) {
      const [vm] = list(await server.ask('GET', `vms?follow=${follow}`), 'vm');
      expect(vm?.['nics']).toMatchObject({
        nic: [{ name: 'nic1', vnic_profile: { name: 'prod-vf', network: { name: 'prod' } } }, {}],
      });
    }
    const deep = await server.ask('GET', 'vms?follow=host.nics.physical_function.host.cluster');
    expect(deep.status).toBe(400);
  });
});
