/**
 * The fleet at a glance, a host's VFs and the vNIC profiles with their users, as the native API answers them:
 * schemas, and the types they stand for. Imports no code of the engine.
 */
import { hostStatusSchema } from './host-view.ts';
import { alertSchema, jobSchema } from './job-view.ts';
import { choice, flag, integer, list, object, orNull, type Shape, text, time, uuid } from './schema.ts';

const vfCountSchema = object({ total: integer(), free: integer('Could be given to a VM now.') });

/** A host in a list. */
export const hostSummarySchema = object(
  {
    id: uuid(),
    name: text(),
    uri: text(),
    status: hostStatusSchema,
    statusReason: orNull(text(), 'Why it is not up or not well; null: all is well.'),
    vmCount: integer(),
    runningCount: integer('VMs that are not down.'),
    pfCount: integer(),
    vfs: vfCountSchema,
    leaving: integer('Migrations that leave it now.'),
    entering: integer(),
    memoryKiB: orNull(integer(), 'Null: never seen.'),
    memoryFreeKiB: orNull(integer()),
    observedAt: orNull(time(), 'When it was last seen.'),
  },
  'A host in short.',
);
export type HostSummaryView = Shape<typeof hostSummarySchema>;

/** A VF with what it is used for. */
export const vfUseSchema = object(
  {
    pciAddress: text(),
    index: integer("Its place among its PF's VFs, from 0."),
    state: choice(
      ['free', 'reserved', 'attached', 'host', 'unusable'],
      '`host`: the host uses its network device. `unusable`: a foreign driver, or not alone in its IOMMU ' +
        'group.',
    ),
    reason: orNull(text(), 'Who has it, or why it can not be used; null if it is free.'),
    vmId: orNull(uuid(), 'Whom it is attached to or reserved for.'),
    vm: orNull(text(), 'Name of that VM.'),
    jobId: orNull(uuid(), 'The job that reserved it.'),
    driver: orNull(text()),
    netdev: orNull(text()),
    numaNode: orNull(integer()),
    mac: orNull(text()),
    vlan: orNull(integer(), '0: untagged; null: not known.'),
  },
  'A VF with what it is used for.',
);
export type VfUseView = Shape<typeof vfUseSchema>;

/** A PF with its VFs and what they may be used for. */
export const pfUseSchema = object(
  {
    nicId: uuid("Its id among the host's nics in oVirt's API."),
    name: text(),
    pciAddress: text(),
    driver: orNull(text()),
    numaNode: orNull(integer()),
    carrier: orNull(flag(), 'Link detected.'),
    mtu: orNull(integer()),
    vfCountMax: integer(),
    allNetworksAllowed: flag(),
    networkIds: list(uuid(), 'Networks it may serve, unless all are allowed; `labels` too.'),
    labels: list(text()),
    vfs: list(vfUseSchema),
  },
  'A PF with its VFs, and the networks they may serve.',
);
export type PfUseView = Shape<typeof pfUseSchema>;

/** A vNIC profile with its users. */
export const profileSchema = object(
  {
    id: uuid(),
    name: text(),
    description: orNull(text()),
    networkId: uuid(),
    network: text('Name of its network.'),
    passThrough: flag(),
    migratable: flag('Of a passthrough profile; ordinary ones always migrate.'),
    portMirroring: flag(),
    failoverId: orNull(uuid()),
    failover: orNull(text(), 'Name of the profile of its standby.'),
    vmCount: integer('VMs that use it.'),
    vms: list(object({ id: uuid(), name: text() }), 'The first 20 of them.'),
  },
  'A vNIC profile with the VMs that use it.',
);
export type ProfileView = Shape<typeof profileSchema>;

/** The fleet at a glance. */
export const overviewSchema = object(
  {
    hosts: list(object({ status: hostStatusSchema, count: integer() })),
    troubledHosts: list(
      object({ id: uuid(), name: text(), status: hostStatusSchema, statusReason: orNull(text()) }),
      'Those that are not up, or not well.',
    ),
    vms: list(object({ status: text(), count: integer() }), 'As observed; a VM that is moved counts as up.'),
    networks: list(
      object({ id: uuid(), name: text(), vlan: orNull(integer()), vfs: vfCountSchema }),
      'With the VFs that may serve them, of hosts that are up.',
    ),
    jobs: list(jobSchema, 'Live ones.'),
    alerts: list(alertSchema),
  },
  'What runs, what needs attention, and the VFs there are.',
);
export type OverviewView = Shape<typeof overviewSchema>;
