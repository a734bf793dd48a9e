/**
 * A stand-in for an engine, to be killed by tests: starts PostgreSQL on the directory given, then adds rows
 * one by one and says each number once it is kept. Started as a process of its own by
 * `supervisor-crash.test.ts`.
 */
import pg from 'pg';
import { systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import { startPostgres } from '../../src/daemon/postgres.ts';

const dataDir = process.argv[2] as string;
const postgres = await startPostgres({ dataDir, clock: systemClock, log: silentLog });
const client = new pg.Client(postgres.connection);
await client.connect();
await client.query('drop table if exists kept; create table kept (number int primary key)');
for (let number = 1; ; number += 1) {
  await client.query('insert into kept values ($1)', [number]);
  process.stdout.write(`${number}\n`);
}
