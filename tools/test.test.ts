/** The order of the tiers, what counts as a failure, and the closing lines. */
import { expect, test } from 'vitest';
import { type Tier, tiersFor } from './test-tiers.ts';
import { runTier, summary } from './test.ts';

const tier = (changes: Partial<Tier>): Tier => ({
  name: 'sample',
  budgetMinutes: 1,
  obstacle: () => null,
  setUp: () => Promise.resolve(),
  run: () => Promise.resolve({ passed: 2, failures: [] }),
  ...changes,
});
const names = (paths: string[]): string[] => tiersFor(paths).map(({ name }) => name);

test('tiers are those there are tests for, in order', () => {
  expect(names([])).toEqual(['check', 'unit']);
  expect(
    names([
      'lab/scenarios/migrate.ts',
      'test/campaign/a.test.ts',
      'test/wire/a.test.ts',
      'test/support/x.ts',
    ]),
  ).toEqual(['check', 'unit', 'wire', 'campaign', 'lab']);
});

test('tests that no tier runs are an error', () => {
  expect(() => tiersFor(['test/forgotten/a.test.ts'])).toThrow('test/forgotten');
});

test('a tier this machine can not run fails only where it must run', async () => {
  const hindered = tier({ obstacle: () => 'no root' });
  expect(await runTier(hindered, { mustRun: false })).toMatchObject({
    failures: [],
    problem: 'NOT RUN: no root',
  });
  expect(await runTier(hindered, { mustRun: true })).toMatchObject({
    failures: ['no root'],
    problem: 'NOT RUN: no root',
  });
});

test('a tier whose set-up fails is a failure', async () => {
  const broken = tier({ setUp: () => Promise.reject(new Error('no packages')) });
  expect(await runTier(broken, { mustRun: false })).toMatchObject({
    failures: ['broke off'],
    problem: 'BROKE OFF: no packages',
  });
});

test('the last line is the plain count; failures, slow and hindered tiers are named before', () => {
  const lines = summary(
    [
      { name: 'unit', passed: 7, failures: ['plan: says why'], minutes: 1, budgetMinutes: 4, problem: null },
      { name: 'lab', passed: 3, failures: [], minutes: 26, budgetMinutes: 25, problem: null },
      { name: 'browser', passed: 0, failures: [], minutes: 0, budgetMinutes: 4, problem: 'NOT RUN: no root' },
    ],
    27,
  ).split('\n');
  expect(lines[0]).toBe('FAILED in unit: plan: says why');
  expect(lines.at(-1)).toBe('10 passed, 1 failed');
  expect(lines).toContain('!!! lab: OVER BUDGET: 26.0 minutes, 25 allowed');
  expect(lines).toContain('!!! browser: NOT RUN: no root');
  expect(lines.filter((line) => line.includes('OVER BUDGET'))).toHaveLength(1);
});
