/**
 * Collections that oVirt has and Handover keeps nothing of. Clients ask for them in passing (the SDKs'
 * examples, Ansible's modules, the VM Portal's start) and take an empty one for what it is; a 404 stops them.
 * Whatever a search of such a collection names, it finds nothing.
 */
import { CLUSTER_ID, DATA_CENTER_ID } from './stable-id.ts';
import { notFound } from './look.ts';
import { type Answer, type Call, many, param, type Route } from './route.ts';
import { absentType } from './schema/index.ts';

/** An empty collection: the tags of its entities and of itself. */
type Tags = readonly [tag: string, plural: string];

/** By path, at the top. The root links every one of them. */
export const ABSENT_COLLECTIONS: Readonly<Record<string, Tags>> = {
  affinitylabels: ['affinity_label', 'affinity_labels'],
  bookmarks: ['bookmark', 'bookmarks'],
  cpuprofiles: ['cpu_profile', 'cpu_profiles'],
  diskprofiles: ['disk_profile', 'disk_profiles'],
  disks: ['disk', 'disks'],
  externalhostproviders: ['external_host_provider', 'external_host_providers'],
  icons: ['icon', 'icons'],
  imagetransfers: ['image_transfer', 'image_transfers'],
  instancetypes: ['instance_type', 'instance_types'],
  macpools: ['mac_pool', 'mac_pools'],
  openstacknetworkproviders: ['openstack_network_provider', 'openstack_network_providers'],
  schedulingpolicies: ['scheduling_policy', 'scheduling_policies'],
  storageconnections: ['storage_connection', 'storage_connections'],
  storagedomains: ['storage_domain', 'storage_domains'],
  vmpools: ['vm_pool', 'vm_pools'],
};

const PERMISSIONS: Tags = ['permission', 'permissions'];
const STATISTICS: Tags = ['statistic', 'statistics'];
const TAGS: Tags = ['tag', 'tags'];

/** Below one VM. `hostdevices` is not among them: that is known. */
export const ABSENT_OF_VM: Readonly<Record<string, Tags>> = {
  affinitylabels: ['affinity_label', 'affinity_labels'],
  applications: ['application', 'applications'],
  cdroms: ['cdrom', 'cdroms'],
  diskattachments: ['disk_attachment', 'disk_attachments'],
  graphicsconsoles: ['graphics_console', 'graphics_consoles'],
  numanodes: ['vm_numa_node', 'vm_numa_nodes'],
  permissions: PERMISSIONS,
  reporteddevices: ['reported_device', 'reported_devices'],
  sessions: ['session', 'sessions'],
  snapshots: ['snapshot', 'snapshots'],
  statistics: STATISTICS,
  tags: TAGS,
  watchdogs: ['watchdog', 'watchdogs'],
};
/** Below a vNIC of a VM. */
export const ABSENT_OF_NIC: Readonly<Record<string, Tags>> = {
  networkfilterparameters: ['network_filter_parameter', 'network_filter_parameters'],
  reporteddevices: ['reported_device', 'reported_devices'],
  statistics: STATISTICS,
};
/** Below a host. */
export const ABSENT_OF_HOST: Readonly<Record<string, Tags>> = {
  affinitylabels: ['affinity_label', 'affinity_labels'],
  hooks: ['hook', 'hooks'],
  numanodes: ['host_numa_node', 'host_numa_nodes'],
  permissions: PERMISSIONS,
  statistics: STATISTICS,
  storage: ['host_storage', 'host_storages'],
  storageconnectionextensions: ['storage_connection_extension', 'storage_connection_extensions'],
  tags: TAGS,
  unmanagednetworks: ['unmanaged_network', 'unmanaged_networks'],
};
/** Below a nic of a host. */
export const ABSENT_OF_HOST_NIC: Readonly<Record<string, Tags>> = {
  linklayerdiscoveryprotocolelements: [
    'link_layer_discovery_protocol_element',
    'link_layer_discovery_protocol_elements',
  ],
  networklabels: ['network_label', 'network_labels'],
  statistics: STATISTICS,
};
/** Below the data center. */
export const ABSENT_OF_DATA_CENTER: Readonly<Record<string, Tags>> = {
  iscsibonds: ['iscsi_bond', 'iscsi_bonds'],
  permissions: PERMISSIONS,
  qoss: ['qos', 'qoss'],
  quotas: ['quota', 'quotas'],
  storagedomains: ['storage_domain', 'storage_domains'],
};
/** Below the cluster. */
export const ABSENT_OF_CLUSTER: Readonly<Record<string, Tags>> = {
  affinitygroups: ['affinity_group', 'affinity_groups'],
  cpuprofiles: ['cpu_profile', 'cpu_profiles'],
  permissions: PERMISSIONS,
};
/** Below a network and below a vNIC profile. */
export const ABSENT_OF_NETWORK: Readonly<Record<string, Tags>> = { permissions: PERMISSIONS };

function none([tag, plural]: Tags): Answer {
  return { ...many(absentType(tag, plural), []), isSearchable: false };
}

/**
 * A route for each collection below `path`; `check` throws `NOT_FOUND` if what it belongs to is not there.
 */
export function absentRoutes(
  path: string,
  collections: Readonly<Record<string, Tags>>,
  check: (call: Call) => unknown,
): Route[] {
  return Object.entries(collections).map(([name, tags]) => ({
    method: 'GET',
    path: path === '' ? name : `${path}/${name}`,
    isEmpty: true,
    run: async (call) => {
      await check(call);
      return none(tags);
    },
  }));
}

const isDefault = (name: string, id: string, what: string) => (call: Call) => {
  if (param(call, name) !== id) throw notFound(what, param(call, name));
};

/** The routes of all collections that are empty whatever there is; host nics and vNICs register their own. */
export const emptyRoutes: readonly Route[] = [
  ...absentRoutes('', ABSENT_COLLECTIONS, () => undefined),
  ...absentRoutes('vms/:vmId', ABSENT_OF_VM, (call) => call.look.vm(param(call, 'vmId'))),
  ...absentRoutes('hosts/:hostId', ABSENT_OF_HOST, (call) => call.look.host(param(call, 'hostId'))),
  ...absentRoutes(
    'datacenters/:dataCenterId',
    ABSENT_OF_DATA_CENTER,
    isDefault('dataCenterId', DATA_CENTER_ID, 'data center'),
  ),
  ...absentRoutes('clusters/:clusterId', ABSENT_OF_CLUSTER, isDefault('clusterId', CLUSTER_ID, 'cluster')),
  ...absentRoutes('networks/:networkId', ABSENT_OF_NETWORK, (call) =>
    call.look.network(param(call, 'networkId')),
  ),
  ...absentRoutes('vnicprofiles/:profileId', ABSENT_OF_NETWORK, (call) =>
    call.look.profile(param(call, 'profileId')),
  ),
];

/** The links of an entity at `href` to its empty collections. */
export const absentLinks = (href: string, collections: Readonly<Record<string, Tags>>) =>
  Object.keys(collections).map((rel) => ({ rel, href: `${href}/${rel}` }));
