/**
 * The connections to one host's daemon. Several kinds, because a daemon serves 5 requests a connection and
 * one slow call must not stand before a quick look: `control` (looks and events), `work` (calls that wait for
 * a guest or a driver), `arriving` (questions that may wait for an incoming migration), and one of its own
 * for every outgoing migration.
 *
 * Invariants: a shared connection is opened by the first who needs it and by nobody else at the same time;
 * one that broke is forgotten at once and the next call opens a new one; `close` ends them all, and nothing
 * opens afterwards.
 */
import type { Clock } from '../base/clock.ts';
import { HandoverError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { type ClientOptions, connect, type LibvirtClient } from '../libvirt/index.ts';
import type { HostEndpoint } from './port.ts';

/** How a connection is made; tests and campaigns bring their own transport. */
export type Connect = (uri: string, options: ClientOptions) => Promise<LibvirtClient>;

/** What connections are made with. */
export interface ConnectionDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly uri: string;
  /** Default: libvirt's own transports by URI. */
  readonly connect?: Connect;
}

/** A daemon that is up answers in a second; ssh under load in three. */
const OPEN_LIMIT_MS = 20_000;

type Shared = 'control' | 'work' | 'arriving';

/** All connections to one daemon. */
export class HostConnections {
  readonly #deps: ConnectionDeps;
  readonly #endpoint: HostEndpoint;
  readonly #own = new Set<LibvirtClient>();
  readonly #shared = new Map<Shared, Promise<LibvirtClient>>();
  readonly #closing = new AbortController();
  #spare: LibvirtClient | null = null;

  constructor(deps: ConnectionDeps, endpoint: HostEndpoint) {
    this.#deps = deps;
    this.#endpoint = endpoint;
  }

  /** Aborts when the host is forgotten. */
  get closed(): AbortSignal {
    return this.#closing.signal;
  }

  /** The connection for looks and events. Throws what `connect` throws. */
  control(): Promise<LibvirtClient> {
    return this.#share('control');
  }

  /** The connection for calls that may take seconds. */
  work(): Promise<LibvirtClient> {
    return this.#share('work');
  }

  /** The connection for descriptions of domains that may be arriving. */
  arriving(): Promise<LibvirtClient> {
    return this.#share('arriving');
  }

  /**
   * Opens the connection of the next `withOwn` ahead of time; it waits for whoever comes first. Throws what
   * `connect` throws.
   */
  async prepareOwn(): Promise<void> {
    if (this.#spare?.isOpen) return;
    const client = await this.#open();
    // Two migrations may prepare at once: one spare is kept.
    if (this.#spare?.isOpen) await client.close();
    else this.#spare = client;
  }

  /** Runs `use` on a connection nobody else uses and closes it, whatever happens. */
  async withOwn<T>(use: (client: LibvirtClient) => Promise<T>): Promise<T> {
    const spare = this.#spare;
    this.#spare = null;
    const client = spare?.isOpen ? spare : await this.#open();
    this.#own.add(client);
    try {
      return await use(client);
    } finally {
      this.#own.delete(client);
      await client.close();
    }
  }

  /** Ends every connection; calls in flight fail. */
  async close(): Promise<void> {
    this.#closing.abort(this.#forgotten());
    const shared = await Promise.allSettled(this.#shared.values());
    const clients = [
      ...this.#own,
      ...(this.#spare ? [this.#spare] : []),
      ...shared.flatMap((each) => (each.status === 'fulfilled' ? each.value : [])),
    ];
    this.#shared.clear();
    await Promise.all(clients.map((client) => client.close()));
  }

  async #share(kind: Shared): Promise<LibvirtClient> {
    const known = this.#shared.get(kind);
    if (known) {
      const client = await known;
      if (client.isOpen) return client;
      // It broke since. Whoever sees that first replaces it; the others find the replacement.
      if (this.#shared.get(kind) === known) this.#shared.delete(kind);
      return this.#share(kind);
    }
    const opening = this.#open();
    this.#shared.set(kind, opening);
    const forget = () => {
      if (this.#shared.get(kind) === opening) this.#shared.delete(kind);
    };
    try {
      const client = await opening;
      client.onClose(forget);
      return client;
    } catch (error) {
      forget();
      throw error;
    }
  }

  async #open(): Promise<LibvirtClient> {
    if (this.closed.aborted) throw this.#forgotten();
    const client = await (this.#deps.connect ?? connect)(this.#deps.uri, {
      clock: this.#deps.clock,
      log: this.#deps.log,
      signal: this.closed,
      openTimeoutMs: OPEN_LIMIT_MS,
    });
    if (!this.closed.aborted) return client;
    await client.close();
    throw this.#forgotten();
  }

  #forgotten(): HandoverError {
    return new HandoverError('HOST_UNREACHABLE', `the host ${this.#endpoint.name} is no longer connected`);
  }
}
