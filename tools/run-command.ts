/**
 * Runs one command of the tool chain and collects what it says.
 * Callers: the scripts in this folder. Commands get no standard input and no terminal.
 */
import { spawn } from 'node:child_process';
import { ROOT } from './report.ts';

/** How a command ended. `status` is null if a signal ended it. */
export interface CommandResult {
  readonly status: number | null;
  /** Standard output and error as they came. */
  readonly output: string;
}

/** Options of `runCommand`. */
export interface CommandOptions {
  /** Shows the output as it comes, too. */
  readonly echo?: boolean;
  /** The command is ended, children included, after this time; its result then has status null. */
  readonly limitMs?: number;
}

/** Runs `command` in the repository's root. Rejects only if it cannot be started. */
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
    const onSignal = (signal: NodeJS.Signals): void => end(signal);
    process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
    const timer = options.limitMs === undefined ? null : setTimeout(() => end('SIGKILL'), options.limitMs);
    let output = '';
    const keep = (chunk: string): void => {
      output += chunk;
      if (options.echo) process.stdout.write(chunk);
    };
    child.stdout.setEncoding('utf8').on('data', keep);
    child.stderr.setEncoding('utf8').on('data', keep);
    const settle = (): void => {
      if (timer) clearTimeout(timer);
      process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
    };
    child.on('error', (error) => {
      settle();
      reject(error);
    });
    child.on('close', (status) => {
      settle();
      resolve({ status, output });
    });
  });
}

/** Path of a program of an installed npm package. */
export function toolPath(name: string): string {
  return `${ROOT}/node_modules/.bin/${name}`;
}
