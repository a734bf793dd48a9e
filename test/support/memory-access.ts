/**
 * Sign-on and users for tests of the API: the real use cases, over the in-memory store. One user for each
 * role, all with the same password.
 */
import type { AppParts } from '../../src/app/parts.ts';
import { hashPassword } from '../../src/app/passwords.ts';
import { signOnCases } from '../../src/app/sign-on.ts';
import type { Store } from '../../src/app/store-port.ts';
import { userCases } from '../../src/app/users.ts';
import { systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import { systemRandom } from '../../src/base/random.ts';
import type { Role } from '../../src/model/access.ts';
import { memorySessions, memorySignOnFailures, memoryUsers } from './memory-store/access.ts';
import { Tables } from './memory-store/tables.ts';

/** The password of every user of a world. */
export const PASSWORD = 'pässword: 1';
/** The user of a world that has this role, and no other. */
export const USERS: Readonly<Record<Role, string>> = {
  SuperUser: 'admin@internal',
  UserVmManager: 'bob@internal',
  ReadOnlyAdmin: 'eve@internal',
};
/** Name and password of the administrator. */
export const ADMIN = { user: USERS.SuperUser, password: PASSWORD } as const;

const passwordHash = await hashPassword(PASSWORD, Buffer.alloc(16));

/** The tables with the users in them. */
export function accessTables(): Tables {
  const tables = new Tables(systemClock, null);
  for (const [role, name] of Object.entries(USERS)) {
    tables.users.set(name, { name, roles: [role as Role], passwordHash });
  }
  return tables;
}

/** The use cases over them. */
export function accessCases(tables: Tables) {
  const store: Pick<Store, 'users' | 'sessions' | 'signOnFailures'> = {
    users: memoryUsers(tables),
    sessions: memorySessions(tables),
    signOnFailures: memorySignOnFailures(tables),
  };
  const parts = { store, clock: systemClock, random: systemRandom, log: silentLog } as AppParts;
  return { ...signOnCases(parts), ...userCases(parts) };
}
