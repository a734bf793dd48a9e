/** Domain XML as facts. */
import { describe, expect, test } from 'vitest';
import { isCode } from '../base/errors.ts';
import { readDomainXml } from './domain-xml.ts';
import { PC_DEFINITION, PC_LIVE, Q35_DEFINITION } from './samples.ts';

describe('domain XML', () => {
  const live = readDomainXml(PC_LIVE);

  test('a running domain has an id, a definition has none', () => {
    expect(live.live).toBe(true);
    expect(readDomainXml(PC_DEFINITION).live).toBe(false);
  });

  test('names, memory, CPUs and machine are read', () => {
    expect(live).toMatchObject({
      uuid: '9e570000-0000-4000-8000-000000000001',
      name: 'web-1',
      memoryKiB: 163_840,
      vcpus: 4,
      arch: 'x86_64',
      machine: 'pc-i440fx-10.0',
      memoryNodes: [0, 1],
      cpus: [2, 3],
      agentConnected: true,
      hostdevs: ['0000:41:00.0'],
    });
    expect(readDomainXml(Q35_DEFINITION)).toMatchObject({ memoryKiB: 2 * 1024 ** 2, vcpus: 2 });
  });

  test('a VF interface shows everything needed to plug it again', () => {
    expect(live.interfaces[1]).toEqual({
      kind: 'hostdev',
      alias: 'ua-vf0',
      mac: '52:54:00:01:01:02',
      managed: true,
      vf: '0000:01:10.2',
      network: null,
      bridge: null,
      vlan: 42,
      guestAddress: '0000:00:08.0',
      traitsXml: "<driver name='vfio'/><rom enabled='no'/>",
      model: null,
      driver: 'vfio',
      teaming: null,
      profile: 'prod-vf',
    });
  });

  test('an ordinary interface shows its bridge; a teaming pair its side', () => {
    expect(live.interfaces[0]).toMatchObject({
      kind: 'bridge',
      bridge: 'br0',
      model: 'virtio',
      profile: null,
    });
    expect(live.interfaces[2]).toMatchObject({ managed: false, teaming: 'transient' });
  });

  test('metadata of others is not ours, whatever its elements are called', () => {
    expect(live.interfaces[0]?.profile).toBeNull();
  });

  test('our metadata is found under any prefix and with the namespace declared above', () => {
    const vnic = "<x:vnics><x:vnic mac='52:54:00:01:01:02' profile='p'/></x:vnics>";
    const xml = PC_LIVE.replace(/<metadata>[\s\S]*<\/metadata>/, `<metadata>${vnic}</metadata>`).replace(
      '<domain ',
      "<domain xmlns:x='https://handover.dev/xmlns/domain/1' ",
    );
    expect(readDomainXml(xml).interfaces[1]?.profile).toBe('p');
  });

  test('disks show source, cache and what protects them', () => {
    expect(live.disks).toEqual([
      {
        target: 'vda',
        source: '/srv/shared/web-1.qcow2',
        kind: 'file',
        format: 'qcow2',
        device: 'disk',
        readonly: false,
        shareable: false,
        cache: 'none',
      },
      expect.objectContaining({ target: 'hda', source: null, device: 'cdrom', readonly: true }),
      expect.objectContaining({ target: 'vdb', source: 'pool/image', kind: 'network', shareable: true }),
    ]);
  });

  test('an i440fx guest has no PCIe ports to run out of', () => {
    expect(live.freePciePorts).toBeNull();
  });

  test('on q35 a port is free when nothing sits behind it and hot-plug is allowed there', () => {
    // 1 serial, 2 vNIC, 3 free, 4 hot-plug off, 5 switch, 7 below the switch free.
    expect(readDomainXml(Q35_DEFINITION).freePciePorts).toBe(2);
  });

  test('the port of a vNIC that leaves is free again without it', () => {
    const without = Q35_DEFINITION.replace(/<interface[\s\S]*<\/interface>/, '');
    expect(readDomainXml(without).freePciePorts).toBe(3);
  });

  test.each([
    ['no XML', 'web-1'],
    ['another document', '<network/>'],
    ['a domain without UUID', '<domain><name>a</name></domain>'],
    ['a DOCTYPE', '<!DOCTYPE d [<!ENTITY a "b">]><domain/>'],
  ])('%s from a host is a protocol violation, not a crash', (_, xml) => {
    try {
      readDomainXml(xml);
      expect.unreachable();
    } catch (error) {
      expect(isCode(error, 'PROTOCOL_VIOLATION')).toBe(true);
    }
  });
});
