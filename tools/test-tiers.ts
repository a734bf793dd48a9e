/**
 * The tiers of `npm test`: what each runs, what has to be set up first, how long it should take.
 * A tier whose tests do not exist is left out; a folder of tests that belongs to no tier is an error.
 * Callers: `test.ts`.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureLabPackages, missingLabPackages } from '../lab/packages.ts';
import type { Log } from '../src/base/log.ts';
import { runChecks } from './check.ts';
import { runCommand } from './run-command.ts';
import { failure, runVitest, type TestCount } from './run-vitest.ts';
import { ensureBrowserPackages, missingBrowserPackages } from './setup/browser-packages.ts';
import { ensureConsole } from './setup/console.ts';
import { ensureWirePackages, missingWirePackages } from './setup/wire-packages.ts';

/** One tier. */
export interface Tier {
  readonly name: string;
  /** Longer is said loudly, and is no failure: machines are shared. */
  readonly budgetMinutes: number;
  /** What this machine lacks to run it; null: nothing. Asked before the set-up. */
  obstacle(): string | null;
  /** Installs what the tier needs, saying first what. Throws if it can not. */
  setUp(log: Log): Promise<void>;
  /** Runs it, output shown as it comes. */
  run(): Promise<TestCount>;
}

/** A run longer than this many budgets hangs: it is ended. */
const LIMIT_BUDGETS = 3;
const LAB_LIMIT_MINUTES = 50;
const MINUTE_MS = 60_000;

/**
 * vitest projects by tier, in order. Each is the folder `test/NAME`, but `unit`, which lies beside the
 * source.
 */
const SERVICES = ['unit', 'store', 'api'];
const WIRE = ['wire'];
const SAGA = ['saga', 'campaign', 'crash'];
const BROWSER = ['browser'];

/**
 * The tiers for which `paths`, the files of the checkout, hold tests. Throws if some tests belong to none.
 */
export function tiersFor(paths: readonly string[]): Tier[] {
  const folders = new Set(paths.flatMap((path) => /^test\/([^/]+)\/.*\.test\.ts$/.exec(path)?.[1] ?? []));
  const stray = [...folders].filter(
    (folder) => ![...SERVICES, ...WIRE, ...SAGA, ...BROWSER].includes(folder),
  );
  if (stray.length > 0)
    throw new Error(
      `tests that no tier runs: test/${stray.join(', test/')}; add them to tools/test-tiers.ts`,
    );
  const present = (projects: readonly string[]): string[] =>
    projects.filter((project) => project === 'unit' || folders.has(project));
  const tiers = [
    checkTier(),
    vitestTier(present(SERVICES), 4),
    wireTier(present(WIRE)),
    vitestTier(present(SAGA), 6),
    browserTier(present(BROWSER)),
  ];
  if (paths.some((path) => path.startsWith('lab/scenarios/'))) tiers.push(labTier());
  return tiers.filter((tier) => tier !== null);
}

function checkTier(): Tier {
  return {
    name: 'check',
    budgetMinutes: 2,
    obstacle: () => null,
    setUp: () => Promise.resolve(),
    // The unit tests are counted in the next tier.
    run: () => runChecks({ unit: false }),
  };
}

function vitestTier(projects: readonly string[], budgetMinutes: number): Tier | null {
  if (projects.length === 0) return null;
  return {
    name: projects.join(', '),
    budgetMinutes,
    obstacle: () => null,
    setUp: () => Promise.resolve(),
    run: () => runVitest(projects, { echo: true, limitMs: LIMIT_BUDGETS * budgetMinutes * MINUTE_MS }),
  };
}

/** Real libvirt daemons, which only root can start. */
function wireTier(projects: readonly string[]): Tier | null {
  const tier = vitestTier(projects, 3);
  return tier && { ...tier, obstacle: wireObstacle, setUp: ensureWirePackages };
}

function wireObstacle(): string | null {
  return rootIsNeeded('to start libvirt daemons', missingWirePackages);
}

/** The console in Debian's chromium; root is needed only to install that. */
function browserTier(projects: readonly string[]): Tier | null {
  const tier = vitestTier(projects, 8);
  return (
    tier && {
      ...tier,
      obstacle: () =>
        missingBrowserPackages().length === 0
          ? null
          : rootIsNeeded('to install a browser', missingBrowserPackages),
      async setUp(log) {
        await ensureBrowserPackages(log);
        await ensureConsole(log);
      },
    }
  );
}

/** Says what root would install besides; null as root. */
function rootIsNeeded(what: string, missing: () => string[]): string | null {
  if (process.getuid?.() === 0) return null;
  const packages = missing();
  const also = packages.length === 0 ? '' : `; that also installs ${packages.join(' ')}`;
  return `root is needed ${what}: run this with sudo${also}`;
}

function labTier(): Tier {
  return {
    name: 'lab',
    budgetMinutes: 25,
    obstacle: labObstacle,
    setUp: ensureLabPackages,
    run: runLab,
  };
}

/** Why the lab can not run here; null if it can. */
function labObstacle(): string | null {
  const obstacle = rootIsNeeded('for its network namespaces', missingLabPackages);
  if (obstacle !== null) return obstacle;
  if (!existsSync('/dev/net/tun')) return 'there is no /dev/net/tun: load the module tun';
  return null;
}

async function runLab(): Promise<TestCount> {
  const folder = mkdtempSync(join(tmpdir(), 'handover-lab-result-'));
  const file = join(folder, 'result.json');
  const lab = (...args: string[]) =>
    runCommand(process.execPath, ['--import', 'tsx', 'lab/main.ts', ...args], {
      echo: true,
      limitMs: LAB_LIMIT_MINUTES * MINUTE_MS,
    });
  try {
    const { status } = await lab('run', 'all', '--json', file);
    // The runner leaves the lab as it found it, unless it was ended by its limit.
    if (status === null) await lab('down');
    const count = readScenarios(file);
    if (status === 0 || count.failures.length > 0) return count;
    return { ...count, failures: ['the lab broke off'] };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Counts in the lab's report, `{scenarios: [{name, passed, error}]}`; none if there is no report. */
export function readScenarios(file: string): TestCount {
  if (!existsSync(file)) return { passed: 0, failures: [] };
  const { scenarios } = JSON.parse(readFileSync(file, 'utf8')) as {
    readonly scenarios: readonly {
      readonly name: string;
      readonly passed: boolean;
      readonly error?: string;
    }[];
  };
  const failed = scenarios.filter(({ passed }) => !passed);
  return {
    passed: scenarios.length - failed.length,
    failures: failed.map(({ name, error }) => failure(`scenario ${name}`, error ?? '')),
  };
}
