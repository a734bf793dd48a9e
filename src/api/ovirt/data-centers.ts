/**
 * `/datacenters` and `/clusters`: one of each, named `Default`. Every host, network and VM is in them; they
 * exist so that oVirt's clients find what they expect to begin with.
 */
import { ABSENT_OF_CLUSTER, ABSENT_OF_DATA_CENTER, absentLinks } from './absent.ts';
import { type Call, many, one, param, type Route } from './route.ts';
import { clusterType, dataCenterType, networkType } from './schema/index.ts';
import { clusterRef, dataCenterRef, requireDefault } from './default-cluster.ts';
import { CLUSTER_ID, DATA_CENTER_ID } from './stable-id.ts';
import { toNetwork } from './networks.ts';
import type { Entity } from './wire/fields.ts';

const VERSION = { major: 4, minor: 7 } as const;

const dataCenter: Entity<typeof dataCenterType> = {
  ...dataCenterRef,
  name: 'Default',
  description: 'The data center of everything Handover knows',
  local: false,
  status: 'up',
  storage_format: 'v5',
  supported_versions: [VERSION],
  version: VERSION,
  link: [
    ...['clusters', 'networks'].map((rel) => ({ rel, href: `${dataCenterRef.href}/${rel}` })),
    ...absentLinks(dataCenterRef.href, ABSENT_OF_DATA_CENTER),
  ],
};

const cluster: Entity<typeof clusterType> = {
  ...clusterRef,
  name: 'Default',
  description: 'The cluster of everything Handover knows',
  ballooning_enabled: false,
  cpu: { architecture: 'x86_64' },
  data_center: dataCenterRef,
  gluster_service: false,
  switch_type: 'legacy',
  version: VERSION,
  virt_service: true,
  link: [
    { rel: 'networks', href: `${clusterRef.href}/networks` },
    ...absentLinks(clusterRef.href, ABSENT_OF_CLUSTER),
  ],
};

/** Routes of `/datacenters` and `/clusters`. */
export const dataCenterRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: 'datacenters',
    // Ansible's ovirt_nic looks a data center up by the cluster in it.
    run: async () => many(dataCenterType, [dataCenter], { 'clusters.name': () => 'Default' }),
  },
  {
    method: 'GET',
    path: 'datacenters/:dataCenterId',
    run: async (call) => {
      requireDefault('data center', param(call, 'dataCenterId'), DATA_CENTER_ID);
      return one(dataCenterType, dataCenter);
    },
  },
  {
    method: 'GET',
    path: 'datacenters/:dataCenterId/clusters',
    run: async (call) => {
      requireDefault('data center', param(call, 'dataCenterId'), DATA_CENTER_ID);
      return many(clusterType, [cluster]);
    },
  },
  {
    method: 'GET',
    path: 'datacenters/:dataCenterId/networks',
    run: async (call) => {
      requireDefault('data center', param(call, 'dataCenterId'), DATA_CENTER_ID);
      return many(networkType, (await call.look.networks()).map(toNetwork));
    },
  },
  { method: 'GET', path: 'clusters', run: async () => many(clusterType, [cluster]) },
  {
    method: 'GET',
    path: 'clusters/:clusterId',
    run: async (call) => {
      requireDefault('cluster', param(call, 'clusterId'), CLUSTER_ID);
      return one(clusterType, cluster);
    },
  },
  ...(['datacenters/:dataCenterId', 'clusters/:clusterId'] as const).map((path) => ({
    method: 'GET' as const,
    path: `${path}/networks/:networkId`,
    run: async (call: Call) => {
      if (path.startsWith('clusters')) requireDefault('cluster', param(call, 'clusterId'), CLUSTER_ID);
      else requireDefault('data center', param(call, 'dataCenterId'), DATA_CENTER_ID);
      return one(networkType, toNetwork(await call.look.network(param(call, 'networkId'))));
    },
  })),
  {
    method: 'GET',
    path: 'clusters/:clusterId/networks',
    run: async (call) => {
      requireDefault('cluster', param(call, 'clusterId'), CLUSTER_ID);
      return many(networkType, (await call.look.networks()).map(toNetwork));
    },
  },
];
