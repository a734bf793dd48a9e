/** Flags, states and other enumerations of libvirt's ABI, as named numbers. Masks are combined with `|`. */

/** Types of authentication a daemon may ask for. */
export const AUTH = { none: 0, sasl: 1, polkit: 2 } as const;

/** Features that `connectSupportsFeature` knows (of virDrvFeature). */
export const FEATURE = { keepalive: 10 } as const;

/** `connectListAllDomains`; 0 is all. */
export const LIST_DOMAINS = { active: 1, inactive: 2, persistent: 4, transient: 8 } as const;

/** `connectListAllNetworks`; 0 is all. */
export const LIST_NETWORKS = { inactive: 1, active: 2 } as const;

/** `connectListAllNodeDevices`; 0 is all active ones. */
export const LIST_NODE_DEVICES = { system: 1, pci: 2, net: 16 } as const;

/** `domainGetXmlDesc`. */
export const DOMAIN_XML = { secure: 1, inactive: 2, updateCpu: 4, migratable: 8 } as const;

/** Device and metadata calls: what they change. `current` is live if the domain runs, else the definition. */
export const AFFECT = { current: 0, live: 1, config: 2 } as const;

/** `domainCreateXml`, `domainCreateWithFlags`. */
export const CREATE = { paused: 1, autodestroy: 2 } as const;

/** `domainDefineXmlFlags`. */
export const DEFINE = { validate: 1 } as const;

/** `domainUndefineFlags`. */
export const UNDEFINE = {
  managedSave: 1,
  snapshotsMetadata: 2,
  nvram: 4,
  keepNvram: 8,
  keepTpm: 64,
} as const;

/** `domainDestroyFlags`. */
export const DESTROY = { graceful: 1 } as const;

/** `domainShutdownFlags`. */
export const SHUTDOWN = { acpiPowerButton: 1, guestAgent: 2 } as const;

/** `type` of domain metadata. */
export const METADATA_TYPE = { description: 0, title: 1, element: 2 } as const;

/** `source` of `domainInterfaceAddresses`. */
export const INTERFACE_ADDRESSES_SOURCE = { lease: 0, agent: 1, arp: 2 } as const;

/** `stats` of `connectGetAllDomainStats`. */
export const DOMAIN_STATS = {
  state: 1,
  cpuTotal: 2,
  balloon: 4,
  vcpu: 8,
  interface: 16,
  block: 32,
} as const;

/** Result of `connectCompareHypervisorCpu`. */
export const CPU_COMPARE = { error: -1, incompatible: 0, identical: 1, superset: 2 } as const;

/** `flags` of every migration call. */
export const MIGRATE = {
  live: 1,
  peerToPeer: 2,
  tunnelled: 4,
  persistDest: 8,
  undefineSource: 16,
  paused: 32,
  nonSharedDisk: 64,
  nonSharedIncremental: 128,
  changeProtection: 256,
  unsafe: 512,
  offline: 1024,
  compressed: 2048,
  abortOnError: 4096,
  autoConverge: 8192,
  rdmaPinAll: 16384,
  postcopy: 32768,
  tls: 65536,
  parallel: 131072,
  nonSharedSynchronousWrites: 1 << 18,
  postcopyResume: 1 << 19,
  zerocopy: 1 << 20,
} as const;

/** Names of the typed parameters of migration calls. */
export const MIGRATE_PARAM = {
  uri: 'migrate_uri',
  destinationName: 'destination_name',
  destinationXml: 'destination_xml',
  persistentXml: 'persistent_xml',
  /** ullong, MiB/s. */
  bandwidth: 'bandwidth',
  bandwidthPostcopy: 'bandwidth.postcopy',
  listenAddress: 'listen_address',
  graphicsUri: 'graphics_uri',
  /** Repeated, one disk target name each. */
  disks: 'migrate_disks',
  disksPort: 'disks_port',
  /** int, percent. */
  autoConvergeInitial: 'auto_converge.initial',
  autoConvergeIncrement: 'auto_converge.increment',
  parallelConnections: 'parallel.connections',
  tlsDestination: 'tls.destination',
} as const;

/** `flags` of `domainGetJobStats`. */
export const JOB_STATS = { completed: 1, keepCompleted: 2 } as const;

/** `type` of job statistics. */
export const JOB_TYPE = { none: 0, bounded: 1, unbounded: 2, completed: 3, failed: 4, cancelled: 5 } as const;

/** Parameter `operation` of job statistics. */
export const JOB_OPERATION = {
  unknown: 0,
  start: 1,
  save: 2,
  restore: 3,
  migrationIn: 4,
  migrationOut: 5,
} as const;

/** State of a domain. */
export const DOMAIN_STATE = {
  noState: 0,
  running: 1,
  blocked: 2,
  paused: 3,
  shutdown: 4,
  shutoff: 5,
  crashed: 6,
  pmSuspended: 7,
} as const;

/** `reason` in state running. */
export const RUNNING_REASON = {
  unknown: 0,
  booted: 1,
  migrated: 2,
  restored: 3,
  fromSnapshot: 4,
  unpaused: 5,
  migrationCancelled: 6,
  saveCancelled: 7,
  wakeup: 8,
  crashed: 9,
  postcopy: 10,
  postcopyFailed: 11,
} as const;

/** `reason` in state paused. */
export const PAUSED_REASON = {
  unknown: 0,
  user: 1,
  migration: 2,
  save: 3,
  dump: 4,
  ioError: 5,
  watchdog: 6,
  fromSnapshot: 7,
  shuttingDown: 8,
  snapshot: 9,
  crashed: 10,
  startingUp: 11,
  postcopy: 12,
  postcopyFailed: 13,
} as const;

/** `reason` in state shutoff. */
export const SHUTOFF_REASON = {
  unknown: 0,
  shutdown: 1,
  destroyed: 2,
  crashed: 3,
  migrated: 4,
  saved: 5,
  failed: 6,
  fromSnapshot: 7,
  daemon: 8,
} as const;

/** `event` of the lifecycle event. */
export const LIFECYCLE_EVENT = {
  defined: 0,
  undefined: 1,
  started: 2,
  suspended: 3,
  resumed: 4,
  stopped: 5,
  shutdown: 6,
  pmSuspended: 7,
  crashed: 8,
} as const;

/** `detail` of the lifecycle event, by event; those somebody looks at. */
export const LIFECYCLE_DETAIL = {
  started: { booted: 0, migrated: 1, restored: 2 },
  suspended: { paused: 0, migrated: 1, ioError: 2, postcopy: 7, postcopyFailed: 8 },
  resumed: { unpaused: 0, migrated: 1, fromSnapshot: 2, postcopy: 3 },
  stopped: { shutdown: 0, destroyed: 1, crashed: 2, migrated: 3, saved: 4, failed: 5 },
} as const;
