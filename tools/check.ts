/**
 * `npm run check`: everything that can be said about the code without starting a service. One line a check
 * with its time, failures in full. Aims at two minutes on two cores.
 * Callers: people, and `test.ts` (which runs the unit tests in a tier of their own).
 */
import { availableParallelism } from 'node:os';
import { checkDocs } from './check-docs.ts';
import { checkLayers } from './check-layers.ts';
import { isStarted, ROOT } from './report.ts';
import { runCommand, toolPath } from './run-command.ts';
import { failure, runVitest, type TestCount } from './run-vitest.ts';
import { checkTidy } from './tidy.ts';

interface Outcome extends TestCount {
  readonly output: string;
}

interface Check {
  readonly name: string;
  run(): Promise<Outcome>;
}

/**
 * Runs all checks, or all but the unit tests. A failed check counts as one failure; only tests count as
 * passed.
 */
export async function runChecks(options: { readonly unit: boolean }): Promise<TestCount> {
  const unit: Check = { name: 'unit tests', run: () => runVitest(['unit']) };
  // Longest first: they overlap on the cores there are.
  const queue: Check[] = [
    tool('lint', 'eslint', ['.', '--max-warnings', '0']),
    ...(options.unit ? [unit] : []),
    tool('types', 'tsc', ['-p', '.', '--pretty', 'false']),
    tool('console types', 'tsc', ['-p', 'console', '--pretty', 'false']),
    tool('format', 'biome', ['format', '.']),
    own('layers', checkLayers),
    own('tidy', checkTidy),
    own('docs', checkDocs),
  ];
  let passed = 0;
  const failures: string[] = [];
  const work = async (): Promise<void> => {
    for (let check = queue.shift(); check; check = queue.shift()) {
      const outcome = await runTimed(check);
      passed += outcome.passed;
      failures.push(...outcome.failures);
    }
  };
  await Promise.all(Array.from({ length: Math.max(2, availableParallelism()) }, work));
  return { passed, failures };
}

async function runTimed(check: Check): Promise<Outcome> {
  const startedAt = performance.now();
  const outcome = await check.run();
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  const verdict = outcome.failures.length > 0 ? 'FAILED' : 'ok';
  const tests = outcome.passed > 0 ? `  ${outcome.passed} passed` : '';
  console.log(`${verdict.padEnd(7)} ${check.name.padEnd(13)} ${seconds.padStart(6)} s${tests}`);
  if (outcome.failures.length > 0) console.log(`${outcome.output.trimEnd()}\n`);
  return outcome;
}

/** A program of the tool chain: its exit code decides. */
function tool(name: string, program: string, args: readonly string[]): Check {
  return {
    name,
    async run() {
      const { status, output } = await runCommand(toolPath(program), args);
      return { passed: 0, failures: status === 0 ? [] : [failure(name, output)], output };
    },
  };
}

/** A check of ours: a list of problems. */
function own(name: string, problemsOf: (root: string) => string[]): Check {
  return {
    name,
    run() {
      const problems = problemsOf(ROOT);
      return Promise.resolve({
        passed: 0,
        failures: problems.length > 0 ? [failure(name, problems.join('\n'))] : [],
        output: `${problems.join('\n')}\n${problems.length} to mend`,
      });
    },
  };
}

if (isStarted(import.meta.filename)) {
  const { failures } = await runChecks({ unit: true });
  process.exitCode = failures.length > 0 ? 1 : 0;
}
