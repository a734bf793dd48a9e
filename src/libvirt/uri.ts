/**
 * Connection URIs, libvirt's notation cut to what Handover supports: how to reach a daemon and which driver
 * to open there.
 *
 *   qemu:///system                              the local daemon
 *   qemu+unix:///system?socket=PATH             the local daemon, another socket
 *   qemu+ssh://USER@HOST:PORT/system?keyfile=PATH&known_hosts=PATH&ssh_config=PATH&socket=PATH
 *   qemu+tls://HOST:PORT/system?pkipath=DIR     DIR holds cacert.pem, clientcert.pem, clientkey.pem
 *   qemu+tcp://HOST:PORT/system                 neither encrypted nor authenticated: for the lab
 *
 * Invariants: nothing that reaches ssh's command line from here can be taken for an option or a shell word.
 */
import { HandoverError } from '../base/errors.ts';
import type { TlsFiles } from './transport/socket.ts';

/** How a daemon is reached. */
export type Endpoint =
  /** `socket` null: the usual places. */
  | { readonly transport: 'unix'; readonly socket: string | null }
  | {
      readonly transport: 'ssh';
      readonly host: string;
      readonly user: string | null;
      readonly port: number | null;
      readonly keyFile: string | null;
      readonly knownHostsFile: string | null;
      readonly configFile: string | null;
      readonly socket: string | null;
    }
  | { readonly transport: 'tls'; readonly host: string; readonly port: number; readonly files: TlsFiles }
  | { readonly transport: 'tcp'; readonly host: string; readonly port: number };

/** A parsed connection URI. */
export interface HostUri {
  /** As given, for messages. */
  readonly text: string;
  /** What the daemon is asked to open: `qemu:///system`. */
  readonly driverUri: string;
  readonly endpoint: Endpoint;
}

const TCP_PORT = 16509;
const TLS_PORT = 16514;

/** `qemu` is the product; `test` is libvirt's own mock driver, for tests. */
const DRIVERS = ['qemu', 'test'];

const PARAMS: Readonly<Record<Endpoint['transport'], readonly string[]>> = {
  unix: ['socket'],
  ssh: ['keyfile', 'known_hosts', 'ssh_config', 'socket'],
  tls: ['pkipath'],
  tcp: [],
};

/** Parses a connection URI. Throws `HOST_URI_INVALID` that says which part is wrong and what is possible. */
export function parseHostUri(text: string): HostUri {
  const url = parseUrl(text);
  const [driver = '', transportName] = url.protocol.slice(0, -1).split('+');
  if (!DRIVERS.includes(driver)) throw invalid(text, `the driver must be qemu, not "${driver}"`);
  const transport = transportName ?? (url.hostname === '' ? 'unix' : 'tls');
  if (!isTransport(transport)) {
    throw invalid(text, `the transport must be one of ${Object.keys(PARAMS).join(', ')}, not "${transport}"`);
  }
  if (driver === 'qemu' && url.pathname !== '/system') throw invalid(text, 'the path must be /system');
  if (url.password !== '') throw invalid(text, 'a password cannot be given: use keys or certificates');
  if (url.hash !== '') throw invalid(text, 'it must not contain "#"');
  const params = readParams(text, url, PARAMS[transport]);
  return {
    text,
    driverUri: `${driver}://${url.pathname}`,
    endpoint: endpointOf(text, transport, url, params),
  };
}

function parseUrl(text: string): URL {
  try {
    return new URL(text);
  } catch {
    throw invalid(text, 'it is no URI');
  }
}

function isTransport(name: string): name is Endpoint['transport'] {
  return Object.hasOwn(PARAMS, name);
}

function readParams(text: string, url: URL, allowed: readonly string[]): Map<string, string> {
  const params = new Map<string, string>();
  for (const [name, value] of url.searchParams) {
    if (!allowed.includes(name)) {
      const possible = allowed.length > 0 ? `possible here: ${allowed.join(', ')}` : 'none is possible here';
      throw invalid(text, `the parameter "${name}" is unknown (${possible})`);
    }
    if (params.has(name)) throw invalid(text, `the parameter "${name}" is given twice`);
    // ssh expands "%" and takes quotes for itself in its options.
    if (!/^\/[^\0\n"%]*$/.test(value)) {
      throw invalid(text, `the parameter "${name}" must be an absolute path without quotes and "%"`);
    }
    params.set(name, value);
  }
  return params;
}

function endpointOf(
  text: string,
  transport: Endpoint['transport'],
  url: URL,
  params: Map<string, string>,
): Endpoint {
  if (transport === 'unix') {
    if (url.hostname !== '' || url.username !== '')
      throw invalid(text, 'a unix socket has no host and no user');
    return { transport, socket: params.get('socket') ?? null };
  }
  const host = hostName(text, url);
  if (transport === 'ssh') {
    return {
      transport,
      host,
      user: userName(text, url),
      port: url.port === '' ? null : Number(url.port),
      keyFile: params.get('keyfile') ?? null,
      knownHostsFile: params.get('known_hosts') ?? null,
      configFile: params.get('ssh_config') ?? null,
      socket: params.get('socket') ?? null,
    };
  }
  if (url.username !== '') throw invalid(text, `a user has no meaning with ${transport}`);
  if (transport === 'tcp') return { transport, host, port: url.port === '' ? TCP_PORT : Number(url.port) };
  return {
    transport,
    host,
    port: url.port === '' ? TLS_PORT : Number(url.port),
    files: tlsFiles(params.get('pkipath') ?? null),
  };
}

/** Host names, IPv4 and IPv6 addresses; nothing that begins with "-" or that a shell would look at. */
function hostName(text: string, url: URL): string {
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  if (host === '') throw invalid(text, 'the host is missing');
  if (!/^[A-Za-z0-9_:][A-Za-z0-9_.:-]*$/.test(host)) throw invalid(text, `"${host}" is no host name`);
  return host;
}

function userName(text: string, url: URL): string | null {
  if (url.username === '') return null;
  const user = decodeURIComponent(url.username);
  if (!/^[A-Za-z_][A-Za-z0-9_.@\\-]*$/.test(user)) throw invalid(text, `"${user}" is no user name`);
  return user;
}

function tlsFiles(directory: string | null): TlsFiles {
  if (directory !== null) {
    return {
      caFile: `${directory}/cacert.pem`,
      certFile: `${directory}/clientcert.pem`,
      keyFile: `${directory}/clientkey.pem`,
    };
  }
  return {
    caFile: '/etc/pki/CA/cacert.pem',
    certFile: '/etc/pki/libvirt/clientcert.pem',
    keyFile: '/etc/pki/libvirt/private/clientkey.pem',
  };
}

function invalid(text: string, why: string): HandoverError {
  return new HandoverError(
    'HOST_URI_INVALID',
    `"${text}" is no usable connection URI: ${why}. Example: qemu+ssh://root@host/system`,
    { detail: { uri: text } },
  );
}
