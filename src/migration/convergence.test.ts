/** What is kept of a transfer's course. */
import { expect, test } from 'vitest';
import type { TransferSample } from '../model/job.ts';
import { withSample } from './convergence.ts';

const at = (elapsedMs: number): TransferSample => ({
  elapsedMs,
  bytesRemaining: 1,
  bytesProcessed: 2,
  dirtyBytesPerSecond: 3,
});
const course = (count: number) =>
  Array.from({ length: count }, (_, number) => at((number + 1) * 1_000)).reduce<readonly TransferSample[]>(
    (samples, sample) => withSample(samples, sample),
    [],
  );

test('samples of a long transfer are thinned out, from its begin to its end', () => {
  const samples = course(1_000);
  expect(samples.length).toBeLessThanOrEqual(121);
  expect(samples.length).toBeGreaterThan(60);
  expect([samples[0]?.elapsedMs, samples.at(-1)?.elapsedMs]).toEqual([1_000, 1_000_000]);
});

test('of a transfer that began anew, what was before is not shown any more', () => {
  expect(withSample([at(1_000), at(2_000), at(3_000)], at(1_500))).toEqual([at(1_000), at(1_500)]);
});
