/**
 * Sockets a simulated host is reached at. Whoever listens closes; closing ends the streams accepted before.
 */
import { rm } from 'node:fs/promises';
import { type AddressInfo, createConnection, createServer, type Socket } from 'node:net';
import { HandoverError } from '../base/errors.ts';

/** Where to listen: a unix socket, or a TCP port of this machine alone (0 = a free one). */
export type ListenAddress = { readonly path: string } | { readonly port: number };

/** The only address: simulated hosts ask nobody who they are. */
const LOOPBACK = '127.0.0.1';

/** A socket that listens. */
export interface Listening {
  /** The TCP port; 0 for a unix socket. */
  readonly port: number;
  /** Stops listening and ends what was accepted. */
  close(): Promise<void>;
}

/**
 * Listens; a unix socket that nobody serves any more is replaced. Rejects with Node's error if the address
 * cannot be had, with `IN_USE` if somebody serves it.
 */
export async function listen(address: ListenAddress, accept: (socket: Socket) => void): Promise<Listening> {
  const open = new Set<Socket>();
  // Who says no more may still wait for answers; whoever accepts ends.
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
    accept(socket);
  });
  if ('path' in address) {
    if (await isServed(address.path)) throw new HandoverError('IN_USE', `${address.path} is served already`);
    await rm(address.path, { force: true });
  }
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen('path' in address ? address : { host: LOOPBACK, port: address.port }, resolve);
  });
  const at = server.address() as AddressInfo | string;
  return {
    port: typeof at === 'string' ? 0 : at.port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of open) socket.destroy();
      }),
  };
}

function isServed(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ path });
    const tell = (answer: boolean) => () => {
      socket.destroy();
      resolve(answer);
    };
    socket.on('connect', tell(true)).on('error', tell(false));
  });
}
