/**
 * Runs scenarios: `lab/scenarios/NAME.ts`, each on hosts as freshly booted, one after the other, with a
 * report.
 *
 * A scenario is the module's default export; files without one are what scenarios share. A failing scenario
 * does not keep the next from running. Callers: `main.ts`.
 */
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { systemClock } from '../src/base/clock.ts';
import { explain } from '../src/base/errors.ts';
import type { Log } from '../src/base/log.ts';
import { withFreshLab } from './fresh-lab.ts';
import { type Lab, resetHosts } from './lab.ts';
import { LAB_DIRECTORY } from './paths.ts';

/** A quiet machine needs one to three minutes for any of them. */
const SCENARIO_LIMIT_MS = 1_200_000;
const LONG_SCENARIO_LIMIT_MS = 3_600_000;
const SCENARIOS = join(LAB_DIRECTORY, 'scenarios');

/** One scenario, the default export of its file. */
export interface Scenario {
  /** Name of its file. */
  readonly name: string;
  /** One sentence: what holds if it passes. */
  readonly title: string;
  /** It takes many minutes and repeats what another shows once: not part of `all`, run when named. */
  readonly isLong?: true;
  /** Throws if it does not hold. Frees what it took; guests and host state may stay, the hosts are reset. */
  run(lab: Lab): Promise<void>;
}

/** How one run of a scenario ended. */
export interface ScenarioResult {
  readonly name: string;
  readonly passed: boolean;
  readonly durationMs: number;
  readonly error?: string;
}

/** How scenarios are run. */
export interface RunScenariosOptions {
  readonly log: Log;
  /** Each scenario this many times. */
  readonly repeat: number;
  /** File for `{scenarios: ScenarioResult[]}`, written after each scenario. */
  readonly json?: string;
}

/** The scenarios called so, or for `all` every one that is not long. Throws if one does not exist. */
export async function findScenarios(names: readonly string[]): Promise<Scenario[]> {
  const files = readdirSync(SCENARIOS).filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'));
  const found: Scenario[] = [];
  for (const file of files.sort()) {
    const module = (await import(pathToFileURL(join(SCENARIOS, file)).href)) as { default?: Scenario };
    if (module.default) found.push(module.default);
  }
  if (names.includes('all')) return found.filter(({ isLong }) => !isLong);
  const missing = names.find((name) => !found.some((scenario) => scenario.name === name));
  if (missing !== undefined) throw new Error(`there is no scenario "${missing}" in lab/scenarios`);
  return found.filter(({ name }) => names.includes(name));
}

/**
 * Runs `scenarios` and returns their results. The lab is left as it was found: up (hosts reset) or down.
 * Interrupted, it ends the lab and then the process.
 */
export async function runScenarios(
  scenarios: readonly Scenario[],
  options: RunScenariosOptions,
): Promise<ScenarioResult[]> {
  const { log } = options;
  const purpose = `running ${scenarios.map(({ name }) => name).join(', ')}`;
  return withFreshLab(purpose, log, async (lab) => {
    const results: ScenarioResult[] = [];
    for (let round = 0; round < options.repeat; round++) {
      for (const scenario of scenarios) {
        if (results.length > 0) await resetHosts(log);
        results.push(await runOne(scenario, lab, log));
        if (options.json) writeFileSync(options.json, JSON.stringify({ scenarios: results }, null, 2));
      }
    }
    return results;
  });
}

async function runOne(scenario: Scenario, lab: Lab, log: Log): Promise<ScenarioResult> {
  const startMs = systemClock.monotonicMs();
  log.info(`scenario ${scenario.name}: ${scenario.title}`);
  let error: string | undefined;
  const stopLimit = new AbortController();
  const limitMs = scenario.isLong ? LONG_SCENARIO_LIMIT_MS : SCENARIO_LIMIT_MS;
  try {
    await Promise.race([
      scenario.run(lab),
      systemClock.sleep(limitMs, stopLimit.signal).then(() => {
        throw new Error(`not done within ${limitMs / 60_000} minutes`);
      }),
    ]);
  } catch (thrown) {
    error = explain(thrown);
  } finally {
    stopLimit.abort();
  }
  const durationMs = Math.round(systemClock.monotonicMs() - startMs);
  const seconds = (durationMs / 1000).toFixed(0);
  if (error === undefined) log.info(`scenario ${scenario.name}: passed (${seconds} s)`);
  else log.error(`scenario ${scenario.name}: FAILED (${seconds} s): ${error}`);
  return { name: scenario.name, passed: error === undefined, durationMs, ...(error ? { error } : {}) };
}
