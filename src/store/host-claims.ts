/**
 * Which engine watches which host: a lease and an epoch per host, as jobs have them (`saga-store.ts`). Used
 * through `openStore` only.
 */
import type { HostClaim, Store } from '../app/store-port.ts';
import type { Clock } from '../base/clock.ts';
import type { HostId } from '../base/ids.ts';
import type { Db } from './db.ts';

/**
 * Prolongs what the owner has and takes what nobody has. In the order of the key, so that two engines wait
 * for each other in one direction only. $1 owner, $2 lease.
 */
const TAKE = `
  insert into host_claims (host_id, owner, epoch, lease_until)
  select id, $1, 1, now() + $2 * interval '1 millisecond' from hosts order by id
  on conflict (host_id) do update set
    owner = excluded.owner,
    lease_until = excluded.lease_until,
    epoch = host_claims.epoch + case when host_claims.owner = excluded.owner then 0 else 1 end
    where host_claims.owner = excluded.owner or host_claims.lease_until < now()
  returning host_id, epoch`;

/** The `hostClaims` part of the store. */
export function hostClaimStore(db: Db, clock: Clock): Store['hostClaims'] {
  return {
    async take(owner, leaseMs) {
      const askedAtMs = clock.monotonicMs();
      const rows = await db.transaction((sql) =>
        sql.rows<{ host_id: HostId; epoch: number }>(TAKE, [owner, leaseMs]),
      );
      return rows.map(
        ({ host_id, epoch }): HostClaim => ({
          hostId: host_id,
          owner,
          epoch,
          leaseUntilMs: askedAtMs + leaseMs,
        }),
      );
    },

    async release(owner) {
      // The next epoch at once: what this owner still holds under the old one is void.
      await db.rows(
        `update host_claims set lease_until = '-infinity', epoch = epoch + 1
         where owner = $1 and lease_until > '-infinity'`,
        [owner],
      );
    },
  };
}
