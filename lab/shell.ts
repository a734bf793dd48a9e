/**
 * Runs programs for the lab: one home for spawning, limits and error texts.
 *
 * Invariants: every run has a limit, after which the program is killed; output is kept in memory, so only for
 * programs that print little. No shell in between: arguments are passed as they are.
 * Callers: the modules of `lab/` only.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { systemClock } from '../src/base/clock.ts';

/** Input and limit of one command. */
export interface RunOptions {
  /** Bytes for the program's standard input; empty when left out. */
  readonly input?: string | Buffer;
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Killed with SIGKILL after this; default 2 minutes. */
  readonly limitMs?: number;
  /** Killed when it aborts. */
  readonly signal?: AbortSignal;
}

/** How a command ended, and what it printed. */
export interface RunResult {
  /** Exit status; null if a signal ended the program. */
  readonly status: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** Runs `command` and returns how it ended; throws only if it cannot be started or exceeds its limit. */
export async function tryRun(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  const limitMs = options.limitMs ?? 120_000;
  const child = spawn(command, args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.env === undefined ? {} : { env: options.env }),
  });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
  // A program may end without reading its input: EPIPE then says nothing its exit status does not.
  child.stdin.on('error', () => {});
  child.stdin.end(options.input ?? '');
  let late = false;
  const cancelLimit = systemClock.after(limitMs, () => {
    late = true;
    child.kill('SIGKILL');
  });
  const onAbort = () => child.kill('SIGKILL');
  options.signal?.addEventListener('abort', onAbort, { once: true });
  try {
    const status = await ended(child, command);
    const text = Buffer.concat(stderr).toString();
    if (late) throw new Error(`${shown(command, args)}: not done within ${limitMs} ms\n${text}`);
    return { status, stdout: Buffer.concat(stdout), stderr: text };
  } finally {
    cancelLimit();
    options.signal?.removeEventListener('abort', onAbort);
  }
}

/** Runs `command` and returns what it printed; throws with its error output unless it exits with 0. */
export async function run(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  return (await runBytes(command, args, options)).toString();
}

/** `run` for programs that print bytes, not text. */
export async function runBytes(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Buffer> {
  const result = await tryRun(command, args, options);
  if (result.status === 0) return result.stdout;
  const said = `${result.stderr}\n${result.stdout.toString()}`.trim().split('\n').slice(-15).join('\n');
  throw new Error(`${shown(command, args)} failed (status ${result.status}): ${said}`);
}

function ended(child: ChildProcess, command: string): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.once('error', (error) => reject(new Error(`${command} cannot be started: ${error.message}`)));
    child.once('close', (status) => resolve(status));
  });
}

function shown(command: string, args: readonly string[]): string {
  const text = [command, ...args].join(' ');
  return text.length > 300 ? `${text.slice(0, 300)}...` : text;
}
