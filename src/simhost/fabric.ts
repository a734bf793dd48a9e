/**
 * How simulated hosts find each other: names and sockets of their daemons, ports where a QEMU waits for a
 * guest, links that may be cut. What a daemon dials in a peer-to-peer migration is resolved here.
 */
import type { FaultTable } from './faults.ts';
import type { SimHost } from './host.ts';
import type { Incoming } from './migration-target.ts';
import { refuse } from './refusal.ts';

const FIRST_PORT = 49152;
const PORT_COUNT = 64;
const LOOPBACK = /^127\.|^\[::1\]$/;

/** The network of one fleet. */
export class SimFabric {
  readonly hosts = new Map<string, SimHost>();
  readonly faults: FaultTable;
  /** Path of a unix socket or TCP port of this machine -> host served there. */
  readonly served = new Map<string | number, SimHost>();
  readonly #incoming = new Map<string, Incoming>();
  readonly #cut = new Set<string>();

  constructor(faults: FaultTable) {
    this.faults = faults;
  }

  /** The host a libvirt URI leads to; undefined if nobody has that name. */
  resolve(uri: string): SimHost | undefined {
    const match =
      /^qemu\+?(ssh|tls|tcp|unix)?:\/\/(?:[^@/]*@)?(\[[^\]]+\]|[^:/?]*)(?::(\d+))?\/system(?:\?(.*))?$/.exec(
        uri,
      );
    if (!match) return undefined;
    const [, , name = '', port = '', query = ''] = match;
    const socket = new URLSearchParams(query).get('socket');
    if (name === '' && socket !== null) return this.served.get(socket);
    return LOOPBACK.test(name) ? this.served.get(Number(port)) : this.byAddress(name);
  }

  /** The host of that name or address. */
  byAddress(name: string): SimHost | undefined {
    const all = [...this.hosts.values()];
    return all.find((host) => host.name === name || host.spec.addresses.includes(name));
  }

  /** The daemon another one dials. Refuses as libvirt does if nobody answers. */
  dial(from: SimHost, uri: string): SimHost {
    if (/\/\/localhost/.test(uri)) {
      throw refuse(
        'invalid_argument',
        `dconnuri in virDomainMigrateToURI3 Attempt to migrate guest to the same host ${uri}`,
      );
    }
    const failed = (why: string) =>
      refuse(
        'operation_failed',
        `Failed to connect to remote libvirt URI ${uri}: unable to connect to server: ${why}`,
      );
    const host = this.resolve(uri);
    if (!host) throw failed('Name or service not known');
    if (this.linkCut(from, host)) throw failed('No route to host');
    if (!host.daemonUp) throw failed('Connection refused');
    return host;
  }

  /** Cuts or mends the network between two hosts. */
  setLink(one: string, other: string, up: boolean): void {
    const key = linkKey(one, other);
    if (up) this.#cut.delete(key);
    else this.#cut.add(key);
    if (up) return;
    for (const incoming of [...this.#incoming.values()]) {
      const pair = incoming.sourceHost && linkKey(incoming.sourceHost, incoming.host.name);
      if (pair === key) incoming.sourceSilent(() => this.#cut.has(key));
    }
  }

  linkCut(one: SimHost, other: SimHost): boolean {
    return this.#cut.has(linkKey(one.name, other.name));
  }

  // ---- ports of waiting QEMUs ----

  /** A free migration port of a host, now used by `incoming`. */
  listen(incoming: Incoming): number {
    for (let port = FIRST_PORT; port < FIRST_PORT + PORT_COUNT; port++) {
      const key = `${incoming.host.name}:${port}`;
      if (this.#incoming.has(key)) continue;
      this.#incoming.set(key, incoming);
      return port;
    }
    throw refuse('internal', "Unable to find an unused port in range 'migration' (49152-49215)");
  }

  unlisten(incoming: Incoming): void {
    for (const [key, each] of this.#incoming) if (each === incoming) this.#incoming.delete(key);
  }

  /** The QEMU that waits at `tcp:host:port`. */
  incomingAt(from: SimHost, uri: string): Incoming {
    const match = /^tcp:(?:\/\/)?(.+):(\d+)$/.exec(uri);
    const host = match ? this.byAddress(match[1] ?? '') : undefined;
    const incoming = host && this.#incoming.get(`${host.name}:${match?.[2] ?? ''}`);
    if (!host || !incoming || this.linkCut(from, host)) {
      throw refuse('system', `unable to connect to server at '${uri}': Connection refused`);
    }
    return incoming;
  }

  /** What a domain is becoming on a host, while it arrives. */
  incomingOf(host: SimHost, name: string): Incoming | undefined {
    return [...this.#incoming.values()].find((each) => each.host === host && each.domain.name === name);
  }
}

const linkKey = (one: string, other: string): string => [one, other].sort().join(' ');
