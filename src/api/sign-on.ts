/**
 * Who asks: bearer token, Basic, or the session cookie of `Prefer: persistent-auth`. A token is opaque and
 * belongs to the use cases; nothing is cached here. Basic signs on for one request and out again after it,
 * unless the client asked to keep the session; then the cookie carries it, and Basic need not be checked
 * while the cookie's session is that user's.
 */
import { isUtf8 } from 'node:buffer';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { SessionUser, UseCases } from '../app/use-cases.ts';
import { HandoverError, isCode, messageOf } from '../base/errors.ts';
import { placeOf } from './remote-place.ts';

const COOKIE = 'JSESSIONID';
const COOKIE_PATH = '/ovirt-engine/api';

/** The user behind a request, and what to do when it was answered. */
export interface SignedOn extends SessionUser {
  /** Ends a session made for this request alone. */
  readonly end?: () => Promise<void>;
}

const notSignedIn = () =>
  new HandoverError(
    'NOT_SIGNED_IN',
    'sign on first: send "Authorization: Bearer TOKEN" with a token from /ovirt-engine/sso/oauth/token',
  );

/** Finds out who asks; `NOT_SIGNED_IN` if nobody the use cases know. */
export async function signedOn(
  useCases: UseCases,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<SignedOn> {
  const { authorization } = request.headers;
  const token = bearerOf(authorization);
  if (token !== undefined) return await useCases.session(token);
  const basic = basicOf(authorization);
  if (basic === null) throw notSignedIn();
  const cookie = cookieOf(request.headers.cookie);
  const kept = cookie === null ? null : await cookieUser(useCases, cookie);
  if (kept?.user === basic.user) return kept;
  const { token: made, user, roles } = await signOn(useCases, basic, placeOf(request.ip));
  if (/\bpersistent-auth\b/i.test(String(request.headers['prefer'] ?? ''))) {
    const secure = request.protocol === 'https' ? '; Secure' : '';
    reply.header('set-cookie', `${COOKIE}=${made}; Path=${COOKIE_PATH}; HttpOnly; SameSite=Strict${secure}`);
    return { user, roles };
  }
  return { user, roles, end: async () => await useCases.signOut(made) };
}

/**
 * A wrong password is a 401 on the API, so that clients ask again; the token endpoint answers it in its own
 * way.
 */
async function signOn(useCases: UseCases, basic: Credentials, place: string) {
  try {
    return await useCases.signOn(basic.user, basic.password, place);
  } catch (thrown) {
    if (isCode(thrown, 'SIGN_ON_REFUSED')) throw new HandoverError('NOT_SIGNED_IN', messageOf(thrown));
    throw thrown;
  }
}

async function cookieUser(useCases: UseCases, cookie: string): Promise<SessionUser | null> {
  try {
    return await useCases.session(cookie);
  } catch (thrown) {
    if (isCode(thrown, 'NOT_SIGNED_IN')) return null;
    throw thrown;
  }
}

interface Credentials {
  readonly user: string;
  readonly password: string;
}

/** The token of a Bearer header; undefined if it is none. */
export const bearerOf = (authorization: string | undefined): string | undefined =>
  /^Bearer\s+(\S+)\s*$/i.exec(authorization ?? '')?.[1];

/** User and password of a Basic header; null if it is none. */
export function basicOf(authorization: string | undefined): Credentials | null {
  const encoded = /^Basic\s+([A-Za-z0-9+/=_-]+)\s*$/i.exec(authorization ?? '')?.[1];
  if (encoded === undefined) return null;
  const bytes = Buffer.from(encoded, 'base64');
  // UTF-8 as every newer client writes it; libsoup (libgovirt) writes Latin-1, which is hardly ever UTF-8
  // too.
  const decoded = bytes.toString(isUtf8(bytes) ? 'utf8' : 'latin1');
  const colon = decoded.indexOf(':');
  return colon < 0 ? null : { user: decoded.slice(0, colon), password: decoded.slice(colon + 1) };
}

function cookieOf(header: string | undefined): string | null {
  for (const pair of (header ?? '').split(';')) {
    const [name, value] = pair.trim().split('=');
    if (name === COOKIE && value !== undefined && value !== '') return value;
  }
  return null;
}

/**
 * Refuses a changing request that a page of another site made the browser send: browsers add Basic
 * credentials they remember to such requests. Programs send neither header.
 */
export function refuseCrossSite(request: FastifyRequest): void {
  if (request.method === 'GET' || request.method === 'HEAD') return;
  const { origin, host } = request.headers;
  const isForeign =
    (origin !== undefined && origin !== `http://${host}` && origin !== `https://${host}`) ||
    request.headers['sec-fetch-site'] === 'cross-site';
  if (isForeign) {
    throw new HandoverError(
      'NOT_PERMITTED',
      `a page of ${origin ?? 'another site'} may not change anything here`,
    );
  }
}
