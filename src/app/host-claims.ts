/**
 * The hosts this engine watches: claimed in the store with a lease, as jobs are, and prolonged for as long as
 * the engine lives. What an engine does by itself on a host (looking, plugging what is missing) it does on
 * its own hosts only. A claim that could not be prolonged in time counts as lost here before anybody else can
 * have it.
 */
import { explain, HandoverError } from '../base/errors.ts';
import type { HostId } from '../base/ids.ts';
import type { AppParts } from './parts.ts';
import type { HostClaim } from './store-port.ts';

/** Of the lease: the time a call may take to reach a host. As for jobs (`saga/runner.ts`). */
const MARGIN_SHARE = 1 / 5;
const PROLONGED_PER_LEASE = 4;

export interface HostClaims {
  /** Those that hold now. */
  held(): HostClaim[];
  /** Throws `CLAIM_LOST` unless it holds: called before every act on the host. */
  assertHeld(claim: HostClaim): void;
  /** Calls `taken` after every round of claiming. */
  onTaken(taken: () => void): void;
  /** Gives all up; another engine may have them at once. */
  stop(): Promise<void>;
}

/** Starts claiming: what nobody has, again and again. `owner` names this process alone. */
export function startHostClaims(parts: AppParts, owner: string, leaseMs: number): HostClaims {
  const { store, clock, log } = parts;
  const stopping = new AbortController();
  const listeners: (() => void)[] = [];
  let claims = new Map<HostId, HostClaim>();

  const holds = (claim: HostClaim): boolean => {
    const now = claims.get(claim.hostId);
    if (now === undefined || now.epoch !== claim.epoch) return false;
    return clock.monotonicMs() < now.leaseUntilMs - leaseMs * MARGIN_SHARE;
  };

  const loop = (async () => {
    while (!stopping.signal.aborted) {
      try {
        claims = new Map((await store.hostClaims.take(owner, leaseMs)).map((each) => [each.hostId, each]));
        for (const taken of listeners) taken();
      } catch (thrown) {
        // The leases run on, and end here by themselves.
        log.warn('hosts could not be claimed', { error: explain(thrown) });
      }
      await clock.sleep(leaseMs / PROLONGED_PER_LEASE, stopping.signal).catch(() => undefined);
    }
  })();

  return {
    held: () => [...claims.values()].filter(holds),
    assertHeld(claim) {
      if (holds(claim)) return;
      throw new HandoverError('CLAIM_LOST', `host ${claim.hostId} is no longer ours`, {
        detail: { hostId: claim.hostId, epoch: claim.epoch },
      });
    },
    onTaken: (taken) => void listeners.push(taken),
    async stop() {
      stopping.abort();
      await loop;
      claims = new Map();
      await store.hostClaims.release(owner);
    },
  };
}
