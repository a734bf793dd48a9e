/** What the charts of a transfer are drawn from. */
import { expect, test } from 'vitest';
import { byteUnit, timeTicks, valueText, valueTicks } from './ticks.ts';
import { readingsOf } from './transfer-readings.ts';

const sample = (elapsedMs: number, bytesProcessed: number, dirtyBytesPerSecond = 0) => ({
  elapsedMs,
  bytesProcessed,
  bytesRemaining: 0,
  dirtyBytesPerSecond,
});

test('the throughput is what was sent between two samples', () => {
  const readings = readingsOf([sample(500, 1_000), sample(1_500, 4_000, 70)]);
  expect(readings.map(({ sentBps, dirtyBps }) => [sentBps, dirtyBps])).toEqual([
    [2_000, null],
    [3_000, 70],
  ]);
});

test('samples that can not be compared give no throughput', () => {
  expect(
    readingsOf([sample(500, 4_000), sample(500, 5_000), sample(900, 10)]).map((each) => each.sentBps),
  ).toEqual([8_000, null, null]);
});

test('axes have a few round steps, and the highest value has room', () => {
  expect(valueTicks(873, 4)).toEqual([0, 500, 1000]);
  expect(valueTicks(40, 4)).toEqual([0, 10, 20, 30, 40]);
  expect(valueTicks(0, 4)).toEqual([0, 1]);
  expect(timeTicks(14_000, 6)).toEqual([0, 5_000, 10_000]);
  expect(timeTicks(300, 4)).toEqual([0, 100, 200, 300]);
});

test('amounts have one unit, with a fraction where it matters', () => {
  expect([0, 5_000, 3 * 1024 ** 2, 5 * 1024 ** 3].map((bytes) => byteUnit(bytes).name)).toEqual([
    'KiB',
    'KiB',
    'MiB',
    'GiB',
  ]);
  expect([0, 1, 3.94, 9.99, 880.2].map(valueText)).toEqual(['0', '1', '3.9', '10', '880']);
});
