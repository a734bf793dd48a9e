/**
 * Watches the traffic of a VM while it is moved: from outside, where its owner named an address to probe,
 * else by the counters of its bonds, through the guest's agent. Watching must never keep a migration from
 * anything: whatever goes wrong is a doubt in the record.
 */
import type { Clock } from '../base/clock.ts';
import { explain } from '../base/errors.ts';
import type { TrafficWatch } from '../migration/port.ts';
import type { TrafficRecord } from '../migration/network-gap.ts';
import { countTraffic, type Watched } from './count-traffic.ts';
import { guestRecord } from './guest.ts';
import type { AppParts, StartProbe } from './parts.ts';

/** Begins to watch. Whoever begins stops it. */
export async function watchTraffic(
  parts: AppParts,
  startProbe: StartProbe,
  watched: Watched,
): Promise<TrafficWatch> {
  const { probeAddress } = await guestRecord(parts, watched.vmId);
  if (probeAddress !== null) return await watchFromOutside(parts.clock, startProbe, probeAddress);
  if (watched.pairs.length === 0) return settled([{ ...NOTHING, by: 'guest', doubt: NOTHING_TO_COUNT }]);
  return countTraffic(parts.clock, watched);
}

const NOTHING = {
  vnicId: null,
  everyMs: 0,
  arrivals: [],
  endedAt: 0,
  unseen: [],
  unansweredMs: 0,
  lateMs: 0,
  looksBefore: 0,
  arrivalsBefore: 0,
};
const NOTHING_TO_COUNT = 'no bond of its guest can be looked at; give the VM a probe address';

async function watchFromOutside(
  clock: Clock,
  startProbe: StartProbe,
  address: string,
): Promise<TrafficWatch> {
  const record = { ...NOTHING, by: 'probe' as const };
  try {
    const probe = await startProbe(address);
    return {
      ...notAsked,
      stop: async (unplugAskedAt) => {
        const endedAt = clock.now();
        const { everyMs, answers, doubt } = await probe.stop();
        const before = answers.filter((at) => at < unplugAskedAt);
        const looksBefore = before.length === 0 ? 0 : Math.ceil((unplugAskedAt - (before[0] ?? 0)) / everyMs);
        const counted = { looksBefore, arrivalsBefore: before.length };
        return [{ ...record, everyMs, arrivals: answers, endedAt, ...counted, doubt }];
      },
    };
  } catch (thrown) {
    return settled([{ ...record, doubt: explain(thrown) }]);
  }
}

/** Nobody asks the guest anything. */
const notAsked: Omit<TrafficWatch, 'stop'> = {
  countInside: () => Promise.resolve(),
  askAgain: () => undefined,
  leaveAlone: async () => () => undefined,
};

const settled = (records: readonly TrafficRecord[]): TrafficWatch => ({
  ...notAsked,
  stop: () => Promise.resolve(records),
});
