/** From a connection URI to a transport: the one place that knows all kinds. */
import { HandoverError } from '../../base/errors.ts';
import type { HostUri } from '../uri.ts';
import type { DialLimits } from './limits.ts';
import { dialTcp, dialTls, dialUnix } from './socket.ts';
import { DAEMON_SOCKETS, dialSsh } from './ssh.ts';
import type { Transport } from './transport.ts';

/** Connects. Throws what the transports throw; nothing stays open then. */
export async function dial(uri: HostUri, limits: DialLimits): Promise<Transport> {
  const { endpoint } = uri;
  switch (endpoint.transport) {
    case 'unix':
      return endpoint.socket === null ? dialLocal(limits) : dialUnix(endpoint.socket, limits);
    case 'ssh':
      return dialSsh(endpoint, uri.driverUri, limits.clock);
    case 'tls':
      return dialTls(endpoint.host, endpoint.port, endpoint.files, limits);
    case 'tcp':
      return dialTcp(endpoint.host, endpoint.port, limits);
  }
}

/** The monolithic daemon's socket, else the modular one's; the first socket that exists decides. */
async function dialLocal(limits: DialLimits): Promise<Transport> {
  for (const path of DAEMON_SOCKETS) {
    try {
      return await dialUnix(path, limits);
    } catch (error) {
      if (!(error instanceof HandoverError) || error.detail['errno'] !== 'ENOENT') throw error;
    }
  }
  throw new HandoverError(
    'HOST_UNREACHABLE',
    `no libvirt daemon runs here: neither ${DAEMON_SOCKETS.join(' nor ')} exists`,
  );
}
