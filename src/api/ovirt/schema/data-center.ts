/** Data centers and clusters. */
import { bool, entity, list, ref, struct, text } from '../wire/fields.ts';
import { named, version } from './common.ts';

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
  permissions: list('permission', ref('permission')),
  storage_domains: list('storage_domain', ref('storage_domain')),
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
  permissions: list('permission', ref('permission')),
  networks: list('network', ref('network')),
});
