/**
 * Plug: every vNIC on its reserved VF, once the guest has resumed on the target and never before, and as soon
 * as libvirt is done with the move and the guest has announced itself: an attach that is sent sooner makes
 * the guest stand still for as long as it takes. The VM does not go back, whatever came of it. The operator's
 * hooks run before and after: a failure of theirs is told and changes nothing.
 */
import type { HookPoint } from '../../model/hook.ts';
import { defineStep } from '../../saga/definition.ts';
import { runHooks } from '../hooks.ts';
import { plugEach, type SeenToPlug } from '../plug-each.ts';
import type { MigrationContext } from '../port.ts';
import { endSecondCopyIfAny } from '../second-copy.ts';
import { vnicsOf } from '../vnics.ts';

/**
 * libvirt answers the migrate call half a second after the guest resumed on the lab, and works on nothing
 * else of the domain until then. One that takes longer keeps the VM from its VF no longer than this.
 */
const MOVE_END_LIMIT_MS = 3_000;
/**
 * QEMU has the guest's virtio-net announce itself five times in the first 0.85 s after a move (its parameters
 * `announce-*`, which libvirt leaves alone). The guest answers each through QEMU's main lock, which an attach
 * holds: a vCPU that answers then stands still. As long again for a guest that is slow to answer.
 */
const ANNOUNCED_AFTER_MS = 1_500;

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

/** A breath, and beside it the hooks of the guest's arrival. What they said. */
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

/** Until the guest has announced itself and libvirt is done with the move. */
async function breathe(context: MigrationContext): Promise<void> {
  const { clock, steadySignal, runtime } = context;
  const limit = clock.sleep(MOVE_END_LIMIT_MS, steadySignal);
  const announced = clock.sleep(ANNOUNCED_AFTER_MS, steadySignal);
  await Promise.all([announced, Promise.race([runtime.call?.settled, limit])]);
}
