/** Hosts and what is in them. */
import { bool, entity, int, list, ref, struct, text } from '../wire/fields.ts';
import { mac, named, version } from './common.ts';

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
  devices: list('host_device', ref('host_device')),
  network_attachments: list('network_attachment', ref('network_attachment')),
  permissions: list('permission', ref('permission')),
  statistics: list('statistic', ref('statistic')),
  tags: list('tag', ref('tag')),
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

/** oVirt's `host_device`: a PCI function or a network device. */
export const hostDeviceType = entity('host_device', 'host_devices', {
  name: text,
  capability: text,
  driver: text,
  host: ref('host'),
  iommu_group: int,
  parent_device: ref('host_device'),
  physical_function: ref('host_device'),
  /** The most VFs a PF may have. */
  virtual_functions: int,
  vm: ref('vm'),
});

/** oVirt's `network_attachment`: what carries a network on a host. */
export const networkAttachmentType = entity('network_attachment', 'network_attachments', {
  host: ref('host'),
  host_nic: ref('host_nic'),
  in_sync: bool,
  network: ref('network'),
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
  /**
   * Of a VF: `free`, `reserved`, `attached`, `host` (the host uses it) or `unusable`, and who holds it or why
   * it can not be used.
   */
  virtual_function_state: text,
  virtual_function_reason: text,
});
