/**
 * Where the API will listen, tried before anything else is started: a port in use is the commonest reason why
 * an engine does not start, and is said at once and plainly. Callers: the composition root, the demo.
 */
import { createServer, isIPv4 } from 'node:net';
import { HandoverError, messageOf } from '../base/errors.ts';

/**
 * Listens at `host` and `port` and stops again. Throws `IN_USE` if another program has the port and
 * `INVALID_INPUT` if nobody may listen there.
 */
export async function checkListenAddress(host: string, port: number): Promise<void> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(cannotListen(host, port, error)));
    server.listen(port, host, () => server.close(() => resolve()));
  });
}

/** Whether only this machine reaches an address or a name. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));
}

function cannotListen(host: string, port: number, cause: NodeJS.ErrnoException): HandoverError {
  if (cause.code === 'EADDRINUSE') {
    return new HandoverError(
      'IN_USE',
      `port ${port} of ${host} is in use by another program; choose another with --port, or --port 0 for ` +
        `a free one`,
    );
  }
  return new HandoverError(
    'INVALID_INPUT',
    `the API can not listen on port ${port} of ${host} (${cause.code ?? messageOf(cause)}); choose others ` +
      `with --listen and --port`,
  );
}
