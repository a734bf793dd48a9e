/**
 * Sending a guest's traffic over its VFs again after they were plugged: by the verify step, and by the undo
 * of the shift; and before they leave, by the shift, what makes that return lose nothing. A bond that has the
 * VF as its primary does so by itself; the others are told to. Only a leg with a link is used. A VF that the
 * guest was asked for and still has works as before.
 */
import type { Hypervisor } from '../hypervisor/port.ts';
import { type BondedPair, UP_DELAY_MS } from '../model/guest.ts';
import { isActive } from '../model/domain.ts';
import type { MigrationData, MovingVnic } from '../model/job.ts';
import type { MigrationContext } from './port.ts';
import { vnicsOf } from './vnics.ts';

/** A guest's driver and its bond need a few seconds; five times the slowest seen in the lab. */
const RETURN_LIMIT_MS = 15_000;
const LOOK_EVERY_MS = 1_000;

/** What came of it. */
export interface Returned {
  readonly said: string;
  /** Wall clock ms when the last bond sent over its VF; null = one did not in time, or there is none. */
  readonly at: number | null;
}

/** Has bonds that wait less wait `UP_DELAY_MS` before they use a leg. `returnToVfs` takes it back. */
export async function delayReturns(context: MigrationContext, hypervisor: Hypervisor): Promise<void> {
  const delays = new Map<string, { readonly wasMs: number; readonly ms: number }>();
  for (const pair of context.data.pairs ?? []) {
    const bond = await hypervisor.guestBond(context.vmId, pair.bond);
    // One that does not look at links itself takes no delay.
    if (!bond || bond.miimonMs === 0 || bond.upDelayMs >= UP_DELAY_MS) continue;
    const ms = Math.ceil(UP_DELAY_MS / bond.miimonMs) * bond.miimonMs;
    delays.set(bond.name, { wasMs: bond.upDelayMs, ms });
  }
  const found = [...delays].map(([bond, { wasMs }]) => [bond, wasMs] as const);
  // What a process wrote down that died here was before any was told.
  await context.save({ upDelays: { ...Object.fromEntries(found), ...context.data.upDelays } });
  for (const [bond, { ms }] of delays) await hypervisor.setUpDelay(context.vmId, bond, ms);
}

/** Bonds that could not be told, as long as the VM runs, are kept in the job's data. */
async function endDelays(context: MigrationContext, hypervisor: Hypervisor): Promise<void> {
  let kept = Object.entries(context.data.upDelays ?? {});
  if (kept.length === 0) return;
  const endMs = context.clock.monotonicMs() + RETURN_LIMIT_MS;
  for (;;) {
    const open: typeof kept = [];
    for (const [bond, wasMs] of kept)
      if (!(await endDelay(context, hypervisor, bond, wasMs))) open.push([bond, wasMs]);
    kept = open;
    if (kept.length === 0 || context.clock.monotonicMs() >= endMs) break;
    const domain = await hypervisor.inspect(context.vmId);
    if (!domain || !isActive(domain)) {
      kept = [];
      break;
    }
    // After a move an agent needs some seconds to be back.
    await context.clock.sleep(LOOK_EVERY_MS, context.steadySignal);
  }
  await context.save({ upDelays: Object.fromEntries(kept) });
}

async function endDelay(
  context: MigrationContext,
  hypervisor: Hypervisor,
  bond: string,
  wasMs: number,
): Promise<boolean> {
  if (await hypervisor.setUpDelay(context.vmId, bond, wasMs)) return true;
  // An agent that may not write now did not before either.
  return (await hypervisor.guestBond(context.vmId, bond))?.upDelayMs === wasMs;
}

/** What there is to be done about bonds whose updelay is not yet what it was. */
export const delaysLeft = ({ upDelays = {} }: MigrationData, vmName: string): string[] =>
  Object.entries(upDelays).map(
    ([bond, wasMs]) =>
      `${bond} in ${vmName} waits before it uses a leg: write ${wasMs} to ` +
      `/sys/class/net/${bond}/bonding/updelay there, as it was`,
  );

/** Waits until every bond whose VF is plugged sends over it, tells it to if need be; announces every bond. */
export async function returnToVfs(context: MigrationContext, hypervisor: Hypervisor): Promise<Returned> {
  const endMs = context.clock.monotonicMs() + RETURN_LIMIT_MS;
  const plugged = new Map(
    vnicsOf(context).flatMap((vnic): [string, MovingVnic][] =>
      vnic.state === 'plugged' || vnic.state === 'unplug_pending' ? [[vnic.vnicId, vnic]] : [],
    ),
  );
  const said: string[] = [];
  let isLate = false;
  let at: number | null = null;
  for (const pair of context.data.pairs ?? []) {
    const vnic = plugged.get(pair.vnicId);
    const leg = vnic ? await returned(context, hypervisor, { ...pair, vnic, endMs }) : pair.standby;
    if (leg === null) isLate = true;
    else if (vnic) at = context.clock.now();
    // Whichever leg it is: what QEMU and the guest announced when it moved may be lost.
    const isAnnounced = await hypervisor.announce(context.vmId, pair.bond);
    const where = leg === null ? 'not on its VF yet' : `on ${leg}`;
    said.push(`${pair.bond} ${where}${isAnnounced ? ', announced' : ''}`);
  }
  await endDelays(context, hypervisor);
  said.push(...delaysLeft(context.data, context.vmName));
  return { said: said.join('; '), at: isLate ? null : at };
}

/** The VF's leg once the bond sends over it; null if that took too long. */
async function returned(
  context: MigrationContext,
  hypervisor: Hypervisor,
  pair: BondedPair & { readonly vnic: MovingVnic; readonly endMs: number },
): Promise<string | null> {
  for (;;) {
    const bond = await hypervisor.guestBond(context.vmId, pair.bond);
    // Legs may have one MAC; the standby did not go away, and has its name.
    const leg = bond?.legs.find(({ name, mac }) => name !== pair.standby && mac === pair.vnic.mac);
    if (bond && leg?.up) {
      if (bond.active === leg.name) return leg.name;
      if (await hypervisor.setActiveLeg(context.vmId, bond.name, leg.name)) return leg.name;
    }
    if (context.clock.monotonicMs() >= pair.endMs) return null;
    await context.clock.sleep(LOOK_EVERY_MS, context.steadySignal);
  }
}
