/** Passwords and the turns at them. */
import { expect, test } from 'vitest';
import { hashPassword, isPasswordOf, Turns } from './passwords.ts';

test('a password is the one of its hash, and no other is', async () => {
  const hash = await hashPassword('pässword: 1', Buffer.from('salt'));
  expect(hash).not.toContain('pässword');
  expect(await isPasswordOf(hash, 'pässword: 1')).toBe(true);
  expect(await isPasswordOf(hash, 'passwörd: 1')).toBe(false);
  expect(await isPasswordOf('', '')).toBe(false);
  expect(await hashPassword('pässword: 1', Buffer.from('pepper'))).not.toBe(hash);
});

/** Work that ends when it is told to. */
function works() {
  const running: (() => void)[] = [];
  let most = 0;
  return {
    work: () =>
      new Promise<void>((end) => {
        running.push(end);
        most = Math.max(most, running.length);
      }),
    endAll: async (): Promise<void> => {
      for (; running.length > 0; await Promise.resolve()) {
        running.shift()?.();
        // The next one begins within a few turns of the event loop.
        await new Promise((resolve) => void setImmediate(resolve));
      }
    },
    most: () => most,
  };
}

test('only so many have their turn at a time, in the order they came', async () => {
  const turns = new Turns(2);
  const { work, endAll, most } = works();
  const order: number[] = [];
  const all = [1, 2, 3, 4, 5].map((number) =>
    turns.take('a', async () => {
      order.push(number);
      await work();
    }),
  );
  await endAll();
  await Promise.all(all);
  expect(most()).toBe(2);
  expect(order).toEqual([1, 2, 3, 4, 5]);
});

test('who asks for too many turns is sent away, and others still get one', async () => {
  const turns = new Turns(2);
  const { work, endAll } = works();
  const flood = Array.from({ length: 100 }, () => turns.take('a', work));
  const others = Array.from({ length: 200 }, (_, index) => turns.take(`b${index}`, work));
  const outcome = async (all: Promise<unknown>[]) =>
    (await Promise.allSettled(all)).filter(({ status }) => status === 'fulfilled').length;
  const counts = Promise.all([outcome(flood), outcome(others)]);
  await endAll();
  // Two at once and 32 that wait; then as many as the queue holds.
  expect(await counts).toEqual([34, 96]);
});

test('a turn that fails is free again', async () => {
  const turns = new Turns(1);
  await expect(turns.take('a', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(await turns.take('a', () => Promise.resolve('yes'))).toBe('yes');
});
