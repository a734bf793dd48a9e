/**
 * Watches the traffic of a VM while it is moved: from outside, where its owner named an address to probe,
 * else by the counters of its bonds, through the guest's agent. Watching must never keep a migration from
 * anything: whatever goes wrong is a doubt in the record.
 */
import { explain } from '../base/errors.ts';
import type { VmId } from '../base/ids.ts';
import type { Hypervisor } from '../hypervisor/port.ts';
import type { TrafficWatch } from '../migration/port.ts';
import type { TrafficRecord } from '../migration/network-gap.ts';
import type { BondedPair } from '../model/guest.ts';
import { guestRecord } from './guest.ts';
import type { AppParts, StartProbe } from './parts.ts';

/** Between two looks at a counter: a few calls to the agent each. */
const COUNTED_EVERY_MS = 100;

/** What is watched, and where the VM is at the moment of a look. */
export interface Watched {
  readonly vmId: VmId;
  readonly pairs: readonly BondedPair[];
  readonly host: () => Hypervisor;
}

/** Begins to watch. Whoever begins stops it. */
export async function watchTraffic(
  parts: AppParts,
  startProbe: StartProbe,
  watched: Watched,
): Promise<TrafficWatch> {
  const { probeAddress } = await guestRecord(parts, watched.vmId);
  if (probeAddress !== null) return await watchFromOutside(startProbe, probeAddress);
  if (watched.pairs.length === 0) return settled([{ ...UNSEEN, by: 'guest', doubt: NOTHING_TO_COUNT }]);
  return watchCounters(parts, watched);
}

const UNSEEN = { vnicId: null, everyMs: 0, arrivals: [], looksBefore: 0, arrivalsBefore: 0 };
const NOTHING_TO_COUNT = 'no bond of its guest can be looked at; give the VM a probe address';

async function watchFromOutside(startProbe: StartProbe, address: string): Promise<TrafficWatch> {
  const record = { ...UNSEEN, by: 'probe' as const };
  try {
    const probe = await startProbe(address);
    return {
      stop: async (unplugAskedAt) => {
        const { everyMs, answers, doubt } = await probe.stop();
        const before = answers.filter((at) => at < unplugAskedAt);
        const looksBefore = before.length === 0 ? 0 : Math.ceil((unplugAskedAt - (before[0] ?? 0)) / everyMs);
        const counted = { looksBefore, arrivalsBefore: before.length };
        return [{ ...record, everyMs, arrivals: answers, ...counted, doubt }];
      },
    };
  } catch (thrown) {
    return settled([{ ...record, doubt: explain(thrown) }]);
  }
}

const settled = (records: readonly TrafficRecord[]): TrafficWatch => ({
  stop: () => Promise.resolve(records),
});

/** A bond whose counter is looked at. */
interface Counted {
  readonly pair: BondedPair;
  readonly looks: number[];
  readonly arrivals: number[];
  last: number | null;
}

function watchCounters({ clock }: AppParts, { vmId, pairs, host }: Watched): TrafficWatch {
  const bonds = pairs.map((pair): Counted => ({ pair, looks: [], arrivals: [], last: null }));
  const stopping = new AbortController();
  // A look at a guest that stands still hangs until the agent's limit; that at the other host must not wait.
  const busy = new Set<Hypervisor>();
  const look = async (hypervisor: Hypervisor): Promise<void> => {
    busy.add(hypervisor);
    try {
      for (const bond of bonds) {
        const count = await hypervisor.guestRxPackets(vmId, bond.pair.bond);
        if (count === null) continue;
        const now = clock.now();
        bond.looks.push(now);
        if (bond.last !== null && count > bond.last) bond.arrivals.push(now);
        bond.last = Math.max(count, bond.last ?? 0);
      }
    } catch {
      // It is not there, or not yet.
    } finally {
      busy.delete(hypervisor);
    }
  };
  const loop = (async () => {
    while (!stopping.signal.aborted) {
      const hypervisor = host();
      if (!busy.has(hypervisor)) void look(hypervisor);
      await clock.sleep(COUNTED_EVERY_MS, stopping.signal).catch(() => undefined);
    }
  })();
  return {
    async stop(unplugAskedAt) {
      stopping.abort();
      await loop;
      return bonds.map(({ pair, looks, arrivals }) => {
        const before = (times: readonly number[]) => times.filter((at) => at < unplugAskedAt).length;
        return {
          vnicId: pair.vnicId,
          by: 'guest',
          everyMs: COUNTED_EVERY_MS,
          arrivals,
          // The first look has nothing to compare with.
          looksBefore: Math.max(0, before(looks) - 1),
          arrivalsBefore: before(arrivals),
          doubt: null,
        };
      });
    },
  };
}
