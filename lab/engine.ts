/**
 * An engine under test or on show: the real daemon as a child process inside the lab's namespace, where it
 * reaches the hosts, on a listening socket opened out here and handed over (LISTEN_FDS), where people and
 * scenarios reach it.
 *
 * The caller owns it and ends it with `stop`. `kill` is SIGKILL, for scenarios about crashes; `start` goes on
 * with the same data.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { REPOSITORY } from './paths.ts';
import { inNamespace } from './namespace.ts';

/** PostgreSQL's first start included. */
const START_LIMIT_MS = 180_000;
const STOP_LIMIT_MS = 20_000;

/** How an engine is started. */
export interface EngineOptions {
  readonly dataDir: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly password: string;
  /** Inside the lab: its `ssh_config`. Null runs the engine out here, on simulated hosts. */
  readonly sshConfigPath: string | null;
  /** Its log lines; default: dropped. */
  readonly onLog?: (line: string) => void;
}

/** One engine, restartable on its data. */
export class EngineProcess {
  readonly #options: EngineOptions;
  #child: ChildProcess | null = null;
  #port: number;
  #url = '';

  constructor(options: EngineOptions) {
    this.#options = options;
    this.#port = options.port;
  }

  /** `http://127.0.0.1:PORT`; the port stays the same across `kill` and `start`. */
  get url(): string {
    return this.#url;
  }

  /** Starts it and waits until it says that it listens. Throws with the end of its log if it does not. */
  async start(): Promise<void> {
    const { dataDir, password, sshConfigPath } = this.#options;
    const server = await this.#listen();
    const own = [
      process.execPath,
      '--import',
      'tsx',
      join(REPOSITORY, 'src/daemon/main.ts'),
      '--data',
      dataDir,
    ];
    const command =
      sshConfigPath === null ? [...own, '--simulated'] : inNamespace([...own, '--ssh-config', sshConfigPath]);
    const [program = '', ...args] = command;
    const handle = (server as unknown as { _handle: { fd: number } })._handle;
    const child = spawn(program, args, {
      cwd: REPOSITORY,
      env: { ...process.env, HANDOVER_ADMIN_PASSWORD: password, LISTEN_FDS: '1' },
      stdio: ['ignore', 'pipe', 'pipe', handle.fd],
    });
    this.#child = child;
    // The engine has its own copy now; ours would take connections away from it.
    server.close();
    await this.#untilListening(child);
  }

  /** SIGKILL, as a crash: nothing is cleaned up by it. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** Ends it cleanly, PostgreSQL included. */
  async stop(): Promise<void> {
    await this.#end('SIGTERM');
  }

  /** A restarted engine gets the same port again. */
  async #listen(): Promise<Server> {
    const server = createServer();
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.#port, '127.0.0.1', resolve);
    });
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no TCP address');
    this.#port = address.port;
    this.#url = `http://127.0.0.1:${address.port}`;
    return server;
  }

  #untilListening(child: ChildProcess): Promise<void> {
    const tail: string[] = [];
    const onLines = (chunk: Buffer) => {
      for (const line of chunk.toString().split('\n')) {
        if (line === '') continue;
        tail.push(line);
        if (tail.length > 40) tail.shift();
        this.#options.onLog?.(line);
      }
    };
    child.stderr?.on('data', onLines);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`the engine did not start: ${tail.join('\n')}`)),
        START_LIMIT_MS,
      );
      child.once('exit', (code) => {
        clearTimeout(timer);
        reject(new Error(`the engine ended with ${code} instead of starting:\n${tail.join('\n')}`));
      });
      child.stdout?.on('data', (chunk: Buffer) => {
        onLines(chunk);
        if (!tail.some((line) => line.startsWith('Handover listens'))) return;
        clearTimeout(timer);
        resolve();
      });
    });
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    child.kill(signal);
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
    await gone;
    clearTimeout(timer);
  }
}
