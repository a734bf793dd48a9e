/**
 * An engine that can die, inside this process: what a crash test does with SIGKILL, for the saga harness and
 * the campaigns on a virtual clock. From `kill` on nothing of it happens any more: its timers do not come,
 * nothing it asks is answered, and its connections are gone for the hosts as they would be for a dead peer.
 */
import { createUseCases } from '../../src/app/create-use-cases.ts';
import { startBackground } from '../../src/app/background.ts';
import { migrationPorts } from '../../src/app/migration-ports.ts';
import type { AppParts } from '../../src/app/parts.ts';
import type { Store } from '../../src/app/store-port.ts';
import type { UseCases } from '../../src/app/use-cases.ts';
import type { Clock } from '../../src/base/clock.ts';
import { HandoverError } from '../../src/base/errors.ts';
import type { Log } from '../../src/base/log.ts';
import type { Random } from '../../src/base/random.ts';
import { createHypervisors } from '../../src/hypervisor/libvirt-hypervisor.ts';
import { type LibvirtClient, openClient } from '../../src/libvirt/index.ts';
import type { MigrationSaga } from '../../src/migration/migrate-vm.ts';
import { vmSagas } from '../../src/migration/sagas.ts';
import type { SimFleet } from '../../src/simhost/fleet.ts';
import type { ByteStream } from '../../src/simhost/stream.ts';

/** What an engine runs on. */
export interface EngineProcessParts {
  readonly store: Store;
  readonly fleet: SimFleet;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** How it differs from any other. */
export interface EngineProcessOptions {
  readonly owner: string;
  readonly leaseMs: number;
  /** Puts something around the steps of each saga. */
  readonly around?: (saga: MigrationSaga, engine: EngineProcess) => MigrationSaga;
  /** Puts something around the store. */
  readonly overStore?: (store: Store, engine: EngineProcess) => Store;
}

/** One engine: use cases, monitor, reconciler and runner. */
export class EngineProcess {
  readonly useCases: UseCases;
  readonly #life = new Life();
  readonly #fleet: SimFleet;
  readonly #cut = new Set<string>();
  readonly #lines = new Map<LibvirtClient, string>();
  readonly #stop: () => Promise<void>;

  constructor(outer: EngineProcessParts, options: EngineProcessOptions) {
    this.#fleet = outer.fleet;
    const life = this.#life;
    const clock = mortalClock(outer.clock, life);
    const store = options.overStore?.(outer.store, this) ?? outer.store;
    const { random, log } = outer;
    const hypervisors = createHypervisors({
      clock,
      log,
      random,
      connect: (uri, clientOptions) => this.#connect(new URL(uri).hostname, clientOptions),
      openShell: ({ name }) => {
        const shell = outer.fleet.shell(name);
        return shell && mortal(shell, life);
      },
    });
    const parts: AppParts = { store: mortal(store, life), hypervisors, clock, random, log };
    this.useCases = createUseCases(parts);
    const sagas = vmSagas(migrationPorts(parts));
    const { owner, leaseMs } = options;
    const background = startBackground(
      parts,
      { owner, leaseMs, pollMs: 1_000, jobsMax: 64 },
      sagas.map((saga) => options.around?.(saga, this) ?? saga),
    );
    this.#stop = async () => {
      await background.stop();
      await hypervisors.close();
    };
  }

  get alive(): boolean {
    return this.#life.alive;
  }

  /** Dies, in the middle of whatever it does. */
  kill(): void {
    this.#life.end();
  }

  /** Ends in order. */
  async stop(): Promise<void> {
    await this.#stop();
    this.#life.end();
  }

  /** Loses the network to a host; the returned function gives it back. */
  cut(host: string): () => void {
    this.#cut.add(host);
    for (const [client, name] of this.#lines) if (name === host) void client.close();
    return () => this.#cut.delete(host);
  }

  async #connect(host: string, options: Parameters<typeof openClient>[2]): Promise<LibvirtClient> {
    if (this.#cut.has(host)) throw new HandoverError('HOST_UNREACHABLE', `no route to ${host}`);
    const stream = mortalStream(this.#fleet.connect(host), this.#life);
    const client = await openClient(stream, 'qemu:///system', { ...options, label: host });
    this.#lines.set(client, host);
    client.onClose(() => this.#lines.delete(client));
    return client;
  }
}

/** Whether an engine lives, and what ends with it. */
class Life {
  alive = true;
  readonly #ends = new Set<() => void>();

  /** Calls `end` at the death; the returned function takes that back. */
  onEnd(end: () => void): () => void {
    this.#ends.add(end);
    return () => this.#ends.delete(end);
  }

  end(): void {
    if (!this.alive) return;
    this.alive = false;
    for (const each of this.#ends) each();
    this.#ends.clear();
  }
}

/** A new one each time: one for all would keep every dead engine that waits for it. */
const never = (): Promise<never> => new Promise(() => {});

function mortalClock(clock: Clock, life: Life): Clock {
  const sleep = async (delayMs: number, signal?: AbortSignal): Promise<void> => {
    if (!life.alive) await never();
    await clock.sleep(delayMs, signal);
    if (!life.alive) await never();
  };
  return {
    now: () => clock.now(),
    monotonicMs: () => clock.monotonicMs(),
    after: (delayMs, fn) =>
      clock.after(delayMs, () => {
        if (life.alive) fn();
      }),
    sleep,
  };
}

/** The same object; who died asks nothing of it any more and hears no answer. */
export function mortal<T extends object>(target: T, life: { readonly alive: boolean }): T {
  const wrapped = Object.entries(target).map(([name, value]: [string, unknown]) => {
    if (typeof value === 'object' && value !== null) return [name, mortal(value, life)];
    if (typeof value !== 'function') return [name, value];
    const call = (...args: unknown[]): unknown => {
      if (!life.alive) return never();
      const answer: unknown = Reflect.apply(value, target, args);
      return answer instanceof Promise ? heardAlive(answer, life) : answer;
    };
    return [name, call];
  });
  return Object.fromEntries(wrapped) as T;
}

async function heardAlive<T>(answer: Promise<T>, life: { readonly alive: boolean }): Promise<T> {
  try {
    const value = await answer;
    return life.alive ? value : await never();
  } catch (thrown) {
    if (!life.alive) await never();
    throw thrown;
  }
}

/** A dead peer's connection: closed for the other side, silent for this one. */
function mortalStream(stream: ByteStream, life: Life): ByteStream {
  const forget = life.onEnd(() => stream.close());
  return {
    label: stream.label,
    start: (handlers) =>
      stream.start({
        data: (bytes) => {
          if (life.alive) handlers.data(bytes);
        },
        drain: () => {
          if (life.alive) handlers.drain();
        },
        closed: (reason) => {
          forget();
          if (life.alive) handlers.closed(reason);
        },
      }),
    write: (bytes) => !life.alive || stream.write(bytes),
    pause: () => stream.pause(),
    resume: () => stream.resume(),
    close: () => stream.close(),
  };
}
