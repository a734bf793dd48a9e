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
