/** `/hosts`: machines that run libvirtd. Added by address, as oVirt's clients do, or by libvirt URI. */
import type { NewHost } from '../../app/use-cases.ts';
import { answers, type Host } from '../../model/host.ts';
import type { VmHead } from '../../model/vm.ts';
import type { Operation } from './fault.ts';
import { checkDefault, clusterRef } from './default-cluster.ts';
import { ABSENT_OF_HOST, absentLinks } from './absent.ts';
import {
  type Call,
  created,
  done,
  given,
  many,
  one,
  param,
  refuseNewId,
  requireFields,
  type Route,
} from './route.ts';
import { actionType, hostType } from './schema/index.ts';
import type { AnyEntity, Entity } from './wire/fields.ts';
import { badRequest } from './wire/read.ts';

const SSH_PORT = 22;

/** The machine's part of a libvirt URI, without user and port; null for a local socket. */
export function addressOf(uri: string): string | null {
  const match = /^[^:]+:\/\/(?:[^@/]*@)?(\[[^\]]+\]|[^:/?]+)/.exec(uri);
  return match?.[1] === undefined ? null : match[1].replace(/^\[|\]$/g, '');
}

function versionOf(text: string) {
  const [major, minor, revision] = text.split('.').map(Number);
  return { full_version: text, major: major ?? 0, minor: minor ?? 0, revision: revision ?? 0 };
}

/** oVirt would have moved them by itself; so that nobody waits for that, it is said. */
function stillThere(vms: readonly VmHead[]): string | null {
  if (vms.length === 0) return null;
  const names = vms.map((vm) => vm.name).sort();
  const more = names.length > 5 ? ` and ${names.length - 5} more` : '';
  return (
    `${names.slice(0, 5).join(', ')}${more} still run${names.length === 1 ? 's' : ''} here and ` +
    'will not be moved by themselves; migrate them'
  );
}

/** A host as oVirt shows it. `vms`: all that are known, for the summary. */
export function toHost(host: Host, vms: readonly VmHead[]): Entity<typeof hostType> {
  const href = `hosts/${host.id}`;
  const { inventory } = host;
  const here = vms.filter((vm) => vm.hostId === host.id && vm.status !== 'down');
  return {
    id: host.id,
    href,
    name: host.name,
    address: addressOf(host.uri) ?? inventory?.hostname ?? 'localhost',
    cluster: clusterRef,
    cpu: inventory && {
      name: inventory.cpuModel,
      topology: { cores: inventory.cpuCount, sockets: 1, threads: 1 },
    },
    external_status: answers(host) ? 'ok' : 'error',
    libvirt_version: inventory && versionOf(inventory.libvirtVersion),
    max_scheduling_memory: inventory && inventory.memoryFreeKiB * 1024,
    memory: inventory && inventory.memoryKiB * 1024,
    port: SSH_PORT,
    status: host.status === 'maintenance' && here.length > 0 ? 'preparing_for_maintenance' : host.status,
    status_detail: host.statusReason ?? (host.status === 'maintenance' ? stillThere(here) : null),
    summary: {
      active: here.length,
      migrating: here.filter((vm) => vm.status === 'migrating').length,
      total: here.length,
    },
    type: 'rhel',
    libvirt_uri: host.uri,
    peer_uri: host.peerUri,
    migration_address: host.migrationAddress,
    outgoing_migrations_max: host.outgoingMax,
    incoming_migrations_max: host.incomingMax,
    actions: ['activate', 'deactivate', 'refresh'].map((rel) => ({ rel, href: `${href}/${rel}` })),
    link: [
      ...['nics', 'devices', 'networkattachments'].map((rel) => ({ rel, href: `${href}/${rel}` })),
      ...absentLinks(href, ABSENT_OF_HOST),
    ],
  };
}

/** What a request says of a host; absent elements are no change. */
function changesOf(body: Entity<typeof hostType>): Partial<NewHost> {
  checkDefault('cluster', body.cluster);
  const uri = body.libvirt_uri || uriOf(body);
  return {
    ...(body.name === undefined ? {} : { name: body.name ?? '' }),
    ...given('uri', uri),
    ...(body.peer_uri === undefined ? {} : { peerUri: body.peer_uri || null }),
    ...(body.migration_address === undefined ? {} : { migrationAddress: body.migration_address || null }),
    ...given('outgoingMax', body.outgoing_migrations_max),
    ...given('incomingMax', body.incoming_migrations_max),
  };
}

/**
 * `address` and ssh settings as a URI. The engine signs on with its own key: a password in the request is not
 * used.
 */
function uriOf(body: Entity<typeof hostType>): string | null {
  const { address, ssh } = body;
  if (address === undefined || address === null || address === '') return null;
  const user = ssh?.user?.user_name || 'root';
  if (!/^[A-Za-z0-9._:-]+$/.test(address)) throw badRequest(`host.address ${address} is no name or address`);
  if (!/^[A-Za-z0-9._-]+$/.test(user)) throw badRequest(`host.ssh.user.user_name ${user} is no user name`);
  const name = address.includes(':') ? `[${address}]` : address;
  const port = (ssh?.port ?? SSH_PORT) === SSH_PORT ? '' : `:${ssh?.port}`;
  return `qemu+ssh://${user}@${name}${port}/system`;
}

async function list(call: Call) {
  const [hosts, vms] = await Promise.all([call.look.hosts(), call.look.vmHeads()]);
  const targetOf = call.query.get('migration_target_of');
  const shown = targetOf ? await targetsOf(call, hosts, targetOf) : hosts;
  return many(
    hostType,
    shown.map((host) => toHost(host, vms)),
    {
      address: (each: AnyEntity) => each['address'] as string,
      cluster: () => 'Default',
      'cluster.name': () => 'Default',
      datacenter: () => 'Default',
    },
  );
}

/** Hosts every one of the VMs (comma-separated ids) could move to now, by its plan. */
async function targetsOf(call: Call, hosts: readonly Host[], vmIds: string): Promise<Host[]> {
  let fitting = [...hosts];
  for (const vmId of vmIds.split(/[,\s]+/).filter((each) => each !== '')) {
    const vm = await call.look.vm(vmId);
    const plan = await call.useCases.planMigration(call.caller, vm.id, {});
    const fits = new Set(plan.hosts.filter((each) => each.fits).map((each) => each.hostId));
    fitting = fitting.filter((host) => fits.has(host.id) && host.id !== plan.sourceHostId);
  }
  return fitting;
}

async function add(call: Call) {
  const body = call.body(hostType);
  const changes = changesOf(body);
  requireFields('Host', 'add', { name: body.name, address: changes.uri });
  const host = await call.useCases.addHost(call.caller, {
    ...changes,
    name: body.name as string,
    uri: changes.uri as string,
  });
  return created(hostType, toHost(host, await call.look.vmHeads()));
}

async function update(call: Call) {
  const { id } = await call.look.host(param(call, 'hostId'));
  const body = call.body(hostType);
  refuseNewId(id, body);
  const host = await call.useCases.updateHost(call.caller, id, changesOf(body));
  return one(hostType, toHost(host, await call.look.vmHeads()));
}

function maintenanceRoute(verb: string, operation: Operation, on: boolean): Route {
  return {
    method: 'POST',
    path: `hosts/:hostId/${verb}`,
    needs: 'configure',
    operation,
    isAction: true,
    run: async (call) => {
      const { id } = await call.look.host(param(call, 'hostId'));
      call.body(actionType);
      await call.useCases.setMaintenance(call.caller, id, on);
      return done();
    },
  };
}

/** Routes of `/hosts`. */
export const hostRoutes: readonly Route[] = [
  { method: 'GET', path: 'hosts', run: list },
  {
    method: 'GET',
    path: 'hosts/:hostId',
    run: async (call) => {
      const host = await call.look.host(param(call, 'hostId'));
      return one(hostType, toHost(host, await call.look.vmHeads()));
    },
  },
  { method: 'POST', path: 'hosts', needs: 'configure', operation: 'add_host', run: add },
  { method: 'PUT', path: 'hosts/:hostId', needs: 'configure', operation: 'update_host', run: update },
  {
    method: 'DELETE',
    path: 'hosts/:hostId',
    needs: 'configure',
    operation: 'remove_host',
    run: async (call) => {
      const { id } = await call.look.host(param(call, 'hostId'));
      await call.useCases.removeHost(call.caller, id);
      return done();
    },
  },
  maintenanceRoute('deactivate', 'deactivate_host', true),
  maintenanceRoute('activate', 'activate_host', false),
  {
    method: 'POST',
    path: 'hosts/:hostId/refresh',
    needs: 'configure',
    operation: 'refresh_host',
    isAction: true,
    run: async (call) => {
      const { id } = await call.look.host(param(call, 'hostId'));
      await call.useCases.refreshHost(call.caller, id);
      return done();
    },
  },
];
