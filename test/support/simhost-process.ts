/**
 * `handover-simhost` as a process of its own, started as a user starts it. Whoever starts it stops it.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { HostState } from '../../src/simhost/process/fleet-state.ts';
import type { ServedHost } from '../../src/simhost/process/serve-fleet.ts';

const PROGRAM = fileURLToPath(new URL('../../bin/handover-simhost.mjs', import.meta.url));

/** What the readiness line says. */
interface Ready {
  readonly ready: true;
  readonly directory: string;
  readonly control: string;
  readonly hosts: readonly ServedHost[];
}

/** How a run ended that did not become ready. */
export interface Refusal {
  readonly status: number | null;
  readonly stderr: string;
}

/** Simulated hosts that run. */
export class SimhostProcess {
  readonly ready: Ready;
  readonly #child: ChildProcessByStdio<null, Readable, Readable>;
  readonly #control: Socket;
  readonly #waiting = new Map<number, (answer: { result?: unknown; error?: { message: string } }) => void>();
  #lastId = 0;

  private constructor(child: ChildProcessByStdio<null, Readable, Readable>, ready: Ready, control: Socket) {
    this.#child = child;
    this.ready = ready;
    this.#control = control;
    createInterface({ input: control }).on('line', (line) => {
      const { id, ...answer } = JSON.parse(line) as { id: number };
      this.#waiting.get(id)?.(answer);
      this.#waiting.delete(id);
    });
  }

  /** Starts it with these options and waits until its hosts answer. Throws a `Refusal` if it ends instead. */
  static async start(...args: string[]): Promise<SimhostProcess> {
    const child = spawn(process.execPath, [PROGRAM, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    const ended = once(child, 'close').then(([status]) => ({ status: status as number | null, stderr }));
    const line = once(createInterface({ input: child.stdout }), 'line').then(([text]) => String(text));
    const first = await Promise.race([line, ended]);
    if (typeof first !== 'string') throw Object.assign(new Error(first.stderr), first satisfies Refusal);
    const ready = JSON.parse(first) as Ready;
    const control = createConnection({ path: ready.control });
    await once(control, 'connect');
    return new SimhostProcess(child, ready, control);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** A host by name. */
  host(name: string): ServedHost {
    const host = this.ready.hosts.find((each) => each.name === name);
    if (!host) throw new Error(`no simulated host is called ${name}`);
    return host;
  }

  /** Asks the control socket. Throws what it refuses. */
  async control<T = unknown>(request: object): Promise<T> {
    const id = ++this.#lastId;
    const answer = new Promise<{ result?: unknown; error?: { message: string } }>((resolve) => {
      this.#waiting.set(id, resolve);
    });
    this.#control.write(`${JSON.stringify({ id, ...request })}\n`);
    const { result, error } = await answer;
    if (error) throw new Error(error.message);
    return result as T;
  }

  /** What is true of a host now. */
  async state(name: string): Promise<HostState> {
    const host = (await this.control<HostState[]>({ do: 'state' })).find((each) => each.name === name);
    if (!host) throw new Error(`no simulated host is called ${name}`);
    return host;
  }

  /** Ends it as a user does. Returns its exit status. */
  async stop(): Promise<number | null> {
    this.#control.destroy();
    if (this.#child.exitCode !== null) return this.#child.exitCode;
    this.#child.kill('SIGTERM');
    const [status] = (await once(this.#child, 'close')) as [number | null];
    return status;
  }
}
