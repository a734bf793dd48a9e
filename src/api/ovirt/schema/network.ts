/** Networks and vNIC profiles. */
import { bool, entity, int, list, ref, struct, text, word } from '../wire/fields.ts';
import { named } from './common.ts';

/** oVirt's `network_label`. */
export const networkLabelType = entity('network_label', 'network_labels', {
  network: ref('network'),
});

/** oVirt's `network`. */
export const networkType = entity('network', 'networks', {
  ...named,
  data_center: ref('data_center'),
  external_provider: ref('external_provider'),
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
  permissions: list('permission', ref('permission')),
  qos: ref('qos'),
});
