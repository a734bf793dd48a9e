/**
 * Processes that live in a mount namespace a test made: recognised by its directory, ended by pid, never by
 * name.
 */
import { readFileSync } from 'node:fs';
import { systemClock, until } from '../../src/base/clock.ts';

const END_LIMIT_MS = 50_000;

/** True if a process with that pid exists and is no zombie. */
export function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

/**
 * Kills the process if it lives in the mount namespace of `directory` (its pid may have been given to another
 * since), and waits for its end.
 */
export async function endProcessOf(directory: string, pid: number): Promise<void> {
  if (!isAlive(pid) || !mountsOf(pid).includes(directory)) return;
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself in between.
  }
  await until(systemClock, `end of process ${pid}`, { limitMs: END_LIMIT_MS, everyMs: 20 }, () =>
    isAlive(pid) ? undefined : true,
  );
}

function mountsOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/mountinfo`, 'utf8');
  } catch {
    return '';
  }
}
