/**
 * Plug: every vNIC on its reserved VF, as soon as the guest has resumed on the target and never before, on a
 * connection other than the migrate call's. Its traffic gets a breath first: the attach makes the guest stand
 * still for a moment, and right at the resume that would lengthen the silence of the switchover. The VM does
 * not go back, whatever came of it. The operator's hooks run before and after: a failure of theirs is told
 * and changes nothing.
 */
import type { HookPoint } from '../../model/hook.ts';
import { defineStep } from '../../saga/definition.ts';
import { runHooks } from '../hooks.ts';
import { plugEach, type SeenToPlug } from '../plug-each.ts';
import type { MigrationContext } from '../port.ts';
import { endSecondCopyIfAny } from '../second-copy.ts';
import { vnicsOf } from '../vnics.ts';

/**
 * The breath. On the lab the longest gap was a third shorter with it, and the time without the VF the same:
 * an attach sent at once only waits for libvirt, which still finishes the move (`npm run bench --
 * migration`). No longer than the rest of the migrate call takes on a fast machine (370 ms was seen), so that
 * the attach is never what waits for that call.
 */
const BREATH_MS = 200;

export const plug = defineStep<MigrationContext, SeenToPlug>({
  name: 'plug',
  kind: 'forward',

  async inspect(context) {
    // Heard by this process a moment ago, and nothing was asked for since: a look could only cost time.
    if (context.runtime.resumedOnTarget && context.data.plugAskedAt === undefined) return 'just_resumed';
    return (await context.target()).hypervisor.inspect(context.vmId);
  },

  async run(context, seen) {
    const { host } = await context.target();
    // Taken up from a process that died: nobody has watched how libvirt's own call ended. Not after the
    // hooks, which take their time. Never rejects.
    const copyEnded = context.runtime.call === null ? endSecondCopyIfAny(context) : null;
    const before = await arrive(context, seen);
    return await plugEach(context, seen, before, async () => {
      await Promise.all([context.ports.setVmHost(context.vmId, host.id), copyEnded]);
    });
  },
});

/** The breath, and beside it the hooks of the guest's arrival. What they said. */
async function arrive(context: MigrationContext, seen: SeenToPlug): Promise<readonly string[]> {
  const points: readonly HookPoint[] =
    vnicsOf(context).length > 0 ? ['after-transfer', 'before-plug'] : ['after-transfer'];
  const breath = seen === 'just_resumed' ? breathe(context) : null;
  if (points.every((point) => context.ports.hooksAt(point).length === 0)) {
    await breath;
    return [];
  }
  const run = async (): Promise<string[]> => {
    // Shown where it is for as long as they take.
    await context.ports.setVmHost(context.vmId, (await context.target()).host.id);
    const said: string[] = [];
    for (const point of points) said.push(...(await runHooks(context, point)));
    return said;
  };
  const [said] = await Promise.all([run(), breath]);
  return said;
}

/** Ends early when libvirt is done with the move. */
async function breathe(context: MigrationContext): Promise<void> {
  const pause = context.clock.sleep(BREATH_MS, context.steadySignal);
  await Promise.race([context.runtime.call?.settled, pause]);
}
