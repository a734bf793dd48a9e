/**
 * Starts one PostgreSQL for the whole run, through the product's own supervisor, and hands its address to the
 * tests. Tiers share it: each runs this set-up, the first starts it, the last one out stops it.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestProject } from 'vitest/node';
import { systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import { type EmbeddedPostgres, startPostgres } from '../../src/daemon/postgres.ts';
import { openStore } from '../../src/store/open-store.ts';
import { connectTo, TEMPLATE_DATABASE } from './postgres.ts';

interface Shared {
  users: number;
  readonly dataDir: string;
  readonly started: Promise<EmbeddedPostgres>;
}

/** Set-up files are loaded once per tier, so what they share has to live outside them. */
const shelf = globalThis as { handoverTestPostgres?: Shared | undefined };

/** Called by vitest before a tier's first test; returns what it calls after the last. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const shared = (shelf.handoverTestPostgres ??= startShared());
  shared.users += 1;
  const postgres = await shared.started;
  project.provide('postgres', postgres.connection);
  return async () => {
    shared.users -= 1;
    if (shared.users > 0) return;
    shelf.handoverTestPostgres = undefined;
    await postgres.stop();
    rmSync(shared.dataDir, { recursive: true, force: true });
  };
}

function startShared(): Shared {
  const dataDir = mkdtempSync(path.join(tmpdir(), 'handover-test-'));
  const start = async () => {
    const begin = () => startPostgres({ dataDir, clock: systemClock, log: silentLog });
    const first = await begin();
    await setForTests(first.connection);
    await first.stop();
    const postgres = await begin();
    await makeTemplate(postgres.connection);
    return postgres;
  };
  return { users: 0, dataDir, started: start() };
}

/**
 * No test cuts the power, and a shared disk makes every commit wait; what kills PostgreSQL has one of its
 * own. Tests that run at once have several engines each, with up to 21 connections.
 */
async function setForTests(connection: EmbeddedPostgres['connection']): Promise<void> {
  await connectTo(connection, async (client) => {
    await client.query('alter system set fsync = off');
    await client.query('alter system set synchronous_commit = off');
    await client.query('alter system set max_connections = 400');
  });
}

/** A database with the schema in it, to be copied: a tenth of a second each instead of a migration each. */
async function makeTemplate(connection: EmbeddedPostgres['connection']): Promise<void> {
  await connectTo(connection, (client) => client.query(`create database ${TEMPLATE_DATABASE}`));
  const store = await openStore({
    connection: { ...connection, database: TEMPLATE_DATABASE },
    clock: systemClock,
    log: silentLog,
  });
  await store.close();
}
