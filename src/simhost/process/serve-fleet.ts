/**
 * A fleet on sockets in one directory: for each host `NAME.sock` (libvirt) and `NAME.channel.sock` (its
 * shell), a TCP port if wanted, and `control.sock` for the model. Whoever serves a fleet closes it before the
 * fleet itself.
 */
import { join } from 'node:path';
import { present } from '../../base/assert.ts';
import { HandoverError } from '../../base/errors.ts';
import type { SimFleet, SimServer } from '../fleet.ts';
import type { Listening } from '../listening.ts';
import { channelPathOf } from './channel-client.ts';
import { serveChannel } from './channel-server.ts';
import { serveControl } from './control-server.ts';

/** How a host is reached; part of the readiness line, so a public format. */
export interface ServedHost {
  readonly name: string;
  /** `qemu+unix:///system?socket=PATH`. */
  readonly uri: string;
  /** `qemu+tcp://127.0.0.1:PORT/system`; null without TCP. */
  readonly tcpUri: string | null;
  /** What another simulated host dials to migrate to this one. */
  readonly peerUri: string;
  /** Path of the host channel. */
  readonly channel: string;
}

/** Sockets of a fleet. */
export interface ServedFleet {
  readonly hosts: readonly ServedHost[];
  /** Path of the control socket. */
  readonly control: string;
  readonly close: () => Promise<void>;
}

/** sockaddr_un(7): longest path of a unix socket. */
const SOCKET_PATH_BYTES_MAX = 107;

/**
 * Serves all hosts. `tcpPort`: the first host's port, the others follow; 0 = free ones; null = no TCP. Throws
 * `INVALID_INPUT` for a directory with too long a name or a port that is taken; nothing listens then.
 */
export async function serveFleet(
  fleet: SimFleet,
  directory: string,
  tcpPort: number | null,
): Promise<ServedFleet> {
  const open: (SimServer | Listening)[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(open.map((each) => each.close()));
  };
  const hosts: ServedHost[] = [];
  const control = join(directory, 'control.sock');
  try {
    open.push(await serveControl(fleet, control));
    for (const host of fleet.hosts.values()) {
      const { name } = host;
      const path = join(directory, `${name}.sock`);
      const channel = channelPathOf(path);
      checkLength(channel);
      const unix = await fleet.serve(name, { path });
      open.push(unix);
      open.push(await serveChannel(host, channel, () => present(fleet.shell(name), `shell of ${name}`)));
      const port = tcpPort === null || tcpPort === 0 ? tcpPort : tcpPort + hosts.length;
      const tcp = port === null ? null : await serveTcp(fleet, name, port);
      if (tcp) open.push(tcp);
      const peerUri = `qemu+ssh://root@${name}/system`;
      hosts.push({ name, uri: unix.uri, tcpUri: tcp?.uri ?? null, peerUri, channel });
    }
    return { hosts, control, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function serveTcp(fleet: SimFleet, host: string, port: number): Promise<SimServer> {
  try {
    return await fleet.serve(host, { port });
  } catch (error) {
    throw new HandoverError(
      'INVALID_INPUT',
      `${host} cannot be served on TCP port ${port}: ${(error as Error).message}; choose another --tcp`,
    );
  }
}

/** Throws `INVALID_INPUT` if the kernel cannot have a socket of that name. */
export function checkLength(path: string): void {
  if (Buffer.byteLength(path) <= SOCKET_PATH_BYTES_MAX) return;
  throw new HandoverError(
    'INVALID_INPUT',
    `${path} is too long for a unix socket (${SOCKET_PATH_BYTES_MAX} bytes): use a shorter directory name`,
  );
}
