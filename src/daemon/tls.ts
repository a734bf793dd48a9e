/**
 * What the API speaks: HTTP in the clear where nobody else can listen, TLS everywhere else, with the
 * certificate it was given or one of its own. Called by the composition root.
 */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname, networkInterfaces } from 'node:os';
import { join } from 'node:path';
import type { ServerTls } from '../api/create-api.ts';
import { HandoverError, messageOf } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { Config } from './config.ts';
import { isLoopback } from './listen-address.ts';
import { certificatesOf, ownCertificates } from './own-certificates.ts';

const DAY_MS = 24 * 60 * 60_000;
const DAYS_LEFT_MIN = 30;

/** What the server needs, and what whoever starts it should know. */
export interface EngineTls extends ServerTls {
  /** File with the certificate of the engine's own authority; null if it has none. */
  readonly caFile: string | null;
}

/**
 * The certificate to serve with; null: plain HTTP. Throws `INVALID_INPUT` for files that cannot be used, and
 * if none can be made.
 */
export async function openTls(config: Config, now: number, log: Log): Promise<EngineTls | null> {
  const { tls } = config;
  if (typeof tls === 'object') return givenTls(tls.certFile, tls.keyFile, now, log);
  // Whoever handed a socket over chose where it listens; it is looked at once it does.
  const isPrivate = config.listenFd !== null || isLoopback(config.listenHost);
  if (tls === 'auto' && isPrivate) return null;
  const own = await ownCertificates(join(config.dataDir, 'tls'), namesOf(config.listenHost), now);
  return { ...own, server: certificatesOf(own.cert)[0] ?? null };
}

/** Refuses to go on in the clear on a socket that others than this machine reach. */
export function requireLoopback(address: string | null): void {
  if (address === null || isLoopback(address)) return;
  throw new HandoverError(
    'INVALID_INPUT',
    `the socket that was handed over listens on ${address}, where passwords must not pass in the clear; ` +
      `start the engine with --tls, or with --tls-cert and --tls-key`,
  );
}

function givenTls(certFile: string, keyFile: string, now: number, log: Log): EngineTls {
  const cert = read(certFile, '--tls-cert');
  const key = read(keyFile, '--tls-key');
  const [server = null, ...chain] = certificatesOf(cert);
  const unusable = (why: string) => new HandoverError('INVALID_INPUT', `${why}; give another one`);
  if (server === null) throw unusable(`${certFile} (--tls-cert) has no PEM certificate in it`);
  const { validTo, checkPrivateKey } = parsed(server, certFile);
  if (!checkPrivateKey(privateKey(key, keyFile))) {
    throw unusable(`the key in ${keyFile} is not the one of the certificate in ${certFile}`);
  }
  const daysLeft = Math.floor((Date.parse(validTo) - now) / DAY_MS);
  if (daysLeft < DAYS_LEFT_MIN)
    log.warn('the certificate of the API runs out', { certFile, validTo, daysLeft });
  const last = chain.at(-1) ?? server;
  return { cert, key, server, ca: new X509Certificate(last).ca ? last : null, caFile: null };
}

function parsed(pem: string, file: string) {
  try {
    const certificate = new X509Certificate(pem);
    return {
      validTo: certificate.validTo,
      checkPrivateKey: (key: KeyObject) => certificate.checkPrivateKey(key),
    };
  } catch (thrown) {
    throw new HandoverError('INVALID_INPUT', `${file} (--tls-cert) is no certificate: ${messageOf(thrown)}`);
  }
}

function privateKey(pem: string, file: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    // Not the reason: it could quote the file.
    throw new HandoverError(
      'INVALID_INPUT',
      `${file} (--tls-key) has no private key in it that can be used; it must be PEM and without a ` +
        `passphrase`,
    );
  }
}

function read(file: string, option: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (thrown) {
    throw new HandoverError('INVALID_INPUT', `${file} (${option}) can not be read: ${messageOf(thrown)}`);
  }
}

/** How clients may reach the server: by the name it listens by, the machine's, and its addresses. */
function namesOf(listenHost: string): string[] {
  const everywhere = listenHost === '0.0.0.0' || listenHost === '::';
  const addresses = Object.values(networkInterfaces())
    .flatMap((each) => each ?? [])
    .filter(({ internal, address }) => !internal && !address.startsWith('fe80:'))
    .map(({ address }) => address);
  return [
    ...new Set(['localhost', hostname(), '127.0.0.1', '::1', ...(everywhere ? addresses : [listenHost])]),
  ];
}
