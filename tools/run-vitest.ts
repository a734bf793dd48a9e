/**
 * Runs projects of vitest.config.ts and counts their tests.
 * Callers: `check.ts` and `test.ts`.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CommandOptions, runCommand, toolPath } from './run-command.ts';

/** How many tests passed, and which did not. A test file that could not be loaded is one failure. */
export interface TestCount {
  readonly passed: number;
  /** One entry a failure: what failed, and the first lines of why. */
  readonly failures: readonly string[];
}

const FAILURE_LINES_MAX = 6;

/** An entry of `failures`: `why` is cut to its first lines. */
export function failure(what: string, why: string): string {
  const lines = why.split('\n').filter((line) => line.trim() !== '');
  return [what, ...lines.slice(0, FAILURE_LINES_MAX).map((line) => `    ${line.trim()}`)].join('\n');
}

/** What a run said and counted. */
export interface VitestResult extends TestCount {
  readonly output: string;
}

/** Runs the named projects in one vitest. A run that broke off has at least one failure. */
export async function runVitest(
  projects: readonly string[],
  options: CommandOptions = {},
): Promise<VitestResult> {
  const folder = mkdtempSync(join(tmpdir(), 'handover-vitest-'));
  const file = join(folder, 'result.json');
  try {
    const { status, output } = await runCommand(
      toolPath('vitest'),
      [
        'run',
        ...projects.flatMap((project) => ['--project', project]),
        // Shown as it comes: every file. Shown only if it failed: the failures.
        options.echo ? '--reporter=default' : '--reporter=dot',
        '--reporter=json',
        `--outputFile.json=${file}`,
      ],
      options,
    );
    const count = readCount(file);
    const brokeOff = status !== 0 && count.failures.length === 0;
    return { ...count, ...(brokeOff ? { failures: ['vitest broke off'] } : {}), output };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The part of vitest's JSON report that is counted. */
interface Report {
  readonly testResults: readonly {
    /** The file's path. */
    readonly name: string;
    readonly status: string;
    /** Why the file as a whole failed; empty where tests failed. */
    readonly message: string;
    readonly assertionResults: readonly {
      readonly status: string;
      readonly fullName: string;
      readonly failureMessages?: readonly string[];
    }[];
  }[];
}

/** Counts in vitest's JSON report; none if there is no report, because vitest broke off. */
export function readCount(file: string): TestCount {
  if (!existsSync(file)) return { passed: 0, failures: [] };
  const { testResults } = JSON.parse(readFileSync(file, 'utf8')) as Report;
  const tests = testResults.flatMap((file) => file.assertionResults);
  const failures = testResults.flatMap(({ name, status, message, assertionResults }) => {
    const failed = assertionResults.filter((test) => test.status === 'failed');
    // A file that does not load, or whose set-up fails, has no failed test.
    if (failed.length === 0 && status === 'failed') return [failure(name, message)];
    return failed.map((test) => failure(`${name}: ${test.fullName}`, test.failureMessages?.join('\n') ?? ''));
  });
  return { passed: tests.filter((test) => test.status === 'passed').length, failures };
}
