/** `POST /vms/ID/migrate` (with `plan=true`: only explain) and `POST /vms/ID/cancelmigration`. */
import type { MigrateOptions } from '../../app/use-cases.ts';
import type { Host } from '../../model/host.ts';
import type { HostVerdict, MigrationPlan, PlanReason } from '../../model/plan.ts';
import { checkDefault } from './default-cluster.ts';
import { namedHost } from './named-host.ts';
import { type Call, done, flagQuery, given, param, type Route } from './route.ts';
import { type Action, actionType, type migrationPlan } from './schema/index.ts';
import type { Value } from './wire/fields.ts';

type WirePlan = Value<typeof migrationPlan>;

const hostRef = (id: string | null, name: string | null) =>
  id === null ? null : { id, href: `hosts/${id}`, name };

function toReason(vmId: string, reason: PlanReason) {
  const { code, message, vnicId } = reason;
  return {
    code,
    message,
    nic: vnicId === undefined ? null : { id: vnicId, href: `vms/${vmId}/nics/${vnicId}` },
  };
}

function toCandidate(vmId: string, verdict: HostVerdict) {
  return {
    host: hostRef(verdict.hostId, verdict.hostName),
    fits: verdict.fits,
    protocol: verdict.protocol,
    score: Math.round(verdict.score),
    reasons: verdict.reasons.map((each) => toReason(vmId, each)),
    warnings: verdict.warnings.map((each) => toReason(vmId, each)),
    assignments: verdict.assignment.map((each) => ({
      nic: { id: each.vnicId, href: `vms/${vmId}/nics/${each.vnicId}`, name: each.vnicName },
      source_pf: each.sourcePf,
      source_vf: each.sourceVf,
      target_pf: each.targetPf,
      target_vf: each.targetVf,
    })),
  };
}

/** The plan in oVirt's manner of writing. */
export function toMigrationPlan(plan: MigrationPlan): WirePlan {
  const chosenName = plan.hosts.find((each) => each.hostId === plan.chosen)?.hostName ?? null;
  return {
    possible: plan.possible,
    vm: { id: plan.vmId, href: `vms/${plan.vmId}`, name: plan.vmName },
    source_host: hostRef(plan.sourceHostId, plan.sourceHostName),
    chosen_host: hostRef(plan.chosen, chosenName),
    refusals: plan.refusals.map((each) => toReason(plan.vmId, each)),
    warnings: plan.warnings.map((each) => toReason(plan.vmId, each)),
    hosts: plan.hosts.map((each) => toCandidate(plan.vmId, each)),
  };
}

function optionsOf(action: Action, target: Host | null): MigrateOptions {
  return {
    targetHostId: target?.id ?? null,
    ...given('copyStorage', action.copy_storage),
    ...given('unplugTimeoutMs', action.unplug_timeout_ms),
    ...given('downtimeMsMax', action.downtime_ms_max),
    ...given('bandwidthMiBps', action.bandwidth_mib_per_second),
    ...given('transferTimeoutMs', action.transfer_timeout_ms),
  };
}

async function migrate(call: Call) {
  const vm = await call.look.vm(param(call, 'vmId'));
  const action = call.body(actionType);
  // Ansible sends the whole cluster along; the same one is no change of cluster.
  checkDefault('cluster', action.cluster);
  const options = optionsOf(action, await namedHost(call, action.host));
  if (action.plan === true || flagQuery(call, 'plan')) {
    const plan = await call.useCases.planMigration(call.caller, vm.id, options);
    return done({ migration_plan: toMigrationPlan(plan) });
  }
  const job = await call.useCases.migrateVm(call.caller, vm.id, options);
  return done({
    host: hostRef(job.targetHostId ?? options.targetHostId ?? null, null),
    job: { id: job.id, href: `jobs/${job.id}` },
  });
}

async function cancel(call: Call) {
  const vm = await call.look.vm(param(call, 'vmId'));
  const job = await call.useCases.cancelMigration(call.caller, vm.id);
  return done({ job: { id: job.id, href: `jobs/${job.id}` } });
}

/** Routes of the two actions. */
export const migrateRoutes: readonly Route[] = [
  {
    method: 'POST',
    path: 'vms/:vmId/migrate',
    needs: 'use_vms',
    operation: 'migrate_vm',
    isAction: true,
    run: migrate,
  },
  {
    method: 'POST',
    path: 'vms/:vmId/cancelmigration',
    needs: 'use_vms',
    operation: 'cancel_migration',
    isAction: true,
    run: cancel,
  },
];
