/** Times and durations as people read them. */
import { expect, test } from 'vitest';
import { durationText, relativeText } from './time-texts.ts';

test('a duration has the two units that matter', () => {
  const texts = [62.4, 999, 1_000, 4_230, 59_600, 200_000, 3_600_000, 7_500_000].map(durationText);
  expect(texts).toEqual(['62 ms', '999 ms', '1.0 s', '4.2 s', '1 min', '3 min 20 s', '1 h', '2 h 5 min']);
});

test('a time is told by its distance, on either side of now', () => {
  const now = Date.UTC(2026, 0, 2, 12);
  const texts = [0, 9_000, 59_000, 60_000, 3_599_000, 7_200_000].map((ago) => relativeText(now - ago, now));
  expect(texts).toEqual(['just now', 'just now', '59 s ago', '1 min ago', '59 min ago', '2 h ago']);
  expect(relativeText(now + 120_000, now)).toBe('in 2 min');
});

test('what is older than a day is told by its date', () => {
  const now = Date.UTC(2026, 0, 12, 12);
  expect(relativeText(Date.UTC(2026, 0, 2, 12), now)).toContain('2 Jan 2026');
});
