/** Users and their roles. Of a password only the hash is kept. Used through `openStore` only. */
import type { Store, UserRecord } from '../app/store-port.ts';
import { HandoverError } from '../base/errors.ts';
import { GIVER, inOrder, lastGiver, onlyRole, type Role, type User } from '../model/access.ts';
import { type Db, expectFound, type Sql } from './db.ts';

interface UserRow {
  readonly name: string;
  readonly password_hash: string;
  readonly roles: Role[];
}

const toUser = ({ name, roles }: UserRow): User => ({ name, roles: inOrder(roles) });
const toRecord = (row: UserRow): UserRecord => ({ ...toUser(row), passwordHash: row.password_hash });

/** The `users` part of the store. */
export function userStore(db: Db): Store['users'] {
  return {
    async list() {
      return (await db.rows<UserRow>('select * from users order by name collate "C"')).map(toUser);
    },

    async get(name) {
      const row = await db.first<UserRow>('select * from users where name = $1', [name]);
      return row && toRecord(row);
    },

    async add({ name, passwordHash, roles }) {
      await db.rows(
        'insert into users (name, password_hash, roles) values ($1, $2, $3)',
        [name, passwordHash, inOrder(roles)],
        {
          users_pkey: () => new HandoverError('ALREADY_EXISTS', `there is a user named ${name} already`),
        },
      );
    },

    async setPassword(name, passwordHash) {
      await db.transaction(async (sql) => {
        const set = 'update users set password_hash = $2 where name = $1 returning name';
        expectFound(await sql.first(set, [name, passwordHash]), 'user', name);
        await sql.rows('delete from sessions where user_name = $1', [name]);
      });
    },

    async addRole(name, role) {
      await changeRoles(db, name, (roles) => [...roles, role]);
    },

    async removeRole(name, role) {
      await changeRoles(db, name, (roles) => roles.filter((each) => each !== role));
    },

    async remove(name) {
      await db.transaction(async (sql) => {
        await lockUsers(sql);
        expectFound(
          await sql.first('delete from users where name = $1 returning name', [name]),
          'user',
          name,
        );
        await expectGiver(sql, name);
      });
    },
  };
}

async function changeRoles(db: Db, name: string, change: (roles: readonly Role[]) => Role[]): Promise<void> {
  await db.transaction(async (sql) => {
    await lockUsers(sql);
    const row = await sql.first<UserRow>('select * from users where name = $1', [name]);
    expectFound(row, 'user', name);
    const roles = inOrder(change(row?.roles ?? []));
    if (roles.length === 0) throw onlyRole(name);
    await sql.rows('update users set roles = $2 where name = $1', [name, roles]);
    await expectGiver(sql, name);
  });
}

/** One after another, so that two who take each other's role away do not both succeed. */
async function lockUsers(sql: Sql): Promise<void> {
  await sql.rows('lock table users in share row exclusive mode');
}

async function expectGiver(sql: Sql, name: string): Promise<void> {
  const giver = await sql.first('select from users where $1 = any(roles) limit 1', [GIVER]);
  if (giver === null) throw lastGiver(name);
}
