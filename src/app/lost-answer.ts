/** After an act whose answer did not come: only the host can tell whether it happened. */
import { type Clock, until } from '../base/clock.ts';
import { isCode } from '../base/errors.ts';
import type { VmId } from '../base/ids.ts';
import type { Hypervisor } from '../hypervisor/port.ts';
import type { Domain } from '../model/domain.ts';

const LIMIT_MS = 60_000;
const LOOK_EVERY_MS = 1_000;

/** What it is waited for with. */
export interface LostAnswer {
  readonly clock: Clock;
  readonly hypervisor: Hypervisor;
  readonly signal?: AbortSignal;
}

/**
 * What `look` finds in the domain (null: the host does not know it) as soon as the host answers; undefined:
 * look again. False if there is nothing to be found within the limit. Throws `CLAIM_LOST`, and the signal's
 * reason.
 */
export async function seenAfterLostAnswer(
  { clock, hypervisor, signal }: LostAnswer,
  vmId: VmId,
  look: (domain: Domain | null) => boolean | undefined,
): Promise<boolean> {
  const limits = { limitMs: LIMIT_MS, everyMs: LOOK_EVERY_MS, ...(signal ? { signal } : {}) };
  try {
    const seen = await until(clock, 'a look after a lost answer', limits, async () => {
      try {
        const found = look(await hypervisor.inspect(vmId));
        return found === undefined ? undefined : { found };
      } catch (thrown) {
        if (isCode(thrown, 'CLAIM_LOST')) throw thrown;
        // It does not answer yet.
        return undefined;
      }
    });
    return seen.found;
  } catch (thrown) {
    if (isCode(thrown, 'WAIT_TIMED_OUT')) return false;
    throw thrown;
  }
}
