/**
 * `npm test`: every tier in order, each after its set-up, and what each took. Ends with the line `N passed, N
 * failed`. Exit code 1 if a test failed or a tier could not run. Where this machine can not run a tier (the
 * lab needs root), it says so loudly and goes on; with `CI=true` that is a failure. Slowness is reported,
 * never a failure.
 */
import { consoleLog } from '../lab/console-log.ts';
import { explain } from '../src/base/errors.ts';
import { isStarted, ROOT } from './report.ts';
import { Interrupted } from './run-command.ts';
import type { TestCount } from './run-vitest.ts';
import { listFiles } from './source-file.ts';
import { type Tier, tiersFor } from './test-tiers.ts';

/** What became of one tier. */
export interface TierOutcome extends TestCount {
  readonly name: string;
  readonly minutes: number;
  readonly budgetMinutes: number;
  /** Why it did not run, or broke off; null if it ran. */
  readonly problem: string | null;
}

/** For all tiers together, set-up included. */
const TOTAL_BUDGET_MINUTES = 45;

/**
 * Runs one tier. A tier that breaks off is one failure; one this machine can not run is a failure only where
 * `mustRun`. Throws `Interrupted` alone.
 */
export async function runTier(tier: Tier, options: { readonly mustRun: boolean }): Promise<TierOutcome> {
  const startedAt = performance.now();
  const outcome = (count: TestCount, problem: string | null): TierOutcome => ({
    ...count,
    name: tier.name,
    minutes: (performance.now() - startedAt) / 60_000,
    budgetMinutes: tier.budgetMinutes,
    problem,
  });
  const obstacle = tier.obstacle();
  if (obstacle !== null)
    return outcome({ passed: 0, failures: options.mustRun ? [obstacle] : [] }, `NOT RUN: ${obstacle}`);
  try {
    await tier.setUp(consoleLog());
    return outcome(await tier.run(), null);
  } catch (error) {
    if (error instanceof Interrupted) throw error;
    return outcome({ passed: 0, failures: ['broke off'] }, `BROKE OFF: ${explain(error)}`);
  }
}

/**
 * What failed, the closing table, and as last line the plain count: whoever sees only the end of a run sees
 * all that matters.
 */
export function summary(outcomes: readonly TierOutcome[], totalMinutes: number): string {
  const width = Math.max(...outcomes.map(({ name }) => name.length), 4);
  const line = (name: string, ...columns: readonly string[]): string =>
    [name.padEnd(width), ...columns.map((column) => column.padStart(7))].join(' ');
  const sum = (pick: (outcome: TierOutcome) => number): number =>
    outcomes.reduce((total, outcome) => total + pick(outcome), 0);
  const passed = sum((outcome) => outcome.passed);
  const failed = sum((outcome) => outcome.failures.length);
  const rows = outcomes.map((outcome) =>
    line(
      outcome.name,
      String(outcome.passed),
      String(outcome.failures.length),
      outcome.minutes.toFixed(1),
      String(outcome.budgetMinutes),
    ),
  );
  const loud = outcomes.flatMap((outcome) => [
    ...(outcome.problem === null ? [] : [`!!! ${outcome.name}: ${outcome.problem}`]),
    ...overBudget(outcome.name, outcome.minutes, outcome.budgetMinutes),
  ]);
  const failures = outcomes.flatMap((outcome) =>
    outcome.failures.map((text) => `FAILED in ${outcome.name}: ${text}`),
  );
  return [
    ...failures,
    line('tier', 'passed', 'failed', 'minutes', 'budget'),
    ...rows,
    line('all', String(passed), String(failed), totalMinutes.toFixed(1), String(TOTAL_BUDGET_MINUTES)),
    ...loud,
    ...overBudget('all tiers', totalMinutes, TOTAL_BUDGET_MINUTES),
    '',
    `${passed} passed, ${failed} failed`,
  ].join('\n');
}

function overBudget(name: string, minutes: number, budgetMinutes: number): string[] {
  if (minutes <= budgetMinutes) return [];
  return [`!!! ${name}: OVER BUDGET: ${minutes.toFixed(1)} minutes, ${budgetMinutes} allowed`];
}

async function main(): Promise<void> {
  const startedAt = performance.now();
  const outcomes: TierOutcome[] = [];
  for (const tier of tiersFor(listFiles(ROOT, ['.ts']))) {
    console.log(`\n=== ${tier.name} ===`);
    const outcome = await runTier(tier, { mustRun: process.env['CI'] === 'true' });
    if (outcome.problem !== null) console.log(`!!! ${tier.name}: ${outcome.problem}`);
    outcomes.push(outcome);
  }
  console.log(`\n${summary(outcomes, (performance.now() - startedAt) / 60_000)}`);
  process.exitCode = outcomes.some((outcome) => outcome.failures.length > 0) ? 1 : 0;
}

if (isStarted(import.meta.filename)) {
  await main().catch((error: unknown) => {
    console.error(explain(error));
    process.exitCode = error instanceof Interrupted ? error.exitCode : 1;
  });
}
