/** The shell texts by which a guest counts by itself, in the shells guests have. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { shells } from '../../test/support/fake-guest.ts';
import { systemClock, until } from '../base/clock.ts';
import { COUNT, COUNT_NAME, END } from './rx-recording.ts';

let folder: string;
const started: ChildProcess[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'handover-count-'));
});
afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
  rmSync(folder, { recursive: true });
});

function start([program = '', ...options]: readonly string[], args: readonly string[]) {
  const child = spawn(program, [...options, '-c', ...args], { stdio: ['ignore', 'pipe', 'ignore'] });
  started.push(child);
  let printed = '';
  child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  return { pid: child.pid ?? 0, printed: () => printed, isOver: () => child.exitCode !== null, ended };
}

const end = ([program = '', ...options]: readonly string[], pid: number): number | null =>
  spawnSync(program, [...options, '-c', END, 'end', `${pid}`]).status;

describe.each(shells.map((shell) => ({ name: shell.join(' '), shell })))('$name', ({ shell }) => {
  test('tells the uptime and the counters over and over, until it is ended', async () => {
    const [counter, other] = [join(folder, 'rx_packets'), join(folder, 'other')];
    writeFileSync(counter, '41\n');
    writeFileSync(other, '7\n');
    const count = start(shell, [COUNT, COUNT_NAME, counter, other]);
    const told = (row: RegExp) =>
      until(systemClock, `${row} to be told`, { limitMs: 10_000, everyMs: 20 }, () =>
        row.test(count.printed()) ? true : undefined,
      );
    await told(/^\d+\.\d\d 41 7\n\d+\.\d\d 41 7\n/);
    writeFileSync(counter, '42\n');
    await told(/ 42 7\n/);
    expect(end(shell, count.pid)).toBe(0);
    await count.ended;
    expect(count.printed()).toMatch(/^(\d+\.\d\d 4[12] 7\n)+$/);
  });

  test('of a counter that is not there nothing is told', async () => {
    writeFileSync(join(folder, 'one'), '41\n');
    const count = start(shell, [COUNT, COUNT_NAME, join(folder, 'one'), join(folder, 'none')]);
    await count.ended;
    expect(count.printed()).toBe('');
  });

  test('a process that is something else by now is left alone', async () => {
    const other = start(shell, ['echo up; exec sleep 60', 'other']);
    await until(systemClock, 'the other process to run', { limitMs: 10_000, everyMs: 20 }, () =>
      other.printed() === '' ? undefined : true,
    );
    expect(end(shell, other.pid)).not.toBe(0);
    expect(other.isOver()).toBe(false);
  });
});
