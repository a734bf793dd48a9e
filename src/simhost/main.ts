/**
 * `handover-simhost`: simulated hosts in a process of their own, on sockets, until SIGINT or SIGTERM. What
 * the hosts are lives in this process, so it outlives every client. Called by `bin/handover-simhost.mjs`,
 * which ends the process.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { systemClock } from '../base/clock.ts';
import { explain, HandoverError, isCode } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { seededRandom } from '../base/random.ts';
import { DEMO_FLEET } from './demo-inventory.ts';
import type { FaultRule } from './faults.ts';
import { createSimFleet, type SimFleet } from './fleet.ts';
import type { SimFleetSpec } from './inventory.ts';
import { readFaults } from './process/fault-file.ts';
import { readInventory } from './process/inventory-file.ts';
import { serveFleet } from './process/serve-fleet.ts';

const USAGE = `Usage: handover-simhost [--inventory FILE] [--directory DIR] [--tcp BASEPORT]
       [--faults FILE] [--seed N]
Serves simulated libvirt hosts until it is interrupted. One line of JSON on standard output says where.`;

interface Options {
  readonly inventory: SimFleetSpec;
  /** null: a fresh one, removed at the end. */
  readonly directory: string | null;
  readonly tcpPort: number | null;
  readonly faults: readonly FaultRule[];
  readonly seed: number;
}

/** Runs to the end. Returns the exit status: 0, 1 for a failure, 2 for a mistake in the command line. */
export async function main(args: readonly string[]): Promise<number> {
  try {
    if (args.includes('--help') || args.includes('-h')) process.stdout.write(`${USAGE}\n`);
    else await run(readOptions(args));
    return 0;
  } catch (thrown) {
    process.stderr.write(`handover-simhost: ${explain(thrown)}\n`);
    return isCode(thrown, 'INVALID_INPUT') ? 2 : 1;
  }
}

async function run({ inventory, directory, tcpPort, faults, seed }: Options): Promise<void> {
  const told = interrupted();
  const fleet = createSimFleet({ clock: systemClock, random: seededRandom(seed), log: stderrLog, inventory });
  for (const rule of faults) fleet.faults.add(rule);
  try {
    if (directory !== null) mkdirSync(directory, { recursive: true, mode: 0o700 });
    const place = directory ?? mkdtempSync(join(tmpdir(), 'handover-simhost-'));
    try {
      await serve(fleet, place, tcpPort, told);
    } finally {
      if (directory === null) rmSync(place, { recursive: true, force: true });
    }
  } finally {
    await fleet.close();
  }
}

/** Serves until told to end. */
async function serve(fleet: SimFleet, directory: string, tcpPort: number | null, told: Promise<void>) {
  const { hosts, control, close } = await serveFleet(fleet, directory, tcpPort);
  try {
    process.stdout.write(`${JSON.stringify({ ready: true, directory, control, hosts })}\n`);
    await told;
  } finally {
    await close();
  }
}

/** Resolves at the first SIGINT or SIGTERM; further ones change nothing. */
function interrupted(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => resolve());
  });
}

function readOptions(args: readonly string[]): Options {
  const values = parse(args);
  const inventory =
    values.inventory === undefined ? DEMO_FLEET : readInventory(values.inventory, read(values.inventory));
  const names = new Set(inventory.hosts.map(({ name }) => name));
  return {
    inventory,
    faults: values.faults === undefined ? [] : readFaults(values.faults, read(values.faults), names),
    directory: values.directory === undefined ? null : resolve(values.directory),
    tcpPort: values.tcp === undefined ? null : wholeNumber('--tcp', values.tcp, 65_535),
    seed: wholeNumber('--seed', values.seed ?? '1', 0xffff_ffff),
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        inventory: { type: 'string' },
        directory: { type: 'string' },
        tcp: { type: 'string' },
        faults: { type: 'string' },
        seed: { type: 'string' },
      },
    }).values;
  } catch (thrown) {
    throw new HandoverError('INVALID_INPUT', `${(thrown as Error).message}\n${USAGE}`);
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new HandoverError('INVALID_INPUT', `${path} cannot be read: ${(error as Error).message}`);
  }
}

function wholeNumber(option: string, given: string, max: number): number {
  const value = Number(given);
  if (given !== '' && Number.isInteger(value) && value >= 0 && value <= max) return value;
  throw new HandoverError('INVALID_INPUT', `${option} ${given}: a whole number from 0 to ${max} is wanted`);
}

const say = (message: string, fields?: object): void => {
  process.stderr.write(`${message}${fields ? ` ${JSON.stringify(fields)}` : ''}\n`);
};
const stderrLog: Log = { debug() {}, info: say, warn: say, error: say, child: () => stderrLog };
