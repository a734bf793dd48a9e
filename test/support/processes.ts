/** Looking at processes of this machine, for tests of what must be gone. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** Ids of the processes that work in `dir`: of a PostgreSQL, the postmaster and all its children. */
export function processesIn(dir: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return readlinkSync(`/proc/${pid}/cwd`) === dir;
      } catch {
        return false;
      }
    });
}

/** Real user id of a process. */
export function uidOf(pid: number): number {
  const line = /^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(line?.[1]);
}
