/**
 * A certificate authority of the engine's own, and the server certificate it issues, kept in the data
 * directory. The authority is made once: clients trust it, and must go on doing so. The server's certificate
 * is made again when it runs out or the machine has other names. Keys are Node's; what puts them into
 * certificates is the system's openssl (decision 0019).
 */
import { execFile } from 'node:child_process';
import { createPrivateKey, generateKeyPairSync, randomBytes, X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { dirname, join } from 'node:path';
import { HandoverError } from '../base/errors.ts';

const CA_DAYS = 3_650;
/** The most that common clients accept. */
const SERVER_DAYS = 825;
/** At a start with less than this left, another is made: an engine may then run on for a year. */
const SERVER_DAYS_LEFT_MIN = 400;
const DAY_MS = 24 * 60 * 60_000;
const OPENSSL_LIMIT_MS = 20_000;
const HOST_NAME = /^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/;

/** PEM texts, and where clients find the authority's. */
export interface OwnCertificates {
  readonly key: string;
  readonly cert: string;
  readonly ca: string;
  readonly caFile: string;
}

/**
 * Reads them from `directory`, and makes what is missing. `names`: host names and addresses the server is
 * reached by; others than those are left out. Throws `INVALID_INPUT` if they cannot be made.
 */
export async function ownCertificates(
  directory: string,
  names: readonly string[],
  now: number,
): Promise<OwnCertificates> {
  const caFile = join(directory, 'ca.pem');
  const caKeyFile = join(directory, 'ca.key');
  const serverFile = join(directory, 'server.pem');
  // Only the last one is closed: PostgreSQL, as another user, has to get to its own beside it.
  mkdirSync(dirname(directory), { recursive: true });
  if (!existsSync(directory)) mkdirSync(directory, { mode: 0o700 });
  const usable = names.filter((name) => isIP(name) !== 0 || HOST_NAME.test(name));
  const configFile = join(directory, 'openssl.cnf');
  writeWhole(configFile, opensslConfig(usable));
  if (!existsSync(caFile)) {
    writeWhole(caKeyFile, newKey());
    const made = ['-x509', '-extensions', 'authority', '-days', String(CA_DAYS), '-sha256'];
    writeWhole(caFile, await openssl(['req', '-new', '-config', configFile, '-key', caKeyFile, ...made]));
  }
  const ca = readFileSync(caFile, 'utf8');
  let server = existsSync(serverFile) ? readFileSync(serverFile, 'utf8') : '';
  if (!isGood(server, ca, usable, now)) {
    server = await issue({ directory, configFile, caFile, caKeyFile });
    writeWhole(serverFile, server);
  }
  const [cert = ''] = certificatesOf(server);
  return { key: keyOf(server), cert: `${cert}${ca}`, ca, caFile };
}

/** The certificates in a PEM text, in their order. */
export function certificatesOf(pem: string): string[] {
  const found = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return found.map((each) => `${each}\n`);
}

function keyOf(pem: string): string {
  return /-----BEGIN [A-Z ]*PRIVATE KEY-----[^-]+-----END [A-Z ]*PRIVATE KEY-----/.exec(pem)?.[0] ?? '';
}

function newKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  return String(privateKey.export({ type: 'pkcs8', format: 'pem' }));
}

/** Readable by the owner only, and never half of it: key and certificate of the server are one file. */
function writeWhole(path: string, text: string): void {
  const beside = `${path}.${process.pid}`;
  writeFileSync(beside, text, { mode: 0o600 });
  renameSync(beside, path);
}

/** Whether the server's file can be used once more. */
function isGood(server: string, ca: string, names: readonly string[], now: number): boolean {
  try {
    const certificate = new X509Certificate(server);
    const hasName = (name: string) =>
      (isIP(name) === 0 ? certificate.checkHost(name) : certificate.checkIP(name)) !== undefined;
    return (
      certificate.verify(new X509Certificate(ca).publicKey) &&
      certificate.checkPrivateKey(createPrivateKey(keyOf(server))) &&
      Date.parse(certificate.validTo) - now > SERVER_DAYS_LEFT_MIN * DAY_MS &&
      names.every(hasName)
    );
  } catch {
    return false;
  }
}

async function issue(files: {
  readonly directory: string;
  readonly configFile: string;
  readonly caFile: string;
  readonly caKeyFile: string;
}): Promise<string> {
  const key = newKey();
  const keyFile = join(files.directory, 'server.key');
  writeWhole(keyFile, key);
  const requestFile = join(files.directory, 'server.csr');
  writeWhole(requestFile, await openssl(['req', '-new', '-config', files.configFile, '-key', keyFile]));
  const by = ['-CA', files.caFile, '-CAkey', files.caKeyFile, '-set_serial', `0x${serial()}`];
  const extensions = ['-extfile', files.configFile, '-extensions', 'server'];
  const days = ['-days', String(SERVER_DAYS), '-sha256'];
  const cert = await openssl(['x509', '-req', '-in', requestFile, ...by, ...days, ...extensions]);
  for (const each of [keyFile, requestFile]) rmSync(each);
  return `${cert}${key}`;
}

/** Positive, and at most 20 bytes. */
const serial = (): string => `1${randomBytes(15).toString('hex')}`;

function opensslConfig(names: readonly string[]): string {
  const alternative = names.map((name) => `${isIP(name) === 0 ? 'DNS' : 'IP'}:${name}`);
  return `[req]
prompt = no
distinguished_name = subject
[subject]
O = Handover
CN = Handover ${serial().slice(0, 8)}
[authority]
basicConstraints = critical,CA:TRUE,pathlen:0
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = ${alternative.join(',')}
`;
}

async function openssl(args: readonly string[]): Promise<string> {
  return await new Promise((resolve, reject) => {
    execFile('openssl', args, { timeout: OPENSSL_LIMIT_MS }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(notMade(error.code === 'ENOENT' ? 'it is not installed' : stderr.trim() || error.message));
    });
  });
}

const notMade = (why: string): HandoverError =>
  new HandoverError(
    'INVALID_INPUT',
    `no certificate could be made with openssl (${why}); install it, or give a certificate and its key ` +
      `with --tls-cert and --tls-key`,
  );
