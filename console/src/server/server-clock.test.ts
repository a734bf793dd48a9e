/** The engine's clock, as its answers tell. */
import { expect, test } from 'vitest';
import { noteServerDate, serverNow } from './server-clock.ts';

const at = (ms: number): string => new Date(ms).toUTCString();
const HOUR_MS = 3_600_000;
const NOON_MS = Date.UTC(2026, 0, 2, 12);

test('clocks that may agree are taken to agree', () => {
  expect(serverNow(NOON_MS)).toBe(NOON_MS);
  noteServerDate(null, NOON_MS, NOON_MS);
  noteServerDate(at(NOON_MS), NOON_MS + 300, NOON_MS + 340);
  expect(serverNow(NOON_MS)).toBe(NOON_MS);
});

test('a browser that is an hour behind, or ahead, is seen within a second', () => {
  noteServerDate(at(NOON_MS + HOUR_MS), NOON_MS + 300, NOON_MS + 340);
  expect(Math.abs(serverNow(NOON_MS) - (NOON_MS + HOUR_MS))).toBeLessThan(1_000);
  noteServerDate(at(NOON_MS - HOUR_MS), NOON_MS + 300, NOON_MS + 340);
  expect(Math.abs(serverNow(NOON_MS) - (NOON_MS - HOUR_MS))).toBeLessThan(1_000);
});

test('more answers tell it better', () => {
  for (const late of [100, 500, 900]) noteServerDate(at(NOON_MS - HOUR_MS), NOON_MS + late, NOON_MS + late);
  expect(Math.abs(serverNow(NOON_MS) - (NOON_MS - HOUR_MS))).toBeLessThan(500);
});
