/** Users and their sessions. Only hashes are kept. Used through `openStore` only. */
import type { Session, Store, User } from '../app/store-port.ts';
import { type Db, toMs } from './db.ts';

/** The `users` part of the store. */
export function userStore(db: Db): Store['users'] {
  return {
    get: (name) =>
      db.first<User>('select name, password_hash as "passwordHash" from users where name = $1', [name]),

    async put(user) {
      await db.rows(
        `insert into users (name, password_hash) values ($1, $2)
         on conflict (name) do update set password_hash = excluded.password_hash`,
        [user.name, user.passwordHash],
      );
    },
  };
}

interface SessionRow {
  readonly token_hash: string;
  readonly user_name: string;
  readonly expires_at: Date;
}

const toSession = (row: SessionRow): Session => ({
  tokenHash: row.token_hash,
  user: row.user_name,
  expiresAt: toMs(row.expires_at),
});

/**
 * The `sessions` part of the store. An expired session is still returned: only the caller knows what time it
 * is.
 */
export function sessionStore(db: Db): Store['sessions'] {
  return {
    async get(tokenHash) {
      const row = await db.first<SessionRow>('select * from sessions where token_hash = $1', [tokenHash]);
      return row && toSession(row);
    },

    async put(session) {
      await db.rows(
        `insert into sessions (token_hash, user_name, expires_at) values ($1, $2, $3)
         on conflict (token_hash)
           do update set user_name = excluded.user_name, expires_at = excluded.expires_at`,
        [session.tokenHash, session.user, new Date(session.expiresAt)],
      );
    },

    async remove(tokenHash) {
      await db.rows('delete from sessions where token_hash = $1', [tokenHash]);
    },

    async removeExpired(now) {
      await db.rows('delete from sessions where expires_at < $1', [new Date(now)]);
    },
  };
}
