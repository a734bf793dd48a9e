/**
 * The guest kit, called inside the guest where it is installed and the agent may run commands: its hooks, and
 * what it knows to be in the way. What comes back is the guest's own text. Used by the files of this folder.
 */
import type { Clock } from '../base/clock.ts';
import { type Agent, endOf, type GuestExit, objectOf } from './agent.ts';
import { nullWithoutAgent } from './guest-agent.ts';
import type { GuestHooks } from './port.ts';

/** Of each hook, in the guest. */
const HOOK_LIMIT_S = 30;
const HOOKS_LIMIT_MS = 60_000;
/** Shell on a guest that has little CPU. */
const STATUS_LIMIT_MS = 10_000;
const NO_KIT = 127;
const CALL = `kit=/usr/sbin/handover-guest; [ -x $kit ] || exit ${NO_KIT}; exec $kit "$@"`;
const LINES_MAX = 10;
const LINE_MAX_CHARS = 300;

/** See `Hypervisor.runGuestHooks`. */
export async function runGuestHooks(
  agent: Agent,
  clock: Clock,
  point: GuestHooks['point'],
): Promise<GuestHooks | null> {
  const args = ['hook', point, '--limit', String(HOOK_LIMIT_S)];
  const exit = await nullWithoutAgent(call(agent, clock, args, HOOKS_LIMIT_MS));
  if (exit === null) return null;
  if (exit === 'late') {
    const late = `not done after ${HOOKS_LIMIT_MS / 1000} s; they go on in the guest`;
    return { point, ok: false, said: [late] };
  }
  const lines = exit.said.split('\n').map((line) => clean(line.replace(/^handover-guest: /, '')));
  return { point, ok: exit.code === 0, said: lines.filter((line) => line !== '').slice(-LINES_MAX) };
}

/**
 * What would fight over the legs of the kit's bonds; null: there is no kit, or it does not tell. Changes
 * nothing.
 */
export async function conflictsOf(agent: Agent, clock: Clock): Promise<string[] | null> {
  const exit = await nullWithoutAgent(call(agent, clock, ['status'], STATUS_LIMIT_MS));
  if (exit === null || exit === 'late' || exit.code !== 0) return null;
  try {
    const { conflicts } = objectOf(JSON.parse(exit.printed));
    if (!Array.isArray(conflicts)) return null;
    return conflicts.slice(0, LINES_MAX).map((each) => {
      const { where, text } = objectOf(each);
      return `${clean(String(where))}: ${clean(String(text))}`;
    });
  } catch {
    return null;
  }
}

/** How it ended; null: there is no kit, or the agent runs nothing. */
async function call(
  agent: Agent,
  clock: Clock,
  args: readonly string[],
  limitMs: number,
): Promise<GuestExit | 'late' | null> {
  const pid = await agent.run('/bin/sh', ['-c', CALL, 'kit', ...args]);
  if (pid === null) return null;
  const exit = await endOf(agent, clock, pid, limitMs);
  if (exit === null) return 'late';
  return exit.code === NO_KIT ? null : exit;
}

const clean = (text: string): string =>
  text
    .replace(/[\p{Cc}\p{Cf}]/gu, ' ')
    .trim()
    .slice(0, LINE_MAX_CHARS);
