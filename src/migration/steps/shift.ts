/**
 * Shift: moves the traffic of every bond to its standby while the VF still works, so that the unplug
 * interrupts nothing. The guest's agent writes it to the bond, which says so afterwards. Where the agent may
 * not, the guest's own bond moves the traffic when the VF goes, and the step records why.
 *
 * Undo sends the traffic over the VFs again, once they are back in their bonds with a link. The operator's
 * hooks before the unplug run first, and their counterparts, those after a plug, in the undo.
 */
import { defineStep, finished, skipped } from '../../saga/definition.ts';
import { runGuestHooks } from '../guest-hooks.ts';
import { runHooks } from '../hooks.ts';
import { delayReturns, returnToVfs } from '../legs.ts';
import type { MigrationContext } from '../port.ts';
import { leavingOf } from '../vnics.ts';
import { beginWatching, watchBefore } from '../watch-traffic.ts';

export const shift = defineStep<MigrationContext, null>({
  name: 'shift',
  kind: 'reversible',
  inspect: async () => null,

  async run(context) {
    // After a crash further down the VFs are gone already.
    if (context.data.unplugAskedAt !== undefined) return finished('shifted before');
    const { pairs = [], standbyDoubt } = context.data;
    const isLeaving = leavingOf(context).length > 0;
    // Before the watch: the time they take is no part of the move.
    const said = isLeaving ? await beforeUnplug(context) : [];
    await beginWatching(context, pairs);
    if (!isLeaving) return skipped('no VF to shift away from');
    await watchBefore(context);
    if (pairs.length === 0)
      return skipped([...said, ownBond(standbyDoubt ?? 'nobody looked at the guest')].join('; '));
    await context.save({ shiftAsked: true });
    await delayReturns(context, context.source);
    for (const { bond, standby } of pairs) {
      const isDone = await context.source.setActiveLeg(context.vmId, bond, standby);
      const isAnnounced = isDone && (await context.source.announce(context.vmId, bond));
      if (!isDone) said.push(ownBond(`the guest agent may not tell ${bond} to use ${standby}`));
      else said.push(`${bond} on ${standby}${isAnnounced ? ', announced' : ''}`);
    }
    return finished(said.join('; '));
  },

  async undo(context) {
    const { shiftAsked, unplugHooked, unplugAskedAt } = context.data;
    const isHooked = unplugHooked === true || unplugAskedAt !== undefined;
    const said = isHooked ? [...(await runHooks(context, 'after-plug', 'undoing'))] : [];
    if (shiftAsked === true) said.push((await returnToVfs(context, context.source)).said);
    said.push(...(await runGuestHooks(context, context.source, 'after-plug')));
    return finished(said.length === 0 ? null : said.join('; '));
  },
});

/** What they do must be taken back even if they are cut off. */
async function beforeUnplug(context: MigrationContext): Promise<string[]> {
  if (context.ports.hooksAt('before-unplug').length > 0) await context.save({ unplugHooked: true });
  const said = await runHooks(context, 'before-unplug');
  return [...said, ...(await runGuestHooks(context, context.source, 'before-unplug'))];
}

const ownBond = (because: string): string =>
  `the guest's bond moves the traffic when the VF leaves: ${because}`;
