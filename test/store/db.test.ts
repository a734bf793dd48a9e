/** Connections that break while somebody works with them. */
import { expect, test } from 'vitest';
import { silentLog } from '../../src/base/log.ts';
import { openDb } from '../../src/store/db.ts';
import { connectTo, freshDatabase } from '../support/postgres.ts';

test('a connection that breaks between two statements fails the transaction, and nothing else', async () => {
  const connection = await freshDatabase('empty');
  const db = openDb(connection, silentLog);
  const broken = db.transaction(async (sql) => {
    const own = await sql.first<{ pid: number }>('select pg_backend_pid() as pid');
    await connectTo(connection, (client) =>
      // Comes back when the server is done with it, so that its last word is on its way to us.
      client.query('select pg_terminate_backend($1, 10000)', [own?.pid]),
    );
    await sql.rows('select 1');
  });
  await expect(broken).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  expect(await db.first('select 1 as one')).toEqual({ one: 1 });
  await db.close();
});
