/** `handover vm plan`: may this VM move, where to, with which VFs, and why not elsewhere. */
import type { Client } from './client.ts';
import { CliError, EXIT } from './cli-error.ts';
import { findOne } from './find.ts';
import { flagOf, itemsOf, type Reference } from './ovirt-json.ts';
import { type OutputFormat, print, printJson } from './output.ts';
import { paint } from './timeline.ts';
import { migrateAction, type MigrateOptions, type OvirtVm } from './vm-commands.ts';
import { isFancy } from './watch-job.ts';

type OvirtList = Readonly<Record<string, unknown>>;

interface OvirtPlan {
  readonly possible: string;
  readonly vm: Reference;
  readonly source_host?: Reference;
  readonly chosen_host?: Reference;
  readonly refusals: OvirtList;
  readonly warnings: OvirtList;
  readonly hosts: OvirtList;
}

interface OvirtCandidate {
  readonly host: Reference;
  readonly fits: string;
  readonly protocol: string;
  readonly reasons: OvirtList;
  readonly warnings: OvirtList;
  readonly assignments: OvirtList;
}

interface OvirtAssignment {
  readonly nic: Reference;
  readonly source_pf: string;
  /** Absent for one that is out. */
  readonly source_vf?: string;
  readonly target_pf: string;
  readonly target_vf: string;
}

interface Reason {
  readonly code: string;
  readonly message: string;
}

const reasonsOf = (list: OvirtList) =>
  itemsOf<Reason>(list, 'reason').map(({ code, message }) => ({ code, message }));

function toView(plan: OvirtPlan) {
  return {
    vm: plan.vm.name ?? plan.vm.id,
    source: plan.source_host?.name ?? null,
    possible: flagOf(plan.possible),
    target: plan.chosen_host?.name ?? null,
    refusals: reasonsOf(plan.refusals),
    warnings: reasonsOf(plan.warnings),
    hosts: itemsOf<OvirtCandidate>(plan.hosts, 'candidate').map((candidate) => ({
      name: candidate.host.name ?? candidate.host.id,
      fits: flagOf(candidate.fits),
      protocol: candidate.protocol,
      reasons: reasonsOf(candidate.reasons),
      warnings: reasonsOf(candidate.warnings),
      vnics: itemsOf<OvirtAssignment>(candidate.assignments, 'assignment').map((each) => ({
        name: each.nic.name ?? each.nic.id,
        sourcePf: each.source_pf,
        sourceVf: each.source_vf ?? null,
        targetPf: each.target_pf,
        targetVf: each.target_vf,
      })),
    })),
  };
}
type PlanView = ReturnType<typeof toView>;

/** The plan as lines: the answer, then every host with its VFs or the reasons against it. */
function planLines(plan: PlanView, colour: boolean): string[] {
  const style = { colour };
  const warning = (text: string, indent: string) => `${indent}${paint(style, 'yellow', 'warning')}: ${text}`;
  const verdict = plan.possible
    ? paint(style, 'green', `can move from ${plan.source} to ${plan.target}`)
    : paint(style, 'red', 'can not move now');
  const width = Math.max(0, ...plan.hosts.map((host) => host.name.length));
  return [
    `${paint(style, 'bold', plan.vm)} ${verdict}`,
    ...plan.refusals.map((each) => `  ${each.message}`),
    ...plan.warnings.map((each) => warning(each.message, '  ')),
    ...plan.hosts.flatMap((host) => {
      const mark = host.fits ? paint(style, 'green', '✔') : paint(style, 'red', '✘');
      const best = host.fits && host.name === plan.target ? ', chosen' : '';
      const how = host.fits ? `fits (${host.protocol}${best})` : (host.reasons[0]?.message ?? 'does not fit');
      const indent = ' '.repeat(width + 6);
      return [
        `  ${mark} ${host.name.padEnd(width)}  ${how}`,
        ...host.reasons.slice(1).map((each) => `${indent}${each.message}`),
        ...host.vnics.map(({ name, sourcePf, sourceVf, targetPf, targetVf }) => {
          const from = sourceVf === null ? '(none)' : `${sourceVf} (${sourcePf})`;
          return `${indent}${name}: VF ${from} → ${targetVf} (${targetPf})`;
        }),
        ...(host.fits ? host.warnings.map((each) => warning(each.message, indent)) : []),
      ];
    }),
  ];
}

/** Prints the plan. `CliError` (refused) if the VM can not move now, so that scripts can ask. */
export async function planVm(
  client: Client,
  format: OutputFormat,
  nameOrId: string,
  options: MigrateOptions,
): Promise<void> {
  const vm = await findOne<OvirtVm>(client, 'vms', nameOrId);
  const action = { ...(await migrateAction(client, options)), plan: 'true' };
  const answer = await client.ovirt<{ migration_plan: OvirtPlan }>('POST', `vms/${vm.id}/migrate`, action);
  const plan = toView(answer.migration_plan);
  if (format === 'json') printJson(plan);
  else for (const line of planLines(plan, isFancy())) print(line);
  // The plan has said it; only the exit code is left to tell.
  if (!plan.possible) throw new CliError(EXIT.refused, '');
}
