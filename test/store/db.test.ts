/** Connections that break while somebody works with them. */
import { type AddressInfo, createServer } from 'node:net';
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

test('an engine that stands still in a transaction keeps its locks for seconds only', async () => {
  const connection = await freshDatabase('empty');
  const [still, other] = [openDb(connection, silentLog), openDb(connection, silentLog)];
  const lock = 'select pg_advisory_xact_lock(42)';
  const gotIt = new Promise<void>((resolve, reject) => {
    const stuck = still.transaction(async (sql) => {
      await sql.rows(lock);
      await other.transaction((next) => next.rows(lock));
      resolve();
      await sql.rows('select 1');
    });
    stuck.catch((thrown: unknown) => reject(thrown as Error));
  });
  await gotIt;
  await Promise.all([still.close(), other.close()]);
}, 15_000);

/** One message of PostgreSQL's protocol. */
function message(type: string, body: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.write(type, 0, 'latin1');
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

test('a connection ended in the packet that opens it fails a statement and no more', async () => {
  const opened = [message('R', Buffer.alloc(4)), message('Z', Buffer.from('I'))];
  const error = message('E', Buffer.from('SFATAL\0C57P01\0Mterminating connection\0\0', 'latin1'));
  const server = createServer((socket) => {
    socket.once('data', () => socket.end(Buffer.concat([...opened, error])));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const db = openDb({ host: '127.0.0.1', port, user: 'handover', database: 'handover' }, silentLog);
  await expect(db.first('select 1')).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  await db.close();
  await new Promise((resolve) => server.close(resolve));
});
