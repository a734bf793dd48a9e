/**
 * `GET /ovirt-engine/api`: what clients look at first: product, version, counts and the links of every
 * collection.
 */
import { gives } from '../../model/access.ts';
import { ABSENT_COLLECTIONS } from './absent.ts';
import { BLANK_TEMPLATE_ID, stableId } from './stable-id.ts';
import { type Call, one, type Route } from './route.ts';
import { apiType } from './schema/index.ts';
import { userRef } from './users.ts';
import type { Link } from './wire/fields.ts';

const COLLECTIONS = [
  'clusters',
  'datacenters',
  'domains',
  'events',
  'groups',
  'hosts',
  'jobs',
  'networkfilters',
  'networks',
  'operatingsystems',
  'options',
  'permissions',
  'roles',
  'tags',
  'templates',
  'users',
  'vms',
  'vnicprofiles',
  ...Object.keys(ABSENT_COLLECTIONS),
].sort();
/** Those oVirt links a second time, with a place for the search. */
const SEARCHABLE = [
  'clusters',
  'datacenters',
  'disks',
  'events',
  'hosts',
  'networks',
  'storagedomains',
  'templates',
  'users',
  'vmpools',
  'vms',
  'vnicprofiles',
];
/**
 * The oVirt version whose API this is; clients refuse a major other than 4 and the VM portal anything below
 * 4.4.
 */
const VERSION = { major: 4, minor: 5, build: 0, revision: 0, full_version: '4.5.0-handover' } as const;
const INSTANCE_ID = stableId('instance', 'handover');

const links: readonly Link[] = [
  ...COLLECTIONS.map((rel) => ({ rel, href: rel })),
  ...SEARCHABLE.map((rel) => ({ rel: `${rel}/search`, href: `${rel}?search={query}` })),
];

async function apiRoot(call: Call, now: () => number) {
  const [hosts, vms] = await Promise.all([call.look.hosts(), call.look.vmHeads()]);
  // Left out for those who may not see them.
  const users = gives(call.caller.roles, 'see_users') ? (await call.look.users()).length : null;
  return one(apiType, {
    link: links,
    authenticated_user: userRef(call.caller.user),
    effective_user: userRef(call.caller.user),
    product_info: { instance_id: INSTANCE_ID, name: 'Handover', vendor: 'handover', version: VERSION },
    special_objects: {
      blank_template: { id: BLANK_TEMPLATE_ID, href: `templates/${BLANK_TEMPLATE_ID}` },
      root_tag: { id: BLANK_TEMPLATE_ID, href: `tags/${BLANK_TEMPLATE_ID}` },
    },
    summary: {
      hosts: { active: hosts.filter((host) => host.status === 'up').length, total: hosts.length },
      storage_domains: { active: 0, total: 0 },
      users: users === null ? null : { active: users, total: users },
      vms: { active: vms.filter((vm) => vm.status !== 'down').length, total: vms.length },
    },
    time: now(),
  });
}

/** The root's route. `now` is the wall clock in ms. */
export const apiRootRoutes = (now: () => number): readonly Route[] => [
  { method: 'GET', path: '', run: (call) => apiRoot(call, now) },
];
