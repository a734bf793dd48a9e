/** What every store must do about users, their sessions and failed sign-ons; run on each implementation. */
import { beforeEach, describe, expect, test } from 'vitest';
import type { Session, Store, UserRecord } from '../../src/app/store-port.ts';

type AccessStore = Pick<Store, 'users' | 'sessions' | 'signOnFailures'>;

const root: UserRecord = { name: 'admin@internal', passwordHash: 'hash-1', roles: ['SuperUser'] };
const bob: UserRecord = { name: 'bob@internal', passwordHash: 'hash-2', roles: ['UserVmManager'] };

const aSession = (tokenHash: string, over: Partial<Session> = {}): Session => ({
  tokenHash,
  user: bob.name,
  expiresAt: 1_000,
  endsAt: 9_000,
  ...over,
});

/**
 * Registers the suite for one implementation. `create` is called for every test, and gives an empty store.
 */
export function accessContract(implementation: string, create: () => Promise<AccessStore>): void {
  let users: Store['users'];
  let sessions: Store['sessions'];
  let signOnFailures: Store['signOnFailures'];
  beforeEach(async () => {
    ({ users, sessions, signOnFailures } = await create());
    await users.add(bob);
    await users.add(root);
  });

  describe(`users (${implementation})`, () => {
    test('are listed by name, without what their passwords are compared with', async () => {
      expect(await users.list()).toEqual([
        { name: root.name, roles: ['SuperUser'] },
        { name: bob.name, roles: ['UserVmManager'] },
      ]);
      expect(await users.get(bob.name)).toEqual(bob);
      expect(await users.get('nobody@internal')).toBeNull();
    });

    test('have names of their own', async () => {
      await expect(users.add({ ...bob, passwordHash: 'other' })).rejects.toMatchObject({
        code: 'ALREADY_EXISTS',
      });
      expect(await users.get(bob.name)).toEqual(bob);
    });

    test('have each role once, and at least one', async () => {
      await users.addRole(bob.name, 'SuperUser');
      await users.addRole(bob.name, 'UserVmManager');
      expect((await users.get(bob.name))?.roles).toEqual(['SuperUser', 'UserVmManager']);
      await users.removeRole(bob.name, 'SuperUser');
      await users.removeRole(bob.name, 'ReadOnlyAdmin');
      await expect(users.removeRole(bob.name, 'UserVmManager')).rejects.toMatchObject({ code: 'IN_USE' });
      expect((await users.get(bob.name))?.roles).toEqual(['UserVmManager']);
    });

    test('never lose the last one who can give roles', async () => {
      await users.addRole(root.name, 'ReadOnlyAdmin');
      const kept = { code: 'IN_USE', message: expect.stringContaining('only user') as string };
      await expect(users.removeRole(root.name, 'SuperUser')).rejects.toMatchObject(kept);
      await expect(users.remove(root.name)).rejects.toMatchObject(kept);
      await users.addRole(bob.name, 'SuperUser');
      const outcomes = await Promise.allSettled([
        users.removeRole(root.name, 'SuperUser'),
        users.remove(bob.name),
      ]);
      expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    });

    test('who remove each other at once do not both succeed', async () => {
      for (let round = 0; round < 5; round += 1) {
        const names = ['a', 'b'].map((name) => `${name}${round}@internal`);
        for (const name of names) await users.add({ ...root, name });
        for (const { name } of await users.list()) if (!names.includes(name)) await users.remove(name);
        const outcomes = await Promise.allSettled(names.map((name) => users.remove(name)));
        expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
      }
    });

    test('that are not there cannot be changed', async () => {
      const missing = { code: 'NOT_FOUND' };
      await expect(users.setPassword('x@internal', 'h')).rejects.toMatchObject(missing);
      await expect(users.addRole('x@internal', 'SuperUser')).rejects.toMatchObject(missing);
      await expect(users.removeRole('x@internal', 'SuperUser')).rejects.toMatchObject(missing);
      await expect(users.remove('x@internal')).rejects.toMatchObject(missing);
    });
  });

  describe(`sessions (${implementation})`, () => {
    test('show the roles their user has now', async () => {
      expect(await sessions.add(aSession('a'), 'hash-2')).toBe(true);
      expect(await sessions.get('a')).toEqual({ ...aSession('a'), roles: ['UserVmManager'] });
      await users.addRole(bob.name, 'ReadOnlyAdmin');
      expect((await sessions.get('a'))?.roles).toEqual(['UserVmManager', 'ReadOnlyAdmin']);
    });

    test('do not begin with a password that was changed meanwhile', async () => {
      expect(await sessions.add(aSession('a'), 'hash-1')).toBe(false);
      expect(await sessions.add(aSession('a', { user: 'x@internal' }), 'hash-1')).toBe(false);
      expect(await sessions.get('a')).toBeNull();
    });

    test('end with a changed password and with their user, and cannot be prolonged then', async () => {
      await sessions.add(aSession('a'), 'hash-2');
      await sessions.add(aSession('root', { user: root.name }), 'hash-1');
      await users.setPassword(bob.name, 'hash-3');
      await sessions.prolong('a', 8_000);
      expect(await sessions.get('a')).toBeNull();
      await sessions.add(aSession('b'), 'hash-3');
      await users.remove(bob.name);
      expect(await sessions.get('b')).toBeNull();
      expect(await sessions.get('root')).not.toBeNull();
    });

    test('are kept until they are removed or have expired', async () => {
      await sessions.add(aSession('a'), 'hash-2');
      await sessions.add(aSession('b', { expiresAt: 2_000 }), 'hash-2');
      await sessions.add(aSession('c', { expiresAt: 3_000 }), 'hash-2');
      await sessions.prolong('a', 5_000);
      await sessions.removeExpired(3_000);
      expect(await sessions.get('a')).toMatchObject({ expiresAt: 5_000, endsAt: 9_000 });
      expect(await sessions.get('b')).toBeNull();
      expect(await sessions.get('c')).not.toBeNull();
      await sessions.remove('c');
      await sessions.remove('c');
      expect(await sessions.get('c')).toBeNull();
    });
  });

  describe(`failed sign-ons (${implementation})`, () => {
    const failed = (failures: number, failedAt = 1_000) => ({ failures, failedAt, refusedUntil: 7_000 });

    test('are counted by everybody at once, and none is lost', async () => {
      const change = () => signOnFailures.change('a', (before) => failed((before?.failures ?? 0) + 1));
      await Promise.all([change(), change(), change(), change()]);
      expect(await signOnFailures.list(['a', 'b'])).toEqual([{ key: 'a', ...failed(4) }]);
    });

    test('are forgotten by key, or by age', async () => {
      const kept = async () => (await signOnFailures.list(['a', 'b', 'c', 'd'])).map(({ key }) => key).sort();
      await signOnFailures.change('a', () => failed(1, 1_000));
      await signOnFailures.change('b', () => failed(1, 2_000));
      await signOnFailures.change('c', () => failed(1, 3_000));
      await signOnFailures.change('d', () => failed(1, 3_000));
      await signOnFailures.removeBefore(2_000);
      expect(await kept()).toEqual(['b', 'c', 'd']);
      await signOnFailures.remove(['b', 'd', 'x']);
      expect(await kept()).toEqual(['c']);
    });
  });
}
