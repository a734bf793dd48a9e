/**
 * `handover vm list|show|start|shutdown|stop|migrate|cancel` and `handover vm nic
 * add|remove|plug|unplug|set-profile`.
 * `vm plan` is in
 * `plan-command.ts`.
 */
import type { JobView } from '../api/types/job-view.ts';
import type { Client } from './client.ts';
import { CliError, EXIT } from './cli-error.ts';
import { findOne, listAll } from './find.ts';
import { flagOf, itemsOf, numberOf, type Reference } from './ovirt-json.ts';
import { type OutputFormat, print, printList, printOne, sizeOf, tableLines, yesNo } from './output.ts';
import { printJob, watchJob } from './watch-job.ts';

interface OvirtNic {
  readonly id: string;
  readonly name: string;
  readonly interface: string;
  readonly mac?: { readonly address: string };
  readonly plugged: string;
  readonly vnic_profile?: Reference & {
    readonly migratable?: string;
    readonly pass_through?: { readonly mode: string };
  };
  readonly actual_state?: string;
  readonly virtual_function?: string;
  readonly migration_blocker?: string;
}

/** A VM as the engine answers it, with what the commands follow. */
export interface OvirtVm {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly host?: Reference;
  readonly memory: string;
  readonly cpu: { readonly topology: { readonly cores: string } };
  readonly nics?: Readonly<Record<string, unknown>>;
}

/** Options of `vm migrate` and `vm plan`. */
export interface MigrateOptions {
  readonly to?: string;
  readonly copyStorage?: boolean;
  /** Seconds. */
  readonly unplugTimeout?: number;
  /** Milliseconds. */
  readonly downtimeMax?: number;
}

const FOLLOW = 'host,nics.vnic_profile';

function toView(vm: OvirtVm) {
  return {
    id: vm.id,
    name: vm.name,
    status: vm.status,
    host: vm.host?.name ?? vm.host?.id ?? null,
    memoryKiB: Math.round(Number(vm.memory) / 1024),
    vcpus: numberOf(vm.cpu.topology.cores),
    nics: itemsOf<OvirtNic>(vm.nics, 'nic').map((nic) => ({
      id: nic.id,
      name: nic.name,
      mac: nic.mac?.address ?? null,
      passThrough: nic.interface === 'pci_passthrough',
      profile: nic.vnic_profile?.name ?? nic.vnic_profile?.id ?? null,
      migratable: nic.vnic_profile ? nic.vnic_profile.migratable !== 'false' : null,
      /** Wanted. */
      plugged: flagOf(nic.plugged),
      /** Where it really is. */
      state: nic.actual_state ?? null,
      vf: nic.virtual_function ?? null,
      blocker: nic.migration_blocker ?? null,
    })),
  };
}

/** Prints all VMs. */
export async function listVms(client: Client, format: OutputFormat): Promise<void> {
  const vms = (await listAll<OvirtVm>(client, 'vms', FOLLOW)).map(toView);
  printList(
    format,
    vms,
    ['name', 'status', 'host', 'memory', 'vcpus', 'vfs'],
    (vm) => [
      vm.name,
      vm.status,
      vm.host ?? '-',
      sizeOf(vm.memoryKiB),
      String(vm.vcpus ?? '-'),
      vm.nics.flatMap((nic) => (nic.vf === null ? [] : [nic.vf])).join(' ') || '-',
    ],
    'No VMs yet. A host brings its VMs along: handover host add NAME URI',
  );
}

/** Prints one VM with its vNICs. */
export async function showVm(client: Client, format: OutputFormat, nameOrId: string): Promise<void> {
  const vm = toView(await findOne<OvirtVm>(client, 'vms', nameOrId, FOLLOW));
  printOne(format, vm, [
    ['name', vm.name],
    ['id', vm.id],
    ['status', vm.status],
    ['host', vm.host],
    ['memory', sizeOf(vm.memoryKiB)],
    ['vcpus', String(vm.vcpus ?? '-')],
  ]);
  if (format === 'json' || vm.nics.length === 0) return;
  print('');
  const rows = vm.nics.map((nic) => [
    nic.name,
    nic.mac ?? '-',
    nic.passThrough ? 'VF' : 'virtual',
    nic.profile ?? '-',
    nic.passThrough && nic.migratable !== null ? yesNo(nic.migratable) : '-',
    nic.state ?? (nic.plugged ? 'plugged' : 'unplugged'),
    nic.vf ?? '-',
    nic.blocker ?? '',
  ]);
  const headings = ['nic', 'mac', 'kind', 'profile', 'migratable', 'state', 'vf', ''];
  for (const line of tableLines(headings, rows)) print(line);
}

/** The body of oVirt's action for `options`. */
export async function migrateAction(client: Client, options: MigrateOptions): Promise<object> {
  const { to, copyStorage, unplugTimeout, downtimeMax } = options;
  return {
    ...(to === undefined
      ? {}
      : { host: { id: (await findOne<Reference & { name: string }>(client, 'hosts', to)).id } }),
    ...(copyStorage ? { copy_storage: 'true' } : {}),
    ...(unplugTimeout === undefined ? {} : { unplug_timeout_ms: String(Math.round(unplugTimeout * 1000)) }),
    ...(downtimeMax === undefined ? {} : { downtime_ms_max: String(downtimeMax) }),
  };
}

/** Starts a migration; with `watch` follows it to its end. */
export async function migrateVm(
  client: Client,
  format: OutputFormat,
  nameOrId: string,
  options: MigrateOptions & { readonly watch?: boolean },
): Promise<void> {
  const vm = await findOne<OvirtVm>(client, 'vms', nameOrId);
  const action = await migrateAction(client, options);
  const { job } = await client.ovirt<{ job?: Reference }>('POST', `vms/${vm.id}/migrate`, action);
  if (!job) throw new CliError(EXIT.failed, 'the engine named no job; see: handover job list');
  if (options.watch) {
    await watchJob(client, format, job.id);
    return;
  }
  if (format === 'json') printJob(format, await client.native<JobView>('GET', `jobs/${job.id}`));
  else print(`Migration of ${vm.name} began as job ${job.id}. Follow it: handover job watch ${job.id}`);
}

/** Cancels the VM's migration; returns only if it will end on the source. */
export async function cancelVm(client: Client, format: OutputFormat, nameOrId: string): Promise<void> {
  const vm = await findOne<OvirtVm>(client, 'vms', nameOrId);
  const { job } = await client.ovirt<{ job?: Reference }>('POST', `vms/${vm.id}/cancelmigration`, {});
  if (format === 'json' && job) printJob(format, await client.native<JobView>('GET', `jobs/${job.id}`));
  else print(`The migration of ${vm.name} is cancelled; it stays on its source.`);
}

/** Starts or ends a VM; returns when it is so, but a guest asked to shut down takes its time. */
export async function actOnVm(
  client: Client,
  format: OutputFormat,
  nameOrId: string,
  verb: 'start' | 'shutdown' | 'stop',
): Promise<void> {
  const vm = await findOne<OvirtVm>(client, 'vms', nameOrId);
  await client.ovirt('POST', `vms/${vm.id}/${verb}`, {});
  await showVm(client, format, vm.id);
}

/** Gives a vNIC another profile. */
export async function setNicProfile(
  client: Client,
  format: OutputFormat,
  nameOrId: string,
  nicName: string,
  profileName: string,
): Promise<void> {
  const { vm, nic } = await findNic(client, nameOrId, nicName);
  const profile = await findOne<Reference & { name: string }>(client, 'vnicprofiles', profileName);
  await client.ovirt('PUT', `vms/${vm.id}/nics/${nic.id}`, { vnic_profile: { id: profile.id } });
  await showVm(client, format, vm.id);
}

/** Plugs or unplugs a vNIC; returns when it is so. */
export async function plugNic(
  client: Client,
  format: OutputFormat,
  nameOrId: string,
  nicName: string,
  verb: 'plug' | 'unplug',
): Promise<void> {
  const { vm, nic } = await findNic(client, nameOrId, nicName);
  const action = verb === 'plug' ? 'activate' : 'deactivate';
  await client.ovirt('POST', `vms/${vm.id}/nics/${nic.id}/${action}`, {});
  await showVm(client, format, vm.id);
}

/** Adds a vNIC, on a VF if its profile says so; returns when it is plugged. */
export async function addNic(
  client: Client,
  format: OutputFormat,
  nameOrId: string,
  wanted: { readonly nic: string; readonly profile: string; readonly mac?: string },
): Promise<void> {
  const vm = await findOne<OvirtVm>(client, 'vms', nameOrId);
  const profile = await findOne<Reference & { name: string; pass_through?: { mode: string } }>(
    client,
    'vnicprofiles',
    wanted.profile,
  );
  await client.ovirt('POST', `vms/${vm.id}/nics`, {
    name: wanted.nic,
    interface: profile.pass_through?.mode === 'enabled' ? 'pci_passthrough' : 'virtio',
    vnic_profile: { id: profile.id },
    ...(wanted.mac === undefined ? {} : { mac: { address: wanted.mac } }),
  });
  await showVm(client, format, vm.id);
}

/** Removes a vNIC for good. */
export async function removeNic(
  client: Client,
  format: OutputFormat,
  nameOrId: string,
  nicName: string,
): Promise<void> {
  const { vm, nic } = await findNic(client, nameOrId, nicName);
  await client.ovirt('DELETE', `vms/${vm.id}/nics/${nic.id}`);
  await showVm(client, format, vm.id);
}

async function findNic(
  client: Client,
  nameOrId: string,
  nicName: string,
): Promise<{ vm: OvirtVm; nic: OvirtNic }> {
  const vm = await findOne<OvirtVm>(client, 'vms', nameOrId, 'nics');
  const nics = itemsOf<OvirtNic>(vm.nics, 'nic');
  const nic = nics.find((each) => each.name === nicName || each.id === nicName);
  if (nic) return { vm, nic };
  const names = nics.map((each) => each.name).join(', ') || 'none';
  throw new CliError(EXIT.notFound, `${vm.name} has no vNIC ${nicName}; it has: ${names}`);
}
