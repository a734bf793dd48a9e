/** What a migration is expected to take. */
import { expect, test } from 'vitest';
import { expectationOf } from './expectation.ts';

const took = (durationMs: number, standbyMs: number | null) =>
  ({
    state: 'succeeded',
    startedAt: 1_000,
    endedAt: 1_000 + durationMs,
    data: standbyMs === null ? {} : { unplugAskedAt: 2_000, plugAskedAt: 2_000 + standbyMs },
  }) as const;
const FAILED = { state: 'failed', startedAt: 0, endedAt: 90_000, data: {} } as const;

test('is the median of those that succeeded', () => {
  const jobs = [took(10_000, 4_000), FAILED, took(70_000, 6_000), took(20_000, 5_000)];
  expect(expectationOf(jobs)).toEqual({ durationMs: 20_000, standbyMs: 5_000, jobs: 3 });
});

test('says nothing of a standby where no VF moved, and nothing at all before the first success', () => {
  expect(expectationOf([took(10_000, null)])).toEqual({ durationMs: 10_000, standbyMs: null, jobs: 1 });
  expect(expectationOf([FAILED])).toBeNull();
});
