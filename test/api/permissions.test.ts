/**
 * Every route for every role. What a route needs is decided here once more, by hand: a route that changes
 * something and is added without a decision, or any that forgets to ask, fails. A GET shows what everybody
 * may see who may see anything, unless it is decided otherwise.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EVENT_STREAM } from '../../src/api/native/event-stream.ts';
import { nativeRoutes } from '../../src/api/native/routes.ts';
import { ovirtRoutes } from '../../src/api/ovirt/collections.ts';
import { gives, type Permission, type Role, ROLES, rolesThatGive } from '../../src/model/access.ts';
import { type ApiServer, startApiServer } from '../support/api-server.ts';
import { USERS } from '../support/memory-access.ts';
import { emptyWorld, memoryUseCases } from '../support/memory-use-cases.ts';

/** By what they need: `VERB path`, below oVirt's root, or with a slash before it where it is another. */
const DECISIONS: Readonly<Record<Exclude<Permission, 'look'>, readonly string[]>> = {
  // Of somebody else: everybody may see and change what is their own, see `users.test.ts`.
  see_users: [
    'GET users',
    'GET users/:userId',
    'GET users/:userId/permissions',
    'GET users/:userId/roles',
    'GET users/:userId/groups',
    'GET users/:userId/options',
    'GET users/:userId/sshpublickeys',
    'POST users/:userId/options',
    'GET permissions',
    'GET permissions/:permissionId',
  ],
  use_vms: [
    'POST vms/:vmId/start',
    'POST vms/:vmId/shutdown',
    'POST vms/:vmId/stop',
    'POST vms/:vmId/nics',
    'DELETE vms/:vmId/nics/:nicId',
    'POST vms/:vmId/nics/:nicId/activate',
    'POST vms/:vmId/nics/:nicId/deactivate',
    'PUT vms/:vmId/nics/:nicId',
    'POST vms/:vmId/migrate',
    'POST vms/:vmId/cancelmigration',
    'POST /api/jobs/:id/cancel',
    'POST /api/jobs/:id/retry',
  ],
  configure: [
    'POST networks',
    'PUT networks/:networkId',
    'DELETE networks/:networkId',
    'POST networks/:networkId/networklabels',
    'DELETE networks/:networkId/networklabels/:label',
    'POST vnicprofiles',
    'PUT vnicprofiles/:profileId',
    'DELETE vnicprofiles/:profileId',
    'POST hosts',
    'PUT hosts/:hostId',
    'DELETE hosts/:hostId',
    'POST hosts/:hostId/refresh',
    'POST hosts/:hostId/activate',
    'POST hosts/:hostId/deactivate',
    'POST networks/:networkId/vnicprofiles',
    'DELETE networks/:networkId/vnicprofiles/:profileId',
    'POST hosts/:hostId/nics/:nicId/updatevirtualfunctionsconfiguration',
    'POST hosts/:hostId/nics/:nicId/virtualfunctionallowednetworks',
    'DELETE hosts/:hostId/nics/:nicId/virtualfunctionallowednetworks/:networkId',
    'POST hosts/:hostId/nics/:nicId/virtualfunctionallowedlabels',
    'DELETE hosts/:hostId/nics/:nicId/virtualfunctionallowedlabels/:label',
    'POST users',
    'PUT users/:userId',
    'DELETE users/:userId',
    'POST permissions',
    'DELETE permissions/:permissionId',
    'POST /api/jobs/:id/abandon',
    'POST /api/hosts/:id/peer-tests',
  ],
};

/** Asked before anybody is known. */
const OPEN = [
  'GET /ovirt-engine/sso/oauth/token',
  'POST /ovirt-engine/sso/oauth/token',
  'GET /ovirt-engine/sso/oauth/token-http-auth',
  'POST /ovirt-engine/sso/oauth/token-http-auth',
  'POST /ovirt-engine/services/sso-logout',
  'GET /ovirt-engine/services/pki-resource',
  'GET /ca.crt',
  'GET /ovirt-engine/services/files/usbfilter.txt',
];
/** Answers for ever: `event-stream.test.ts` asks it. */
const STREAM = `GET /api/${EVENT_STREAM.path}`;

/** What a changing request says, so that nothing but the permission can refuse it. */
const bodies = (): Readonly<Record<string, object>> => ({
  'POST users/:userId/options': { name: 'language', content: 'de' },
  'POST vms/:vmId/nics': {
    name: 'fast',
    interface: 'pci_passthrough',
    vnic_profile: { id: server.vfProfile.id },
  },
  'PUT vms/:vmId/nics/:nicId': { vnic_profile: { id: server.vfProfile.id } },
  'POST networks': { name: 'lab' },
  'PUT networks/:networkId': { description: 'changed' },
  'POST networks/:networkId/networklabels': { id: 'red' },
  'POST networks/:networkId/vnicprofiles': { name: 'lab' },
  'POST vnicprofiles': { name: 'lab', network: { id: server.prod.id } },
  'PUT vnicprofiles/:profileId': { description: 'changed' },
  'POST hosts': { name: 'host-c', libvirt_uri: 'qemu+tls://host-c/system' },
  'PUT hosts/:hostId': { outgoing_migrations_max: '3' },
  'POST hosts/:hostId/nics/:nicId/updatevirtualfunctionsconfiguration': {
    virtual_functions_configuration: { all_networks_allowed: 'true' },
  },
  'POST hosts/:hostId/nics/:nicId/virtualfunctionallowednetworks': { name: 'unlabelled' },
  'POST hosts/:hostId/nics/:nicId/virtualfunctionallowedlabels': { id: 'red' },
  'POST users': { user_name: 'new', password: 'long enough', roles: { role: [{ name: 'SuperUser' }] } },
  'PUT users/:userId': { password: 'long enough', current_password: 'pässword: 1' },
  'POST permissions': { user: { id: ids['userId'] }, role: { name: 'ReadOnlyAdmin' } },
});

let server: ApiServer;
let tokens: Map<Role, string>;
/** Of things that are there, by the path parameter that names them. */
let ids: Record<string, string>;

async function startServer(): Promise<void> {
  server = await startApiServer();
  tokens = new Map();
  const { world, hostA, prod, web1, vfProfile } = server;
  const first = async (path: string, tag: string) => {
    const all = (await server.ask('GET', path)).json<Record<string, { id: string; name?: string }[]>>()[tag];
    return all?.[0]?.id ?? '';
  };
  world.networks = [{ ...prod, label: 'blue' }];
  const unlabelled = JSON.stringify({ name: 'unlabelled' });
  const other = (await server.ask('POST', 'networks', { body: unlabelled })).json<{ id: string }>();
  await server.ask('POST', `vms/${web1.id}/migrate`, { body: '{}' });
  const [job] = world.jobs;
  const { id: pf = '' } =
    (await server.ask('GET', `hosts/${hostA.id}/nics`))
      .json<{ host_nic: { id: string; virtual_functions_configuration?: object }[] }>()
      .host_nic.find((nic) => nic.virtual_functions_configuration) ?? {};
  world.pfConfigs.push({
    hostId: hostA.id,
    pf: world.hosts[0]?.inventory?.pfs[0]?.pciAddress as never,
    allNetworksAllowed: false,
    networkIds: [prod.id],
    labels: ['blue'],
  });
  ids = {
    dataCenterId: await first('datacenters', 'data_center'),
    clusterId: await first('clusters', 'cluster'),
    networkId: prod.id,
    unlabelled: other.id,
    label: 'blue',
    profileId: vfProfile.id,
    hostId: hostA.id,
    pf,
    vmId: web1.id,
    nicId: web1.vnics[0]?.id ?? '',
    jobId: job?.id ?? '',
    userId: await first('users', 'user'),
    permissionId: await first('permissions', 'permission'),
    roleId: await first('roles', 'role'),
    permitId: '1300',
    domainId: await first('domains', 'domain'),
    stepId: 'none',
    eventId: '1',
  };
}

/** Signing on is slow on purpose. */
async function tokenOf(role: Role): Promise<string> {
  const token = tokens.get(role) ?? (await server.tokenOf(role));
  tokens.set(role, token);
  return token;
}

/** The path of a route to the things that are there. */
function pathOf(route: string): string {
  const path = route.slice(route.indexOf(' ') + 1);
  return path.replace(/:(\w+)/g, (_all, name: string) => {
    if (name === 'id') return path.startsWith('/api/jobs') ? (ids['jobId'] ?? '') : (ids['hostId'] ?? '');
    if (name === 'nicId' && path.startsWith('hosts/')) return ids['pf'] ?? '';
    if (route === 'POST networks/:networkId/networklabels') return ids['unlabelled'] ?? '';
    return ids[name] ?? '';
  });
}

async function ask(route: string, token: string | null) {
  const body = bodies()[route];
  return await server.ask(route.split(' ')[0] ?? '', pathOf(route), {
    ...(route.startsWith('GET') ? {} : { body: JSON.stringify(body ?? {}) }),
    headers: token === null ? { authorization: '' } : { authorization: `Bearer ${token}` },
  });
}

const inTables = (): string[] => [
  ...ovirtRoutes(() => 0).map(({ method, path }) => `${method} ${path}`),
  ...nativeRoutes(memoryUseCases(emptyWorld())).map(({ method, path }) => `${method} /api/${path}`),
];
const restricted = Object.entries(DECISIONS).flatMap(([needs, routes]) =>
  routes.map((route) => [route, needs as Permission] as const),
);
const shown = inTables()
  .filter((route) => route.startsWith('GET ') && !restricted.some(([each]) => each === route))
  .map((route) => [route, 'look' as Permission] as const);
const all = [...shown, ...restricted];
const decided = all.map(([route]) => route);

/** What the HTTP library answers to, `HEAD` aside: `VERB path`. */
async function registered(): Promise<string[]> {
  await server.app.ready();
  const routes: string[] = [];
  const above: string[] = [];
  for (const line of server.app.printRoutes({ commonPrefix: false }).split('\n')) {
    const [, indent = '', piece = '', verbs = ''] = /^([│├└─ ]*)(.*?)(?: \(([A-Z, ]+)\))?$/.exec(line) ?? [];
    const depth = indent.length / 4;
    above.splice(depth - 1, above.length, piece);
    for (const verb of verbs.split(', ').filter((each) => each !== '' && each !== 'HEAD')) {
      routes.push(`${verb} ${above.join('')}`);
    }
  }
  return routes;
}

beforeAll(startServer);
afterAll(async () => {
  await server.close();
});

describe('a decision', () => {
  test('is there for every route, and for no other', () => {
    expect([...decided].sort()).toEqual(inTables().sort());
  });

  test('is there for whatever the server answers to', async () => {
    const full = (route: string, base: string) => {
      const [verb, path = ''] = route.split(' ');
      return path.startsWith('/') ? route : `${verb} ${base}${path === '' ? '' : `/${path}`}`;
    };
    const expected = ['/ovirt-engine/api', '/ovirt-engine/api/v4']
      .flatMap((base) => decided.map((route) => full(route, base)))
      .concat(OPEN, STREAM);
    expect((await registered()).sort()).toEqual([...new Set(expected)].sort());
  });
});

describe('nobody gets in without signing on', () => {
  test.each(all)('%s', async (route) => {
    expect((await ask(route, null)).status).toBe(401);
  });
});

describe('whoever lacks the permission is refused, and told which role is missing', () => {
  const refused = all.flatMap(([route, needs]) =>
    ROLES.filter((role) => !gives([role], needs)).map((role) => [route, role] as const),
  );
  test.each(refused)('%s for %s', async (route, role) => {
    const before = JSON.stringify(server.world.hosts.concat(server.world.networks as never));
    const answer = await ask(route, await tokenOf(role));
    const body = answer.json<{ code?: string; detail?: string; fault?: { code: string; detail: string } }>();
    const { code, detail = '' } = body.fault ?? body;
    expect([answer.status, code]).toEqual([403, 'NOT_PERMITTED']);
    expect(detail).toContain(`${USERS[role]} may not`);
    const roles = /that needs the role (.*), which any user with the role SuperUser can give/.exec(
      detail,
    )?.[1];
    expect(
      ['see_users', 'use_vms', 'configure'].map((each) => rolesThatGive(each as Permission).join(' or ')),
    ).toContain(roles);
    expect(JSON.stringify(server.world.hosts.concat(server.world.networks as never))).toBe(before);
  });
});

describe('whoever has the permission is let in', () => {
  const permitted = all.flatMap(([route, needs]) =>
    rolesThatGive(needs).map((role) => [route, role] as const),
  );
  test.each(permitted)('%s for %s', async (route, role) => {
    const token = await tokenOf(role);
    const { status } = await ask(route, token);
    expect([401, 403], String(status)).not.toContain(status);
    expect(status).toBeLessThan(500);
    if (route.startsWith('GET')) return;
    // It may have changed anything.
    await server.close();
    await startServer();
  });
});
