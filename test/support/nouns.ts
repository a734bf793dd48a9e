/** Plausible nouns for tests: give what matters, the rest is made up. Every id and name is new. */
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
import { systemRandom } from '../../src/base/random.ts';
import type { Host, HostInventory } from '../../src/model/host.ts';
import type { MigrateParams, Reservation } from '../../src/model/job.ts';
import type { Network, VnicProfile } from '../../src/model/network.ts';
import type { Vm, Vnic } from '../../src/model/vm.ts';

/** A new id of any kind. */
export const newId = <Id extends string>(): Id => systemRandom.uuid() as Id;

let counter = 0;
const nextNumber = (): number => {
  counter += 1;
  return counter;
};

/** `0000:3b:SS.F`, the VF with that number on its PF. */
export const vfAddress = (number: number): PciAddress =>
  `0000:3b:${(2 + Math.floor(number / 8)).toString(16).padStart(2, '0')}.${number % 8}` as PciAddress;

const hexByte = (number: number): string => (number & 255).toString(16).padStart(2, '0');
const macAddress = (number: number): Mac => `52:54:00:00:${hexByte(number >> 8)}:${hexByte(number)}` as Mac;

/** A host that was never seen yet. */
export function aHost(over: Partial<Host> = {}): Host {
  const name = `host-${nextNumber()}`;
  return {
    id: newId<HostId>(),
    name,
    uri: `qemu+ssh://root@${name}/system`,
    peerUri: null,
    migrationAddress: null,
    status: 'connecting',
    statusReason: null,
    outgoingMax: 2,
    incomingMax: 2,
    inventory: null,
    observedAt: null,
    peerTests: {},
    ...over,
  };
}

/** A look at a host with nothing on it. */
export function anInventory(over: Partial<HostInventory> = {}): HostInventory {
  return {
    libvirtVersion: '11.3.0',
    hypervisorVersion: '10.0.2',
    hostname: 'host',
    hostUuid: newId<string>(),
    arch: 'x86_64',
    cpuModel: 'Skylake-Server-IBRS',
    cpuVendor: 'Intel',
    cpuCount: 8,
    cpuXml: '<cpu/>',
    memoryKiB: 16 * 1024 * 1024,
    memoryFreeKiB: 8 * 1024 * 1024,
    pfs: [],
    nics: [],
    bridges: [],
    pools: [],
    domains: [],
    channel: { works: true, reason: null },
    ...over,
  };
}

/** A plugged passthrough vNIC with a user alias. */
export function aVnic(over: Partial<Vnic> = {}): Vnic {
  const number = nextNumber();
  return {
    id: newId<VnicId>(),
    vmId: newId<VmId>(),
    name: 'nic1',
    alias: `ua-vf${number}`,
    mac: macAddress(number),
    passthrough: true,
    model: null,
    bridge: null,
    profileId: null,
    plugged: true,
    actual: 'plugged',
    vf: vfAddress(number % 64),
    managed: true,
    vlan: null,
    guestAddress: null,
    pool: null,
    blocker: null,
    ...over,
  };
}

/** A running VM; its vNICs get its id. */
export function aVm(over: Partial<Vm> = {}): Vm {
  const id = over.id ?? newId<VmId>();
  return {
    id,
    name: `vm-${nextNumber()}`,
    hostId: null,
    status: 'up',
    memoryKiB: 2 * 1024 * 1024,
    vcpus: 2,
    staleOn: [],
    ...over,
    vnics: (over.vnics ?? []).map((vnic) => ({ ...vnic, vmId: id })),
  };
}

/** A network without VLAN. */
export function aNetwork(over: Partial<Network> = {}): Network {
  return {
    id: newId<NetworkId>(),
    name: `network-${nextNumber()}`,
    vlan: null,
    label: null,
    mtu: null,
    description: null,
    ...over,
  };
}

/** A migratable passthrough profile. */
export function aProfile(networkId: NetworkId, over: Partial<VnicProfile> = {}): VnicProfile {
  return {
    id: newId<VnicProfileId>(),
    name: `profile-${nextNumber()}`,
    networkId,
    passThrough: true,
    migratable: true,
    portMirroring: false,
    failoverId: null,
    description: null,
    ...over,
  };
}

/** A request to move some VM away from `sourceHostId`. */
export function migrateParams(sourceHostId: HostId, over: Partial<MigrateParams> = {}): MigrateParams {
  return {
    vmId: newId<VmId>(),
    vmName: 'web-1',
    sourceHostId,
    targetHostId: null,
    copyStorage: false,
    unplugTimeoutMs: 30_000,
    downtimeMsMax: 300,
    bandwidthMiBps: null,
    transferTimeoutMs: 600_000,
    ...over,
  };
}

/** One VF of a host for one vNIC of a job. */
export function aReservation(
  jobId: JobId,
  hostId: HostId,
  vf: PciAddress,
  over: Partial<Reservation> = {},
): Reservation {
  return { hostId, vf, jobId, vmId: newId<VmId>(), vnicId: newId<VnicId>(), side: 'target', ...over };
}
