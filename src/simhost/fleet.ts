/**
 * A fleet of simulated hosts in one process: the door to this folder. Serves each host's libvirtd on a unix
 * socket or on an in-process stream, answers the host channel's commands, and gives tests a hand on
 * everything that can go wrong.
 *
 * Who creates a fleet closes it; nothing of it lives on afterwards.
 */
import { unlink } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { Clock } from '../base/clock.ts';
import { HandoverError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { Random } from '../base/random.ts';
import { openChannel, type SimHostShell } from './channel.ts';
import { SimFabric } from './fabric.ts';
import { FaultTable } from './faults.ts';
import { SimHost } from './host.ts';
import { PROMPT_UNPLUG, type SimDomainSpec, type SimFleetSpec, type SimGuestSpec } from './inventory.ts';
import { defineDomain, powerOn, startQemu } from './lifecycle.ts';
import { Connection } from './server/connection.ts';
import { type ByteStream, noDaemon, socketStream, streamPair } from './stream.ts';
import { parseXml, textOf } from './xml.ts';

/** What a fleet is made of; `random` decides everything random in it. */
export interface SimFleetOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly inventory: SimFleetSpec;
}

/** A socket that is served. */
export interface SimServer {
  readonly path: string;
  /** Stops listening and ends the connections made through it. */
  close(): Promise<void>;
}

/** Simulated hosts, running. */
export interface SimFleet {
  /** Hosts by name; everything of the model can be read and changed through them. */
  readonly hosts: ReadonlyMap<string, SimHost>;
  readonly faults: FaultTable;
  /** The host of that name. Throws `NOT_FOUND`. */
  host(name: string): SimHost;
  /** Serves a host's libvirtd on a unix socket; a stale socket file is replaced. */
  serve(hostName: string, unixSocketPath: string): Promise<SimServer>;
  /**
   * One end of a new in-process connection to a host's libvirtd. Throws `HOST_UNREACHABLE` while that is
   * down.
   */
  connect(hostName: string): ByteStream;
  /**
   * The host channel: answers the fixed commands the engine runs on a host; null for a host that is not
   * simulated.
   */
  shell(hostName: string): SimHostShell | null;
  /** Cuts or mends the network between two hosts. */
  setLink(one: string, other: string, up: boolean): void;
  close(): Promise<void>;
}

/** How a guest behaves that nobody described. */
const ORDINARY_GUEST: SimGuestSpec = {
  unplug: PROMPT_UNPLUG,
  agent: true,
  memoryUsedMiB: 1200,
  dirtyMiBps: 40,
  address: null,
};

/** Builds the fleet in its first state. Throws what libvirt would refuse of the inventory. */
export function createSimFleet(options: SimFleetOptions): SimFleet {
  const { clock, random, log, inventory } = options;
  const faults = new FaultTable(random);
  const fabric = new SimFabric(faults);
  const guests = new Map<string, SimGuestSpec>();
  const context = { clock, random, log, guestSpec: (uuid: string) => guests.get(uuid) ?? ORDINARY_GUEST };
  const connections = new Map<string, Set<Connection>>();
  for (const spec of inventory.hosts) {
    const host = new SimHost(spec, context);
    fabric.hosts.set(spec.name, host);
    connections.set(spec.name, new Set());
    host.onDaemonEnd(() => closeAll(connections.get(spec.name)));
  }
  const find = (name: string): SimHost => {
    const host = fabric.hosts.get(name);
    if (!host) throw new HandoverError('NOT_FOUND', `no simulated host is called ${name}`);
    return host;
  };
  for (const domain of inventory.domains) place(find(domain.host), domain, guests);

  const accept = (host: SimHost, stream: ByteStream): Connection => {
    const open = connections.get(host.name);
    const connection = new Connection(fabric, host, stream);
    open?.add(connection);
    connection.onEnd(() => open?.delete(connection));
    return connection;
  };
  const servers = new Set<SimServer>();

  return {
    hosts: fabric.hosts,
    faults,
    host: find,
    connect(hostName) {
      const host = find(hostName);
      if (!host.daemonUp) throw noDaemon(hostName);
      const [client, daemon] = streamPair(`sim:${hostName}`);
      accept(host, daemon);
      return client;
    },
    async serve(hostName, path) {
      const host = find(hostName);
      const server = await listen(host, path, (stream) => accept(host, stream));
      fabric.sockets.set(path, host);
      const served: SimServer = {
        path,
        async close() {
          servers.delete(served);
          fabric.sockets.delete(path);
          await server.close();
        },
      };
      servers.add(served);
      return served;
    },
    shell(hostName) {
      const host = fabric.hosts.get(hostName);
      return host ? openChannel(fabric, host) : null;
    },
    setLink: (one, other, up) => fabric.setLink(find(one).name, find(other).name, up),
    async close() {
      await Promise.all([...servers].map((server) => server.close()));
      for (const host of fabric.hosts.values()) host.killDaemon();
      for (const host of fabric.hosts.values()) {
        for (const domain of host.domains.values()) domain.guest?.powerOff();
      }
    },
  };
}

function closeAll(open: Set<Connection> | undefined): void {
  for (const connection of [...(open ?? [])]) connection.close();
}

/** Defines a domain of the inventory, running from the start if it says so. */
function place(host: SimHost, spec: SimDomainSpec, guests: Map<string, SimGuestSpec>): void {
  const uuid = textOf(parseXml(spec.xml), 'uuid')?.toLowerCase();
  if (uuid === undefined) throw new HandoverError('INVALID_INPUT', 'a domain of an inventory needs a UUID');
  guests.set(uuid, spec.guest);
  const domain = defineDomain(host, spec.xml);
  domain.autostart = spec.autostart;
  if (!spec.running) return;
  startQemu(host, domain, domain.current);
  powerOn(host, domain, false);
  domain.guest?.wasUp();
}

/** Listens on a unix socket. Connections while the host's libvirtd is down are closed at once. */
async function listen(
  host: SimHost,
  path: string,
  accept: (stream: ByteStream) => Connection,
): Promise<{ close(): Promise<void> }> {
  const open = new Set<Connection>();
  const server = createServer((socket) => {
    if (!host.daemonUp) {
      socket.destroy();
      return;
    }
    const connection = accept(socketStream(`sim:${host.name}`, socket));
    open.add(connection);
    connection.onEnd(() => open.delete(connection));
  });
  await unlink(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        closeAll(open);
      }),
  };
}
