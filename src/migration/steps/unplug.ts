/**
 * Unplug: all passthrough vNICs are asked for at once, events registered first. A vNIC is out when its alias
 * is gone from the domain and the VF's MAC and VLAN on the PF are no longer the VM's; libvirt's success
 * answer means only that the guest was asked (libvirt.md pitfall: `detach` returns OK with the device still
 * there).
 *
 * Undo plugs every vNIC that is out again on the VF it had. An unplug cannot be taken back: a vNIC the guest
 * was asked for and still holds stays attached as `unplug_pending`, under an alert; whenever it goes, the
 * reconciler plugs it again.
 */
import { Bell } from '../../base/bell.ts';
import { explain, HandoverError, isCode } from '../../base/errors.ts';
import type { VnicId } from '../../base/ids.ts';
import { type Domain, isActive } from '../../model/domain.ts';
import { defineStep, finished, skipped } from '../../saga/definition.ts';
import { stillAttached, vnicAlert } from '../alerts.ts';
import { cleanVf } from '../clean-vf.ts';
import { runHooks } from '../hooks.ts';
import type { MigrationContext } from '../port.ts';
import { interfaceOf, type LeavingVnic, leavingOf, plugVnic, saveVnics, vnicsOf } from '../vnics.ts';

/** The definition is re-read this often while waiting: the event may be lost. */
const LOOK_EVERY_MS = 1_000;

export const unplug = defineStep<MigrationContext, Domain | null>({
  name: 'unplug',
  kind: 'reversible',

  inspect: (context) => context.source.inspect(context.vmId),

  async run(context, domain) {
    const leaving = leavingOf(context);
    if (leaving.length === 0) return skipped('no VF to unplug');
    if (!domain || !isActive(domain)) throw gone(context);
    const endMs = context.clock.monotonicMs() + context.params.unplugTimeoutMs;
    const bell = new Bell();
    const removed = new Set<string>();
    const refused = new Set<string>();
    const stopWatching = await context.source.watch(context.vmId, (event) => {
      if (event.type === 'device_removed') removed.add(event.alias);
      if (event.type === 'device_removal_failed') refused.add(event.alias);
      bell.ring();
    });
    try {
      const inside = leaving.filter((vnic) => interfaceOf(domain, vnic));
      await askForAll(context, inside, endMs);
      await waitUntilOut(context, inside, { endMs, bell, removed, refused });
    } finally {
      stopWatching();
    }
    for (const vnic of leaving)
      await cleanVf(context.source, context.sourceHost.name, { ...vnic, vf: vnic.sourceVf });
    // All are out: what is seen in the domain from now on was plugged again, and is not pending.
    await context.save({ unplugAsked: [] });
    const said = leaving.map((vnic) => `${vnic.name} off ${vnic.sourceVf}`).join(', ');
    return finished([said, ...(await runHooks(context, 'after-unplug'))].join('; '));
  },

  async undo(context, domain) {
    if (context.data.unplugAskedAt === undefined) return finished(null);
    if (!domain || !isActive(domain)) {
      return finished(`${context.vmName} is down; its definition names every vNIC for the next start`);
    }
    const leaving = leavingOf(context);
    const isOut = leaving.some((vnic) => !interfaceOf(domain, vnic));
    const notes = isOut ? await runHooks(context, 'before-plug', 'undoing') : [];
    for (const vnic of leaving) notes.push(await plugAgain(context, vnic, domain));
    return finished(notes.join('; '));
  },
});

function gone(context: MigrationContext): HandoverError {
  return new HandoverError(
    'MIGRATION_FAILED',
    `${context.vmName} stopped running on ${context.sourceHost.name} while its VFs were unplugged`,
  );
}

async function askForAll(
  context: MigrationContext,
  inside: readonly LeavingVnic[],
  endMs: number,
): Promise<void> {
  const ids = inside.map((vnic) => vnic.vnicId);
  await context.save({ unplugAskedAt: context.clock.now(), unplugAsked: ids });
  for (const [index, vnic] of inside.entries()) {
    try {
      await ask(context, vnic, endMs);
    } catch (thrown) {
      // Neither this one nor those after it reached the guest: nobody must wait for it to give them back.
      await context.save({ unplugAsked: ids.slice(0, index) });
      throw thrown;
    }
  }
}

async function ask(context: MigrationContext, vnic: LeavingVnic, endMs: number): Promise<void> {
  await context.item(vnic.vnicId, 'started', `guest asked for ${vnic.sourceVf}`);
  for (;;) {
    try {
      return await context.source.requestUnplug(context.vmId, vnic.alias);
    } catch (thrown) {
      // It may have been asked all the same; the wait below looks at what became of it.
      if (thrown instanceof HandoverError && thrown.kind === 'outcome_unknown') return;
      // No such device: it went between the look and the call.
      if (isCode(thrown, 'NOT_FOUND')) return;
      if (!isJustPlugged(thrown) || context.clock.monotonicMs() >= endMs) throw thrown;
    }
    await context.clock.sleep(LOOK_EVERY_MS, context.signal);
  }
}

/**
 * The guest still works on the plug of this device, for up to 5 s, and QEMU does not ask it for the device
 * meanwhile. It has no code for that (GenericError).
 */
const isJustPlugged = (thrown: unknown): boolean =>
  isCode(thrown, 'LIBVIRT_REFUSED') && /power indicator blinking/.test(thrown.message);

/** A wait for the guest, with the aliases libvirt told of since it was asked. */
interface UnplugWait {
  readonly endMs: number;
  readonly bell: Bell;
  readonly removed: ReadonlySet<string>;
  readonly refused: ReadonlySet<string>;
}

/** Waits until every vNIC is gone from the domain; `asked` just were. The first refusal ends the wait. */
async function waitUntilOut(
  context: MigrationContext,
  asked: readonly LeavingVnic[],
  wait: UnplugWait,
): Promise<void> {
  const out = new Set<VnicId>();
  // A guest takes its time: a look right after it was asked would only keep libvirt from hearing it.
  for (let inside = untoldOf(asked, wait.removed); ; inside = await stillInside(context, wait.removed)) {
    for (const vnic of leavingOf(context)) {
      if (out.has(vnic.vnicId) || inside.some((each) => each.vnicId === vnic.vnicId)) continue;
      out.add(vnic.vnicId);
      await context.item(vnic.vnicId, 'finished', `unplugged from ${vnic.sourceVf}`);
      await context.ports.setVnicActual(vnic.vnicId, 'unplugged', null);
    }
    if (inside.length === 0) return;
    const timedOut = context.clock.monotonicMs() >= wait.endMs;
    const holder = inside.find((vnic) => wait.refused.has(vnic.alias)) ?? (timedOut ? inside[0] : undefined);
    if (holder) {
      await noteRefusals(context, wait.refused);
      const message = timedOut
        ? `the guest did not give vNIC ${holder.name} (VF ${holder.sourceVf}) back within ` +
          `${context.params.unplugTimeoutMs / 1000} s; check that its kernel handles PCI ` +
          `hot-unplug, or raise --unplug-timeout`
        : `the guest refused to give vNIC ${holder.name} (VF ${holder.sourceVf}) back`;
      await context.item(holder.vnicId, 'failed', message);
      throw new HandoverError('UNPLUG_TIMED_OUT', message, {
        detail: { vnic: holder.name, vf: holder.sourceVf },
      });
    }
    context.signal.throwIfAborted();
    await wait.bell.wait(context.clock, LOOK_EVERY_MS, context.signal);
  }
}

const untoldOf = (vnics: readonly LeavingVnic[], removed: ReadonlySet<string>): readonly LeavingVnic[] =>
  vnics.filter((vnic) => !removed.has(vnic.alias));

/**
 * libvirt tells of a removal after it took the device out of the domain, so what was told needs no look. What
 * was not told may have gone all the same: events get lost.
 */
async function stillInside(
  context: MigrationContext,
  removed: ReadonlySet<string>,
): Promise<readonly LeavingVnic[]> {
  const untold = untoldOf(leavingOf(context), removed);
  if (untold.length === 0) return [];
  const domain = await context.source.inspect(context.vmId);
  if (!domain || !isActive(domain)) throw gone(context);
  return untold.filter((vnic) => interfaceOf(domain, vnic));
}

/** What the guest said no to it keeps: that request is over, and it may be asked again in another job. */
async function noteRefusals(context: MigrationContext, refused: ReadonlySet<string>): Promise<void> {
  const over = new Set(vnicsOf(context).flatMap((vnic) => (refused.has(vnic.alias) ? [vnic.vnicId] : [])));
  if (over.size === 0) return;
  await context.save({ unplugAsked: (context.data.unplugAsked ?? []).filter((id) => !over.has(id)) });
}

/** Undo of one vNIC. Returns what to say about it. */
async function plugAgain(context: MigrationContext, vnic: LeavingVnic, domain: Domain): Promise<string> {
  const there = interfaceOf(domain, vnic);
  const asked = context.data.unplugAsked ?? [];
  if (there && asked.includes(vnic.vnicId)) return stillThere(context, vnic);
  const hostId = context.sourceHost.id;
  try {
    // It is out, so the request is over. Said first: what a crash leaves plugged is then not taken for
    // pending.
    if (!there) await context.save({ unplugAsked: asked.filter((id) => id !== vnic.vnicId) });
    const place = { hypervisor: context.source, side: 'source', hostId } as const;
    const reserved = { ...place, vf: vnic.sourceVf, pf: vnic.sourcePf };
    const plugged = await plugVnic(context, reserved, vnic);
    await saveVnics(context, new Map([[vnic.vnicId, { state: 'plugged' as const }]]));
    await context.ports.setVnicActual(vnic.vnicId, 'plugged', plugged.vf);
    if (there) return `${vnic.name} is on ${plugged.vf}`;
    await context.item(vnic.vnicId, 'undone', `plugged again on ${plugged.vf}`);
    return `${vnic.name} plugged again on ${plugged.vf}${plugged.note ? ` (${plugged.note})` : ''}`;
  } catch (thrown) {
    if (
      thrown instanceof HandoverError &&
      (thrown.kind === 'unreachable' || thrown.kind === 'outcome_unknown' || thrown.code === 'CLAIM_LOST')
    )
      throw thrown;
    const now = await context.source.inspect(context.vmId);
    if (!now || !isActive(now)) return `${vnic.name} not plugged: ${context.vmName} is down`;
    await saveVnics(context, new Map([[vnic.vnicId, { state: 'unplugged' as const }]]));
    await context.ports.setVnicActual(vnic.vnicId, 'unplugged', null);
    const message =
      `vNIC ${vnic.name} of ${context.vmName} could not be plugged again on ` +
      `${context.sourceHost.name}: ${explain(thrown)}. Next try when this job has ended.`;
    await context.ports.raiseAlert(vnicAlert(vnic.vnicId), context.vmId, message);
    return message;
  }
}

/** A vNIC the guest was asked for, did not refuse and still holds: it may come at any time. */
async function stillThere(context: MigrationContext, vnic: LeavingVnic): Promise<string> {
  await saveVnics(context, new Map([[vnic.vnicId, { state: 'unplug_pending' as const }]]));
  await context.ports.setVnicActual(vnic.vnicId, 'unplug_pending', vnic.sourceVf);
  const message = stillAttached(vnic, context.vmName, vnic.sourceVf, context.sourceHost.name);
  await context.ports.raiseAlert(vnicAlert(vnic.vnicId), context.vmId, message);
  const job = { jobId: context.jobId, vmId: context.vmId };
  await context.ports.event(job, {
    name: 'UNPLUG_PENDING',
    severity: 'warning',
    message,
    hostId: context.sourceHost.id,
  });
  return message;
}
