/** `handover vm add|remove`. */
import { readFileSync } from 'node:fs';
import type { Client } from './client.ts';
import { CliError, EXIT } from './cli-error.ts';
import { findOne } from './find.ts';
import type { Reference } from './ovirt-json.ts';
import { type OutputFormat, print } from './output.ts';
import { type OvirtVm, showVm } from './vm-commands.ts';

/** Defines a VM on a host, from a file or, with `-`, from what comes in. */
export async function addVm(
  client: Client,
  format: OutputFormat,
  wanted: { readonly host: string; readonly file: string; readonly name?: string },
): Promise<void> {
  const data = readDefinition(wanted.file);
  const host = await findOne<Reference & { name: string }>(client, 'hosts', wanted.host);
  const vm = await client.ovirt<OvirtVm>('POST', 'vms', {
    ...(wanted.name === undefined ? {} : { name: wanted.name }),
    host: { id: host.id },
    initialization: { configuration: { type: 'libvirt', data } },
  });
  await showVm(client, format, vm.id);
}

function readDefinition(file: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (thrown) {
    throw new CliError(EXIT.usage, `the definition can not be read: ${(thrown as Error).message}`);
  }
}

/** Removes a VM that is down. */
export async function removeVm(client: Client, format: OutputFormat, nameOrId: string): Promise<void> {
  const vm = await findOne<OvirtVm>(client, 'vms', nameOrId);
  await client.ovirt('DELETE', `vms/${vm.id}`);
  if (format === 'json') print(JSON.stringify({ id: vm.id, removed: true }));
  else print(`${vm.name} is removed; its disks are still there.`);
}
