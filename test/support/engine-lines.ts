/**
 * How an engine of a `MigrationWorld` reaches the simulated hosts: the real client over in-process streams.
 */
import type { Clock } from '../../src/base/clock.ts';
import { HandoverError } from '../../src/base/errors.ts';
import type { Log } from '../../src/base/log.ts';
import { createHypervisors } from '../../src/hypervisor/libvirt-hypervisor.ts';
import type { Hypervisors } from '../../src/hypervisor/port.ts';
import { type ClientOptions, type LibvirtClient, openClient } from '../../src/libvirt/index.ts';
import type { SimFleet } from '../../src/simhost/fleet.ts';

/** What the engine reaches hosts over; can be cut without the hosts noticing. */
export class EngineLines {
  readonly #fleet: SimFleet;
  readonly #open = new Map<string, Set<LibvirtClient>>();
  readonly #cut = new Set<string>();
  /** Connections opened so far. */
  dialled = 0;

  constructor(fleet: SimFleet) {
    this.#fleet = fleet;
  }

  async connect(host: string, options: ClientOptions): Promise<LibvirtClient> {
    if (this.#cut.has(host)) throw new HandoverError('HOST_UNREACHABLE', `no route to ${host}`);
    this.dialled += 1;
    const client = await openClient(this.#fleet.connect(host), 'qemu:///system', { ...options, label: host });
    const open = this.#open.get(host) ?? new Set();
    this.#open.set(host, open.add(client));
    client.onClose(() => open.delete(client));
    return client;
  }

  /** The engine loses a host; the returned function gives it back. */
  async cut(host: string): Promise<() => void> {
    this.#cut.add(host);
    await Promise.all([...(this.#open.get(host) ?? [])].map((client) => client.close()));
    return () => this.#cut.delete(host);
  }
}

/** The hosts of a fleet over these lines. */
export function openHypervisors(fleet: SimFleet, lines: EngineLines, clock: Clock, log: Log): Hypervisors {
  return createHypervisors({
    clock,
    log,
    connect: (uri, clientOptions) => lines.connect(new URL(uri).hostname, clientOptions),
    openShell: ({ name }) => fleet.shell(name),
  });
}
