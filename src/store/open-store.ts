/**
 * Opens the store on PostgreSQL. The daemon calls this once, owns the result and closes it; everybody else
 * sees the port. Several engines may be open on one database: whatever must exclude each other does so in the
 * database.
 */
import type { Store } from '../app/store-port.ts';
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { alertStore } from './alerts.ts';
import { type DatabaseConnection, openDb } from './db.ts';
import { eventStore } from './events.ts';
import { guestStore } from './guests.ts';
import { hostClaimStore } from './host-claims.ts';
import { hostStore } from './hosts.ts';
import { jobStore } from './jobs.ts';
import { migrate } from './migrate.ts';
import { networkStore } from './networks.ts';
import { pfConfigStore } from './pf-configs.ts';
import { profileStore } from './profiles.ts';
import { reservationStore } from './reservations.ts';
import { sessionStore, signOnFailureStore } from './sessions.ts';
import { userStore } from './users.ts';
import { vmStore } from './vms.ts';
import { startWakeListener } from './wake-listener.ts';

/** The store and the end of it. */
export type OpenStore = Store & {
  /** Waits for running statements, then closes every connection. */
  close(): Promise<void>;
};

/**
 * Connects, brings the schema up to date and returns the store. Needs a direct connection (LISTEN and session
 * settings do not pass a pooler in transaction mode). Throws `STORE_UNAVAILABLE` if the database does not
 * answer, and what `migrate` throws.
 */
export async function openStore(options: {
  readonly connection: DatabaseConnection;
  readonly clock: Clock;
  readonly log: Log;
}): Promise<OpenStore> {
  const { connection, clock, log } = options;
  const db = openDb(connection, log);
  try {
    const applied = await migrate(db);
    if (applied.length > 0) log.info('the database schema was brought up to date', { applied });
  } catch (thrown) {
    await db.close();
    throw thrown;
  }
  const wakes = await startWakeListener(connection, clock, log);
  return {
    hosts: hostStore(db),
    hostClaims: hostClaimStore(db, clock),
    networks: networkStore(db),
    profiles: profileStore(db),
    pfConfigs: pfConfigStore(db),
    vms: vmStore(db),
    guests: guestStore(db),
    jobs: jobStore(db, clock, wakes),
    reservations: reservationStore(db),
    events: eventStore(db),
    alerts: alertStore(db),
    users: userStore(db),
    sessions: sessionStore(db),
    signOnFailures: signOnFailureStore(db),
    async close() {
      await wakes.close();
      await db.close();
    },
  };
}
