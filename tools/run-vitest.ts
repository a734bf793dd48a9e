/**
 * Runs projects of vitest.config.ts and counts their tests.
 * Callers: `check.ts` and `test.ts`.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CommandOptions, runCommand, toolPath } from './run-command.ts';

/** How many tests ran. `failed` counts a test file that could not be loaded as one. */
export interface TestCount {
  readonly passed: number;
  readonly failed: number;
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
        '--reporter=default',
        '--reporter=json',
        `--outputFile.json=${file}`,
      ],
      options,
    );
    const { passed, failed } = readCount(file);
    return { passed, failed: status === 0 ? failed : Math.max(failed, 1), output };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Counts in vitest's JSON report; none if there is no report, because vitest broke off. */
export function readCount(file: string): TestCount {
  let report: Partial<Record<'numPassedTests' | 'numFailedTests' | 'numFailedTestSuites', number>>;
  try {
    report = JSON.parse(readFileSync(file, 'utf8')) as typeof report;
  } catch {
    return { passed: 0, failed: 0 };
  }
  const failed = report.numFailedTests ?? 0;
  // A file that does not load has failed suites and no failed test.
  const broken = failed === 0 ? (report.numFailedTestSuites ?? 0) : 0;
  return { passed: report.numPassedTests ?? 0, failed: failed + broken };
}
