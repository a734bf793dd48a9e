/**
 * The one place that talks to PostgreSQL: runs statements and transactions, and turns the driver's errors
 * into ours. Used by the files of this folder only. Every wait is limited: for a connection, for a statement,
 * for a lock.
 *
 * A connection that breaks is `STORE_UNAVAILABLE`; the pool drops it and the next call opens another, so
 * nobody has to repair anything. `detail.sent` tells whether the statement may have taken effect.
 */
import pg from 'pg';
import { HandoverError, messageOf } from '../base/errors.ts';
import type { Log } from '../base/log.ts';

/**
 * How to reach the database: a connection string, or host (directory of the unix socket), user and database.
 */
export type DatabaseConnection = Pick<
  pg.ClientConfig,
  'connectionString' | 'host' | 'port' | 'user' | 'password' | 'database'
>;

/** By constraint name: the error a violation of it means. Any other violation is a bug. */
export type Violations = Readonly<Record<string, () => HandoverError>>;

/** Runs statements, alone or inside one transaction. */
export interface Sql {
  /** All rows of one parameterised statement. */
  rows<Row extends object>(
    text: string,
    values?: readonly unknown[],
    violations?: Violations,
  ): Promise<Row[]>;
  /** Its first row, null if there is none. */
  first<Row extends object>(
    text: string,
    values?: readonly unknown[],
    violations?: Violations,
  ): Promise<Row | null>;
}

export interface Db extends Sql {
  /**
   * Runs `work` in one read-committed transaction; an error it throws rolls back. A deadlock victim is run
   * again, so `work` must have no effects but its statements.
   */
  transaction<Result>(work: (sql: Sql) => Promise<Result>): Promise<Result>;
  /** Waits for running statements and closes every connection. */
  close(): Promise<void>;
}

const CONNECT_LIMIT_MS = 5_000;
const STATEMENT_LIMIT_MS = 30_000;
/** Longer than the server's own limit: reached only if the server or the network is silent. */
const ANSWER_LIMIT_MS = 40_000;
/**
 * Between two statements of a transaction: an engine that stands still must not keep the locks it holds from
 * the others for longer.
 */
const IDLE_LIMIT_MS = 3_000;
const CONNECTIONS_MAX = 20;
const DEADLOCK_ATTEMPTS_MAX = 3;

/** Settings of every connection this product makes. */
export function clientConfig(connection: DatabaseConnection): pg.ClientConfig {
  return {
    ...connection,
    application_name: 'handover',
    keepAlive: true,
    connectionTimeoutMillis: CONNECT_LIMIT_MS,
    statement_timeout: STATEMENT_LIMIT_MS,
    query_timeout: ANSWER_LIMIT_MS,
    idle_in_transaction_session_timeout: IDLE_LIMIT_MS,
    types: { getTypeParser },
  };
}

/** OID of bigint: ids, KiB and epochs stay far below 2^53, so they are read as numbers. */
const INT8_OID = 20;
const getTypeParser = ((oid: number, format?: 'text' | 'binary'): unknown =>
  oid === INT8_OID
    ? Number
    : (pg.types.getTypeParser(oid, format as 'text') as unknown)) as typeof pg.types.getTypeParser;

/** Opens a pool. Nothing is connected until the first statement. The caller closes it. */
export function openDb(connection: DatabaseConnection, log: Log): Db {
  const pool = new pg.Pool({ ...clientConfig(connection), max: CONNECTIONS_MAX });
  // An idle connection that breaks is dropped by the pool; without a listener it would end the process.
  pool.on('error', (error) => log.warn('an idle database connection broke', { error: messageOf(error) }));
  // One that is ended by the server in the very packet that opens it is nobody's yet: the pool has let go,
  // and whoever asked for it has not been told.
  pool.on('connect', (client) => client.on('error', () => undefined));

  async function withClient<Result>(work: (client: pg.PoolClient) => Promise<Result>): Promise<Result> {
    let client: pg.PoolClient;
    try {
      client = await pool.connect();
    } catch (thrown) {
      throw storeError(thrown, false);
    }
    let broken = false;
    // The pool listens to idle connections only: one that breaks between two statements would end the
    // process. The next statement on it fails, and says so.
    const onError = (): void => {
      broken = true;
    };
    client.on('error', onError);
    try {
      return await work(client);
    } catch (thrown) {
      broken ||= thrown instanceof HandoverError && thrown.code === 'STORE_UNAVAILABLE';
      throw thrown;
    } finally {
      client.release(broken);
      client.off('error', onError);
    }
  }

  const alone: Sql = {
    rows: (text, values, violations) => withClient((client) => sqlOf(client).rows(text, values, violations)),
    first: (text, values, violations) =>
      withClient((client) => sqlOf(client).first(text, values, violations)),
  };
  return {
    ...alone,
    async transaction(work) {
      for (let attempt = 1; ; attempt += 1) {
        try {
          return await withClient((client) => runTransaction(client, work));
        } catch (thrown) {
          if (attempt >= DEADLOCK_ATTEMPTS_MAX || !isDeadlock(thrown)) throw thrown;
          log.debug('a transaction lost a deadlock and is run again', { attempt });
        }
      }
    },
    close: () => pool.end(),
  };
}

function sqlOf(client: pg.PoolClient): Sql {
  const rows = async <Row extends object>(
    text: string,
    values: readonly unknown[] = [],
    violations: Violations = {},
  ): Promise<Row[]> => {
    try {
      return (await client.query<Row>(text, [...values])).rows;
    } catch (thrown) {
      const meaning = thrown instanceof pg.DatabaseError && violations[thrown.constraint ?? ''];
      throw meaning ? meaning() : storeError(thrown, true);
    }
  };
  return {
    rows,
    async first<Row extends object>(text: string, values?: readonly unknown[], violations?: Violations) {
      return (await rows<Row>(text, values, violations))[0] ?? null;
    },
  };
}

async function runTransaction<Result>(
  client: pg.PoolClient,
  work: (sql: Sql) => Promise<Result>,
): Promise<Result> {
  const sql = sqlOf(client);
  await sql.rows('begin');
  try {
    const result = await work(sql);
    await sql.rows('commit');
    return result;
  } catch (thrown) {
    // On a broken connection this fails too, and the server rolls back by itself.
    await client.query('rollback').catch(() => {});
    throw thrown;
  }
}

/**
 * Classes of SQLSTATE that mean "no service now": connection, sign-on, database missing, shutdown, limits.
 */
const UNAVAILABLE_STATES = /^(08|28|3D|53|57|55P03|25P03)/;

function storeError(thrown: unknown, sent: boolean): HandoverError {
  const isDatabaseError = thrown instanceof pg.DatabaseError;
  const unavailable = isDatabaseError
    ? UNAVAILABLE_STATES.test(thrown.code ?? '')
    : thrown instanceof Error && !(thrown instanceof TypeError);
  if (unavailable) {
    const effect = sent ? 'a change in progress may or may not have been kept' : 'nothing was changed';
    return new HandoverError('STORE_UNAVAILABLE', `the database does not answer; ${effect}`, {
      detail: { sent },
      cause: thrown,
    });
  }
  return new HandoverError('ASSERTION_FAILED', 'the database refused a statement of Handover', {
    detail: isDatabaseError ? { sqlState: thrown.code, constraint: thrown.constraint } : {},
    cause: thrown,
  });
}

const isDeadlock = (thrown: unknown): boolean =>
  thrown instanceof HandoverError && thrown.detail['sqlState'] === '40P01';

/** A value for a jsonb parameter. PostgreSQL cannot keep the character NUL; foreign texts may contain it. */
export function json(value: unknown): string {
  return JSON.stringify(value, (_key, each: unknown) =>
    typeof each === 'string' ? each.replaceAll('\0', '') : each,
  );
}

/** `NOT_FOUND` unless a statement on one row found it. */
export function expectFound(row: object | null, what: string, id: string): void {
  if (row === null) throw new HandoverError('NOT_FOUND', `there is no ${what} ${id}`);
}

/** Wall-clock ms of a timestamptz. */
export const toMs = (time: Date): number => time.getTime();
export const toMsOrNull = (time: Date | null): number | null => time?.getTime() ?? null;
