/**
 * A host as the native API answers it: what its operator said of it and all that was seen on it in one look,
 * as schemas and the types they stand for. Imports no code of the engine. PCI addresses are `dddd:bb:ss.f`;
 * null is unknown (the host cannot be asked) unless it says otherwise.
 */
import { domainSchema } from './domain-view.ts';
import {
  byKey,
  choice,
  flag,
  integer,
  list,
  object,
  orNull,
  type Shape,
  text,
  time,
  uuid,
} from './schema.ts';

/** Settings of a VF. */
export const vfAttributesSchema = object(
  {
    mac: orNull(text()),
    vlan: integer('0: untagged.'),
    trust: flag(),
    spoofCheck: flag(),
    linkState: choice(['auto', 'enable', 'disable']),
    rateMbitMin: integer('0: unlimited.'),
    rateMbitMax: integer('0: unlimited.'),
  },
  'Settings of a VF that its PF keeps.',
);

/** A virtual function. */
export const vfSchema = object(
  {
    pciAddress: text(),
    index: integer("Its place among its PF's VFs, from 0."),
    driver: orNull(text(), 'The kernel driver bound to it; null: none.'),
    netdev: orNull(text(), 'Its network device on the host; null: it has none.'),
    netdevUse: orNull(text(), 'Why the host itself uses that device; null: it does not.'),
    iommuGroup: orNull(integer()),
    iommuGroupShared: flag('Another function is in the same IOMMU group: it cannot be given away alone.'),
    numaNode: orNull(integer()),
    attributes: orNull(vfAttributesSchema),
  },
  'A virtual function.',
);

/** A physical function. */
export const pfSchema = object(
  {
    name: text('Its network device.'),
    pciAddress: text(),
    mac: orNull(text()),
    driver: orNull(text()),
    numaNode: orNull(integer()),
    carrier: orNull(flag(), 'Link detected.'),
    mtu: orNull(integer()),
    vfCountMax: integer('`sriov_totalvfs`.'),
    vfs: list(vfSchema, 'Those that exist now.'),
  },
  'A physical function that can have VFs.',
);

/** An ordinary network card. */
export const hostNicSchema = object(
  { name: text(), mac: orNull(text()), pciAddress: orNull(text()), carrier: orNull(flag()) },
  'A network card that is neither a PF nor a VF.',
);

/** A bridge. */
export const bridgeSchema = object(
  {
    name: text(),
    up: orNull(flag()),
    uplinks: list(text(), "The network devices in it that are not VMs'; empty if unknown."),
    mtu: orNull(integer()),
  },
  'A bridge that VMs can be connected to.',
);

/** A pool of VFs. */
export const networkPoolSchema = object(
  {
    name: text(),
    pf: orNull(text(), 'Whose VFs it hands out; null if it lists addresses.'),
    vfs: list(text()),
  },
  'A libvirt network that is a pool of VFs.',
);

/** What was seen on a host. */
export const inventorySchema = object(
  {
    libvirtVersion: text(),
    hypervisorVersion: text(),
    hostname: text(),
    hostUuid: text(),
    arch: text(),
    cpuModel: text(),
    cpuVendor: text(),
    cpuCount: integer(),
    cpuXml: text('`<cpu>` of its capabilities.'),
    memoryKiB: integer(),
    memoryFreeKiB: integer(),
    pfs: list(pfSchema),
    nics: list(hostNicSchema),
    bridges: list(bridgeSchema),
    pools: list(networkPoolSchema),
    domains: list(domainSchema),
    channel: object(
      { works: flag(), reason: orNull(text(), 'Why it does not; null if it does.') },
      'The host channel. Without it what only it can see is unknown.',
    ),
  },
  'All that was seen on a host in one look.',
);

/** How one host reaches another. */
export const peerTestSchema = object(
  { ok: flag(), message: text('What the command said, one line.'), testedAt: time() },
  'How a migration from one host to another was last tested: by asking for the version of the other libvirt.',
);

/** The tests from one host, by the id of the other. */
export const peerTestsSchema = byKey(peerTestSchema, 'By the id of the target host.');

/** What a host is doing. */
export const hostStatusSchema = choice(['connecting', 'up', 'non_responsive', 'maintenance']);

/** A host. */
export const hostSchema = object(
  {
    id: uuid(),
    name: text(),
    uri: text('How the engine reaches its libvirtd.'),
    peerUri: orNull(text(), "How another host's libvirtd reaches it; null: as `uri` says."),
    migrationAddress: orNull(text(), 'Where memory is sent to; null: libvirt chooses.'),
    status: hostStatusSchema,
    statusReason: orNull(text(), 'Why it is not up or not well; null: all is well.'),
    outgoingMax: integer('Concurrent migrations that leave it, at most.'),
    incomingMax: integer('Concurrent migrations that enter it, at most.'),
    inventory: orNull(inventorySchema, 'Null: never seen.'),
    observedAt: orNull(time(), 'When `inventory` was seen.'),
    peerTests: peerTestsSchema,
  },
  'A machine that runs libvirtd.',
);
export type HostView = Shape<typeof hostSchema>;
export type PeerTestView = Shape<typeof peerTestSchema>;
