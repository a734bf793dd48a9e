/** `handover guest check|drill|policy|probe`: whether a VM's traffic goes on while a VF is away. */
import type { DrillView, GuestFindingView, GuestView } from '../api/types/guest-view.ts';
import type { JobView } from '../api/types/job-view.ts';
import type { Client } from './client.ts';
import { CliError, EXIT } from './cli-error.ts';
import { findOne } from './find.ts';
import { type OutputFormat, print, printJson, timeOf } from './output.ts';
import { durationText, paint } from './timeline.ts';
import type { OvirtVm } from './vm-commands.ts';
import { followJob, isFancy, refuseUnlessSucceeded } from './watch-job.ts';

const MARKS = {
  ok: ['green', '✔'],
  warning: ['yellow', '!'],
  missing: ['red', '✘'],
  unknown: ['yellow', '?'],
} as const satisfies Record<GuestFindingView['level'], readonly [string, string]>;

const VERDICTS = {
  ready: 'keeps its traffic while a VF is away',
  missing: 'loses its traffic while a VF is away',
  unknown: 'may lose its traffic while a VF is away: nobody can tell',
  not_needed: 'has no VF, so it needs no standby',
} as const;

function guestLines(vm: string, guest: GuestView, style: { readonly colour: boolean }): string[] {
  const verdict = guest.standby === null ? 'was not looked at yet' : VERDICTS[guest.standby];
  return [
    `${paint(style, 'bold', vm)} ${verdict}`,
    ...guest.findings.flatMap(({ level, message, fix }) => {
      const [colour, mark] = MARKS[level];
      const line = `  ${paint(style, colour, mark)} ${message}`;
      return fix === null ? [line] : [line, `    ${fix}`];
    }),
    `  where no standby carries the traffic: ${guest.policy}`,
    `  probed while it is moved: ${guest.probeAddress ?? 'nothing'}`,
    `  last drill: ${lastDrillText(guest.lastDrill, vm)}`,
  ];
}

function lastDrillText(drill: DrillView | null, vm: string): string {
  if (drill === null) return `none; try: handover guest drill ${vm}`;
  const result = drill.ok ? `all went well, ${gapText(drill)}` : `failed: ${drill.reason}`;
  return `${timeOf(drill.endedAt)}, ${result}`;
}

function gapText({ networkGapMs: gap }: DrillView): string {
  if (gap === null) return 'network gap not known';
  const phases = `unplug ${durationText(gap.unplug)}, plug ${durationText(gap.plug)}`;
  return `longest network gap ${durationText(gap.longest)} (${phases})`;
}

function drillLines(drill: DrillView, vm: string, style: { readonly colour: boolean }): string[] {
  const { shift, unplug, plug, return: back } = drill.durationsMs;
  const verdict = drill.ok ? 'went well: everything is as it was' : `failed: ${drill.reason}`;
  const lasted = [
    `shift ${durationText(shift)}`,
    `unplug ${durationText(unplug)}`,
    `plug ${durationText(plug)}`,
    `return ${durationText(back)}`,
  ];
  const unknown = [
    ...drill.networkGaps.flatMap(({ vnic, doubt }) =>
      doubt === null ? [] : [`the network gap${vnic === null ? '' : ` of ${vnic}`}: ${doubt}`],
    ),
    ...drill.doubts,
  ];
  return [
    `The drill of ${paint(style, 'bold', vm)} ${verdict}`,
    `  ${lasted.join(', ')}`,
    `  ${gapText(drill)}`,
    ...unknown.map((each) => `  not known: ${each}`),
  ];
}

/**
 * Rehearses where the VM is what a migration does to its network, follows that to its end and prints what was
 * found. `CliError` (job not succeeded) if it failed.
 */
export async function drillVm(client: Client, format: OutputFormat, nameOrId: string): Promise<void> {
  const vm = await findOne<OvirtVm>(client, 'vms', nameOrId);
  const { id } = await client.native<JobView>('POST', `vms/${vm.id}/guest/drill`);
  const job = await followJob(client, format, id);
  const { lastDrill } = await client.native<GuestView>('GET', `vms/${vm.id}/guest`);
  // One that waits for an operator has found nothing yet.
  const drill = lastDrill?.jobId === id ? lastDrill : null;
  if (format === 'json') printJson({ vm: vm.name, state: job.state, ...drill });
  else if (drill !== null)
    for (const line of ['', ...drillLines(drill, vm.name, { colour: isFancy() })]) print(line);
  refuseUnlessSucceeded(job);
}

/** Looks at the guest now and prints what was found. `CliError` (refused) if a standby is missing. */
export async function checkGuest(client: Client, format: OutputFormat, nameOrId: string): Promise<void> {
  const vm = await findOne<OvirtVm>(client, 'vms', nameOrId);
  const guest = await client.native<GuestView>('POST', `vms/${vm.id}/guest/check`);
  if (format === 'json') printJson({ vm: vm.name, ...guest });
  else for (const line of guestLines(vm.name, guest, { colour: isFancy() })) print(line);
  // It was said; only the exit code is left to tell.
  if (guest.standby === 'missing') throw new CliError(EXIT.refused, '');
}

/** Says what a migration does where no standby carries the traffic. */
export async function setPolicy(
  client: Client,
  format: OutputFormat,
  nameOrId: string,
  policy: string,
): Promise<void> {
  const vm = await findOne<OvirtVm>(client, 'vms', nameOrId);
  const path = `vms/${vm.id}/guest/policy?standby=${encodeURIComponent(policy)}`;
  const guest = await client.native<GuestView>('POST', path);
  if (format === 'json') printJson({ vm: vm.name, ...guest });
  else print(`${vm.name}: where no standby carries the traffic: ${guest.policy}`);
}

/** Says which address of the VM is probed while it is moved; null: none. */
export async function setProbe(
  client: Client,
  format: OutputFormat,
  nameOrId: string,
  address: string | null,
): Promise<void> {
  const vm = await findOne<OvirtVm>(client, 'vms', nameOrId);
  const query = address === null ? '' : `?address=${encodeURIComponent(address)}`;
  const guest = await client.native<GuestView>('POST', `vms/${vm.id}/guest/probe${query}`);
  if (format === 'json') printJson({ vm: vm.name, ...guest });
  else print(`${vm.name}: probed while it is moved: ${guest.probeAddress ?? 'nothing'}`);
}
