/** `/users`, `/roles` and `/permissions` as clients ask for them, the VM Portal among them. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Role } from '../../src/model/access.ts';
import { type ApiServer, type Json, list, startApiServer } from '../support/api-server.ts';
import { PASSWORD, USERS } from '../support/memory-access.ts';

let server: ApiServer;
beforeEach(async () => {
  server = await startApiServer();
});
afterEach(async () => {
  await server.close();
});

/** Asks as the user who has this role alone. */
async function ask(role: Role, method: string, path: string, body?: object, filter?: 'true' | 'false') {
  const authorization = `Bearer ${await server.tokenOf(role)}`;
  return await server.ask(method, path, {
    headers: { authorization, ...(filter === undefined ? {} : { filter }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}
const asAdmin = async (method: string, path: string, body?: object) =>
  await ask('SuperUser', method, path, body);

/** The id of the user who has this role alone, as the root tells it. */
async function ownId(role: Role): Promise<string> {
  const root = await ask(role, 'GET', '');
  return root.json<{ authenticated_user: Json }>().authenticated_user.id;
}

const NEW = {
  user_name: 'kim@internal',
  password: 'long enough',
  roles: { role: [{ name: 'ReadOnlyAdmin' }] },
};

describe('users', () => {
  test('are added, found, and removed', async () => {
    const made = await asAdmin('POST', 'users', NEW);
    expect(made.status).toBe(201);
    const user = made.json<Json>();
    expect(user).toMatchObject({
      name: 'kim',
      user_name: 'kim@internal',
      principal: 'kim',
      domain: { name: 'internal' },
    });
    expect(made.headers.get('location')).toBe(`/ovirt-engine/api/users/${user.id}`);
    const search = encodeURIComponent('usrname=kim@internal');
    const found = await asAdmin('GET', `users?search=${search}&follow=roles,permissions.role`);
    expect(list(found, 'user')).toMatchObject([
      {
        id: user.id,
        roles: { role: [{ name: 'ReadOnlyAdmin' }] },
        permissions: { permission: [{ role: { name: 'ReadOnlyAdmin' } }] },
      },
    ]);
    expect((await asAdmin('DELETE', `users/${user.id}`)).json()).toMatchObject({ status: 'complete' });
    expect((await asAdmin('GET', `users/${user.id}`)).status).toBe(404);
  });

  test('are read in XML, without their passwords', async () => {
    const body =
      '<user><user_name>kim</user_name><domain><name>internal</name></domain>' +
      '<password>long enough</password><roles>' +
      '<role id="def00006-0000-0000-0000-def000000006"/></roles></user>';
    const made = await server.ask('POST', 'users', { body, format: 'xml' });
    expect([made.status, made.text]).toEqual([201, expect.stringContaining('<user_name>kim@internal</')]);
    expect(made.text).not.toContain('long enough');
  });

  test.each([
    [{ ...NEW, password: undefined }, 400, 'password'],
    [{ ...NEW, password: 'short' }, 400, '8 to 1000 characters'],
    [{ ...NEW, roles: undefined }, 400, 'roles.role'],
    [{ ...NEW, roles: { role: [{ name: 'Emperor' }] } }, 400, 'SuperUser, UserVmManager, ReadOnlyAdmin'],
    [{ ...NEW, user_name: 'kim@elsewhere' }, 400, 'is no user name'],
    [{ ...NEW, domain: { name: 'ldap' } }, 400, 'there is no directory ldap'],
    [{ ...NEW, user_name: USERS.UserVmManager }, 409, 'already'],
  ])('that cannot be added are refused: %j', async (body, status, text) => {
    const answer = await asAdmin('POST', 'users', body);
    expect([answer.status, answer.json()['detail']]).toEqual([status, expect.stringContaining(text)]);
  });

  test('see themselves, whatever their roles, and what the portal asks of them', async () => {
    const id = await ownId('UserVmManager');
    const own = await ask('UserVmManager', 'GET', `users/${id}`);
    expect(own.json()).toMatchObject({ user_name: USERS.UserVmManager });
    for (const name of ['groups', 'options', 'sshpublickeys']) {
      const answer = await ask('UserVmManager', 'GET', `users/${id}/${name}`);
      expect([name, answer.status, answer.json()]).toEqual([name, 200, {}]);
    }
    const option = { name: 'language', content: '"de"' };
    const kept = await ask('UserVmManager', 'POST', `users/${id}/options`, option);
    expect([kept.status, kept.json()]).toEqual([201, expect.objectContaining(option)]);
    const roles = await ask('UserVmManager', 'GET', `users/${id}/roles`);
    expect(list(roles, 'role').map((role) => role['name'])).toEqual(['UserVmManager']);
  });

  test('change their own password only with the one they have', async () => {
    const path = `users/${await ownId('UserVmManager')}`;
    const without = await ask('UserVmManager', 'PUT', path, { password: 'long enough' });
    expect([without.status, without.json()['detail']]).toEqual([
      400,
      'User [current_password] required for update',
    ]);
    const body = { password: 'long enough', current_password: PASSWORD };
    expect((await ask('UserVmManager', 'PUT', path, body)).status).toBe(200);
    await expect(server.tokenOf('UserVmManager')).rejects.toMatchObject({ code: 'SIGN_ON_REFUSED' });
  });

  test('are counted for those who may see them', async () => {
    const users = async (role: Role) =>
      (await ask(role, 'GET', '')).json<{ summary: Json }>().summary['users'];
    expect(await users('ReadOnlyAdmin')).toEqual({ active: '3', total: '3' });
    expect(await users('UserVmManager')).toBeUndefined();
  });
});

describe('permissions', () => {
  test('tell the portal who is an administrator', async () => {
    const status = async (role: Role, filter: 'true' | 'false') =>
      (await ask(role, 'GET', 'permissions', undefined, filter)).status;
    expect(await status('SuperUser', 'false')).toBe(200);
    expect(await status('ReadOnlyAdmin', 'false')).toBe(200);
    expect(await status('UserVmManager', 'false')).toBe(403);
    expect(await status('SuperUser', 'true')).toBe(403);
  });

  test('are given and taken away, and the last one who gives them stays', async () => {
    const body = { user: { id: await ownId('UserVmManager') }, role: { name: 'SuperUser' } };
    const given = await asAdmin('POST', 'permissions', body);
    expect(given.status).toBe(201);
    const { id } = given.json<Json>();
    expect((await ask('UserVmManager', 'GET', `permissions/${id}`)).json()).toMatchObject({
      role: { id: '00000000-0000-0000-0000-000000000001' },
    });
    expect((await asAdmin('DELETE', `permissions/${id}`)).status).toBe(200);
    expect((await asAdmin('GET', `permissions/${id}`)).status).toBe(404);
    const own = await asAdmin('GET', `users/${await ownId('SuperUser')}/permissions`);
    const last = await asAdmin('DELETE', `permissions/${list(own, 'permission')[0]?.id}`);
    expect([last.status, last.json()['detail']]).toEqual([409, expect.stringContaining('only role')]);
    expect((await asAdmin('DELETE', `users/${await ownId('SuperUser')}`)).status).toBe(409);
  });

  test('that are missing are named in the words of oVirt and in ours', async () => {
    const refused = await ask('ReadOnlyAdmin', 'POST', `vms/${server.web1.id}/migrate`, {});
    const { fault } = refused.json<{ fault: { detail: string } }>();
    expect(fault.detail).toBe(
      '[Cannot migrate VM. User is not authorized to perform this action. eve@internal may not ' +
        'move or change VMs: that needs the role SuperUser or UserVmManager, which any user with the role ' +
        'SuperUser can give.]',
    );
  });
});

describe('roles', () => {
  test('have the ids of oVirt and the permits of oVirt that hold here', async () => {
    const roles = list(await ask('UserVmManager', 'GET', 'roles?follow=permits'), 'role');
    const shown = roles.map(({ id, name, administrative, permits }) => ({
      id,
      name,
      administrative,
      permits: (permits as { permit: Json[] }).permit.map((each) => each['name']),
    }));
    expect(shown).toMatchObject([
      { id: '00000000-0000-0000-0000-000000000001', name: 'SuperUser', administrative: 'true' },
      {
        id: 'def00006-0000-0000-0000-def000000006',
        name: 'UserVmManager',
        administrative: 'false',
        permits: ['login', 'migrate_vm', 'configure_vm_network'],
      },
      { name: 'ReadOnlyAdmin', administrative: 'true', permits: ['login'] },
    ]);
    expect(shown[0]?.permits).toContain('manipulate_users');
    const one = await asAdmin('GET', `roles/${shown[1]?.id}/permits/6`);
    expect(one.json()).toMatchObject({ id: '6', name: 'migrate_vm', administrative: 'false' });
  });

  test('are those of one directory without groups', async () => {
    const [domain] = list(await asAdmin('GET', 'domains'), 'domain');
    expect(domain).toMatchObject({ name: 'internal' });
    expect((await asAdmin('GET', `domains/${domain?.id}`)).status).toBe(200);
    expect((await asAdmin('GET', 'groups')).json()).toEqual({});
  });
});
