/** Bringing the schema up to date, by one replica or by several at once. */
import { afterEach, expect, test } from 'vitest';
import { silentLog } from '../../src/base/log.ts';
import { type Db, openDb, type DatabaseConnection } from '../../src/store/db.ts';
import { migrate, migrationNames } from '../../src/store/migrate.ts';
import { connectTo, freshDatabase, openReplica } from '../support/postgres.ts';

const opened: Db[] = [];
const open = (connection: DatabaseConnection): Db => {
  const db = openDb(connection, silentLog);
  opened.push(db);
  return db;
};
afterEach(async () => {
  await Promise.all(opened.splice(0).map((db) => db.close()));
});

test('files are numbered without a gap, so that their order is one', () => {
  const numbers = migrationNames().map((name) => Number(name.slice(0, 4)));
  expect(numbers).toEqual(numbers.map((_, index) => index + 1));
});

test('an empty database gets all of them, once', async () => {
  const db = open(await freshDatabase('empty'));
  expect(await migrate(db)).toEqual(migrationNames());
  expect(await migrate(db)).toEqual([]);
});

test('of ten replicas that start at once exactly one applies them, the others wait and go on', async () => {
  const connection = await freshDatabase('empty');
  const applied = await Promise.all(Array.from({ length: 10 }, () => migrate(open(connection))));
  expect(applied.filter((names) => names.length > 0)).toEqual([migrationNames()]);
  const store = await openReplica(connection);
  expect(await store.hosts.list()).toEqual([]);
  await store.close();
});

test('a database a newer version has changed is refused, by name', async () => {
  const connection = await freshDatabase();
  await connectTo(connection, (client) =>
    client.query(`insert into schema_migrations (name) values ('9999-from-the-future.sql')`),
  );
  await expect(openReplica(connection)).rejects.toMatchObject({
    code: 'INVALID_INPUT',
    message: expect.stringContaining('9999-from-the-future.sql') as string,
  });
});

test('a failure half-way leaves nothing of it', async () => {
  const connection = await freshDatabase('empty');
  // The last table of the first file cannot be made.
  await connectTo(connection, (client) => client.query('create table sessions (odd int)'));
  await expect(migrate(open(connection))).rejects.toMatchObject({ code: 'ASSERTION_FAILED' });
  const tables = await connectTo(connection, (client) =>
    client.query<{ name: string }>(`select tablename as name from pg_tables where schemaname = 'public'`),
  );
  expect(tables.rows).toEqual([{ name: 'sessions' }]);
});
