/**
 * Command line of the lab: `npm run lab -- up | down | status | ssh HOST [COMMAND...] | run SCENARIO... |
 * run all`.
 *
 * Exit status 0 on success, 1 on failure, 2 on wrong use; `ssh` exits as its command did.
 */
import { spawn } from 'node:child_process';
import { parseArgs } from 'node:util';
import { explain } from '../src/base/errors.ts';
import type { Log } from '../src/base/log.ts';
import { labDown, labStatus, labUp } from './lab.ts';
import { consoleLog } from './console-log.ts';
import { inNamespace } from './namespace.ts';
import { findScenarios, runScenarios } from './runner.ts';
import { sshCommand } from './ssh.ts';
import { HOST_LETTERS, type HostLetter, hostPlace } from './topology.ts';
import { abortOnSignal } from './unless-aborted.ts';

const USAGE = `usage: npm run lab -- COMMAND
  up                        bring both hosts up (from nothing: minutes; from the cache: seconds)
  down                      end them; leave nothing but the cache
  status                    what runs
  ssh HOST [COMMAND...]     a shell or a command on host a or b
  run SCENARIO... | run all run these or all (but the long ones) of lab/scenarios on fresh hosts
      [--repeat N]          each N times
      [--json FILE]         write {scenarios: [{name, passed, durationMs, error}]}`;

async function main(args: readonly string[]): Promise<number> {
  const [command, ...rest] = args;
  const log = consoleLog();
  switch (command) {
    case 'up': {
      const { signal, ignore } = abortOnSignal();
      const { release } = await labUp({ log, signal });
      ignore();
      release();
      printStatus();
      return 0;
    }
    case 'down':
      await labDown(log);
      return 0;
    case 'status':
      return printStatus();
    case 'ssh':
      return ssh(rest);
    case 'run':
      return runCommand(rest, log);
    default:
      process.stderr.write(`${USAGE}\n`);
      return 2;
  }
}

/** Returns 0 if both hosts run. */
function printStatus(): number {
  const pids = labStatus();
  for (const letter of HOST_LETTERS) {
    const place = hostPlace(letter);
    const state = pids[letter] === undefined ? 'down' : `up, pid ${pids[letter]}`;
    process.stdout.write(`host ${letter} (${place.name}, ${place.managementAddress}): ${state}\n`);
  }
  return HOST_LETTERS.every((letter) => pids[letter] !== undefined) ? 0 : 1;
}

async function runCommand(args: readonly string[], log: Log): Promise<number> {
  const options = { repeat: { type: 'string', default: '1' }, json: { type: 'string' } } as const;
  const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
  const repeat = Number(values.repeat);
  if (positionals.length === 0 || !Number.isInteger(repeat) || repeat < 1) {
    process.stderr.write(`${USAGE}\n`);
    return 2;
  }
  const json = values.json === undefined ? {} : { json: values.json };
  const results = await runScenarios(await findScenarios(positionals), { log, repeat, ...json });
  for (const { name: scenario, passed, durationMs } of results) {
    process.stdout.write(
      `${passed ? 'passed' : 'FAILED'}  ${scenario}  ${(durationMs / 1000).toFixed(0)} s\n`,
    );
  }
  const failed = results.filter(({ passed }) => !passed).length;
  process.stdout.write(`${results.length - failed} passed, ${failed} failed\n`);
  return failed === 0 ? 0 : 1;
}

function ssh([host, ...rest]: readonly string[]): Promise<number> {
  const letter = HOST_LETTERS.find((name) => name === host || hostPlace(name).name === host);
  if (!letter) {
    process.stderr.write(`${USAGE}\nno such host: ${host ?? '(none)'}\n`);
    return Promise.resolve(2);
  }
  return attach(letter, rest[0] === '--' ? rest.slice(1) : rest);
}

function attach(letter: HostLetter, command: readonly string[]): Promise<number> {
  const terminal = command.length === 0 ? ['-t'] : [];
  const [program = '', ...args] = inNamespace([...sshCommand(letter, terminal), '--', ...command]);
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: 'inherit' });
    child.once('error', reject);
    child.once('close', (status) => resolve(status ?? 1));
  });
}

main(process.argv.slice(2)).then(
  (status) => {
    process.exitCode = status;
  },
  (error: unknown) => {
    process.stderr.write(`lab: ${explain(error)}\n`);
    // A start that was broken off may still be at work.
    process.exit(1);
  },
);
