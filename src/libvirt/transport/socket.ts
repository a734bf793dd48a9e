/**
 * Sockets: unix (the local daemon), TCP (no encryption, no authentication: for the lab only) and TLS with
 * client certificates. Each `dial…` resolves with a connected transport, or throws and leaves nothing open.
 *
 * Facts: a TLS daemon sends one byte, 0x01, inside the encrypted stream when it accepted the client's
 * certificate, and closes without it otherwise; RPC follows.
 */
import { connect as connectSocket, type Socket } from 'node:net';
import { readFile } from 'node:fs/promises';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { HandoverError, messageOf } from '../../base/errors.ts';
import { withinLimit, type DialLimits } from './limits.ts';
import { streamTransport } from './stream.ts';
import type { Transport } from './transport.ts';

/** Where a TLS client finds its own identity and whom it trusts: paths of PEM files. */
export interface TlsFiles {
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
}

const TLS_ACCEPTED = 0x01;

/** Connects to a unix socket. Throws `HOST_UNREACHABLE`; `detail.errno` says ENOENT, EACCES and so on. */
export async function dialUnix(path: string, limits: DialLimits): Promise<Transport> {
  const socket = connectSocket({ path });
  await opened(socket, 'connect', `the socket ${path}`, limits);
  return socketTransport(`unix:${path}`, socket, limits);
}

/** Connects by TCP. Throws `HOST_UNREACHABLE`. */
export async function dialTcp(host: string, port: number, limits: DialLimits): Promise<Transport> {
  const socket = connectSocket({ host, port, noDelay: true });
  await opened(socket, 'connect', `${host} port ${port}`, limits);
  return socketTransport(`tcp:${host}:${port}`, socket, limits);
}

/**
 * Connects by TLS, both sides with certificates. Throws `HOST_KEY_UNKNOWN` if the host's certificate is not
 * trusted or not for this name, `HOST_REFUSED_CREDENTIALS` if the host refuses ours or ours cannot be read,
 * `HOST_UNREACHABLE` else.
 */
export async function dialTls(
  host: string,
  port: number,
  files: TlsFiles,
  limits: DialLimits,
): Promise<Transport> {
  const [ca, cert, key] = await Promise.all([
    readPem(files.caFile, 'CA certificate'),
    readPem(files.certFile, 'client certificate'),
    readPem(files.keyFile, 'client key'),
  ]);
  const socket = startTls(host, port, { ca, cert, key });
  await opened(socket, 'secureConnect', `${host} port ${port}`, limits);
  socket.setNoDelay(true);
  await acceptedByte(socket, host, limits);
  return socketTransport(`tls:${host}:${port}`, socket, limits);
}

function socketTransport(label: string, socket: Socket, limits: DialLimits): Transport {
  return streamTransport({
    label,
    clock: limits.clock,
    readable: socket,
    writable: socket,
    destroy: () => socket.destroy(),
  });
}

function startTls(
  host: string,
  port: number,
  identity: { ca: Buffer; cert: Buffer; key: Buffer },
): TLSSocket {
  try {
    return connectTls({ host, port, ...identity, minVersion: 'TLSv1.2' });
  } catch (error) {
    // Thrown at once when key and certificate do not belong together or are no PEM.
    throw new HandoverError(
      'HOST_REFUSED_CREDENTIALS',
      `the TLS client certificate for ${host} is unusable`,
      {
        cause: error,
      },
    );
  }
}

async function readPem(path: string, what: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new HandoverError('HOST_REFUSED_CREDENTIALS', `the ${what} ${path} cannot be read`, {
      detail: { path },
      cause: error,
    });
  }
}

/**
 * Waits for the socket's `event`; destroys it if that fails. The socket never lacks an error listener
 * afterwards.
 */
function opened(
  socket: Socket,
  event: 'connect' | 'secureConnect',
  where: string,
  limits: DialLimits,
): Promise<void> {
  const connected = new Promise<void>((resolve, reject) => {
    socket.once(event, resolve);
    socket.on('error', reject);
    socket.once('close', () => reject(new Error('closed during the handshake')));
  });
  return withinLimit(connected, `connecting to ${where}`, limits).catch((error: unknown) => {
    socket.destroy();
    throw dialError(error, where);
  });
}

/** Waits for the byte that says the daemon accepted our certificate; puts back what follows it. */
function acceptedByte(socket: TLSSocket, host: string, limits: DialLimits): Promise<void> {
  const accepted = new Promise<void>((resolve, reject) => {
    const refused = (cause?: unknown) => reject(refusedCertificate(host, cause));
    socket.on('error', refused);
    socket.once('end', refused);
    socket.once('close', refused);
    socket.once('data', (bytes: Buffer) => {
      socket.pause();
      if (bytes.length > 1) socket.unshift(bytes.subarray(1));
      if (bytes[0] === TLS_ACCEPTED) resolve();
      else refused();
    });
  });
  return withinLimit(accepted, `the TLS answer of ${host}`, limits).catch((error: unknown) => {
    socket.destroy();
    throw error;
  });
}

function refusedCertificate(host: string, cause: unknown): HandoverError {
  return new HandoverError(
    'HOST_REFUSED_CREDENTIALS',
    `${host} refused the TLS client certificate: check its CA there and tls_allowed_dn_list in libvirtd.conf`,
    cause instanceof Error ? { cause } : {},
  );
}

/** TLS errors that say whom Node did not trust, by code prefix. */
const UNTRUSTED = /^(CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERR_TLS_CERT_)/;

/** What to do about it, by errno. */
const ADVICE: Record<string, string> = {
  ENOENT: '; start libvirtd there, or correct the path in the URI',
  EACCES: '; run Handover as a user who may open it',
  ECONNREFUSED: '; start libvirtd there, or let it listen',
  EHOSTUNREACH: '; check its address and the network between',
  ENETUNREACH: '; check its address and the network between',
  ENOTFOUND: '; check its name in the URI',
};

function dialError(error: unknown, where: string): HandoverError {
  if (error instanceof HandoverError) return error;
  const code = String((error as NodeJS.ErrnoException).code ?? '');
  if (UNTRUSTED.test(code)) {
    return new HandoverError(
      'HOST_KEY_UNKNOWN',
      `the TLS certificate of ${where} is not trusted: ${messageOf(error)}`,
      {
        detail: { code },
      },
    );
  }
  const advice = ADVICE[code] ?? '';
  return new HandoverError('HOST_UNREACHABLE', `cannot connect to ${where}: ${messageOf(error)}${advice}`, {
    detail: { errno: code },
  });
}
