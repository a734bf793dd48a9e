/** How long who fails is refused. */
import { expect, test } from 'vitest';
import type { SignOnFailures } from './store-port.ts';
import { oneMore } from './sign-on-limits.ts';

const SECOND = 1_000;

/** How long each of so many failures in a row is answered with, in s; each as soon as it is tried at all. */
function waits(kind: 'name' | 'address', count: number): number[] {
  let now = 0;
  let kept: SignOnFailures | null = null;
  const all: number[] = [];
  for (let each = 0; each < count; each += 1) {
    kept = oneMore(kept, kind, now);
    all.push((kept.refusedUntil - now) / SECOND);
    now = kept.refusedUntil;
  }
  return all;
}

test('a name is refused from the fifth failure on, for a while that doubles up to 15 minutes', () => {
  expect(waits('name', 12)).toEqual([0, 0, 0, 0, 30, 60, 120, 240, 480, 900, 900, 900]);
});

test('an address, which many may share, is refused from the twentieth failure on', () => {
  expect(waits('address', 22).slice(18)).toEqual([0, 30, 60, 120]);
});

test('failures are forgotten after an hour without one', () => {
  const old: SignOnFailures = { failures: 9, failedAt: 0, refusedUntil: 480 * SECOND };
  expect(oneMore(old, 'name', 3_599 * SECOND).failures).toBe(10);
  expect(oneMore(old, 'name', 3_600 * SECOND)).toMatchObject({ failures: 1, refusedUntil: 3_600 * SECOND });
});
