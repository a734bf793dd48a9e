/**
 * Which leg of its bond a guest uses, as its neighbour outside knows it: the MAC it sends to. For guests
 * whose agent tells nothing. The lab's bonds have the MAC of their active leg (fail_over_mac).
 *
 * Callers: scenarios, benches.
 */
import { systemClock, until } from '../src/base/clock.ts';
import { inNamespace } from './namespace.ts';
import { run, tryRun } from './shell.ts';
import type { GuestPlace } from './topology.ts';

const LIMIT_MS = 120_000;

/** Waits until the outside world reaches the guest over its VF. Sends one echo request a second meanwhile. */
export async function waitForVfOutside({ place }: { readonly place: GuestPlace }): Promise<void> {
  const { address, vfMac, name } = place;
  let seen = 'nothing';
  const what = `${name} to be reached over its VF (${vfMac})`;
  await until(systemClock, what, { limitMs: LIMIT_MS, everyMs: 200 }, async () => {
    const [ping = '', ...pingArgs] = inNamespace(['fping', '-q', '-c', '1', '-t', '1000', address]);
    const answered = await tryRun(ping, pingArgs);
    const [ip = '', ...ipArgs] = inNamespace(['ip', '-j', 'neigh', 'show', 'to', address]);
    const known = JSON.parse((await run(ip, ipArgs)) || '[]') as { lladdr?: string }[];
    seen = known[0]?.lladdr ?? 'nothing';
    return (answered.status === 0 && seen === vfMac) || undefined;
  }).catch((cause: unknown) => {
    throw new Error(`${(cause as Error).message}; it is known as ${seen}`, { cause });
  });
}
