/** Use cases on users: who there is, with which roles and which password. */
import { HandoverError, isCode, messageOf } from '../base/errors.ts';
import { ADMIN, DOMAIN, GIVER, isUserName, type User } from '../model/access.ts';
import type { AppParts } from './parts.ts';
import { checkNewPassword, hashPassword, isPasswordOf, passwordTurns } from './passwords.ts';
import { authenticate } from './sign-on.ts';
import { forgetFailuresOf } from './sign-on-limits.ts';
import type { Caller, NewUser, UseCases } from './use-cases.ts';

type UserCases = Pick<
  UseCases,
  | 'self'
  | 'changeOwnPassword'
  | 'listUsers'
  | 'addUser'
  | 'setUserPassword'
  | 'giveRole'
  | 'takeRole'
  | 'removeUser'
>;

/** The user use cases. */
export function userCases(parts: AppParts): UserCases {
  const { store, log } = parts;
  // What was done to whom, by whom: for whoever must know later.
  const note = (caller: Caller, done: string, user: string, more: object = {}) =>
    log.info(done, { user, by: caller.user, correlationId: caller.correlationId, ...more });
  return {
    self: async ({ user, roles }) => ({ name: user, roles }),
    async changeOwnPassword(caller, current, password, address) {
      checkNewPassword(password);
      await proveCurrent(parts, caller, current, address);
      await setPassword(parts, caller.user, password);
      note(caller, 'a user changed the password', caller.user);
    },
    listUsers: () => store.users.list(),
    async addUser(caller, wanted) {
      const user = await addUser(parts, wanted);
      note(caller, 'a user was added', user.name, { roles: user.roles });
      return user;
    },
    async setUserPassword(caller, name, password) {
      checkNewPassword(password);
      await userByName(parts, name);
      await setPassword(parts, name, password);
      note(caller, "a user's password was set", name);
    },
    async giveRole(caller, name, role) {
      await store.users.addRole(name, role);
      note(caller, 'a user was given a role', name, { role });
      return userByName(parts, name);
    },
    async takeRole(caller, name, role) {
      await store.users.removeRole(name, role);
      note(caller, 'a role was taken from a user', name, { role });
      return userByName(parts, name);
    },
    async removeUser(caller, name) {
      await store.users.remove(name);
      note(caller, 'a user was removed', name);
    },
  };
}

/** A wrong one is no failed sign-on of the session: clients would sign on again and repeat the request. */
async function proveCurrent(parts: AppParts, caller: Caller, current: string, address: string) {
  try {
    await authenticate(parts, caller.user, current, address);
  } catch (thrown) {
    if (!isCode(thrown, 'SIGN_ON_REFUSED')) throw thrown;
    throw new HandoverError('INVALID_INPUT', `the current password is needed: ${messageOf(thrown)}`);
  }
}

async function userByName(parts: AppParts, name: string): Promise<User> {
  const user = await parts.store.users.get(name);
  if (!user) throw new HandoverError('NOT_FOUND', `there is no user named ${name}`);
  return { name, roles: user.roles };
}

async function addUser(parts: AppParts, { name, password, roles }: NewUser): Promise<User> {
  if (!isUserName(name)) {
    throw new HandoverError(
      'INVALID_INPUT',
      `"${name}" is no user name; write it like bob@${DOMAIN}, with letters, digits, dots, dashes and ` +
        `underscores`,
    );
  }
  if (roles.length === 0) {
    throw new HandoverError('INVALID_INPUT', `${name} needs at least one role; name one`);
  }
  checkNewPassword(password);
  await parts.store.users.add({ name, roles, passwordHash: await hashed(parts, password) });
  return userByName(parts, name);
}

async function setPassword(parts: AppParts, name: string, password: string): Promise<void> {
  await parts.store.users.setPassword(name, await hashed(parts, password));
  await forgetFailuresOf(parts, name);
}

const hashed = (parts: AppParts, password: string): Promise<string> =>
  passwordTurns.take('passwords that are set', () => hashPassword(password, parts.random.bytes(16)));

/**
 * Sees to it, at an engine's start, that the administrator has this password. null: any will do; the one made
 * up for the first user of all is returned. A password that is right already is left alone, so that sessions
 * at other engines go on.
 */
export async function ensureAdmin(parts: AppParts, password: string | null): Promise<string | null> {
  const { store, random } = parts;
  const known = await store.users.get(ADMIN);
  if (known) {
    if (password !== null && !(await isPasswordOf(known.passwordHash, password))) {
      await setPassword(parts, ADMIN, password);
    }
    return null;
  }
  // Somebody removed the administrator on purpose.
  if (password === null && (await store.users.list()).length > 0) return null;
  const made = random.bytes(12).toString('base64url');
  const passwordHash = await hashed(parts, password ?? made);
  try {
    await store.users.add({ name: ADMIN, roles: [GIVER], passwordHash });
    return password === null ? made : null;
  } catch (thrown) {
    // Another engine started at the same time and was quicker.
    if (isCode(thrown, 'ALREADY_EXISTS')) return await ensureAdmin(parts, password);
    throw thrown;
  }
}
