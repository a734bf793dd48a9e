/** Every collection that clients ask for, in both formats; and links that lead somewhere. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ovirtRoutes } from '../../src/api/ovirt/collections.ts';
import { type ApiServer, startApiServer } from '../support/api-server.ts';

let server: ApiServer;
beforeAll(async () => {
  server = await startApiServer();
});
afterAll(async () => {
  await server.close();
});

type Json = Record<string, unknown> & { readonly id: string; readonly href: string };
interface Link {
  readonly rel: string;
  readonly href: string;
}
const json = async (path: string) => {
  const answer = await server.ask('GET', path);
  expect([path, answer.status]).toEqual([path, 200]);
  return answer.json<Json>();
};
const list = async (path: string, tag: string) => ((await json(path))[tag] ?? []) as Json[];
const xml = async (path: string) => {
  const answer = await server.ask('GET', path, { format: 'xml' });
  expect([path, answer.status]).toEqual([path, 200]);
  return answer.text;
};

/**
 * Paths with ids of things that are there in place of their parameters; null where the world has no such
 * thing.
 */
async function filled(path: string): Promise<string | null> {
  const { hostA, prod, vfProfile, web1 } = server;
  const nics = await list(`hosts/${hostA.id}/nics`, 'host_nic');
  const ids: Record<string, string | undefined> = {
    hostId: hostA.id,
    networkId: prod.id,
    profileId: vfProfile.id,
    vmId: web1.id,
    clusterId: (await list('clusters', 'cluster'))[0]?.id,
    dataCenterId: (await list('datacenters', 'data_center'))[0]?.id,
    userId: (await list('users', 'user'))[0]?.id,
    deviceId: (await list(`hosts/${hostA.id}/devices`, 'host_device'))[0]?.id,
    name: 'SpiceUsbAutoShare',
    nicId: path.startsWith('vms') ? web1.vnics[0]?.id : nics.find((each) => each['name'] === 'ens1f0')?.id,
    id: (await list(path.split('/')[0] ?? '', 'template')).at(0)?.id,
  };
  const names = [...path.matchAll(/:(\w+)/g)].map((match) => match[1] ?? '');
  if (names.some((name) => ids[name] === undefined)) return null;
  return path.replace(/:(\w+)/g, (_, name: string) => ids[name] ?? '');
}

describe('every GET there is', () => {
  test('answers in XML and in JSON, in the form of oVirt', async () => {
    const asked: string[] = [];
    for (const { method, path } of ovirtRoutes(() => 0)) {
      if (method !== 'GET') continue;
      const real = await filled(path);
      if (real === null) continue;
      const answer = await server.ask('GET', real);
      // A network that is not allowed on a PF, for example.
      if (answer.status === 404) continue;
      expect([real, answer.status]).toEqual([real, 200]);
      asked.push(path);
      const text = await xml(real);
      const root = /^<\?xml [^>]*\?><([a-z_]+)/.exec(text)?.[1] ?? '';
      expect([real, root]).toEqual([real, expect.stringMatching(/^[a-z_]+$/) as string]);
      // The SDKs derail on an element that is opened and closed without content.
      expect([real, /<([a-z_]+)[^>]*><\/\1>/.exec(text)]).toEqual([real, null]);
      const body = answer.json<Record<string, unknown>>();
      const values = Object.values(body);
      const isCollection = values.length === 0 || (values.length === 1 && Array.isArray(values[0]));
      if (isCollection) {
        expect([real, text.includes('<') && (values.length === 0) === text.endsWith(`<${root}/>`)]).toEqual([
          real,
          true,
        ]);
      }
    }
    expect(asked.length).toBeGreaterThan(80);
  });

  test('is of nothing, where it says that nothing is ever in it', async () => {
    const empty = ovirtRoutes(() => 0).filter((route) => route.method === 'GET' && route.isEmpty);
    for (const { path } of empty) {
      const real = await filled(path);
      expect([path, real && (await json(real))]).toEqual([path, {}]);
    }
    expect(empty.length).toBeGreaterThan(50);
  });

  test('is empty, not missing, for what Handover keeps nothing of, whatever is searched there', async () => {
    for (const path of ['disks', 'storagedomains', 'vmpools', 'macpools', 'diskprofiles', 'cpuprofiles']) {
      expect(await json(`${path}?search=bootable%3Dtrue&follow=permissions`)).toEqual({});
    }
    expect(await xml('disks')).toMatch(/<disks\/>$/);
    expect(await xml('schedulingpolicies')).toMatch(/<scheduling_policies\/>$/);
    expect((await server.ask('GET', `disks/${server.prod.id}`)).status).toBe(404);
    const vm = `vms/${server.web1.id}`;
    expect(await xml(`${vm}/numanodes`)).toMatch(/<vm_numa_nodes\/>$/);
    expect(await xml(`${vm}/diskattachments`)).toMatch(/<disk_attachments\/>$/);
    expect((await server.ask('GET', `vms/${server.prod.id}/snapshots`)).status).toBe(404);
    expect((await server.ask('GET', 'vms/nonsense/snapshots')).status).toBe(404);
  });

  test('is linked, and every link leads somewhere', async () => {
    const hostNic = (await list(`hosts/${server.hostA.id}/nics`, 'host_nic')).map((each) => each.href);
    const nic = (await list(`vms/${server.web1.id}/nics`, 'nic')).map((each) => each.href);
    const of = async (path: string, tag: string) => (await list(path, tag)).map((each) => each.href);
    const pages = [
      '/ovirt-engine/api',
      ...(await of('vms', 'vm')),
      ...(await of('hosts', 'host')),
      ...(await of('networks', 'network')),
      ...(await of('vnicprofiles', 'vnic_profile')),
      ...(await of('clusters', 'cluster')),
      ...(await of('datacenters', 'data_center')),
      ...(await of('templates', 'template')),
      ...hostNic,
      ...nic,
    ];
    let followed = 0;
    for (const page of pages) {
      const { link = [] } = (await json(page)) as unknown as { link?: Link[] };
      for (const { rel, href } of link) {
        if (rel.endsWith('/search')) continue;
        followed += 1;
        await json(href);
      }
    }
    expect(followed).toBeGreaterThan(100);
  });
});

describe('the root', () => {
  test('has what clients look at, a link to every collection and one to every search', async () => {
    const root = (await json('')) as Json & { readonly link: Link[] };
    const rels = root.link.map(({ rel }) => rel);
    const top = ovirtRoutes(() => 0).filter(({ method, path }) => method === 'GET' && /^[a-z]+$/.test(path));
    expect(rels.filter((rel) => !rel.includes('/')).sort()).toEqual(top.map(({ path }) => path).sort());
    expect(rels).toEqual(
      expect.arrayContaining(
        ['vms', 'hosts', 'clusters', 'datacenters', 'networks', 'events', 'storagedomains', 'vmpools'].map(
          (rel) => `${rel}/search`,
        ),
      ),
    );
    expect(root['special_objects']).toMatchObject({
      blank_template: { href: expect.stringContaining('/templates/') as string },
      root_tag: { href: expect.stringContaining('/tags/') as string },
    });
    const special = root['special_objects'] as Record<string, Json>;
    expect(await json(special['blank_template']?.href ?? '')).toMatchObject({ name: 'Blank' });
    expect(await json(special['root_tag']?.href ?? '')).toMatchObject({ name: 'root' });
    expect(root['summary']).toMatchObject({
      hosts: { active: '2', total: '2' },
      storage_domains: { active: '0', total: '0' },
      vms: { active: '1', total: '1' },
    });
    expect(await xml('')).toContain('rel="vms/search"');
  });
});

describe("a host's devices", () => {
  test('are its cards, PFs and VFs under the names of libvirt, with who has them', async () => {
    const devices = await list(`hosts/${server.hostA.id}/devices`, 'host_device');
    const named = (name: string) => devices.find((each) => each['name'] === name);
    const pf = named('pci_0000_3b_00_0');
    expect(pf).toMatchObject({
      capability: 'pci',
      virtual_functions: '7',
      driver: expect.any(String) as string,
    });
    expect(named('pci_0000_3b_02_1')).toMatchObject({
      capability: 'pci',
      physical_function: { id: pf?.id, href: pf?.href },
      iommu_group: expect.any(String) as string,
      vm: { id: server.web1.id },
      parent_device: { name: 'computer' },
    });
    expect(named('pci_0000_3b_02_0')).not.toHaveProperty('vm');
    expect(devices.some((each) => each['capability'] === 'net')).toBe(true);
    expect(await json(pf?.href ?? '')).toEqual(pf);
    expect((await server.ask('GET', `hosts/${server.hostA.id}/devices/${server.prod.id}`)).status).toBe(404);
    expect(await xml(`hosts/${server.hostA.id}/devices`)).toMatch(
      /^<\?xml[^>]*\?><host_devices><host_device /,
    );
  });
});

describe("a host's network attachments", () => {
  test('say which nic carries a network, by the bridge of its name', async () => {
    const { hostA } = server;
    const host = server.world.hosts.find((each) => each.id === hostA.id);
    if (!host?.inventory) throw new Error('host-a was never seen');
    const bridges = [{ name: 'prod', up: true, uplinks: ['eno1.42'], mtu: 1500 }];
    const index = server.world.hosts.indexOf(host);
    server.world.hosts[index] = { ...host, inventory: { ...host.inventory, bridges } };
    const [attachment] = await list(`hosts/${hostA.id}/networkattachments`, 'network_attachment');
    const nics = await list(`hosts/${hostA.id}/nics`, 'host_nic');
    const eno1 = nics.find((each) => each['name'] === 'eno1');
    expect(attachment).toMatchObject({ network: { id: server.prod.id }, host_nic: { id: eno1?.id } });
    expect(await json(attachment?.href ?? '')).toEqual(attachment);
    expect(await list(`${eno1?.href}/networkattachments`, 'network_attachment')).toEqual([attachment]);
    const pf = nics.find((each) => each['name'] === 'ens1f0');
    expect(await json(`${pf?.href}/networkattachments`)).toEqual({});
    server.world.hosts[index] = host;
    expect(await json(`hosts/${hostA.id}/networkattachments`)).toEqual({});
  });
});

describe('what the VM Portal asks for when it starts', () => {
  test('options have a value for a version', async () => {
    expect(await json('options/SpiceUsbAutoShare')).toMatchObject({
      values: { system_option_value: [{ value: 'true', version: 'general' }] },
    });
    expect(await json('options/MaxNumOfVmCpus')).toMatchObject({
      values: { system_option_value: [{ value: '{x86=710}', version: '4.7' }] },
    });
    expect((await server.ask('GET', 'options/Nonsense')).status).toBe(404);
  });

  test('the USB filter is a text, without sign-on', async () => {
    const answer = await fetch(`${server.url}/ovirt-engine/services/files/usbfilter.txt`);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([
      200,
      expect.stringContaining('text/plain'),
    ]);
  });

  test('each collection with what it follows', async () => {
    for (const path of [
      'operatingsystems',
      'hosts',
      'datacenters?follow=permissions,storage_domains',
      'storagedomains?follow=permissions',
      'templates?follow=nics,disk_attachments.disk,permissions',
      'clusters?follow=networks,permissions',
      'disks?search=number_of_vms%3D0',
      'events?search=severity%3Derror',
      'vms;max=20?detail=current_graphics_consoles&current&follow=graphics_consoles&' +
        'search=SORTBY%20NAME%20ASC%20page%201',
      'vmpools;max=20?search=SORTBY%20NAME%20ASC%20page%201',
    ]) {
      await json(path);
    }
    const [profile] = await list('vnicprofiles?follow=network,permissions', 'vnic_profile');
    expect(profile).toMatchObject({ network: { data_center: { id: expect.any(String) as string } } });
    expect(profile?.['permissions']).toEqual({});
    const [vm] = await list('vms?follow=graphics_consoles', 'vm');
    expect(vm?.['graphics_consoles']).toEqual({});
  });
});

describe('what any request may carry', () => {
  test('all_content and filter change nothing, case_sensitive what is found', async () => {
    const plain = await json('hosts');
    expect(await json('hosts?all_content=true&filter=true')).toEqual(plain);
    const headers = { 'all-content': 'true', filter: 'true', 'x-ovirt-expect': '201-created' };
    expect((await server.ask('GET', 'hosts', { headers })).json()).toEqual(plain);
    expect(await json('vms?search=name%3DWEB-1')).toEqual({});
    expect(await list('vms?search=name%3DWEB-1&case_sensitive=false', 'vm')).toHaveLength(1);
    expect(await list('vms;case_sensitive=false?search=name%3DWEB-1', 'vm')).toHaveLength(1);
  });

  test('an unknown field is refused with those there are', async () => {
    const answer = await server.ask('GET', 'vms?search=colour%3Dred');
    expect([answer.status, answer.text]).toEqual([400, expect.stringMatching(/colour.*known here: .*name/)]);
  });

  test('a place in the list of hosts a VM can move to is no more than that', async () => {
    const path = `hosts?migration_target_of=${server.web1.id}`;
    const targets = await list(`${path}&check_vms_in_affinity_closure=true`, 'host');
    expect(targets.map((each) => each['name'])).toEqual(['host-b']);
    expect((await server.ask('GET', 'hosts?migration_target_of=nonsense')).status).toBe(404);
  });

  test('Location names what was made', async () => {
    const made = await server.ask('POST', 'networks', { body: '{"name":"located"}' });
    const location = made.headers.get('location') ?? '';
    expect(location).toBe(`/ovirt-engine/api/networks/${made.json<Json>().id}`);
    expect((await server.ask('DELETE', location)).status).toBe(200);
  });
});
