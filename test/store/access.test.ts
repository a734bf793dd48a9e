/** Users, sessions and failed sign-ons, on PostgreSQL: the contract, and an older database. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { migrationNames } from '../../src/store/migrate.ts';
import { connectTo, freshDatabase, freshStore, openReplica } from '../support/postgres.ts';
import { accessContract } from './access-contract.ts';

const { store, connection } = await freshStore();

accessContract('PostgreSQL', async () => {
  await connectTo(connection, (client) => client.query('delete from users; delete from sign_on_failures'));
  return store;
});

describe('a database from before there were roles', () => {
  test('keeps its administrator, who may do everything, and the sessions', async () => {
    const older = await freshDatabase('empty');
    const sql = (name: string) =>
      readFileSync(new URL(`../../src/store/sql/${name}`, import.meta.url), 'utf8');
    await connectTo(older, async (client) => {
      await client.query('create table schema_migrations (name text primary key, applied_at timestamptz)');
      for (const name of migrationNames().filter((each) => each < '0005')) {
        await client.query(sql(name));
        await client.query('insert into schema_migrations values ($1, now())', [name]);
      }
      await client.query("insert into users values ('admin@internal', 'h')");
      await client.query(
        `insert into sessions values ('a', 'admin@internal', now()), ('b', 'gone@internal', now())`,
      );
    });
    const upgraded = await openReplica(older);
    try {
      expect(await upgraded.users.list()).toEqual([{ name: 'admin@internal', roles: ['SuperUser'] }]);
      const kept = await upgraded.sessions.get('a');
      expect(kept).toMatchObject({ user: 'admin@internal', endsAt: kept?.expiresAt });
      expect(await upgraded.sessions.get('b')).toBeNull();
    } finally {
      await upgraded.close();
    }
  });
});
