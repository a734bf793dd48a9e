/**
 * Loopback addresses 127.0.1.N for daemons of tests, one daemon each, also among test runs at the same time.
 * The claim is a listening socket, so it ends with the process that holds it and cannot be left behind.
 */
import { createServer, type Server } from 'node:net';

/** No daemon uses it. */
const CLAIM_PORT = 16_508;
/** libvirtd's TCP port: in use already if somebody who claims nothing has a daemon there. */
const DAEMON_PORT = 16_509;
const FIRST = 10;
const LAST = 250;

/** A claimed address. */
export interface LoopbackAddress {
  /** The N of 127.0.1.N. */
  readonly number: number;
  readonly ip: string;
  /** Gives it back. May be called again. */
  release(): void;
}

/** Claims a free address. */
export async function claimAddress(): Promise<LoopbackAddress> {
  for (let number = FIRST; number <= LAST; number++) {
    const ip = `127.0.1.${number}`;
    const claim = await listen(ip, CLAIM_PORT);
    if (!claim) continue;
    const free = await listen(ip, DAEMON_PORT);
    if (free) {
      await new Promise<void>((resolve) => {
        free.close(() => resolve());
      });
      return { number, ip, release: () => claim.close() };
    }
    claim.close();
  }
  throw new Error(`every address from 127.0.1.${FIRST} to 127.0.1.${LAST} is in use`);
}

function listen(ip: string, port: number): Promise<Server | null> {
  const server = createServer();
  server.unref();
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(null);
      else reject(error);
    });
    server.listen({ host: ip, port, exclusive: true }, () => resolve(server));
  });
}
