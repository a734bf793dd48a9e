/** VMs and what belongs to one. */
import { bool, entity, int, list, ref, struct, text, word } from '../wire/fields.ts';
import { mac, named } from './common.ts';

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
  /** Of a request only. `type` is `libvirt`, which oVirt has not; `data` the domain XML. */
  initialization: struct({ configuration: struct({ type: text, data: text }) }),
  io: struct({ threads: int }),
  memory: int,
  memory_policy: struct({ guaranteed: int, ballooning: bool }),
  migration: struct({ auto_converge: text, compressed: text, encrypted: text }),
  os: struct({ type: text }),
  origin: text,
  placement_policy: struct({ affinity: text, hosts: list('host', ref('host')) }),
  run_once: bool,
  sso: struct({}),
  start_paused: bool,
  stateless: bool,
  status: text,
  template: ref('template'),
  time_zone: struct({ name: text }),
  type: text,
  nics: list('nic', ref('nic')),
  applications: list('application', ref('application')),
  cdroms: list('cdrom', ref('cdrom')),
  disk_attachments: list('disk_attachment', ref('disk_attachment')),
  graphics_consoles: list('graphics_console', ref('graphics_console')),
  host_devices: list('host_device', ref('host_device')),
  numa_nodes: list('vm_numa_node', ref('vm_numa_node')),
  permissions: list('permission', ref('permission')),
  sessions: list('session', ref('session')),
  snapshots: list('snapshot', ref('snapshot')),
  statistics: list('statistic', ref('statistic')),
  tags: list('tag', ref('tag')),
  watchdogs: list('watchdog', ref('watchdog')),
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
