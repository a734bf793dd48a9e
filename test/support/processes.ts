/** Processes a test started and must end, by pid and never by name. */
import { readFileSync } from 'node:fs';
import { systemClock, until } from '../../src/base/clock.ts';

const END_LIMIT_MS = 10_000;

/** True if a process with that pid exists and is no zombie. */
export function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

/**
 * Kills the process if `isOurs` accepts its command line (a pid may have been given to another), and waits
 * for its end.
 */
export async function endProcess(pid: number, isOurs: (command: string) => boolean): Promise<void> {
  if (!isAlive(pid) || !isOurs(commandLine(pid))) return;
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself in between.
  }
  await until(systemClock, `end of process ${pid}`, { limitMs: END_LIMIT_MS, everyMs: 20 }, () =>
    isAlive(pid) ? undefined : true,
  );
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}
