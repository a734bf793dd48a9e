/**
 * The hooks inside a guest: the guest kit runs them (`handover-guest hook`), where it is installed and the
 * agent may run commands. What comes back is the guest's own text.
 */
import type { Clock } from '../base/clock.ts';
import type { Agent } from './agent.ts';
import { nullWithoutAgent } from './guest-agent.ts';
import type { GuestHooks } from './port.ts';

/** Of each of its hooks, in the guest; and of all of them together, as we wait. */
const HOOK_LIMIT_S = 30;
const LIMIT_MS = 60_000;
const LOOK_EVERY_MS = 250;
const LOOK_EVERY_MS_MAX = 2_000;
const NO_KIT = 127;
const RUN = `kit=/usr/sbin/handover-guest; [ -x $kit ] || exit ${NO_KIT}; exec $kit hook "$1" --limit "$2"`;

/** See `Hypervisor.runGuestHooks`. */
export async function runGuestHooks(
  agent: Agent,
  clock: Clock,
  point: GuestHooks['point'],
): Promise<GuestHooks | null> {
  return nullWithoutAgent(run(agent, clock, point));
}

async function run(agent: Agent, clock: Clock, point: GuestHooks['point']): Promise<GuestHooks | null> {
  const pid = await agent.run('/bin/sh', ['-c', RUN, 'hook', point, String(HOOK_LIMIT_S)]);
  if (pid === null) return null;
  const endMs = clock.monotonicMs() + LIMIT_MS;
  for (let pauseMs = LOOK_EVERY_MS; ; pauseMs = Math.min(pauseMs * 2, LOOK_EVERY_MS_MAX)) {
    const exit = await agent.exitOf(pid);
    if (exit?.code === NO_KIT) return null;
    if (exit) return { point, ok: exit.code === 0, said: linesOf(exit.said) };
    if (clock.monotonicMs() >= endMs)
      return { point, ok: false, said: [`not done after ${LIMIT_MS / 1000} s; they go on in the guest`] };
    await clock.sleep(pauseMs);
  }
}

/** Without the kit's own name before them, and without control characters. */
function linesOf(text: string): string[] {
  return text
    .split('\n')
    .map((line) =>
      line
        .replace(/^handover-guest: /, '')
        .replace(/[\p{Cc}\p{Cf}]/gu, ' ')
        .trim(),
    )
    .filter((line) => line !== '')
    .slice(-10);
}
