/**
 * The fleet of the simulated demo, by name: three hosts with one ordinary card and two PFs of 8 VFs each,
 * four VMs. Scripts and documentation name these things, so they stay as they are.
 */
import type { SimDomainSpec, SimFleetSpec, SimGuestSpec, SimHostSpec, SimPfSpec } from './inventory.ts';
import { PROMPT_UNPLUG } from './inventory.ts';
import { guestAddressElement } from './pci.ts';
import { element, formatXml, type XmlElement } from './xml.ts';

/** Namespace of what Handover keeps in a domain's metadata. */
const METADATA_NAMESPACE = 'https://handover.dev/xmlns/domain/1';
const GIB_IN_KIB = 1024 * 1024;
const HOST_NAMES = ['host-a', 'host-b', 'host-c'] as const;

const CPU_FEATURES = [
  'vme',
  'ss',
  'vmx',
  'pcid',
  'hypervisor',
  'arat',
  'tsc_adjust',
  'avx512f',
  'md-clear',
  'xsaves',
];

function pf(name: string, fn: number, hostIndex: number): SimPfSpec {
  return {
    name,
    pciAddress: `0000:3b:00.${fn}`,
    mac: `3c:fd:fe:a0:${hostIndex}0:${fn}0`,
    driver: 'i40e',
    vendorId: '0x8086',
    deviceId: '0x158b',
    vfDeviceId: '0x154c',
    numaNode: 0,
    vfCountMax: 8,
    vfCount: 8,
    firstVf: fn === 0 ? '0000:3b:02.0' : '0000:3b:0a.0',
    vfStride: 1,
    vfDriver: 'iavf',
    vfMigratable: false,
    carrier: true,
    mtu: 1500,
  };
}

function host(name: string, index: number): SimHostSpec {
  const mac = (tail: string): string => `52:54:00:10:0${index}:${tail}`;
  return {
    name,
    uuid: `0c0ffee0-0000-4000-8000-00000000000${index}`,
    addresses: [`192.0.2.1${index}`],
    libvirtVersion: 11_003_000,
    qemuVersion: 10_000_002,
    cpuModel: 'Cascadelake-Server',
    cpuVendor: 'Intel',
    cpuFeatures: CPU_FEATURES,
    cpuCount: 32,
    numaNodeCount: 2,
    memoryKiB: 128 * GIB_IN_KIB,
    nics: [{ name: 'eno1', pciAddress: '0000:18:00.0', mac: mac('01'), driver: 'igc', carrier: true }],
    pfs: [pf('ens1f0', 0, index), pf('ens1f1', 1, index)],
    bridges: [
      { name: 'ovirtmgmt', mac: mac('01'), uplinks: ['eno1'], mtu: 1500 },
      { name: 'prod', mac: mac('01'), uplinks: ['eno1.42'], mtu: 1500 },
    ],
    pools: [],
    migrationMiBps: 1100,
  };
}

interface DemoVnic {
  readonly mac: string;
  readonly profile: string;
  /** A VF, or none: a virtio interface on the bridge of `prod`. */
  readonly vf?: string;
  readonly alias: string;
  readonly slot: string;
}

function vnicXml(vnic: DemoVnic): XmlElement {
  const place = element('address', {
    type: 'pci',
    domain: '0x0000',
    bus: '0x00',
    slot: vnic.slot,
    function: '0x0',
  });
  const mac = element('mac', { address: vnic.mac });
  const alias = element('alias', { name: vnic.alias });
  if (vnic.vf === undefined) {
    const source = element('source', { bridge: 'prod' });
    return element('interface', { type: 'bridge' }, [
      mac,
      source,
      element('model', { type: 'virtio' }),
      alias,
      place,
    ]);
  }
  return element('interface', { type: 'hostdev', managed: 'yes' }, [
    mac,
    element('source', {}, [guestAddressElement(vnic.vf)]),
    element('vlan', {}, [element('tag', { id: 42 })]),
    alias,
    place,
  ]);
}

function domainXml(name: string, uuid: string, memoryGiB: number, vnics: readonly DemoVnic[]): string {
  const named = vnics.map(({ mac, profile }) => element('handover:vnic', { mac, profile }));
  return formatXml(
    element('domain', { type: 'kvm' }, [
      element('name', {}, [name]),
      element('uuid', {}, [uuid]),
      element('metadata', {}, [element('handover:vnics', { 'xmlns:handover': METADATA_NAMESPACE }, named)]),
      element('memory', { unit: 'GiB' }, [String(memoryGiB)]),
      element('vcpu', { placement: 'static' }, ['2']),
      element('os', {}, [element('type', { arch: 'x86_64', machine: 'pc-i440fx-10.0' }, ['hvm'])]),
      element('features', {}, [element('acpi'), element('apic')]),
      element('devices', {}, [
        element('emulator', {}, ['/usr/bin/qemu-system-x86_64']),
        ...vnics.map(vnicXml),
        element('channel', { type: 'unix' }, [
          element('target', { type: 'virtio', name: 'org.qemu.guest_agent.0' }),
        ]),
      ]),
    ]),
  );
}

const guest = (address: string): SimGuestSpec => ({
  unplug: PROMPT_UNPLUG,
  agent: true,
  memoryUsedMiB: 900,
  dirtyMiBps: 60,
  address,
});

const standby = (mac: string): DemoVnic => ({ mac, profile: 'prod', alias: 'ua-standby', slot: '0x03' });

/** The virtual machines of the demo. */
function domains(): SimDomainSpec[] {
  const vf = (mac: string, profile: string, address: string): DemoVnic => ({
    mac,
    profile,
    vf: address,
    alias: 'ua-vf0',
    slot: '0x08',
  });
  const web = domainXml('web-1', '3b3f1f5e-7a0c-4c1b-9d55-0a5d0c9b1e01', 4, [
    standby('52:54:00:aa:01:02'),
    vf('52:54:00:aa:01:01', 'prod-vf', '0000:3b:0a.0'),
  ]);
  const db = domainXml('db-1', '3b3f1f5e-7a0c-4c1b-9d55-0a5d0c9b1e02', 8, [
    vf('52:54:00:aa:02:01', 'prod-vf-pinned', '0000:3b:0a.1'),
  ]);
  const plain = domainXml('plain-1', '3b3f1f5e-7a0c-4c1b-9d55-0a5d0c9b1e03', 2, [
    standby('52:54:00:aa:03:01'),
  ]);
  const batch = domainXml('batch-1', '3b3f1f5e-7a0c-4c1b-9d55-0a5d0c9b1e04', 2, [
    standby('52:54:00:aa:04:01'),
  ]);
  return [
    { host: 'host-a', xml: web, running: true, autostart: true, guest: guest('198.51.100.11/24') },
    { host: 'host-a', xml: db, running: true, autostart: true, guest: guest('198.51.100.12/24') },
    { host: 'host-b', xml: plain, running: true, autostart: false, guest: guest('198.51.100.13/24') },
    { host: 'host-c', xml: batch, running: false, autostart: false, guest: guest('198.51.100.14/24') },
  ];
}

/** The inventory of `demo --simulated`. */
export const DEMO_FLEET: SimFleetSpec = {
  hosts: HOST_NAMES.map((name, index) => host(name, index + 1)),
  domains: domains(),
};
