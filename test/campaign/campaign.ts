/**
 * A campaign: episodes one after the other, shared out to processes, counted in their order, so that the same
 * options always mean the same migrations. Stops at the first broken promise and looks for the shortest
 * beginning of that episode that still breaks one.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { performance } from 'node:perf_hooks';
import { compileWorker } from './compiled-worker.ts';
import { playEpisode, type EpisodeOptions, type EpisodeResult } from './play-episode.ts';

/** What a campaign is. */
export interface CampaignOptions {
  readonly seed: number;
  /** It ends once so many migrations have ended. */
  readonly migrations: number;
  readonly hosts: number;
  readonly vms: number;
  readonly print: (line: string) => void;
}

/** An episode asked of a worker. */
export type Order = Pick<EpisodeOptions, 'seed' | 'size'> & { readonly number: number };
/** What it answers. `cpuMs`: what the episode cost. */
export type Report = Omit<EpisodeResult, 'trace'> & { readonly number: number; readonly cpuMs: number };

/** Long enough that starting a world is a small part of it. */
const MIGRATIONS_PER_EPISODE = 100;
const PROGRESS_EVERY_MS = 30_000;

/** Whether every promise was kept. Prints what it does and what it found. */
export async function runCampaign(options: CampaignOptions): Promise<boolean> {
  const { seed, hosts, vms, print } = options;
  print(
    `campaign: seed ${seed}, ${options.migrations} migrations of ${vms} VMs on ${hosts} simulated hosts, ` +
      `${availableParallelism()} processes`,
  );
  const size = { hosts, vms, migrations: MIGRATIONS_PER_EPISODE };
  const tally = new Tally(options.migrations, print);
  const orderOf = (number: number): Order => ({ number, seed: episodeSeed(seed, number), size });
  await shareOut(orderOf, tally);
  const { violation } = tally;
  if (violation === null) {
    print(tally.summary());
    return true;
  }
  const { number, broken, deeds } = violation;
  print(`episode ${number} (seed ${seed}) broke promises:\n${broken.map((each) => `  ${each}`).join('\n')}`);
  await printShortest(orderOf(number), deeds, print);
  return false;
}

/** Episodes of neighbouring seeds have nothing in common. */
export const episodeSeed = (seed: number, number: number): number =>
  Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) + Math.imul(number + 1, 0xc2b2ae35);

/** Counts reports in the order of their episodes, whatever order they come in. */
class Tally {
  violation: Report | null = null;
  readonly #wanted: number;
  readonly #print: (line: string) => void;
  readonly #early = new Map<number, Report>();
  readonly #ended: Record<string, number> = {};
  readonly #startedMs = performance.now();
  #next = 0;
  #migrations = 0;
  #cpuMs = 0;
  #virtualMs = 0;
  #printedMs = performance.now();

  constructor(wanted: number, print: (line: string) => void) {
    this.#wanted = wanted;
    this.#print = print;
  }

  get isOver(): boolean {
    return this.violation !== null || this.#migrations >= this.#wanted;
  }

  add(report: Report): void {
    this.#early.set(report.number, report);
    for (;;) {
      const next = this.#early.get(this.#next);
      if (!next || this.isOver) return;
      this.#early.delete(this.#next);
      this.#next += 1;
      this.#count(next);
    }
  }

  #count(report: Report): void {
    for (const [state, count] of Object.entries(report.ended)) {
      this.#ended[state] = (this.#ended[state] ?? 0) + count;
      this.#migrations += count;
    }
    this.#cpuMs += report.cpuMs;
    this.#virtualMs += report.virtualMs;
    if (report.broken.length > 0) this.violation = report;
    if (performance.now() - this.#printedMs < PROGRESS_EVERY_MS) return;
    this.#printedMs = performance.now();
    this.#print(this.summary());
  }

  summary(): string {
    const states = Object.entries(this.#ended).map(([state, count]) => `${count} ${state}`);
    const seconds = (performance.now() - this.#startedMs) / 1000;
    return (
      `${this.#migrations} migrations ended (${states.join(', ')}), every promise kept; ` +
      `${seconds.toFixed(0)} s, ${(this.#migrations / seconds).toFixed(0)} a second, ` +
      `${(this.#migrations / (this.#cpuMs / 1000)).toFixed(0)} a second of one core; ` +
      `${(this.#virtualMs / 3_600_000).toFixed(1)} h passed on the hosts`
    );
  }
}

/** Keeps every worker busy until the tally is over. */
async function shareOut(orderOf: (number: number) => Order, tally: Tally): Promise<void> {
  let number = 0;
  const compiled = await compileWorker();
  const workOff = async (): Promise<void> => {
    const worker = fork(compiled.path, { execArgv: [], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    try {
      while (!tally.isOver) tally.add(await ask(worker, orderOf(number++)));
    } finally {
      // One that ended by itself is why we are here: its channel is closed already, and closing it again
      // would be the error that is told instead of the reason.
      if (worker.connected) worker.disconnect();
    }
  };
  try {
    await Promise.all(Array.from({ length: availableParallelism() }, workOff));
  } finally {
    await compiled.remove();
  }
}

function ask(worker: ChildProcess, order: Order): Promise<Report> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null): void =>
      reject(new Error(`a worker ended with ${code} in episode ${order.number}, seed ${order.seed}`));
    worker.once('exit', onExit);
    worker.once('message', (report) => {
      worker.off('exit', onExit);
      resolve(report as Report);
    });
    worker.send(order);
  });
}

async function printShortest(order: Order, deeds: number, print: (line: string) => void): Promise<void> {
  for (let deedsMax = 1; deedsMax <= deeds; deedsMax++) {
    const { broken } = await playEpisode({ ...order, deedsMax });
    if (broken.length === 0) continue;
    const { trace } = await playEpisode({ ...order, deedsMax, traced: true });
    print(`the shortest beginning that breaks one has ${deedsMax} deeds: ${broken.join('; ')}`);
    for (const line of trace) print(`  ${line}`);
    return;
  }
  print('it kept them when it was played again: what decides is not all drawn from the seed');
}
