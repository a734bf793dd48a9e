/** Users, sessions and failed sign-ons of the in-memory store. */
import type { Store, UserRecord } from '../../../src/app/store-port.ts';
import { HandoverError } from '../../../src/base/errors.ts';
import { GIVER, inOrder, lastGiver, onlyRole, type Role } from '../../../src/model/access.ts';
import { found, sortedBy, type Tables } from './tables.ts';

/** The `users` part. */
export function memoryUsers(tables: Tables): Store['users'] {
  const { users } = tables;
  const endSessions = (name: string) => {
    for (const [key, session] of tables.sessions) if (session.user === name) tables.sessions.delete(key);
  };
  const expectOtherGiver = (name: string) => {
    const others = [...users.values()].filter((each) => each.name !== name);
    if (!others.some(({ roles }) => roles.includes(GIVER))) throw lastGiver(name);
  };
  const setRoles = (user: UserRecord, changed: readonly Role[]) => {
    const roles = inOrder(changed);
    if (roles.length === 0) throw onlyRole(user.name);
    if (!roles.includes(GIVER)) expectOtherGiver(user.name);
    users.set(user.name, { ...user, roles });
  };
  return {
    list: async () =>
      sortedBy(users.values(), ({ name }) => name).map(({ name, roles }) => ({ name, roles })),
    get: async (name) => users.get(name) ?? null,
    async add({ name, passwordHash, roles }) {
      if (users.has(name)) {
        throw new HandoverError('ALREADY_EXISTS', `there is a user named ${name} already`);
      }
      users.set(name, { name, passwordHash, roles: inOrder(roles) });
    },
    async setPassword(name, passwordHash) {
      users.set(name, { ...found(users.get(name), 'user', name), passwordHash });
      endSessions(name);
    },
    async addRole(name, role) {
      const user = found(users.get(name), 'user', name);
      setRoles(user, [...user.roles, role]);
    },
    async removeRole(name, role) {
      const user = found(users.get(name), 'user', name);
      setRoles(
        user,
        user.roles.filter((each) => each !== role),
      );
    },
    async remove(name) {
      found(users.get(name), 'user', name);
      expectOtherGiver(name);
      users.delete(name);
      endSessions(name);
    },
  };
}

/** The `sessions` part. */
export function memorySessions({ users, sessions }: Tables): Store['sessions'] {
  return {
    async get(tokenHash) {
      const session = sessions.get(tokenHash);
      const user = session && users.get(session.user);
      return session && user ? { ...session, roles: user.roles } : null;
    },
    async add(session, passwordHash) {
      if (users.get(session.user)?.passwordHash !== passwordHash) return false;
      sessions.set(session.tokenHash, session);
      return true;
    },
    async prolong(tokenHash, expiresAt) {
      const session = sessions.get(tokenHash);
      if (session) sessions.set(tokenHash, { ...session, expiresAt });
    },
    remove: async (tokenHash) => void sessions.delete(tokenHash),
    async removeExpired(now) {
      for (const [key, session] of sessions) if (session.expiresAt < now) sessions.delete(key);
    },
  };
}

/** The `signOnFailures` part. */
export function memorySignOnFailures({ signOnFailures }: Tables): Store['signOnFailures'] {
  return {
    list: async (keys) =>
      keys.flatMap((key) => {
        const kept = signOnFailures.get(key);
        return kept ? [{ key, ...kept }] : [];
      }),
    change: async (key, change) => void signOnFailures.set(key, change(signOnFailures.get(key) ?? null)),
    async remove(keys) {
      for (const key of keys) signOnFailures.delete(key);
    },
    async removeBefore(time) {
      for (const [key, each] of signOnFailures) if (each.failedAt < time) signOnFailures.delete(key);
    },
  };
}
