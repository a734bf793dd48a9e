/**
 * Every route for every role. A route says what it needs, for the documentation and the OpenAPI document; the
 * use cases enforce what their own table says. Whoever lacks what the route says must be refused, and whoever
 * has it let in. What is one's own (`users.test.ts`) is not asked for here.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { nativeOperations } from '../../src/api/native/openapi.ts';
import { nativeRoutes } from '../../src/api/native/routes.ts';
import { ovirtRoutes } from '../../src/api/ovirt/collections.ts';
import { needsOf } from '../../src/api/ovirt/route.ts';
import { gives, type Permission, type Role, ROLES, rolesThatGive } from '../../src/model/access.ts';
import { type ApiServer, startApiServer } from '../support/api-server.ts';
import { USERS } from '../support/memory-access.ts';

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

/** What a changing request says, so that nothing but the permission can refuse it. */
const bodies = (): Readonly<Record<string, object>> => ({
  'POST users/:userId/options': { name: 'language', content: 'de' },
  'POST vms/:vmId/nics': {
    name: 'fast',
    interface: 'pci_passthrough',
    vnic_profile: { id: server.vfProfile.id },
  },
  'PUT vms/:vmId/nics/:nicId': { vnic_profile: { id: server.vfProfile.id } },
  'POST vms': { name: 'new', initialization: { configuration: { type: 'libvirt', data: '<domain/>' } } },
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

/** Every route, as `VERB path` below oVirt's root or with a slash before it, and what it says it needs. */
const all: readonly (readonly [string, Permission])[] = [
  ...ovirtRoutes(() => 0).map((route) => [`${route.method} ${route.path}`, needsOf(route)] as const),
  // Of the others, the stream is asked in `event-stream.test.ts`, and the document is for everybody.
  ...nativeRoutes.map(({ method, path, needs }) => [`${method} /api/${path}`, needs] as const),
];

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

test('the server answers to these routes, and to no others', async () => {
  const full = (route: string, base: string) => {
    const [verb, path = ''] = route.split(' ');
    return path.startsWith('/') ? route : `${verb} ${base}${path === '' ? '' : `/${path}`}`;
  };
  const expected = ['/ovirt-engine/api', '/ovirt-engine/api/v4']
    .flatMap((base) => all.map(([route]) => full(route, base)))
    .concat(
      OPEN,
      nativeOperations.map(({ method, path }) => `${method} /api/${path}`),
    );
  expect((await registered()).sort()).toEqual([...new Set(expected)].sort());
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
