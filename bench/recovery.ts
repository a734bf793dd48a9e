/**
 * `npm run bench -- recovery [--rounds N] [--json FILE]`: how long a migration stands still when its engine
 * is killed (SIGKILL) and another runs beside it: from the kill until the other works on the job. Real
 * PostgreSQL, real engine processes with the lease they have by default, simulated hosts. Prints a table and
 * one JSON line; ends with 1 if any took two lease periods or more.
 */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { systemClock, until } from '../src/base/clock.ts';
import { silentLog } from '../src/base/log.ts';
import { startPostgres } from '../src/daemon/postgres.ts';
import { RUNNER_DEFAULTS } from '../src/saga/runner.ts';
import type { DatabaseConnection } from '../src/store/db.ts';
import { CrashWorld } from '../test/support/crash/crash-world.ts';
import { endSpareEngine } from '../test/support/crash/engine-process.ts';

const { leaseMs, pollMs } = RUNNER_DEFAULTS;
const LIMIT_LEASES = 2;
/** In which the engine is killed: one of each kind. */
const POINTS = ['preflight:before-run', 'unplug:before-run', 'transfer:after-run', 'plug:before-run'];
/** The lease was prolonged at any time before the kill. */
const spread = (round: number, rounds: number): number => (leaseMs / 4) * (round / rounds);

interface Recovery {
  readonly point: string;
  /** Kill to the first thing the other engine does for the job. */
  readonly takenUpMs: number;
  /** Kill to the end of the job. */
  readonly endedMs: number;
}

async function measure(connection: DatabaseConnection, point: string, waitMs: number): Promise<Recovery> {
  const world = await CrashWorld.start({
    connection,
    vms: [{ name: 'web-1', vfs: [0, 1] }],
    leaseMs,
    pollMs,
  });
  const first = await world.engine({ point, then: 'wait' });
  const job = await world.migrate('web-1');
  await first.waits();
  const second = await world.engine();
  await systemClock.sleep(waitMs);
  const killedAtMs = systemClock.monotonicMs();
  await first.kill();
  const limits = { limitMs: 10 * leaseMs, everyMs: 5 };
  await until(systemClock, 'the job taken up', limits, () => second.reached.length > 0 || undefined);
  const takenUpMs = systemClock.monotonicMs() - killedAtMs;
  await world.ended(job);
  const endedMs = systemClock.monotonicMs() - killedAtMs;
  await world.close();
  return { point, takenUpMs: Math.round(takenUpMs), endedMs: Math.round(endedMs) };
}

async function databaseOf(connection: pg.ClientConfig, name: string): Promise<DatabaseConnection> {
  const client = new pg.Client(connection);
  await client.connect();
  await client.query(`create database ${name}`);
  await client.end();
  return { ...connection, database: name };
}

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '3' }, json: { type: 'string' } },
});
const rounds = Number(values.rounds);
const dataDir = mkdtempSync(join(tmpdir(), 'handover-bench-'));
chmodSync(dataDir, 0o711);
const postgres = await startPostgres({ dataDir, clock: systemClock, log: silentLog });
const all: Recovery[] = [];
try {
  for (let round = 0; round < rounds; round += 1) {
    for (const [index, point] of POINTS.entries()) {
      const connection = await databaseOf(postgres.connection, `round_${round}_${index}`);
      const recovery = await measure(connection, point, spread(round, rounds));
      all.push(recovery);
      const leases = (recovery.takenUpMs / leaseMs).toFixed(2);
      process.stdout.write(
        `${point.padEnd(22)} taken up after ${leases} leases (${recovery.takenUpMs} ms), ` +
          `ended after ${recovery.endedMs} ms\n`,
      );
    }
  }
} finally {
  await endSpareEngine();
  await postgres.stop();
  rmSync(dataDir, { recursive: true, force: true });
}
const worstMs = Math.max(...all.map((each) => each.takenUpMs));
const result = {
  bench: 'recovery',
  leaseMs,
  pollMs,
  rounds: all.length,
  worstTakenUpMs: worstMs,
  worstLeases: Number((worstMs / leaseMs).toFixed(2)),
  worstEndedMs: Math.max(...all.map((each) => each.endedMs)),
};
process.stdout.write(`${JSON.stringify(result)}\n`);
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify({ ...result, all })}\n`);
process.exit(worstMs < LIMIT_LEASES * leaseMs ? 0 : 1);
