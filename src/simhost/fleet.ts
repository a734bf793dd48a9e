/**
 * A fleet of simulated hosts in one process: the door to this folder. Serves each host's libvirtd on
 * sockets or on an in-process stream, answers the host channel's commands, and gives tests a hand on
 * everything that can go wrong.
 *
 * Who creates a fleet closes it; nothing of it lives on afterwards.
 */
import type { Clock } from '../base/clock.ts';
import { HandoverError, messageOf } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { Random } from '../base/random.ts';
import { atMoment, performAct, type SimAct, strike } from './acts.ts';
import { openChannel, type SimHostShell } from './channel.ts';
import { SimFabric } from './fabric.ts';
import { faultyStream } from './faulty-stream.ts';
import { FaultTable } from './faults.ts';
import { type SimContext, SimHost } from './host.ts';
import { ORDINARY_GUEST, type SimDomainSpec, type SimFleetSpec, type SimGuestSpec } from './inventory.ts';
import { type ListenAddress, listen } from './listening.ts';
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
  /** What a client on this machine opens. */
  readonly uri: string;
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
  /**
   * Serves a host's libvirtd on a socket. Connections while that is down are closed at once. Other hosts of
   * the fleet reach it by the same URI.
   */
  serve(hostName: string, at: ListenAddress): Promise<SimServer>;
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
  /** Does something beside the clients' calls. Throws as `performAct`. */
  act(act: SimAct): Promise<void>;
  /** Cuts or mends the network between two hosts. */
  setLink(one: string, other: string, up: boolean): void;
  close(): Promise<void>;
}

/**
 * Builds the fleet in its first state. Throws `INVALID_INPUT` for a domain that libvirt would refuse, with
 * what it would say.
 */
export function createSimFleet(options: SimFleetOptions): SimFleet {
  const { clock, random, log, inventory } = options;
  const faults = new FaultTable(random);
  const fabric = new SimFabric(faults);
  const guests = new Map<string, SimGuestSpec>();
  const context: SimContext = {
    ...{ clock, random, log },
    guestSpec: (uuid) => guests.get(uuid) ?? ORDINARY_GUEST,
    moment: (host, moment) => atMoment(fabric, host, moment),
    strike: (host, rule) => strike(fabric, host, rule),
  };
  for (const spec of inventory.hosts) fabric.hosts.set(spec.name, new SimHost(spec, context));
  const find = (name: string): SimHost => {
    const host = fabric.hosts.get(name);
    if (!host) throw new HandoverError('NOT_FOUND', `no simulated host is called ${name}`);
    return host;
  };
  for (const domain of inventory.domains) place(find(domain.host), domain, guests);

  const accept = (host: SimHost, stream: ByteStream): void => {
    const spoiled = faultyStream(stream, clock, (direction) => faults.ofBytes(direction, host.name));
    new Connection(fabric, host, spoiled);
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
    async serve(hostName, at) {
      const host = find(hostName);
      const listening = await listen(at, (socket) => {
        if (host.daemonUp) accept(host, socketStream(`sim:${hostName}`, socket));
        else socket.destroy();
      });
      const key = 'path' in at ? at.path : listening.port;
      fabric.served.set(key, host);
      const served: SimServer = {
        uri: uriOf(key),
        async close() {
          servers.delete(served);
          fabric.served.delete(key);
          await listening.close();
        },
      };
      servers.add(served);
      return served;
    },
    shell(hostName) {
      const host = fabric.hosts.get(hostName);
      return host ? openChannel(fabric, host) : null;
    },
    act: (act) => performAct(fabric, act),
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

/** What a client on this machine opens: of a unix socket's path or a TCP port. */
function uriOf(served: string | number): string {
  if (typeof served === 'number') return `qemu+tcp://127.0.0.1:${served}/system`;
  return `qemu+unix:///system?socket=${encodeURIComponent(served).replaceAll('%2F', '/')}`;
}

/** Defines a domain of the inventory, running from the start if it says so. */
function place(host: SimHost, spec: SimDomainSpec, guests: Map<string, SimGuestSpec>): void {
  try {
    const uuid = textOf(parseXml(spec.xml), 'uuid')?.toLowerCase();
    if (uuid === undefined) throw new HandoverError('INVALID_INPUT', 'it needs a UUID');
    guests.set(uuid, spec.guest);
    const domain = defineDomain(host, spec.xml);
    domain.autostart = spec.autostart;
    if (!spec.running) return;
    startQemu(host, domain, domain.current);
    powerOn(host, domain, false);
    domain.guest?.wasUp();
  } catch (error) {
    const which = `a domain on ${host.name}: ${spec.xml.replaceAll(/\s+/g, ' ').slice(0, 80)}...`;
    throw new HandoverError('INVALID_INPUT', `the inventory has ${which}: ${messageOf(error)}`);
  }
}
