/**
 * The tiers that run in vitest, one project each (`vitest run --project NAME`). Tiers with a database share
 * one PostgreSQL, started by `test/support/postgres-setup.ts`.
 */
import { defineConfig } from 'vitest/config';

interface Tier {
  readonly name: string;
  readonly include: string[];
  readonly database?: boolean;
  /** Global set-ups beside the database's. */
  readonly setups?: readonly string[];
  /** Limit of one test; generous, machines are shared. */
  readonly limitMs: number;
  /** Concurrent tests of one file; each may have several engines with their connections. */
  readonly concurrentMax?: number;
}

const POSTGRES_SETUP = 'test/support/postgres-setup.ts';

const TIERS: readonly Tier[] = [
  {
    name: 'unit',
    include: [
      'src/**/*.test.ts',
      'console/src/**/*.test.ts',
      'tools/**/*.test.ts',
      'lab/**/*.test.ts',
      'guest/**/*.test.ts',
    ],
    limitMs: 20_000,
  },
  { name: 'store', include: ['test/store/**/*.test.ts'], database: true, limitMs: 180_000 },
  { name: 'wire', include: ['test/wire/**/*.test.ts'], limitMs: 60_000 },
  { name: 'api', include: ['test/api/**/*.test.ts'], database: true, limitMs: 60_000 },
  { name: 'saga', include: ['test/saga/**/*.test.ts'], database: true, limitMs: 120_000 },
  { name: 'crash', include: ['test/crash/**/*.test.ts'], database: true, limitMs: 120_000, concurrentMax: 3 },
  { name: 'campaign', include: ['test/campaign/**/*.test.ts'], limitMs: 1_800_000 },
  {
    name: 'browser',
    include: ['test/browser/**/*.test.ts'],
    database: true,
    setups: ['test/browser/support/console-setup.ts'],
    limitMs: 120_000,
  },
];

export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: TIERS.map((tier) => ({
      test: {
        name: tier.name,
        include: tier.include,
        environment: 'node',
        testTimeout: tier.limitMs,
        hookTimeout: tier.limitMs,
        ...(tier.concurrentMax ? { maxConcurrency: tier.concurrentMax } : {}),
        globalSetup: [...(tier.database ? [POSTGRES_SETUP] : []), ...(tier.setups ?? [])],
      },
    })),
  },
});
