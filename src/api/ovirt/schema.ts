/**
 * Every oVirt v4 entity Handover speaks of, described once. Tags, spellings and enum words are oVirt's
 * (api-model 4.5). Fields marked "extension" are Handover's own: oVirt's clients skip elements they do not
 * know. Pure data; the mappers beside it fill it, `wire/` reads and writes it.
 */
import {
  bool,
  date,
  type Entity,
  type EntityType,
  entity,
  int,
  list,
  ref,
  struct,
  text,
  word,
} from './wire/fields.ts';

const version = struct({
  major: int,
  minor: int,
  build: int,
  revision: int,
  full_version: text,
});
const named = { name: text, description: text, comment: text } as const;
const mac = struct({ address: text });
const counts = struct({ active: int, total: int });

/** What a fault says; also inside a failed action. */
export const fault = struct({
  /** Extension: Handover's error code, see docs/reference/errors.md. */
  code: text,
  detail: text,
  reason: text,
});
/** oVirt's `fault`. */
export const faultType = entity('fault', 'faults', fault.fields);

/** oVirt's `api`. */
export const apiType = entity('api', 'apis', {
  authenticated_user: ref('user'),
  effective_user: ref('user'),
  product_info: struct({ instance_id: text, name: text, vendor: text, version }),
  special_objects: struct({ blank_template: ref('template'), root_tag: ref('tag') }),
  summary: struct({ hosts: counts, storage_domains: counts, users: counts, vms: counts }),
  time: date,
});

/** oVirt's `data_center`. */
export const dataCenterType = entity('data_center', 'data_centers', {
  ...named,
  local: bool,
  status: text,
  storage_format: text,
  supported_versions: list('version', version),
  version,
  networks: list('network', ref('network')),
  clusters: list('cluster', ref('cluster')),
});

/** oVirt's `cluster`. */
export const clusterType = entity('cluster', 'clusters', {
  ...named,
  ballooning_enabled: bool,
  cpu: struct({ architecture: text, type: text }),
  data_center: ref('data_center'),
  gluster_service: bool,
  switch_type: text,
  version,
  virt_service: bool,
  networks: list('network', ref('network')),
});

/** oVirt's `host`. */
export const hostType = entity('host', 'hosts', {
  ...named,
  address: text,
  cluster: ref('cluster'),
  cpu: struct({ name: text, topology: struct({ cores: int, sockets: int, threads: int }) }),
  external_status: text,
  libvirt_version: version,
  max_scheduling_memory: int,
  memory: int,
  port: int,
  ssh: struct({ port: int, authentication_method: text, user: struct({ user_name: text }) }),
  status: text,
  status_detail: text,
  summary: struct({ active: int, migrating: int, total: int }),
  type: text,
  nics: list('host_nic', ref('host_nic')),
  /**
   * Extensions: how the engine, and other hosts, reach its libvirtd; where memory is sent; migrations at a
   * time.
   */
  libvirt_uri: text,
  peer_uri: text,
  migration_address: text,
  outgoing_migrations_max: int,
  incoming_migrations_max: int,
});

/** oVirt's `host_nic`. */
export const hostNicType = entity('host_nic', 'host_nics', {
  ...named,
  bridged: bool,
  host: ref('host'),
  mac,
  mtu: int,
  physical_function: ref('host_nic'),
  status: text,
  virtual_functions_configuration: struct({
    all_networks_allowed: bool,
    max_number_of_virtual_functions: int,
    number_of_virtual_functions: int,
    /** Extension. */
    number_of_free_virtual_functions: int,
  }),
  virtual_function_allowed_networks: list('network', ref('network')),
  virtual_function_allowed_labels: list('network_label', ref('network_label')),
  /** Extensions. */
  pci_address: text,
  driver: text,
  numa_node: int,
  /** Of a VF: `free`, `reserved`, `attached` or `unusable`, and who holds it or why it can not be used. */
  virtual_function_state: text,
  virtual_function_reason: text,
});

/** oVirt's `network_label`. */
export const networkLabelType = entity('network_label', 'network_labels', {
  network: ref('network'),
});

/** oVirt's `network`. */
export const networkType = entity('network', 'networks', {
  ...named,
  data_center: ref('data_center'),
  mtu: int,
  port_isolation: bool,
  required: bool,
  status: text,
  stp: bool,
  usages: list('usage', text),
  vdsm_name: text,
  vlan: struct({ id: int }),
  network_labels: list('network_label', ref('network_label')),
  vnic_profiles: list('vnic_profile', ref('vnic_profile')),
});

/** oVirt's `vnic_profile`. */
export const vnicProfileType = entity('vnic_profile', 'vnic_profiles', {
  ...named,
  failover: ref('vnic_profile'),
  migratable: bool,
  network: ref('network'),
  network_filter: ref('network_filter'),
  pass_through: struct({ mode: word('enabled', 'disabled') }),
  port_mirroring: bool,
  qos: ref('qos'),
});

/** oVirt's `vm`. */
export const vmType = entity('vm', 'vms', {
  ...named,
  bios: struct({ type: text, boot_menu: struct({ enabled: bool }) }),
  cluster: ref('cluster'),
  cpu: struct({ architecture: text, topology: struct({ cores: int, sockets: int, threads: int }) }),
  delete_protected: bool,
  display: struct({ type: text, monitors: int, smartcard_enabled: bool, allow_override: bool }),
  high_availability: struct({ enabled: bool, priority: int }),
  host: ref('host'),
  io: struct({ threads: int }),
  memory: int,
  memory_policy: struct({ guaranteed: int, ballooning: bool }),
  migration: struct({ auto_converge: text, compressed: text, encrypted: text }),
  os: struct({ type: text }),
  origin: text,
  placement_policy: struct({ affinity: text }),
  run_once: bool,
  sso: struct({}),
  start_paused: bool,
  stateless: bool,
  status: text,
  template: ref('template'),
  time_zone: struct({ name: text }),
  type: text,
  nics: list('nic', ref('nic')),
});

/** oVirt's `nic`. */
export const nicType = entity('nic', 'nics', {
  ...named,
  interface: word('e1000', 'e1000e', 'virtio', 'rtl8139', 'rtl8139_virtio', 'spapr_vlan', 'pci_passthrough'),
  linked: bool,
  mac,
  plugged: bool,
  synced: bool,
  vm: ref('vm'),
  vnic_profile: ref('vnic_profile'),
  /**
   * Extensions. Where it really is (`plugged` is what is wanted), its VF on the host, and why it can not be
   * moved.
   */
  actual_state: text,
  virtual_function: text,
  migration_blocker: text,
});

/** oVirt's `network_filter_parameter`; Handover has none, but Ansible follows the link to them. */
export const filterParameterType = entity('network_filter_parameter', 'network_filter_parameters', {
  name: text,
  value: text,
});

/** oVirt's `step`. */
export const stepType = entity('step', 'steps', {
  description: text,
  end_time: date,
  external: bool,
  external_type: text,
  job: ref('job'),
  number: int,
  parent_step: ref('step'),
  progress: int,
  start_time: date,
  status: word('started', 'finished', 'failed', 'aborted', 'unknown'),
  type: word('validating', 'executing', 'finalizing', 'rebalancing_volume', 'removing_bricks', 'unknown'),
});

/** oVirt's `job`. */
export const jobType = entity('job', 'jobs', {
  auto_cleared: bool,
  description: text,
  end_time: date,
  external: bool,
  last_updated: date,
  owner: ref('user'),
  start_time: date,
  status: word('started', 'finished', 'failed', 'aborted', 'unknown'),
  steps: list('step', ref('step')),
});

/** oVirt's `event`. */
export const eventType = entity('event', 'events', {
  ...named,
  cluster: ref('cluster'),
  code: int,
  correlation_id: text,
  custom_id: int,
  data_center: ref('data_center'),
  flood_rate: int,
  host: ref('host'),
  index: int,
  origin: text,
  severity: word('normal', 'warning', 'error', 'alert'),
  time: date,
  vm: ref('vm'),
  /** Extension. */
  job: ref('job'),
});

const planReason = struct({ code: text, message: text, nic: ref('nic') });
const planReasons = list('reason', planReason);

/** Extension: the scheduler's explained answer, see `MigrationPlan`. */
export const migrationPlan = struct({
  possible: bool,
  vm: ref('vm'),
  source_host: ref('host'),
  chosen_host: ref('host'),
  refusals: planReasons,
  warnings: planReasons,
  hosts: list(
    'candidate',
    struct({
      host: ref('host'),
      fits: bool,
      protocol: text,
      score: int,
      reasons: planReasons,
      warnings: planReasons,
      assignments: list(
        'assignment',
        struct({
          nic: ref('nic'),
          source_pf: text,
          source_vf: text,
          target_pf: text,
          target_vf: text,
        }),
      ),
    }),
  ),
});

/** oVirt's `action`. */
export const actionType = entity('action', 'actions', {
  async: bool,
  cluster: ref('cluster'),
  correlation_id: text,
  fault,
  force: bool,
  host: ref('host'),
  job: ref('job'),
  reason: text,
  status: text,
  virtual_functions_configuration: hostNicType.fields.virtual_functions_configuration,
  /** Extensions, of `migrate`: only explain; copy local disks; limits. */
  plan: bool,
  copy_storage: bool,
  unplug_timeout_ms: int,
  downtime_ms_max: int,
  bandwidth_mib_per_second: int,
  transfer_timeout_ms: int,
  migration_plan: migrationPlan,
});

/** By tag, for references that are followed. `template`, `tag`, `user`... are only ever referred to. */
export const TYPES: Readonly<Record<string, EntityType>> = Object.fromEntries(
  [
    dataCenterType,
    clusterType,
    hostType,
    hostNicType,
    networkType,
    networkLabelType,
    vnicProfileType,
    vmType,
    nicType,
    stepType,
    jobType,
    eventType,
  ].map((type) => [type.tag, type]),
);

/** Values of the types that other files name. */
export type Fault = Entity<typeof faultType>;
export type Action = Entity<typeof actionType>;
