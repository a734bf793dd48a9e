/**
 * Hears that a job may be due: one connection of its own that LISTENs and is opened again whenever it breaks.
 * What was notified while it was broken is lost, so it wakes everybody once it is back; and the runner polls
 * anyway. Owned by `openStore`.
 */
import pg from 'pg';
import type { Clock } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { clientConfig, type DatabaseConnection } from './db.ts';

const CHANNEL = 'handover_jobs';
const RECONNECT_AFTER_MS = 1_000;

/**
 * For a select list over rows with a job's `id`: tells every replica, when the transaction commits, that this
 * job changed.
 */
export const NOTIFY_JOB = `pg_notify('${CHANNEL}', id::text)`;

/** For a select list: tells every replica, when the transaction commits, that something is to be done. */
export const NOTIFY = `pg_notify('${CHANNEL}', '')`;

export interface WakeListener {
  /**
   * Calls `wake` on every notification and after every reconnection, until the returned function is called.
   */
  onWake(wake: () => void): () => void;
  /** Closes the connection; nobody is woken afterwards. */
  close(): Promise<void>;
}

/**
 * Starts listening; resolves after the first try to. A database that is away delays wakes and fails nothing.
 */
export async function startWakeListener(
  connection: DatabaseConnection,
  clock: Clock,
  log: Log,
): Promise<WakeListener> {
  const listeners = new Set<() => void>();
  let closed = false;
  let current: pg.Client | null = null;
  let cancelRetry = () => {};

  const wakeAll = () => {
    for (const wake of listeners) wake();
  };

  async function connect(): Promise<void> {
    const client = new pg.Client(clientConfig(connection));
    current = client;
    let broken = false;
    const onBroken = (why: string) => {
      if (broken || closed) return;
      broken = true;
      log.warn('the connection that hears of new jobs broke; it is opened again', { error: why });
      client.end().catch(() => {});
      cancelRetry = clock.after(RECONNECT_AFTER_MS, () => void connect());
    };
    client.on('error', (error) => onBroken(messageOf(error)));
    client.on('end', () => onBroken('connection ended'));
    client.on('notification', wakeAll);
    try {
      await client.connect();
      await client.query(`listen ${CHANNEL}`);
      wakeAll();
    } catch (thrown) {
      onBroken(messageOf(thrown));
    }
  }

  await connect();
  return {
    onWake(wake) {
      listeners.add(wake);
      return () => listeners.delete(wake);
    },
    async close() {
      closed = true;
      cancelRetry();
      listeners.clear();
      await current?.end().catch(() => {});
    },
  };
}
