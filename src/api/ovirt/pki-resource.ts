/**
 * The certificates clients need before they can trust this server, without sign-on, where oVirt has them:
 * `GET /ovirt-engine/services/pki-resource` and `/ca.crt`. Formats and content types are the engine's
 * (PKIResourceServlet).
 */
import { createPublicKey, X509Certificate } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { HandoverError } from '../../base/errors.ts';
import { faultOf } from './fault.ts';
import { sendFault } from './server.ts';
import { badRequest } from './wire/read.ts';

/** PEM, one certificate each; null where there is none. */
export interface PublicCertificates {
  readonly ca: string | null;
  readonly server: string | null;
}

const FORMATS = {
  'X509-PEM': { contentType: 'application/x-x509-cert', write: (pem: string) => pem },
  'X509-PEM-CA': { contentType: 'application/x-x509-ca-cert', write: (pem: string) => pem },
  'OPENSSH-PUBKEY': { contentType: 'text/plain', write: (pem: string) => `${sshPublicKey(pem)}\n` },
} as const;

/** Each with the format it has if none is asked for. */
const RESOURCES = {
  'ca-certificate': 'X509-PEM-CA',
  'qemu-ca-certificate': 'X509-PEM-CA',
  'engine-certificate': 'X509-PEM',
} as const;

type Resource = keyof typeof RESOURCES;
type Format = keyof typeof FORMATS;

function oneOf<T extends string>(what: string, given: string | null, known: readonly T[]): T {
  const found = known.find((each) => each === given);
  if (found === undefined) {
    throw badRequest(`${what}=${given ?? ''} is none of ${known.join(', ')}`);
  }
  return found;
}

function pemOf(resource: Resource, certificates: PublicCertificates): string {
  if (resource === 'qemu-ca-certificate') {
    throw new HandoverError(
      'NOT_FOUND',
      "Handover issues no certificates to QEMU: ask whoever set up TLS between the hosts for that CA's",
    );
  }
  const pem = resource === 'ca-certificate' ? certificates.ca : certificates.server;
  if (pem !== null) return pem;
  throw new HandoverError(
    'NOT_FOUND',
    certificates.server === null
      ? 'this engine speaks plain HTTP and has no certificate'
      : "the engine was given a certificate without its CA's; ask whoever issued it",
  );
}

/** Registers both. */
export function registerPki(app: FastifyInstance, certificates: PublicCertificates): void {
  const answer = async (
    request: FastifyRequest,
    reply: FastifyReply,
    choose: () => { resource: Resource; format: Format },
  ) => {
    try {
      const { resource, format } = choose();
      const { contentType, write } = FORMATS[format];
      const text = write(pemOf(resource, certificates));
      await reply.code(200).header('content-type', contentType).send(text);
    } catch (thrown) {
      await sendFault(request, reply, faultOf(thrown));
    }
    return reply;
  };
  app.get('/ovirt-engine/services/pki-resource', async (request, reply) => {
    const query = new URLSearchParams(request.url.split('?')[1] ?? '');
    return await answer(request, reply, () => {
      const resource = oneOf('resource', query.get('resource'), Object.keys(RESOURCES) as Resource[]);
      const format = query.get('format') ?? RESOURCES[resource];
      return { resource, format: oneOf('format', format, Object.keys(FORMATS) as Format[]) };
    });
  });
  app.get('/ca.crt', async (request, reply) => {
    return await answer(request, reply, () => ({ resource: 'ca-certificate', format: 'X509-PEM-CA' }));
  });
}

/** A certificate's public key as a line of `authorized_keys` (RFC 4253, RFC 5656, RFC 8709). */
export function sshPublicKey(pem: string): string {
  const jwk = createPublicKey(
    new X509Certificate(pem).publicKey.export({ type: 'spki', format: 'pem' }),
  ).export({ format: 'jwk' });
  const bytes = (part: unknown) => Buffer.from(String(part), 'base64url');
  const line = (type: string, ...fields: readonly Buffer[]) =>
    `${type} ${Buffer.concat([Buffer.from(type), ...fields].map(sshString)).toString('base64')}`;
  if (jwk.kty === 'RSA') return line('ssh-rsa', positive(bytes(jwk['e'])), positive(bytes(jwk['n'])));
  if (jwk.kty === 'OKP' && jwk['crv'] === 'Ed25519') return line('ssh-ed25519', bytes(jwk['x']));
  const curve = /^P-(256|384|521)$/.exec(String(jwk['crv']))?.[1];
  if (jwk.kty === 'EC' && curve !== undefined) {
    const point = Buffer.concat([Buffer.from([4]), bytes(jwk['x']), bytes(jwk['y'])]);
    return line(`ecdsa-sha2-nistp${curve}`, Buffer.from(`nistp${curve}`), point);
  }
  throw new HandoverError('NOT_FOUND', 'OpenSSH knows no keys of the kind this certificate has');
}

/** Length, then the bytes. */
function sshString(content: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(content.length);
  return Buffer.concat([length, content]);
}

/** A number whose first bit is set would be a negative one. */
const positive = (number: Buffer): Buffer =>
  (number[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.from([0]), number]) : number;
