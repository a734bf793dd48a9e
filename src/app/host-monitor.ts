/**
 * Keeps the inventory of this engine's hosts current: a look soon after any event of its domains, unless
 * somebody looked since, and a slow resync because events get lost. A host that does not answer is tried
 * again with growing pauses while the others go on.
 *
 * A host in the middle of a move is left alone: a whole look costs its CPU and its daemon what the guest
 * needs, and the migration itself looks at everything that matters to it.
 */
import { Bell } from '../base/bell.ts';
import { explain } from '../base/errors.ts';
import type { HostId } from '../base/ids.ts';
import type { HostHead } from '../model/host.ts';
import type { Job } from '../model/job.ts';
import type { HostClaims } from './host-claims.ts';
import { newsOf } from './host-news.ts';
import { testAllPeers } from './hosts.ts';
import { observeHost } from './observe-host.ts';
import type { AppParts } from './parts.ts';

/** Looks this often when nothing happens. */
const RESYNC_MS = 60_000;
/** Events come in bursts (a migration sends a dozen); one look answers all of a burst. */
const SETTLE_MS = 700;
/** A host is left alone for so long at most; asked this often whether the move is over. */
const QUIET_MAX_MS = 60_000;
const QUIET_LOOK_EVERY_MS = 1_000;
const RETRY_FIRST_MS = 3_000;
const RETRY_FACTOR = 1.8;
const RETRY_LONGEST_MS = 30_000;
/** How often the list of hosts is compared with the monitors that run. */
const LIST_EVERY_MS = 2_000;

export interface HostMonitor {
  stop(): Promise<void>;
}

interface Watched {
  readonly uri: string;
  readonly epoch: number;
  readonly stop: AbortController;
  readonly done: Promise<void>;
}

/** Starts watching the claimed hosts, also those claimed later. `looked` is called after every look. */
export function startHostMonitor(parts: AppParts, claims: HostClaims, looked: () => void): HostMonitor {
  const stopping = new AbortController();
  const watched = new Map<HostId, Watched>();
  const bell = new Bell();
  claims.onTaken(() => bell.ring());

  const loop = (async () => {
    while (!stopping.signal.aborted) {
      try {
        const own = new Map(claims.held().map((claim) => [claim.hostId, claim]));
        for (const host of await parts.store.hosts.listHeads()) {
          const claim = own.get(host.id);
          const known = watched.get(host.id);
          if (!claim || (known?.uri === host.uri && known.epoch === claim.epoch)) continue;
          known?.stop.abort();
          const stop = new AbortController();
          const mine = { assert: () => claims.assertHeld(claim), looked };
          const done = watchHost(parts, host, stop.signal, mine);
          watched.set(host.id, { uri: host.uri, epoch: claim.epoch, stop, done });
        }
        for (const [id, { stop }] of watched) {
          if (own.has(id)) continue;
          stop.abort();
          watched.delete(id);
        }
      } catch (thrown) {
        parts.log.warn('the hosts could not be listed', { error: explain(thrown) });
      }
      await bell.wait(parts.clock, LIST_EVERY_MS, stopping.signal).catch(() => undefined);
    }
  })();

  return {
    async stop() {
      stopping.abort();
      // The loop may just have begun to watch one more.
      await loop;
      for (const { stop } of watched.values()) stop.abort();
      await Promise.all([...watched.values()].map((each) => each.done));
    },
  };
}

async function watchHost(
  parts: AppParts,
  host: HostHead,
  signal: AbortSignal,
  mine: { readonly assert: () => void; readonly looked: () => void },
): Promise<void> {
  const bell = new Bell();
  const news = newsOf(parts, host.id);
  const heard = () => {
    news.tell();
    bell.ring();
  };
  let unwatch: (() => void) | null = null;
  let retryMs = RETRY_FIRST_MS;
  while (!signal.aborted) {
    let pauseMs = RESYNC_MS;
    try {
      if (!unwatch) {
        unwatch = await parts.hypervisors.host(host).watch(null, heard);
        // Nobody heard what happened before.
        news.tell();
      }
      const nowMs = parts.clock.monotonicMs();
      if (news.freshUntilMs(RESYNC_MS) <= nowMs) await observeHost(parts, host.id, mine.assert);
      else pauseMs = news.freshUntilMs(RESYNC_MS) - nowMs;
      mine.looked();
      if (retryMs !== RETRY_FIRST_MS) await testAllPeers(parts, host.id);
      retryMs = RETRY_FIRST_MS;
    } catch (thrown) {
      if (signal.aborted) break;
      parts.log.warn('host not observed', { host: host.name, error: explain(thrown) });
      pauseMs = retryMs;
      retryMs = Math.min(retryMs * RETRY_FACTOR, RETRY_LONGEST_MS);
    }
    await bell
      .wait(parts.clock, pauseMs, signal)
      .then(() => parts.clock.sleep(SETTLE_MS, signal))
      .then(() => endOfMove(parts, host.id, signal))
      .catch((thrown: unknown) => {
        // Without the list of jobs the host is looked at: stale is worse than slow.
        if (!signal.aborted) parts.log.warn('the live jobs could not be listed', { error: explain(thrown) });
      });
  }
  unwatch?.();
}

/** Waits while a guest of this host is between its VFs, at most `QUIET_MAX_MS`. */
async function endOfMove(parts: AppParts, hostId: HostId, signal: AbortSignal): Promise<void> {
  const endMs = parts.clock.monotonicMs() + QUIET_MAX_MS;
  while (parts.clock.monotonicMs() < endMs) {
    const jobs = await parts.store.jobs.list({ live: true });
    if (!jobs.some((job) => isBetweenVfs(job, hostId))) return;
    await parts.clock.sleep(QUIET_LOOK_EVERY_MS, signal);
  }
}

function isBetweenVfs({ data, sourceHostId, targetHostId, state }: Job, hostId: HostId): boolean {
  if (hostId !== sourceHostId && hostId !== targetHostId) return false;
  const began = data.unplugAskedAt !== undefined || data.transferStartedAt !== undefined;
  return began && data.plugTried !== true && state !== 'needs_operator';
}
