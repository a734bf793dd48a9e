/** Sign-on with name and password; sessions by opaque token, of which only the hash is kept. */
import { createHash } from 'node:crypto';
import { HandoverError } from '../base/errors.ts';
import type { AppParts } from './parts.ts';
import { DECOY_HASH, isPasswordOf, passwordTurns } from './passwords.ts';
import { countFailure, forgetFailures, refusal, refuseIfTooMany } from './sign-on-limits.ts';
import type { UserRecord } from './store-port.ts';
import type { NewSession, SessionUser, UseCases } from './use-cases.ts';

/** oVirt's defaults: UserSessionTimeOutInterval, of a session nobody uses, and UserSessionHardLimit. */
const UNUSED_MS_MAX = 30 * 60_000;
const SESSION_MS_MAX = 600 * 60_000;
/** Every request reads its session; it is written at most this often. */
const PROLONGED_EVERY_MS = 60_000;

const tokenHash = (token: string): string => createHash('sha256').update(token).digest('hex');

/** The use cases that need no caller. */
export function signOnCases(parts: AppParts): Pick<UseCases, 'signOn' | 'signOut' | 'session'> {
  return {
    signOn: (user, password, address) => signOn(parts, user, password, address),
    signOut: (token) => parts.store.sessions.remove(tokenHash(token)),
    session: (token) => sessionOf(parts, token),
  };
}

/**
 * The user whose name and password these are. `SIGN_ON_REFUSED`: the same answer, after the same work, for an
 * unknown name and a wrong password.
 */
export async function authenticate(
  parts: AppParts,
  name: string,
  password: string,
  address: string,
): Promise<UserRecord> {
  await refuseIfTooMany(parts, name, address);
  return await passwordTurns.take(address, async () => {
    // Again: others may have failed while this one waited for its turn.
    await refuseIfTooMany(parts, name, address);
    const known = await parts.store.users.get(name);
    const right = await isPasswordOf(known?.passwordHash ?? DECOY_HASH, password);
    if (!known || !right) throw await countFailure(parts, name, address, known !== null);
    await forgetFailures(parts, name, address);
    return known;
  });
}

async function signOn(parts: AppParts, name: string, password: string, address: string): Promise<NewSession> {
  const { store, random, clock } = parts;
  const { passwordHash, roles } = await authenticate(parts, name, password, address);
  const token = random.bytes(32).toString('base64url');
  const now = clock.now();
  const expiresAt = now + UNUSED_MS_MAX;
  await store.sessions.removeExpired(now);
  const session = { tokenHash: tokenHash(token), user: name, expiresAt, endsAt: now + SESSION_MS_MAX };
  if (!(await store.sessions.add(session, passwordHash))) {
    throw refusal(name, 'the password was changed this moment');
  }
  return { user: name, roles, token, expiresAt };
}

/** Using a session prolongs it, as in oVirt, up to its end. */
async function sessionOf(parts: AppParts, token: string): Promise<SessionUser> {
  const { store, clock } = parts;
  const session = await store.sessions.get(tokenHash(token));
  const now = clock.now();
  if (!session || session.expiresAt <= now) {
    throw new HandoverError('NOT_SIGNED_IN', 'the access token is unknown or has expired; sign in again');
  }
  const expiresAt = Math.min(now + UNUSED_MS_MAX, session.endsAt);
  if (expiresAt - session.expiresAt >= PROLONGED_EVERY_MS) {
    await store.sessions.prolong(session.tokenHash, expiresAt);
  }
  return { user: session.user, roles: session.roles };
}
