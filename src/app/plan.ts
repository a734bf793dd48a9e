/**
 * The plan a person asks for: the migration's own, with the guest looked at, and disk images looked for on
 * the hosts themselves.
 */
import { explain } from '../base/errors.ts';
import type { HostId, VmId } from '../base/ids.ts';
import type { MigrationPlan } from '../model/plan.ts';
import { imagesOf, type PlanOptions, planMigration } from '../scheduler/plan-migration.ts';
import { fleetFacts, planFacts } from './facts.ts';
import { freshGuest } from './guest.ts';
import { hostById } from './observe-host.ts';
import type { AppParts } from './parts.ts';

/** Best hosts asked for images; of others the plan says nothing about them, and the migration will look. */
const HOSTS_ASKED_MAX = 8;

/** Throws `NOT_FOUND`. */
export async function planFor(parts: AppParts, vmId: VmId, options: PlanOptions): Promise<MigrationPlan> {
  await freshGuest(parts, vmId);
  const facts = await planFacts(parts, vmId, null);
  const plan = planMigration(facts, options);
  const images = imagesOf(facts.domain);
  if (images.length === 0) return plan;
  const fitting = plan.hosts.filter((host) => host.fits).sort((a, b) => a.score - b.score);
  const asked = await Promise.all(
    fitting.slice(0, HOSTS_ASKED_MAX).map(async ({ hostId }) => {
      return [hostId, await imagesThere(parts, hostId, images).catch(explain)] as const;
    }),
  );
  return planMigration({ ...facts, imagesOn: new Map(asked) }, options);
}

/**
 * Of many VMs at one moment; images are not looked for, and VMs that are not there are left out. On a large
 * fleet that is seconds of work, so whoever else asks the engine is let in between.
 */
export async function planAll(parts: AppParts, vmIds: readonly VmId[]): Promise<MigrationPlan[]> {
  const [factsOf, ...vms] = await Promise.all([
    fleetFacts(parts, vmIds, null),
    ...vmIds.map(async (id) => await parts.store.vms.get(id)),
  ]);
  const plans: MigrationPlan[] = [];
  for (const vm of vms) {
    if (vm === null) continue;
    plans.push(planMigration(factsOf(vm), { targetHostId: null, copyStorage: false }));
    await parts.clock.sleep(0);
  }
  return plans;
}

async function imagesThere(
  parts: AppParts,
  hostId: HostId,
  images: readonly string[],
): Promise<ReadonlySet<string>> {
  const hypervisor = parts.hypervisors.host(await hostById(parts, hostId));
  const there = new Set<string>();
  for (const path of images) if ((await hypervisor.inspectFile(path)).exists) there.add(path);
  return there;
}
