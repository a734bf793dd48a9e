/**
 * An inventory as a JSON file: the form of `SimFleetSpec`, where what is not said is as in the demo. Checked
 * whole before anything starts.
 */
import { HandoverError } from '../../base/errors.ts';
import { DEMO_FLEET } from '../demo-inventory.ts';
import {
  ORDINARY_GUEST,
  type SimBridgeSpec,
  type SimDomainSpec,
  type SimFleetSpec,
  type SimGuestSpec,
  type SimHostSpec,
  type SimNicSpec,
  type SimPfSpec,
  type SimPoolSpec,
  type UnplugBehaviour,
} from '../inventory.ts';
import {
  list,
  number,
  orElse,
  orNull,
  readJson,
  record,
  type Shape,
  text,
  variant,
  whole,
  yesNo,
} from './shape.ts';

const HOST_NAME = text(/^[a-z0-9][a-z0-9-]{0,62}$/, 'a host name of small letters, digits and "-" is wanted');
const NETDEV = text(/^[A-Za-z0-9_.-]{1,15}$/, 'the name of a network device is wanted');
const MAC = text(/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/, 'a MAC address like 52:54:00:00:00:01 is wanted');
const PCI = text(/^[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$/, 'a PCI address like 0000:3b:00.0 is wanted');
const PCI_ID = text(/^0x[0-9a-f]{4}$/, 'a PCI id like 0x8086 is wanted');
const UUID = text(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, 'a UUID in small letters is wanted');
const ADDRESS = text(/^\d+(\.\d+){3}\/\d+$/, 'an IPv4 address with prefix like 198.51.100.11/24 is wanted');

const [demoHost] = DEMO_FLEET.hosts as readonly [SimHostSpec];
const [demoPf] = demoHost.pfs as readonly [SimPfSpec];

/** How a guest answers when a device is asked back. */
export const unplugShape: Shape<UnplugBehaviour> = variant('type', {
  answer: record({ minMs: number(), maxMs: number() }),
  never: record({}),
  refuse: record({ afterMs: number() }),
});

const guest: Shape<SimGuestSpec> = record({
  unplug: orElse(unplugShape, ORDINARY_GUEST.unplug),
  agent: orElse(yesNo, ORDINARY_GUEST.agent),
  memoryUsedMiB: orElse(number(), ORDINARY_GUEST.memoryUsedMiB),
  dirtyMiBps: orElse(number(), ORDINARY_GUEST.dirtyMiBps),
  address: orElse(orNull(ADDRESS), ORDINARY_GUEST.address),
});

const pf: Shape<SimPfSpec> = record({
  name: NETDEV,
  pciAddress: PCI,
  mac: MAC,
  driver: orElse(text(), demoPf.driver),
  vendorId: orElse(PCI_ID, demoPf.vendorId),
  deviceId: orElse(PCI_ID, demoPf.deviceId),
  vfDeviceId: orElse(PCI_ID, demoPf.vfDeviceId),
  numaNode: orElse(whole(), demoPf.numaNode),
  vfCountMax: orElse(whole(0, 256), 256),
  vfCount: whole(0, 256),
  firstVf: PCI,
  vfStride: orElse(whole(1, 256), demoPf.vfStride),
  vfDriver: orElse(orNull(text()), demoPf.vfDriver),
  vfMigratable: orElse(yesNo, demoPf.vfMigratable),
  carrier: orElse(yesNo, demoPf.carrier),
  mtu: orElse(whole(68, 65_535), demoPf.mtu),
});

const nic: Shape<SimNicSpec> = record({
  name: NETDEV,
  pciAddress: PCI,
  mac: MAC,
  driver: orElse(text(), 'igc'),
  carrier: orElse(yesNo, true),
});

const bridge: Shape<SimBridgeSpec> = record({
  name: NETDEV,
  mac: MAC,
  uplinks: orElse(list(NETDEV), []),
  mtu: orElse(whole(68, 65_535), 1500),
});

const pool: Shape<SimPoolSpec> = record({ name: text(), uuid: UUID, pf: NETDEV });

const host: Shape<SimHostSpec> = record({
  name: HOST_NAME,
  uuid: UUID,
  addresses: orElse(list(text()), []),
  libvirtVersion: orElse(whole(1_000_000), demoHost.libvirtVersion),
  qemuVersion: orElse(whole(1_000_000), demoHost.qemuVersion),
  cpuModel: orElse(text(), demoHost.cpuModel),
  cpuVendor: orElse(text(), demoHost.cpuVendor),
  cpuFeatures: orElse(list(text()), demoHost.cpuFeatures),
  cpuCount: orElse(whole(1), demoHost.cpuCount),
  numaNodeCount: orElse(whole(1), demoHost.numaNodeCount),
  memoryKiB: orElse(whole(1), demoHost.memoryKiB),
  nics: orElse(list(nic), []),
  pfs: orElse(list(pf), []),
  bridges: orElse(list(bridge), []),
  pools: orElse(list(pool), []),
  migrationMiBps: orElse(number(1), demoHost.migrationMiBps),
});

const domain: Shape<SimDomainSpec> = record({
  host: HOST_NAME,
  xml: text(/^\s*</, 'the XML of a domain is wanted'),
  running: orElse(yesNo, true),
  autostart: orElse(yesNo, false),
  guest: orElse(guest, ORDINARY_GUEST),
});

const fleet: Shape<SimFleetSpec> = record({ hosts: list(host), domains: orElse(list(domain), []) });

/** Reads an inventory. Throws `INVALID_INPUT` that names the file, the place in it and what is wanted. */
export function readInventory(path: string, content: string): SimFleetSpec {
  const spec = readJson(path, content, fleet);
  const refuse = (why: string) => new HandoverError('INVALID_INPUT', `${path}: ${why}`);
  if (spec.hosts.length === 0) throw refuse('hosts: at least one is wanted');
  const twice = (key: (host: SimHostSpec) => string) =>
    spec.hosts.map(key).find((each, index, all) => all.indexOf(each) !== index);
  const repeated = twice((each) => each.name) ?? twice((each) => each.uuid);
  if (repeated !== undefined) throw refuse(`hosts: ${repeated} is given to two of them`);
  spec.hosts.forEach(({ pfs }, at) => {
    const tooMany = pfs.findIndex(({ vfCount, vfCountMax }) => vfCount > vfCountMax);
    if (tooMany >= 0) throw refuse(`hosts[${at}].pfs[${tooMany}].vfCount: more than its vfCountMax`);
  });
  if (spec.hosts.some(({ name }) => name === 'control')) throw refuse('hosts: "control" is a socket of ours');
  const names = new Set(spec.hosts.map(({ name }) => name));
  const lost = spec.domains.findIndex((each) => !names.has(each.host));
  if (lost >= 0) throw refuse(`domains[${lost}].host: no host is called ${spec.domains[lost]?.host}`);
  return spec;
}
