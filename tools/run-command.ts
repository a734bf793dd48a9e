/**
 * Runs one command of the tool chain and collects what it says.
 * Callers: the scripts in this folder. Commands get no standard input and no terminal.
 */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { ROOT } from './report.ts';

/** How a command ended. `status` is null if a signal ended it. */
export interface CommandResult {
  readonly status: number | null;
  /** Standard output and error as they came. */
  readonly output: string;
}

/** No tool of ours takes this long; a tier of tests has its own limit. */
const LIMIT_MS = 10 * 60_000;

/** Options of `runCommand`. */
export interface CommandOptions {
  /** Shows the output as it comes, too. */
  readonly echo?: boolean;
  /**
   * The command is ended, children included, after this time; its result then has status null and says so.
   */
  readonly limitMs?: number;
}

/** A signal asked the whole run to end; the command was ended with it. */
export class Interrupted extends Error {
  readonly exitCode: number;

  constructor(signal: NodeJS.Signals) {
    super(`ended by ${signal}`);
    this.exitCode = 128 + constants.signals[signal];
  }
}

/** Runs `command` in the repository's root. Rejects if it cannot be started, and with `Interrupted`. */
export function runCommand(
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    // A process group of its own, so that a limit ends what the command started as well.
    const child = spawn(command, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    const end = (signal: NodeJS.Signals): void => {
      if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, signal);
    };
    let interruption: NodeJS.Signals | null = null;
    const onSignal = (signal: NodeJS.Signals): void => {
      interruption = signal;
      end(signal);
    };
    process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
    let output = '';
    const keep = (chunk: string): void => {
      output += chunk;
      if (options.echo) process.stdout.write(chunk);
    };
    const limitMs = options.limitMs ?? LIMIT_MS;
    const timer = setTimeout(() => {
      keep(`\n${command} ${args.join(' ')} was ended: not done after ${limitMs / 60_000} minutes\n`);
      end('SIGKILL');
    }, limitMs);
    child.stdout.setEncoding('utf8').on('data', keep);
    child.stderr.setEncoding('utf8').on('data', keep);
    const settle = (): void => {
      clearTimeout(timer);
      process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
    };
    child.on('error', (error) => {
      settle();
      reject(error);
    });
    child.on('close', (status) => {
      settle();
      if (interruption) reject(new Interrupted(interruption));
      else resolve({ status, output });
    });
  });
}

/** Path of a program of an installed npm package. */
export function toolPath(name: string): string {
  return `${ROOT}/node_modules/.bin/${name}`;
}
