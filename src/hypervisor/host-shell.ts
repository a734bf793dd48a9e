/**
 * The host channel's lowest layer: one `sh` per host, started over ssh or locally, that is fed one command at
 * a time. One long-lived shell instead of one ssh per command, because a new ssh connection costs a second
 * and this is asked several times a second while a migration waits; and because when the engine dies its end
 * of the pipe closes, so nothing of ours stays on any host.
 *
 * Invariants: commands run one after the other; each has a limit on both sides; output is bounded; a shell
 * that broke any rule (limit, size, marker) is killed and the next command starts a new one. Words are always
 * quoted here, so no argument can become shell syntax. Used by `host-channel.ts` only.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import type { Clock } from '../base/clock.ts';
import { HandoverError } from '../base/errors.ts';
import type { Random } from '../base/random.ts';

/** What a command did. Text is UTF-8. */
export interface ShellResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs fixed commands on one host. Simulated hosts bring their own. */
export interface HostShell {
  /**
   * Runs `argv` without input and waits for its end. Any exit code is a result, also 124: the command
   * outlived `limitMs` on the host. Throws `HOST_CHANNEL_UNAVAILABLE` if the command was not sent,
   * `REPLY_LOST` or `CALL_TIMED_OUT` if it may have run.
   */
  run(argv: readonly string[], limitMs: number): Promise<ShellResult>;
  /** Ends the shell. Commands still waiting fail. */
  close(): void;
}

/**
 * Output of one command, both streams together. `ip -j -d link` of a host with 1000 devices is about 1 MiB.
 */
const OUTPUT_BYTES_MAX = 16 * 1024 * 1024;
/** For ssh to connect and the remote shell to greet. */
const START_LIMIT_MS = 20_000;
/** Between the host's own limit for a command and ours. */
const GRACE_MS = 5_000;

/** A non-login shell often lacks the directories of `ip`; texts we parse must not be translated. */
const PREPARE = 'export LC_ALL=C PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"';

/** Quotes one word for a POSIX shell. */
export function shellQuote(word: string): string {
  return /^[A-Za-z0-9_./:=@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

interface Running {
  readonly child: ChildProcessWithoutNullStreams;
  stdout: Buffer[];
  stderr: Buffer[];
  bytes: number;
  /** Called after every chunk and at the end. */
  progress: () => void;
  /** How the process ended; null while it runs. */
  ended: string | null;
}

/**
 * A shell behind `argv`: `['sh']` here, `['ssh', ..., 'sh']` elsewhere. Starts at the first command.
 * `where` names the host in messages.
 */
export function openShell(
  deps: { clock: Clock; random: Random },
  where: string,
  argv: readonly string[],
): HostShell {
  let running: Running | null = null;
  let closed = false;
  let tail: Promise<unknown> = Promise.resolve();

  const stop = () => {
    running?.child.kill('SIGKILL');
    running = null;
  };

  async function start(): Promise<Running> {
    if (closed) throw unavailable(where, 'the connection was closed by the engine');
    if (running?.ended === null) return running;
    const shell = spawnShell(argv);
    running = shell;
    // A banner or a motd may come first on stdout; the end marker of this first command ends it.
    await exchange(deps, shell, PREPARE, START_LIMIT_MS, (cause) => {
      stop();
      return unavailable(where, cause);
    });
    return shell;
  }

  async function runNow(words: readonly string[], limitMs: number): Promise<ShellResult> {
    const shell = await start();
    const seconds = Math.ceil(limitMs / 1000);
    const command = ['timeout', '-k', '2', String(seconds), ...words].map(shellQuote).join(' ');
    return exchange(deps, shell, command, limitMs + GRACE_MS, (cause, timedOut) => {
      stop();
      return new HandoverError(
        timedOut ? 'CALL_TIMED_OUT' : 'REPLY_LOST',
        `${where}: no answer to "${words.join(' ')}": ${cause}; look at the host before repeating it`,
        { detail: { command: words.join(' ') } },
      );
    });
  }

  return {
    run(words, limitMs) {
      const result = tail.then(() => runNow(words, limitMs));
      tail = result.catch(() => undefined);
      return result;
    },
    close() {
      closed = true;
      stop();
    },
  };
}

function spawnShell(argv: readonly string[]): Running {
  const [program = 'sh', ...args] = argv;
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  const shell: Running = { child, stdout: [], stderr: [], bytes: 0, progress: () => {}, ended: null };
  const collect = (into: 'stdout' | 'stderr') => (chunk: Buffer) => {
    shell[into].push(chunk);
    shell.bytes += chunk.length;
    shell.progress();
  };
  const end = (why: string) => {
    shell.ended ??= why;
    shell.progress();
  };
  child.stdout.on('data', collect('stdout'));
  child.stderr.on('data', collect('stderr'));
  // A broken pipe is reported by 'close' too; without a listener it would end the engine.
  child.stdin.on('error', () => {});
  child.on('error', (error) => end(error.message));
  child.on('close', (code, signal) => end(`${program} ended with ${signal ?? `exit code ${code}`}`));
  return shell;
}

/**
 * Sends one command line and reads until both streams show its end marker. The marker is unpredictable, so no
 * output can pretend to be the end. `fail` makes the error and gets rid of the shell.
 */
function exchange(
  deps: { clock: Clock; random: Random },
  shell: Running,
  command: string,
  limitMs: number,
  fail: (cause: string, timedOut: boolean) => HandoverError,
): Promise<ShellResult> {
  const marker = `end-${deps.random.uuid()}`;
  return new Promise((resolve, reject) => {
    const finish = (settle: () => void) => {
      cancelTimer();
      shell.progress = () => {};
      settle();
    };
    const cancelTimer = deps.clock.after(limitMs, () =>
      finish(() => reject(fail(`not within ${limitMs} ms`, true))),
    );
    shell.progress = () => {
      if (shell.bytes > OUTPUT_BYTES_MAX) {
        finish(() => reject(fail(`more than ${OUTPUT_BYTES_MAX} bytes of output`, false)));
        return;
      }
      const result = takeResult(shell, marker);
      if (result) finish(() => resolve(result));
      else if (shell.ended !== null) finish(() => reject(fail(causeOf(shell), false)));
    };
    shell.child.stdin.write(
      `${command} </dev/null; printf '\\n%s %d\\n' ${marker} $?; printf '\\n%s\\n' ${marker} >&2\n`,
    );
    // It may have ended before this command was sent.
    shell.progress();
  });
}

function takeResult(shell: Running, marker: string): ShellResult | null {
  // Only the last chunks can complete a marker: the text is joined once, when the marker's line end has
  // arrived.
  if (!endsWithNewline(shell.stdout) || !endsWithNewline(shell.stderr)) return null;
  const stdout = Buffer.concat(shell.stdout).toString('utf8');
  const stderr = Buffer.concat(shell.stderr).toString('utf8');
  const out = new RegExp(`\n${marker} (\\d+)\n$`).exec(stdout);
  const err = stderr.endsWith(`\n${marker}\n`);
  if (!out || !err) return null;
  shell.stdout = [];
  shell.stderr = [];
  shell.bytes = 0;
  return {
    exitCode: Number(out[1]),
    stdout: stdout.slice(0, out.index),
    stderr: stderr.slice(0, -(marker.length + 2)),
  };
}

function endsWithNewline(chunks: readonly Buffer[]): boolean {
  return chunks.at(-1)?.at(-1) === 0x0a;
}

/** What ssh or the shell said, last line first; else how it ended. */
function causeOf(shell: Running): string {
  const said = Buffer.concat(shell.stderr).toString('utf8').trim().split('\n').slice(-3).join('; ');
  return said === '' ? (shell.ended ?? 'it ended') : said;
}

function unavailable(where: string, cause: string): HandoverError {
  return new HandoverError(
    'HOST_CHANNEL_UNAVAILABLE',
    `${where}: no shell on the host: ${cause}. MAC, VLAN and link of its VFs cannot be seen until it works`,
    { detail: { cause } },
  );
}
