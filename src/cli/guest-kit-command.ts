/** `handover guest kit`: the texts that set up a VM's guest. */
import type { Client } from './client.ts';
import { findOne } from './find.ts';
import { type OutputFormat, print, printJson } from './output.ts';
import type { OvirtVm } from './vm-commands.ts';

/** Prints the guest kit of a VM in one of its formats; with `--output json` as an object with the text. */
export async function printGuestKit(
  client: Client,
  output: OutputFormat,
  nameOrId: string,
  format: string,
): Promise<void> {
  const vm = await findOne<OvirtVm>(client, 'vms', nameOrId);
  const text = await client.nativeText(`vms/${vm.id}/guest-kit?format=${format}`);
  if (output === 'json') printJson({ vm: vm.name, format, text });
  else print(text.replace(/\n$/, ''));
}
