/** What the API speaks, with which certificate, and how clients get to trust it. */
import { execFileSync } from 'node:child_process';
import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { silentLog } from '../../src/base/log.ts';
import { readConfig } from '../../src/daemon/config.ts';
import { type Engine, startEngine } from '../../src/daemon/engine.ts';
import { ownCertificates } from '../../src/daemon/own-certificates.ts';
import { requireLoopback } from '../../src/daemon/tls.ts';
import { CertificateAuthority } from '../support/certificates.ts';
import { freshDatabase } from '../support/postgres.ts';

const PASSWORD = 'correct horse';
const CA = '/ovirt-engine/services/pki-resource?resource=ca-certificate&format=X509-PEM-CA';

let directory: string;
let started: Engine[];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'handover-tls-'));
  started = [];
});
afterEach(async () => {
  for (const engine of started) await engine.stop();
  rmSync(directory, { recursive: true, force: true });
});

async function start(args: readonly string[]): Promise<Engine> {
  const { host, port, user, database } = await freshDatabase();
  const query = new URLSearchParams({ host: String(host), port: String(port) }).toString();
  const env = {
    HANDOVER_DATABASE_URL: `postgresql://${String(user)}@localhost/${String(database)}?${query}`,
    HANDOVER_ADMIN_PASSWORD: PASSWORD,
  };
  const config = readConfig(['--data', directory, '--port', '0', ...args], env, 'test');
  const engine = await startEngine(config, silentLog);
  started.push(engine);
  return engine;
}

interface HttpsAnswer {
  readonly status: number;
  readonly headers: Record<string, unknown>;
  readonly text: string;
}

/** Asks on the loopback as `name`, trusting `ca` alone. Rejects if the certificate is not to be trusted. */
async function ask(engine: Engine, path: string, ca: string, more: { name?: string; auth?: string } = {}) {
  const { name = 'localhost', auth } = more;
  return await new Promise<HttpsAnswer>((resolve, reject) => {
    const asked = request(
      {
        host: '127.0.0.1',
        servername: name,
        port: new URL(engine.url).port,
        path,
        ca,
        headers: { prefer: 'persistent-auth' },
        ...(auth === undefined ? {} : { auth }),
      },
      (answer) => {
        let text = '';
        answer.setEncoding('utf8');
        answer.on('data', (piece: string) => {
          text += piece;
        });
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text }));
      },
    );
    asked.on('error', reject);
    asked.end();
  });
}

const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);
const inTls = (name: string): string => join(directory, 'tls', name);

describe('a certificate of the engine itself', () => {
  test('is made at the first start, used again at the next, and trusted by its authority', async () => {
    const first = await start(['--tls']);
    expect(first.url).toMatch(/^https:\/\/127\.0\.0\.1:/);
    expect(first.caFile).toBe(inTls('ca.pem'));
    const ca = readFileSync(inTls('ca.pem'), 'utf8');
    for (const name of ['localhost', hostname()]) {
      expect((await ask(first, '/ovirt-engine/api', ca, { name })).status).toBe(401);
    }
    await expect(ask(first, '/ovirt-engine/api', ca, { name: 'elsewhere.example' })).rejects.toThrow();
    const signedOn = await ask(first, '/ovirt-engine/api', ca, { auth: `admin@internal:${PASSWORD}` });
    expect([signedOn.status, String(signedOn.headers['set-cookie'])]).toEqual([
      200,
      expect.stringMatching(/; Secure$/),
    ]);
    await first.stop();
    const server = readFileSync(inTls('server.pem'), 'utf8');

    const second = await start(['--tls']);
    expect((await ask(second, '/ovirt-engine/api', ca)).status).toBe(401);
    expect(readFileSync(inTls('server.pem'), 'utf8')).toBe(server);
  });

  test('has keys that nobody else can read', async () => {
    await start(['--tls']);
    expect(modeOf(join(directory, 'tls'))).toBe('700');
    for (const name of ['ca.key', 'server.pem']) expect(modeOf(inTls(name))).toBe('600');
  });

  test('is what openssl calls valid', async () => {
    await ownCertificates(join(directory, 'tls'), ['localhost', '127.0.0.1', '::1'], Date.now());
    const verify = ['verify', '-purpose', 'sslserver', '-CAfile', inTls('ca.pem')];
    for (const name of [
      ['-verify_hostname', 'localhost'],
      ['-verify_ip', '::1'],
    ]) {
      expect(
        execFileSync('openssl', [...verify, ...name, inTls('server.pem')], { encoding: 'utf8' }),
      ).toContain('OK');
    }
  });

  test('is made again for other names, and before it runs out; its authority stays', async () => {
    const at = join(directory, 'tls');
    const first = await ownCertificates(at, ['one.example'], Date.now());
    const same = await ownCertificates(at, ['one.example'], Date.now());
    expect(same).toEqual(first);
    const renamed = await ownCertificates(at, ['two.example', 'not a name'], Date.now());
    const inAYear = await ownCertificates(at, ['two.example'], Date.now() + 500 * 86_400_000);
    expect([renamed.ca, inAYear.ca]).toEqual([first.ca, first.ca]);
    expect(new Set([first.cert, renamed.cert, inAYear.cert]).size).toBe(3);
    const certificate = new X509Certificate(renamed.cert);
    expect(certificate.subjectAltName).toBe('DNS:two.example');
    expect(certificate.verify(new X509Certificate(renamed.ca).publicKey)).toBe(true);
  });

  test('is used by itself as soon as others than this machine can connect', async () => {
    const engine = await start(['--listen', '0.0.0.0']);
    expect(engine.url).toMatch(/^https:/);
    expect((await ask(engine, '/ca.crt', readFileSync(inTls('ca.pem'), 'utf8'))).status).toBe(200);
  });
});

describe('a certificate that was given', () => {
  test('is served, with the chain that is in its file', async () => {
    const authority = new CertificateAuthority(join(directory, 'ca'), 'Site');
    const { certFile, keyFile, caFile } = authority.issue('engine', ['DNS:engine.example']);
    const ca = readFileSync(caFile, 'utf8');
    writeFileSync(certFile, readFileSync(certFile, 'utf8') + ca);
    const engine = await start(['--tls-cert', certFile, '--tls-key', keyFile]);
    expect(engine.caFile).toBeNull();
    const answer = await ask(engine, CA, ca, { name: 'engine.example' });
    expect([answer.status, answer.text]).toEqual([200, ca]);
  });

  test('is refused, by name, if it cannot be used', async () => {
    const authority = new CertificateAuthority(join(directory, 'ca'), 'Site');
    const one = authority.issue('one', ['DNS:one']);
    const two = authority.issue('two', ['DNS:two']);
    const wrong: readonly (readonly [string, string, string])[] = [
      [one.certFile, two.keyFile, two.keyFile],
      [one.keyFile, one.keyFile, one.keyFile],
      [one.certFile, one.certFile, '--tls-key'],
      [join(directory, 'nowhere.pem'), one.keyFile, 'nowhere.pem'],
    ];
    for (const [certFile, keyFile, named] of wrong) {
      const key = readFileSync(one.keyFile, 'utf8').split('\n')[1] ?? '';
      const failed: unknown = await start(['--tls-cert', certFile, '--tls-key', keyFile]).catch(
        (thrown: unknown) => thrown,
      );
      expect(failed).toMatchObject({
        code: 'INVALID_INPUT',
        message: expect.stringContaining(named) as string,
      });
      expect(String(failed)).not.toContain(key);
    }
    await expect(start(['--tls-cert', one.certFile])).rejects.toMatchObject({ code: 'INVALID_INPUT' });
  });
});

describe('plain HTTP', () => {
  test('is spoken on loopback, and then there is no certificate to give', async () => {
    const { url } = await start([]);
    expect(url).toMatch(/^http:\/\/127/);
    for (const path of [CA, '/ca.crt']) {
      const answer = await fetch(url + path);
      expect([answer.status, await answer.text()]).toEqual([404, expect.stringContaining('plain HTTP')]);
    }
  });

  test('is not spoken on a socket that was handed over and that others reach', () => {
    for (const address of ['127.0.0.1', '127.1.2.3', '::1', null]) requireLoopback(address);
    for (const address of ['0.0.0.0', '::', '192.0.2.1']) {
      expect(() => requireLoopback(address)).toThrow('--tls');
    }
  });
});

describe('certificates for clients', () => {
  const path = (query: string) => `/ovirt-engine/services/pki-resource${query}`;

  test('are given without sign-on, in every format oVirt has', async () => {
    const engine = await start(['--tls']);
    const ca = readFileSync(inTls('ca.pem'), 'utf8');
    const [server = ''] = readFileSync(inTls('server.pem'), 'utf8').split('-----BEGIN PRIVATE');
    const get = async (query: string) => {
      const { status, headers, text } = await ask(engine, path(query), ca);
      return [status, headers['content-type'], text];
    };
    const asCa = 'application/x-x509-ca-cert';
    expect(await get('?resource=ca-certificate&format=X509-PEM-CA')).toEqual([200, asCa, ca]);
    expect(await get('?resource=ca-certificate')).toEqual([200, asCa, ca]);
    expect(await get('?resource=ca-certificate&format=X509-PEM')).toEqual([
      200,
      'application/x-x509-cert',
      ca,
    ]);
    expect(await get('?resource=engine-certificate')).toEqual([200, 'application/x-x509-cert', server]);
    const [, type, key] = await get('?resource=engine-certificate&format=OPENSSH-PUBKEY');
    expect([type, sshKeygen(String(key))]).toEqual(['text/plain', expect.stringContaining('(ECDSA)')]);
    const file = await ask(engine, '/ca.crt', ca);
    expect([file.status, file.headers['content-type'], file.text]).toEqual([200, asCa, ca]);
  });

  test('that there are not are refused', async () => {
    const engine = await start(['--tls']);
    const ca = readFileSync(inTls('ca.pem'), 'utf8');
    const wrong = ['', '?resource=x', '?resource=ca-certificate&format=x', '?format=X509-PEM'];
    for (const query of wrong) {
      const { status, text } = await ask(engine, path(query), ca);
      expect([query, status, text]).toEqual([query, 400, expect.stringContaining('is none of')]);
    }
    const qemu = await ask(engine, path('?resource=qemu-ca-certificate'), ca);
    expect([qemu.status, qemu.text]).toEqual([404, expect.stringContaining('QEMU')]);
  });

  /** What OpenSSH makes of a public key. */
  function sshKeygen(key: string): string {
    const file = join(directory, 'key.pub');
    writeFileSync(file, key);
    return execFileSync('ssh-keygen', ['-l', '-f', file], { encoding: 'utf8' });
  }

  test.each([
    ['RSA', () => generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey],
    ['ED25519', () => generateKeyPairSync('ed25519').privateKey],
  ] as const)('show keys of the kind %s as OpenSSH writes them', async (kind, newKey) => {
    const keyFile = join(directory, 'key.pem');
    const certFile = join(directory, 'cert.pem');
    writeFileSync(keyFile, newKey().export({ type: 'pkcs8', format: 'pem' }));
    const made = ['req', '-x509', '-new', '-key', keyFile, '-out', certFile, '-subj', '/CN=localhost'];
    execFileSync('openssl', [...made, '-addext', 'subjectAltName=DNS:localhost', '-days', '1']);
    const engine = await start(['--tls-cert', certFile, '--tls-key', keyFile]);
    const query = '?resource=engine-certificate&format=OPENSSH-PUBKEY';
    const { text } = await ask(engine, path(query), readFileSync(certFile, 'utf8'));
    expect(sshKeygen(text)).toContain(`(${kind})`);
  });
});
