/**
 * Watching the traffic of a VM from before its VFs leave until it is back on them: by this process alone, so
 * a job that was taken up by another has no gap to tell.
 */
import type { BondedPair } from '../model/guest.ts';
import type { MigrationContext } from './port.ts';

/** What is seen in it tells a gap from a pause: fifteen looks at the counters of a bond. */
const WATCHED_BEFORE_MS = 1_500;

/**
 * Begins to watch, unless it is watched already or this engine does not. Where the guest runs is known as
 * soon as it resumes on the target.
 */
export async function beginWatching(context: MigrationContext, pairs: readonly BondedPair[]): Promise<void> {
  const { vmId, source, runtime } = context;
  if (runtime.traffic !== null) return;
  const { hypervisor: target } = await context.target();
  // The event may have been lost, and the move be known by looking at both hosts.
  const hasMoved = () => runtime.resumedOnTarget || context.data.resumedAt !== undefined;
  const host = () => (hasMoved() ? target : source);
  runtime.traffic = await context.ports.watchTraffic({ vmId, pairs, host });
}

/**
 * Lets the watch see how busy the network is while nothing happens to it. The VFs carry the traffic
 * meanwhile, so there is no hurry.
 */
export async function watchBefore(context: MigrationContext): Promise<void> {
  if (context.runtime.traffic === null) return;
  await context.clock.sleep(WATCHED_BEFORE_MS, context.signal);
  await context.runtime.traffic.countInside();
}
