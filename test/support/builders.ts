/**
 * Builders of model nouns for tests: every field has a plausible value, a test names only what it is about.
 *
 * A number says which one it is: `vnicId(2)` is the id of `aVnic(2)`, which is on the second VF. Whatever is
 * left out belongs to the first: the first VM on the first host, its vNICs with the first profile.
 */
import type {
  HostId,
  JobId,
  Mac,
  NetworkId,
  PciAddress,
  VmId,
  VnicId,
  VnicProfileId,
} from '../../src/base/ids.ts';
import type { Caller } from '../../src/app/use-cases.ts';
import { systemRandom } from '../../src/base/random.ts';
import type { MigrateOptions } from '../../src/app/use-cases.ts';
import { ADMIN, type Role } from '../../src/model/access.ts';
import type { Domain, DomainInterface } from '../../src/model/domain.ts';
import type { Host, HostInventory } from '../../src/model/host.ts';
import type { Job, MigrateParams, Reservation } from '../../src/model/job.ts';
import type { Network, VnicProfile } from '../../src/model/network.ts';
import type { Pf, Vf } from '../../src/model/pf.ts';
import type { Vm, Vnic } from '../../src/model/vm.ts';

/** A UUID whose last group is `n`, so that ids are readable in failures. */
export const uuid = (n: number): string => `00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`;
/** An id of any kind that nothing else has. */
export const newId = <Id extends string>(): Id => systemRandom.uuid() as Id;
export const hostId = (n: number): HostId => uuid(0x1000 + n) as HostId;
export const vmId = (n: number): VmId => uuid(0x2000 + n) as VmId;
export const vnicId = (n: number): VnicId => uuid(0x3000 + n) as VnicId;
export const networkId = (n: number): NetworkId => uuid(0x4000 + n) as NetworkId;
export const profileId = (n: number): VnicProfileId => uuid(0x5000 + n) as VnicProfileId;
export const pci = (text: string): PciAddress => text as PciAddress;
/** The VF of that index, from 0, of the PF on `bus`. */
export const vfAddress = (index: number, bus = '3b'): PciAddress =>
  pci(`0000:${bus}:${(2 + Math.floor(index / 8)).toString(16).padStart(2, '0')}.${index % 8}`);
export const mac = (n: number): Mac => `52:54:00:00:00:${n.toString(16).padStart(2, '0')}` as Mac;

/** Who asks: the administrator, or who else has these roles. */
export const aCaller = (roles: readonly Role[] = ['SuperUser']): Caller => ({
  user: ADMIN,
  roles,
  correlationId: null,
});

/** A free VF. */
export function aVf(overrides: Partial<Vf> = {}): Vf {
  return {
    pciAddress: vfAddress(0),
    index: 0,
    driver: null,
    netdev: null,
    netdevUse: null,
    iommuGroup: 10,
    iommuGroupShared: false,
    numaNode: null,
    attributes: null,
    ...overrides,
  };
}

/** A PF with `count` free VFs on bus `bus`. */
export function aPf(name: string, bus: string, count: number, overrides: Partial<Pf> = {}): Pf {
  const vfs = Array.from({ length: count }, (_, index) =>
    aVf({ index, iommuGroup: index, pciAddress: vfAddress(index, bus) }),
  );
  return {
    name,
    pciAddress: pci(`0000:${bus}:00.0`),
    mac: mac(0xf0),
    driver: 'igb',
    numaNode: null,
    carrier: true,
    mtu: 1500,
    vfCountMax: Math.max(8, count),
    vfs,
    ...overrides,
  };
}

/** A host with a bridge and memory to spare. */
export function anInventory(overrides: Partial<HostInventory> = {}): HostInventory {
  return {
    libvirtVersion: '11.3.0',
    hypervisorVersion: '10.0.2',
    hostname: 'host',
    hostUuid: uuid(1),
    arch: 'x86_64',
    cpuModel: 'EPYC',
    cpuVendor: 'AMD',
    cpuCount: 8,
    cpuXml: '<cpu/>',
    memoryKiB: 64 * 1024 * 1024,
    memoryFreeKiB: 32 * 1024 * 1024,
    pfs: [],
    nics: [],
    bridges: [{ name: 'br0', up: true, uplinks: ['eno1'], mtu: 1500 }],
    pools: [],
    domains: [],
    channel: { works: true, reason: null },
    ...overrides,
  };
}

/** A host that is up. */
export function aHost(n: number, name = `host-${n}`, overrides: Partial<Host> = {}): Host {
  return {
    id: hostId(n),
    name,
    uri: `qemu+tls://${name}/system`,
    peerUri: null,
    migrationAddress: null,
    status: 'up',
    statusReason: null,
    outgoingMax: 2,
    incomingMax: 2,
    inventory: anInventory({ hostUuid: uuid(n) }),
    observedAt: 0,
    peerTests: {},
    ...overrides,
  };
}

/** A VF interface of a domain. */
export function anInterface(overrides: Partial<DomainInterface> = {}): DomainInterface {
  return {
    kind: 'hostdev',
    alias: 'ua-vf0',
    mac: mac(1),
    managed: true,
    vf: vfAddress(0),
    network: null,
    bridge: null,
    vlan: null,
    guestAddress: null,
    traitsXml: '',
    model: null,
    driver: null,
    teaming: null,
    profile: null,
    ...overrides,
  };
}

/** A running domain. */
export function aDomain(n: number, name: string, overrides: Partial<Domain> = {}): Domain {
  return {
    uuid: vmId(n),
    name,
    state: 'running',
    stateReason: 'booted',
    persistent: true,
    autostart: false,
    memoryKiB: 1024 * 1024,
    vcpus: 1,
    arch: 'x86_64',
    machine: 'pc-i440fx-10.0',
    numaNodes: [],
    interfaces: [],
    configInterfaces: [],
    hostdevs: [],
    configHostdevs: [],
    disks: [],
    freePciePorts: null,
    agentConnected: true,
    ...overrides,
  };
}

/** A plugged passthrough vNIC. */
export function aVnic(n: number, overrides: Partial<Vnic> = {}): Vnic {
  return {
    id: vnicId(n),
    vmId: vmId(1),
    name: `nic${n}`,
    alias: `ua-vf${n}`,
    mac: mac(n),
    passthrough: true,
    model: null,
    bridge: null,
    profileId: profileId(1),
    plugged: true,
    kept: false,
    actual: 'plugged',
    vf: vfAddress(n - 1),
    managed: true,
    vlan: null,
    guestAddress: null,
    traitsXml: '',
    pool: null,
    unpluggedXml: null,
    blocker: null,
    ...overrides,
  };
}

/** A vNIC as a look at its host finds it: nobody has given it a profile yet. */
export function aFoundVnic(n: number, overrides: Partial<Vnic> = {}): Vnic {
  return aVnic(n, { profileId: null, ...overrides });
}

/** The virtio standby beside a VF. */
export function aStandby(n: number, overrides: Partial<Vnic> = {}): Vnic {
  return aVnic(n, {
    passthrough: false,
    model: 'virtio',
    bridge: 'br0',
    profileId: null,
    vf: null,
    ...overrides,
  });
}

/** A running VM; its vNICs get its id. */
export function aVm(overrides: Partial<Vm> = {}): Vm {
  const id = overrides.id ?? vmId(1);
  return {
    id,
    name: 'web-1',
    hostId: hostId(1),
    status: 'up',
    starting: false,
    memoryKiB: 1024 * 1024,
    vcpus: 1,
    staleOn: [],
    ...overrides,
    vnics: (overrides.vnics ?? []).map((vnic) => ({ ...vnic, vmId: id })),
  };
}

/** An untagged network. */
export function aNetwork(n: number, overrides: Partial<Network> = {}): Network {
  return {
    id: networkId(n),
    name: `net${n}`,
    vlan: null,
    label: null,
    mtu: null,
    description: null,
    ...overrides,
  };
}

/** A migratable passthrough profile. */
export function aProfile(n: number, overrides: Partial<VnicProfile> = {}): VnicProfile {
  return {
    id: profileId(n),
    name: `profile${n}`,
    networkId: networkId(1),
    passThrough: true,
    migratable: true,
    portMirroring: false,
    failoverId: null,
    description: null,
    ...overrides,
  };
}

/** A request to move a VM that nothing else is about away from `source`. */
export function migrateParams(source: HostId, overrides: Partial<MigrateParams> = {}): MigrateParams {
  return {
    vmId: newId<VmId>(),
    vmName: 'web-1',
    sourceHostId: source,
    targetHostId: null,
    copyStorage: false,
    unplugTimeoutMs: 30_000,
    downtimeMsMax: 300,
    bandwidthMiBps: null,
    transferTimeoutMs: 600_000,
    ...overrides,
  };
}

/** One VF of a host for some vNIC of a job. */
export function aReservation(
  job: JobId,
  host: HostId,
  vf: PciAddress,
  overrides: Partial<Reservation> = {},
): Reservation {
  return {
    hostId: host,
    vf,
    jobId: job,
    vmId: newId<VmId>(),
    vnicId: newId<VnicId>(),
    side: 'target',
    ...overrides,
  };
}

/** A job as it is just after it was asked for, the `number`th. */
export function aQueuedJob(
  number: number,
  caller: Caller,
  vm: Vm,
  sourceHostId: HostId,
  options: MigrateOptions,
): Job {
  const targetHostId = options.targetHostId ?? null;
  return {
    id: newId<JobId>(),
    kind: 'migrate_vm',
    vmId: vm.id,
    vmName: vm.name,
    state: 'queued',
    params: {
      vmId: vm.id,
      vmName: vm.name,
      sourceHostId,
      copyStorage: false,
      unplugTimeoutMs: 30_000,
      downtimeMsMax: 300,
      bandwidthMiBps: null,
      transferTimeoutMs: 600_000,
      ...options,
      targetHostId,
    },
    data: {},
    sourceHostId,
    targetHostId,
    stepIndex: 0,
    pivoted: false,
    cancelRequested: false,
    waitReason: null,
    error: null,
    correlationId: caller.correlationId,
    createdAt: 1_700_000_000_000 + number,
    startedAt: null,
    endedAt: null,
  };
}
