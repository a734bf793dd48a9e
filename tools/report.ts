/**
 * What the checks share: where the repository is, and how one that runs alone reports.
 * Callers: the scripts in this folder.
 */
import { dirname } from 'node:path';

/** The repository's root folder. */
export const ROOT = dirname(import.meta.dirname);

/** True if the module with this `import.meta.filename` is the script that was started. */
export function isStarted(filename: string): boolean {
  return process.argv[1] === filename;
}

/** Prints the problems of one check, one a line, and sets the exit code: 1 if there are any. */
export function report(name: string, problems: readonly string[]): void {
  for (const problem of problems) console.log(problem);
  console.log(problems.length === 0 ? `${name}: ok` : `${name}: ${problems.length} to mend`);
  if (problems.length > 0) process.exitCode = 1;
}
