/** The other end of `child-engine.ts`: starts engine processes, keeps one warm, tells them what to do. */
import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import type { DatabaseConnection } from '../../../src/store/db.ts';
import { eventually } from '../eventually.ts';

/** What an engine is started with. */
export interface Orders {
  readonly connection: DatabaseConnection;
  /** Of the hosts' sockets. */
  readonly directory: string;
  readonly owner: string;
  readonly leaseMs: number;
  readonly pollMs: number;
  /** What happens when it first comes to that point (`crash-points.ts`). */
  readonly at: { readonly point: string; readonly then: 'SIGKILL' | 'SIGSTOP' | 'wait' } | null;
}

/** What it is told. */
export type ToEngine =
  | { readonly type: 'start'; readonly orders: Orders }
  | { readonly type: 'go on' }
  | { readonly type: 'stop' };
/** What it says. */
export type FromEngine =
  | { readonly type: 'ready' | 'started' | 'waits' }
  | { readonly type: 'reached'; readonly point: string }
  | { readonly type: 'acts'; readonly act: string };

const PROGRAM = join(import.meta.dirname, 'child-engine.ts');

/** One engine process. Who has it ends it, or the end of this process does. */
export class EngineProcess {
  /** Points it came to, in order. */
  readonly reached: string[] = [];
  /** Acts it sent to hosts, in order. */
  readonly acts: string[] = [];
  readonly #child: ChildProcess;
  readonly #said = new Set<string>();

  constructor() {
    const args = process.env['CRASH_VERBOSE'] === undefined ? [] : ['--verbose'];
    this.#child = fork(PROGRAM, args, {
      execArgv: ['--import', 'tsx'],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.#child.on('message', (message: FromEngine) => {
      if (message.type === 'reached') this.reached.push(message.point);
      else if (message.type === 'acts') this.acts.push(message.act);
      else this.#said.add(message.type);
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** It has ended. */
  get ended(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** Starts the engine in it; resolves when its work has begun. */
  async start(orders: Orders): Promise<void> {
    await this.#heard('ready');
    this.#child.send({ type: 'start', orders } satisfies ToEngine);
    await this.#heard('started');
  }

  /** Waits until it waits at its point. */
  waits(): Promise<void> {
    return this.#heard('waits');
  }

  goOn(): void {
    this.#child.send({ type: 'go on' } satisfies ToEngine);
  }

  /** SIGKILL, SIGSTOP, SIGCONT. */
  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Ends it: gently if it can hear. */
  async stop(): Promise<void> {
    if (this.ended) return;
    if (this.#child.connected && this.#said.has('started'))
      this.#child.send({ type: 'stop' } satisfies ToEngine);
    else this.#child.kill('SIGKILL');
    await eventually('the end of an engine process', () => this.ended);
  }

  /** SIGKILL, and gone. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await eventually('the death of an engine process', () => this.ended);
  }

  async #heard(what: FromEngine['type']): Promise<void> {
    await eventually(`"${what}" of an engine process`, () => {
      if (this.ended) throw new Error(`an engine process ended before it said "${what}"`);
      return this.#said.has(what);
    });
  }
}

let spare: EngineProcess | null = null;

/** An engine process that was started before, if there is one; starts the next one meanwhile. */
export function warmEngine(): EngineProcess {
  const taken = spare ?? new EngineProcess();
  spare = new EngineProcess();
  return taken;
}

/** Ends the one kept warm. */
export async function endSpareEngine(): Promise<void> {
  await spare?.kill();
  spare = null;
}
