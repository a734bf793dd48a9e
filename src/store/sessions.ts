/** Sessions, and failed attempts to begin one. Only hashes are kept. Used through `openStore` only. */
import type { Session, SignOnFailures, Store } from '../app/store-port.ts';
import { inOrder, type Role } from '../model/access.ts';
import { type Db, toMs } from './db.ts';

interface SessionRow {
  readonly token_hash: string;
  readonly user_name: string;
  readonly expires_at: Date;
  readonly ends_at: Date;
}

const toSession = (row: SessionRow): Session => ({
  tokenHash: row.token_hash,
  user: row.user_name,
  expiresAt: toMs(row.expires_at),
  endsAt: toMs(row.ends_at),
});

/** The `sessions` part of the store. */
export function sessionStore(db: Db): Store['sessions'] {
  return {
    async get(tokenHash) {
      const row = await db.first<SessionRow & { readonly roles: Role[] }>(
        `select s.*, u.roles from sessions s join users u on u.name = s.user_name where s.token_hash = $1`,
        [tokenHash],
      );
      return row && { ...toSession(row), roles: inOrder(row.roles) };
    },

    async add(session, passwordHash) {
      // The row is locked until the session is there: who changes the password then finds it and ends it.
      const added = await db.first(
        `insert into sessions (token_hash, user_name, expires_at, ends_at)
         select $1, name, $3, $4 from users where name = $2 and password_hash = $5 for share
         returning token_hash`,
        [
          session.tokenHash,
          session.user,
          new Date(session.expiresAt),
          new Date(session.endsAt),
          passwordHash,
        ],
      );
      return added !== null;
    },

    async prolong(tokenHash, expiresAt) {
      const set = 'update sessions set expires_at = $2 where token_hash = $1';
      await db.rows(set, [tokenHash, new Date(expiresAt)]);
    },

    async remove(tokenHash) {
      await db.rows('delete from sessions where token_hash = $1', [tokenHash]);
    },

    async removeExpired(now) {
      await db.rows('delete from sessions where expires_at < $1', [new Date(now)]);
    },
  };
}

interface FailuresRow {
  readonly key: string;
  readonly failures: number;
  readonly failed_at: Date;
  readonly refused_until: Date;
}

const toFailures = (row: FailuresRow): SignOnFailures => ({
  failures: row.failures,
  failedAt: toMs(row.failed_at),
  refusedUntil: toMs(row.refused_until),
});

/** The `signOnFailures` part of the store. */
export function signOnFailureStore(db: Db): Store['signOnFailures'] {
  return {
    async list(keys) {
      const select = 'select * from sign_on_failures where key = any($1)';
      return (await db.rows<FailuresRow>(select, [keys])).map((row) => ({
        key: row.key,
        ...toFailures(row),
      }));
    },

    async change(key, change) {
      await db.transaction(async (sql) => {
        // A key that has no row yet cannot be locked by one.
        await sql.rows('select pg_advisory_xact_lock(hashtextextended($1, 0))', [`sign-on ${key}`]);
        const row = await sql.first<FailuresRow>('select * from sign_on_failures where key = $1', [key]);
        const { failures, failedAt, refusedUntil } = change(row && toFailures(row));
        await sql.rows(
          `insert into sign_on_failures (key, failures, failed_at, refused_until) values ($1, $2, $3, $4)
           on conflict (key) do update set failures = excluded.failures, failed_at = excluded.failed_at,
             refused_until = excluded.refused_until`,
          [key, failures, new Date(failedAt), new Date(refusedUntil)],
        );
      });
    },

    async remove(keys) {
      await db.rows('delete from sign_on_failures where key = any($1)', [keys]);
    },

    async removeBefore(time) {
      await db.rows('delete from sign_on_failures where failed_at < $1', [new Date(time)]);
    },
  };
}
