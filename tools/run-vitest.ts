/**
 * Runs projects of vitest.config.ts and counts their tests.
 * Callers: `check.ts` and `test.ts`.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
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
        // Shown as it comes: every file. Shown only if it failed: the failures.
        options.echo ? '--reporter=default' : '--reporter=dot',
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

/** The part of vitest's JSON report that is counted. */
interface Report {
  readonly testResults: readonly {
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string }[];
  }[];
}

/** Counts in vitest's JSON report; none if there is no report, because vitest broke off. */
export function readCount(file: string): TestCount {
  if (!existsSync(file)) return { passed: 0, failed: 0 };
  const { testResults } = JSON.parse(readFileSync(file, 'utf8')) as Report;
  let passed = 0;
  let failed = 0;
  for (const { status, assertionResults } of testResults) {
    const count = (state: string): number => assertionResults.filter((one) => one.status === state).length;
    passed += count('passed');
    // A file that does not load, or whose set-up fails, has no failed test.
    failed += status === 'failed' ? Math.max(count('failed'), 1) : count('failed');
  }
  return { passed, failed };
}
