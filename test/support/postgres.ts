/** Databases and stores for tests, on the PostgreSQL of the run (see `postgres-setup.ts`). */
import pg from 'pg';
import { afterAll, inject } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import { systemRandom } from '../../src/base/random.ts';
import type { DatabaseConnection } from '../../src/store/db.ts';
import { type OpenStore, openStore } from '../../src/store/open-store.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The server of the run, and a database nobody uses. */
    readonly postgres: { host: string; port: number; user: string; database: string };
  }
}

/** The database with the schema in it that others are copied from; nobody stays connected to it. */
export const TEMPLATE_DATABASE = 'handover_template';

/** Runs `work` on a connection of its own. */
export async function connectTo<Result>(
  connection: DatabaseConnection,
  work: (client: pg.Client) => Promise<Result>,
): Promise<Result> {
  const client = new pg.Client(connection);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** A new database; `empty`: without the schema. Gone with the server of the run. */
export async function freshDatabase(contents: 'schema' | 'empty' = 'schema'): Promise<DatabaseConnection> {
  const server = inject('postgres');
  const database = `test_${systemRandom.uuid().replaceAll('-', '')}`;
  const template = contents === 'schema' ? TEMPLATE_DATABASE : 'template0';
  await connectTo(server, (client) => client.query(`create database ${database} template ${template}`));
  return { ...server, database };
}

/** A store on a database as one replica of the engine opens it. The caller closes it. */
export function openReplica(connection: DatabaseConnection): Promise<OpenStore> {
  return openStore({ connection, clock: systemClock, log: silentLog });
}

/**
 * A store on a new database, closed after the file's last test. Await it at the top of the file, not in a
 * hook.
 */
export async function freshStore(): Promise<{ store: OpenStore; connection: DatabaseConnection }> {
  const connection = await freshDatabase();
  const store = await openReplica(connection);
  afterAll(() => store.close());
  return { store, connection };
}
