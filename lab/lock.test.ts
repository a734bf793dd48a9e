/** The lock, held by real processes and killed with them. Run by the unit tier, on a lab name of its own. */
import { spawn } from 'node:child_process';
import { expect, test } from 'vitest';
import type { Log } from '../src/base/log.ts';
import { silentLog } from '../src/base/log.ts';

// A lab of this test's own: a lab in use on the machine must not matter. Set before the lock's address is
// made.
process.env['HANDOVER_LAB'] = `t${process.pid}`;
const { lock } = await import('./lock.ts');
const { REPOSITORY } = await import('./paths.ts');

test('a second taker waits, is told who holds the lock, and gets it when it is released', async () => {
  const release = await lock('lab', 'the first', 1000, silentLog);
  const told: string[] = [];
  const log: Log = { ...silentLog, info: (message) => told.push(message) };
  const second = lock('lab', 'the second', 20_000, log);
  await expect.poll(() => told.join(), { timeout: 10_000 }).toContain(`pid ${process.pid}: the first`);
  release();
  (await second)();
});

test('past its limit a taker gives up and names the holder', async () => {
  const release = await lock('lab', 'something long', 1000, silentLog);
  await expect(lock('lab', 'impatient', 10, silentLog)).rejects.toThrow('something long');
  release();
});

test('the lock of a process that was killed is free', async () => {
  const script =
    "const { lock } = await import('./lab/lock.ts'); " +
    "const { silentLog } = await import('./src/base/log.ts');" +
    " await lock('lab', 'doomed', 1000, silentLog);" +
    " console.log('locked'); setInterval(() => {}, 1000);";
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
    cwd: REPOSITORY,
    env: { ...process.env },
  });
  await new Promise<void>((resolve, reject) => {
    child.stdout.once('data', () => resolve());
    child.once('close', () => reject(new Error('the holder ended by itself')));
  });
  try {
    await expect(lock('lab', 'too early', 10, silentLog)).rejects.toThrow('doomed');
  } finally {
    child.kill('SIGKILL');
  }
  (await lock('lab', 'after the kill', 20_000, silentLog))();
}, 60_000);
