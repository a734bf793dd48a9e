/** A PostgreSQL of a benchmark's own, with a store on it. Callers: benchmarks of whole engines. */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import { startPostgres } from '../../src/daemon/postgres.ts';
import { type OpenStore, openStore } from '../../src/store/open-store.ts';

/** What a benchmark gets. */
export interface BenchDatabase {
  readonly dataDir: string;
  /** For an engine in another process. */
  readonly databaseUrl: string;
  readonly store: OpenStore;
  /** Statistics as autovacuum makes them: without, an engine plans on an empty database. */
  settle(): Promise<void>;
  /** Ends it and removes all it had. */
  close(): Promise<void>;
}

/** Starts one in a folder of its own. */
export async function openBenchDatabase(): Promise<BenchDatabase> {
  const dataDir = mkdtempSync(join(tmpdir(), 'handover-bench-'));
  // PostgreSQL runs as somebody else when this runs as root.
  chmodSync(dataDir, 0o711);
  const postgres = await startPostgres({ dataDir, clock: systemClock, log: silentLog });
  const { host, port, user, database } = postgres.connection;
  const where = new URLSearchParams({ host, port: String(port) }).toString();
  const store = await openStore({ connection: postgres.connection, clock: systemClock, log: silentLog });
  return {
    dataDir,
    databaseUrl: `postgresql://${user}@localhost/${database}?${where}`,
    store,
    async settle() {
      const client = new pg.Client(postgres.connection);
      await client.connect();
      await client.query('vacuum analyze');
      await client.end();
    },
    async close() {
      await store.close();
      await postgres.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
