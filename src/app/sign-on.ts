/** Sign-on with name and password; sessions by opaque token, of which only the hash is kept. */
import { createHash, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { HandoverError } from '../base/errors.ts';
import type { AppParts } from './parts.ts';

/** oVirt's default session length. */
const SESSION_MS = 30 * 60_000;
/** The administrator every installation has. */
export const ADMIN = 'admin@internal';

/** scrypt with RFC 7914's interactive parameters; the salt is stored beside the key. */
const deriveKey = promisify(scrypt) as (password: string, salt: Buffer, length: number) => Promise<Buffer>;
const KEY_BYTES = 32;

/** `scrypt$SALT$KEY`, hex. */
export async function hashPassword(password: string, salt: Buffer): Promise<string> {
  const key = await deriveKey(password, salt, KEY_BYTES);
  return `scrypt$${salt.toString('hex')}$${key.toString('hex')}`;
}

async function matches(password: string, hash: string): Promise<boolean> {
  const [scheme, salt, key] = hash.split('$');
  if (scheme !== 'scrypt' || !salt || !key) return false;
  const derived = await deriveKey(password, Buffer.from(salt, 'hex'), KEY_BYTES);
  return timingSafeEqual(derived, Buffer.from(key, 'hex'));
}

const tokenHash = (token: string): string => createHash('sha256').update(token).digest('hex');

/** Signs on. The same answer, after the same work, for an unknown name and a wrong password. */
export async function signOn(parts: AppParts, user: string, password: string) {
  const { store, random, clock } = parts;
  const known = await store.users.get(user);
  const decoy = `scrypt$${'00'.repeat(16)}$${'00'.repeat(KEY_BYTES)}`;
  const right = await matches(password, known?.passwordHash ?? decoy);
  if (!known || !right) {
    throw new HandoverError(
      'SIGN_ON_REFUSED',
      `Cannot authenticate user '${user}': the name or the password is wrong`,
    );
  }
  const token = random.bytes(32).toString('base64url');
  const expiresAt = clock.now() + SESSION_MS;
  await store.sessions.removeExpired(clock.now());
  await store.sessions.put({ tokenHash: tokenHash(token), user, expiresAt });
  return { token, expiresAt };
}

/** Ends a session; an unknown token is no error. */
export async function signOut(parts: AppParts, token: string): Promise<void> {
  await parts.store.sessions.remove(tokenHash(token));
}

/** Who a token belongs to; using a session prolongs it, as oVirt does. Throws `NOT_SIGNED_IN`. */
export async function sessionOf(parts: AppParts, token: string): Promise<{ user: string }> {
  const { store, clock } = parts;
  const session = await store.sessions.get(tokenHash(token));
  const now = clock.now();
  if (!session || session.expiresAt <= now) {
    throw new HandoverError('NOT_SIGNED_IN', 'the access token is unknown or has expired; sign in again');
  }
  // Written at most once a minute: every request reads the session.
  if (session.expiresAt - now < SESSION_MS - 60_000)
    await store.sessions.put({ ...session, expiresAt: now + SESSION_MS });
  return { user: session.user };
}

/** Sets a user's password; the engine does so for the administrator at its start. */
export async function setPassword(parts: AppParts, name: string, password: string): Promise<void> {
  await parts.store.users.put({ name, passwordHash: await hashPassword(password, parts.random.bytes(16)) });
}
