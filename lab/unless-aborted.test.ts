/** Who waits for work is told of its end or of the abort, whichever comes first. */
import { expect, test } from 'vitest';
import { unlessAborted } from './unless-aborted.ts';

const never = new Promise<never>(() => {});

test('without an abort it is the work that counts', async () => {
  const { signal } = new AbortController();
  expect(await unlessAborted(signal, Promise.resolve('done'))).toBe('done');
  expect(await unlessAborted(undefined, Promise.resolve('done'))).toBe('done');
  await expect(unlessAborted(signal, Promise.reject(new Error('broken')))).rejects.toThrow('broken');
});

test('an abort ends the waiting, before it began too', async () => {
  const controller = new AbortController();
  const waiting = unlessAborted(controller.signal, never);
  controller.abort(new Error('SIGINT'));
  await expect(waiting).rejects.toThrow('SIGINT');
  await expect(unlessAborted(controller.signal, never)).rejects.toThrow('SIGINT');
});
