/** `handover host add|list|show|update|refresh|remove`. */
import type { Client } from './client.ts';
import { findOne, listAll } from './find.ts';
import { flagOf, itemsOf, numberOf, type Reference } from './ovirt-json.ts';
import { type OutputFormat, print, printList, printOne, sizeOf, tableLines, yesNo } from './output.ts';

interface OvirtHostNic {
  readonly name: string;
  readonly status?: string;
  readonly pci_address?: string;
  readonly driver?: string;
  readonly numa_node?: string;
  readonly physical_function?: Reference;
  readonly virtual_function_state?: string;
  readonly virtual_function_reason?: string;
  readonly virtual_functions_configuration?: {
    readonly all_networks_allowed: string;
    readonly max_number_of_virtual_functions: string;
    readonly number_of_virtual_functions: string;
    readonly number_of_free_virtual_functions?: string;
  };
  readonly id: string;
}

interface OvirtHost {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly status_detail?: string;
  readonly libvirt_uri: string;
  readonly peer_uri?: string;
  readonly migration_address?: string;
  readonly libvirt_version?: { readonly full_version: string };
  readonly cpu?: { readonly name: string; readonly topology: { readonly cores: string } };
  readonly memory?: string;
  readonly max_scheduling_memory?: string;
  readonly summary?: { readonly active: string };
  readonly nics?: Readonly<Record<string, unknown>>;
}

const kiBOf = (bytes: string | undefined): number | null =>
  bytes === undefined ? null : Math.round(Number(bytes) / 1024);

/** A host as the commands print it. */
function toView(host: OvirtHost) {
  const nics = itemsOf<OvirtHostNic>(host.nics, 'host_nic');
  return {
    id: host.id,
    name: host.name,
    status: host.status,
    statusReason: host.status_detail ?? null,
    uri: host.libvirt_uri,
    peerUri: host.peer_uri ?? null,
    migrationAddress: host.migration_address ?? null,
    libvirtVersion: host.libvirt_version?.full_version ?? null,
    cpuModel: host.cpu?.name ?? null,
    cpuCount: numberOf(host.cpu?.topology.cores),
    memoryKiB: kiBOf(host.memory),
    memoryFreeKiB: kiBOf(host.max_scheduling_memory),
    vmsActive: numberOf(host.summary?.active),
    pfs: nics.filter((nic) => nic.virtual_functions_configuration).map((pf) => toPfView(pf, nics)),
  };
}
type HostView = ReturnType<typeof toView>;

function toPfView(pf: OvirtHostNic, nics: readonly OvirtHostNic[]) {
  const config = pf.virtual_functions_configuration;
  return {
    name: pf.name,
    pciAddress: pf.pci_address ?? null,
    status: pf.status ?? null,
    allNetworksAllowed: flagOf(config?.all_networks_allowed),
    vfCount: numberOf(config?.number_of_virtual_functions),
    vfCountMax: numberOf(config?.max_number_of_virtual_functions),
    vfCountFree: numberOf(config?.number_of_free_virtual_functions),
    vfs: nics
      .filter((nic) => nic.physical_function?.id === pf.id)
      .map((vf) => ({
        name: vf.name,
        pciAddress: vf.pci_address ?? null,
        driver: vf.driver ?? null,
        numaNode: numberOf(vf.numa_node),
        state: vf.virtual_function_state ?? null,
        reason: vf.virtual_function_reason ?? null,
      })),
  };
}

function show(format: OutputFormat, host: HostView): void {
  printOne(format, host, [
    ['name', host.name],
    ['id', host.id],
    ['status', host.statusReason === null ? host.status : `${host.status} (${host.statusReason})`],
    ['uri', host.uri],
    ['peer uri', host.peerUri],
    ['migration address', host.migrationAddress],
    ['libvirt', host.libvirtVersion],
    ['cpu', host.cpuModel === null ? null : `${host.cpuCount} x ${host.cpuModel}`],
    [
      'memory',
      host.memoryKiB === null ? null : `${sizeOf(host.memoryFreeKiB)} free of ${sizeOf(host.memoryKiB)}`,
    ],
    ['running VMs', host.vmsActive === null ? null : String(host.vmsActive)],
  ]);
  if (format === 'json') return;
  for (const pf of host.pfs) {
    print('');
    print(
      `PF ${pf.name} ${pf.pciAddress ?? ''} link ${pf.status ?? 'unknown'}, ` +
        `${pf.vfCountFree} of ${pf.vfCount} VFs free (at most ${pf.vfCountMax}), ` +
        `all networks allowed: ${yesNo(pf.allNetworksAllowed)}`,
    );
    const rows = pf.vfs.map((vf) => [
      vf.name,
      vf.pciAddress ?? '-',
      vf.state ?? 'unknown',
      vf.driver ?? '-',
      vf.reason ?? '',
    ]);
    for (const line of tableLines(['vf', 'address', 'state', 'driver', ''], rows)) print(`  ${line}`);
  }
}

/** Adds a host: the engine connects and adopts what runs there before it answers. */
export async function addHost(
  client: Client,
  format: OutputFormat,
  name: string,
  uri: string,
  options: { readonly peerUri?: string; readonly migrationAddress?: string },
): Promise<void> {
  const { id } = await client.ovirt<Reference>('POST', 'hosts', {
    name,
    libvirt_uri: uri,
    ...(options.peerUri === undefined ? {} : { peer_uri: options.peerUri }),
    ...(options.migrationAddress === undefined ? {} : { migration_address: options.migrationAddress }),
  });
  show(format, toView(await client.ovirt<OvirtHost>('GET', `hosts/${id}?follow=nics`)));
}

/** What of a host can be changed; `none` takes a setting away. */
export interface HostChanges {
  readonly name?: string;
  readonly uri?: string;
  readonly peerUri?: string;
  readonly migrationAddress?: string;
  readonly outgoingMax?: number;
  readonly incomingMax?: number;
}

/** Changes what is given; a new URI is tried first. */
export async function updateHost(
  client: Client,
  format: OutputFormat,
  nameOrId: string,
  changes: HostChanges,
): Promise<void> {
  const { id } = await findOne<OvirtHost>(client, 'hosts', nameOrId);
  const text = (value: string | undefined) => (value === 'none' ? '' : value);
  await client.ovirt('PUT', `hosts/${id}`, {
    name: changes.name,
    libvirt_uri: changes.uri,
    peer_uri: text(changes.peerUri),
    migration_address: text(changes.migrationAddress),
    outgoing_migrations_max: changes.outgoingMax,
    incoming_migrations_max: changes.incomingMax,
  });
  show(format, toView(await client.ovirt<OvirtHost>('GET', `hosts/${id}?follow=nics`)));
}

/** Looks at a host now, and tests the ways between it and the others again. */
export async function refreshHost(client: Client, format: OutputFormat, nameOrId: string): Promise<void> {
  const { id } = await findOne<OvirtHost>(client, 'hosts', nameOrId);
  await client.ovirt('POST', `hosts/${id}/refresh`, {});
  show(format, toView(await client.ovirt<OvirtHost>('GET', `hosts/${id}?follow=nics`)));
}

/** Prints all hosts. */
export async function listHosts(client: Client, format: OutputFormat): Promise<void> {
  const hosts = (await listAll<OvirtHost>(client, 'hosts', 'nics')).map(toView);
  printList(
    format,
    hosts,
    ['name', 'status', 'vms', 'free vfs', 'free memory', 'uri'],
    (host) => [
      host.name,
      host.status,
      String(host.vmsActive ?? '-'),
      `${sum(host.pfs.map((pf) => pf.vfCountFree))}/${sum(host.pfs.map((pf) => pf.vfCount))}`,
      sizeOf(host.memoryFreeKiB),
      host.uri,
    ],
    'No hosts yet. Add one: handover host add NAME qemu+ssh://root@ADDRESS/system',
  );
}

const sum = (numbers: readonly (number | null)[]): number =>
  numbers.reduce<number>((total, each) => total + (each ?? 0), 0);

/** Prints one host with its PFs and VFs. */
export async function showHost(client: Client, format: OutputFormat, nameOrId: string): Promise<void> {
  show(format, toView(await findOne<OvirtHost>(client, 'hosts', nameOrId, 'nics')));
}

/** Forgets a host; nothing on it is changed. */
export async function removeHost(client: Client, format: OutputFormat, nameOrId: string): Promise<void> {
  const { id, name } = await findOne<OvirtHost>(client, 'hosts', nameOrId);
  await client.ovirt('DELETE', `hosts/${id}`);
  printOne(format, { id, name, removed: true }, [['removed', name]]);
}
