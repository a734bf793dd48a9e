/** Which events of a host call for another look. */
import { beforeEach, expect, test } from 'vitest';
import { HostNews } from './host-news.ts';

const HOLD_MS = 60_000;
let news: HostNews;
beforeEach(() => {
  news = new HostNews();
});

test('a host nobody looked at yet has to be', () => {
  expect(news.freshUntilMs(HOLD_MS)).toBeLessThan(0);
});

test('what was told before a look is seen by it, for as long as looks hold', () => {
  news.tell();
  news.look(1_000)();
  expect(news.freshUntilMs(HOLD_MS)).toBe(61_000);
});

test('what is told during a look may have been missed by it', () => {
  const stored = news.look(1_000);
  news.tell();
  stored();
  expect(news.freshUntilMs(HOLD_MS)).toBeLessThan(0);
});

test('a look that failed has seen nothing', () => {
  news.look(1_000)();
  news.tell();
  news.look(2_000);
  expect(news.freshUntilMs(HOLD_MS)).toBeLessThan(0);
});

test('of two looks that overlap the one that began later counts, whichever ends last', () => {
  const early = news.look(1_000);
  news.tell();
  const late = news.look(2_000);
  late();
  early();
  expect(news.freshUntilMs(HOLD_MS)).toBe(62_000);
});
