/** VMs and their vNICs as clients make, change and remove them, in both formats. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type ApiServer, list, startApiServer } from '../support/api-server.ts';
import { newId } from '../support/builders.ts';

let server: ApiServer;
beforeEach(async () => {
  server = await startApiServer();
});
afterEach(async () => {
  await server.close();
});

describe('vNICs', () => {
  test('show what is wanted as plugged, and what is as an extension', async () => {
    const nics = list(await server.ask('GET', `vms/${server.web1.id}/nics`), 'nic');
    expect(nics[0]).toMatchObject({
      interface: 'pci_passthrough',
      plugged: 'true',
      linked: 'true',
      actual_state: 'plugged',
      virtual_function: '0000:3b:02.1',
      vnic_profile: { id: server.vfProfile.id },
      vm: { id: server.web1.id },
    });
    const links = nics[0]?.['link'] as { rel: string; href: string }[];
    const link = links.find(({ rel }) => rel === 'networkfilterparameters')?.href ?? '';
    expect((await server.ask('GET', link, { format: 'xml' })).text).toContain('<network_filter_parameters/>');
    expect(nics[1]).toMatchObject({ interface: 'virtio' });
  });

  test('get another profile, are plugged and unplugged, and nothing else', async () => {
    const nic = server.web1.vnics[0];
    const path = `vms/${server.web1.id}/nics/${nic?.id}`;
    const body = `<nic><name>nic1</name><vnic_profile id="${server.plainProfile.id}"/></nic>`;
    const changed = await server.ask('PUT', path, { body, format: 'xml' });
    expect(changed.text).toContain(`id="${server.plainProfile.id}"`);
    expect((await server.ask('PUT', path, { body: '{"vnic_profile":{}}' })).json()).not.toHaveProperty(
      'vnic_profile',
    );
    const unplugged = await server.ask('PUT', path, { body: '{"plugged":"false"}' });
    expect(unplugged.json()).toMatchObject({ plugged: 'false', actual_state: 'unplugged' });
    expect((await server.ask('PUT', path, { body: '{"name":"eth0"}' })).status).toBe(400);
    expect((await server.ask('GET', `vms/${server.web1.id}/nics/${newId<string>()}`)).status).toBe(404);
  });
});

describe('VMs', () => {
  const definition = '<domain><name>new-1</name><devices/></domain>';
  const asXml = (extra: string) =>
    `<vm>${extra}<initialization><configuration><type>libvirt</type><data><![CDATA[${definition}]]></data>` +
    '</configuration></initialization></vm>';

  test('are added from a definition, on the host that is named, and removed', async () => {
    const made = await server.ask('POST', 'vms', { body: asXml('<name>new-1</name>'), format: 'xml' });
    expect([made.status, made.text]).toEqual([201, expect.stringContaining('<name>new-1</name>') as string]);
    const path = (made.headers.get('location') ?? '').replace('/ovirt-engine/api/', '');
    expect((await server.ask('GET', path)).json()).toMatchObject({ name: 'new-1', status: 'down' });
    const [{ name = '' } = {}] = server.world.hosts;
    const on = JSON.stringify({
      name: 'new-2',
      placement_policy: { hosts: { host: [{ name }] } },
      initialization: { configuration: { type: 'libvirt', data: definition } },
    });
    expect((await server.ask('POST', 'vms', { body: on })).status).toBe(201);
    expect((await server.ask('DELETE', path)).json()).toMatchObject({ status: 'complete' });
    expect((await server.ask('GET', path)).status).toBe(404);
  });

  test.each([
    [
      'without a definition',
      '<vm><name>x</name></vm>',
      /VM \[initialization.configuration.data\] required for add/,
    ],
    ['of another kind', asXml('').replace('libvirt', 'ovf'), /type is ovf; only libvirt can be used/],
    [
      'on a host that is not there',
      asXml('<host><name>nowhere</name></host>'),
      /no host nowhere; known hosts: /,
    ],
    ['in another cluster', asXml('<cluster><name>other</name></cluster>'), /there is no cluster other/],
  ])('are not added %s', async (_what, body, detail) => {
    const answer = await server.ask('POST', 'vms', { body, format: 'xml' });
    expect([answer.status, answer.text]).toEqual([400, expect.stringMatching(detail) as string]);
  });

  test('are answered as they are when they are sent back, as Ansible does, and never changed', async () => {
    const path = `vms/${server.web1.id}`;
    const partly = `<vm><name>${server.web1.name}</name><cluster><name>Default</name></cluster></vm>`;
    for (const body of [partly, (await server.ask('GET', path, { format: 'xml' })).text])
      expect((await server.ask('PUT', path, { body, format: 'xml' })).status).toBe(200);
    for (const [what, body] of [
      ['name', '{"name":"other"}'],
      ['memoryKiB', '{"memory":"1"}'],
      ['vcpus', '{"cpu":{"topology":{"cores":"77"}}}'],
    ]) {
      const answer = await server.ask('PUT', path, { body: body ?? '' });
      const said = `[Cannot edit VM. ${what} of ${server.web1.name} is `;
      expect([answer.status, answer.json<{ detail: string }>().detail]).toEqual([
        400,
        expect.stringContaining(said) as string,
      ]);
    }
  });
});
