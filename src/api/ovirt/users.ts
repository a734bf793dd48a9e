/**
 * `/users` and `/permissions`: who there is, and who has which role. A permission is one role of one user, on
 * everything there is. Everybody may see themselves.
 */
import { HandoverError } from '../../base/errors.ts';
import { DOMAIN, type Role, type User } from '../../model/access.ts';
import {
  groupType,
  permissionType,
  roleType,
  sshPublicKeyType,
  userOptionType,
  userType,
} from './access-types.ts';
import { notFound } from './look.ts';
import { directoryRef, roleNamed, roleRef, toRoles } from './roles.ts';
import {
  type Answer,
  type Call,
  created,
  done,
  many,
  one,
  param,
  requireFields,
  type Route,
} from './route.ts';
import { stableId } from './stable-id.ts';
import type { Entity, Ref } from './wire/fields.ts';
import { badRequest } from './wire/read.ts';

const userId = (name: string): string => stableId('user', name);
const BELOW = ['groups', 'options', 'permissions', 'roles', 'sshpublickeys'] as const;

/** The reference to a user. The id is derived from the name: the same for a user who is added again. */
export function userRef(name: string): Ref {
  return { id: userId(name), href: `users/${userId(name)}` };
}

function toUser({ name }: User): Entity<typeof userType> {
  const href = `users/${userId(name)}`;
  const [principal] = name.split('@');
  return {
    id: userId(name),
    href,
    name: principal,
    user_name: name,
    principal,
    namespace: '*',
    domain: directoryRef,
    link: BELOW.map((rel) => ({ rel, href: `${href}/${rel}` })),
  };
}

function toPermission(user: string, role: Role): Entity<typeof permissionType> {
  const id = stableId('permission', user, role);
  return { id, href: `permissions/${id}`, role: roleRef(role), user: userRef(user) };
}

const permissionsOf = ({ name, roles }: User) => roles.map((role) => toPermission(name, role));

/** The user of the path: the caller, or one of all for those who may see them. */
async function userOf(call: Call, id = param(call, 'userId')): Promise<User> {
  if (id === userId(call.caller.user)) return await call.useCases.self(call.caller);
  const found = (await call.look.users()).find((each) => userId(each.name) === id);
  if (!found) throw notFound('user', id);
  return found;
}

/** `bob` of the directory, or the whole name. */
function nameOf({ user_name: given, domain }: Entity<typeof userType>): string {
  const directory = domain?.name ?? (domain?.id === directoryRef.id ? DOMAIN : null);
  if (directory !== null && directory !== undefined && directory !== DOMAIN) {
    throw badRequest(`there is no directory ${directory}; the only one is ${DOMAIN}`);
  }
  const name = given ?? '';
  return name.includes('@') ? name : `${name}@${DOMAIN}`;
}

async function add(call: Call): Promise<Answer> {
  const given = call.body(userType);
  requireFields('User', 'add', {
    user_name: given.user_name,
    password: given.password,
    'roles.role': given.roles?.length ? given.roles : undefined,
  });
  const roles = (given.roles ?? []).map(roleNamed);
  const password = given.password ?? '';
  return created(
    userType,
    toUser(await call.useCases.addUser(call.caller, { name: nameOf(given), password, roles })),
  );
}

/** Only a password can be changed. Who changes the own one proves to know it, whatever the roles. */
async function update(call: Call): Promise<Answer> {
  const user = await userOf(call);
  const { password, current_password: current } = call.body(userType);
  requireFields('User', 'update', { password });
  if (user.name === call.caller.user) {
    requireFields('User', 'update', { current_password: current });
    await call.useCases.changeOwnPassword(call.caller, current ?? '', password ?? '', call.place);
  } else {
    await call.useCases.setUserPassword(call.caller, user.name, password ?? '');
  }
  return one(userType, toUser(user));
}

async function remove(call: Call): Promise<Answer> {
  await call.useCases.removeUser(call.caller, (await userOf(call)).name);
  return done();
}

/** The portal tells an administrator from a plain user by whether this list is given. */
async function listPermissions(call: Call): Promise<Answer> {
  if (call.isFiltered) {
    throw new HandoverError(
      'NOT_PERMITTED',
      'all permissions are for administrators, who ask for them with "Filter: false"',
    );
  }
  return many(permissionType, (await call.look.users()).flatMap(permissionsOf));
}

async function addPermission(call: Call): Promise<Answer> {
  const { user, role } = call.body(permissionType);
  requireFields('Permission', 'add', { 'user.id': user?.id, 'role.id|name': role?.id ?? role?.name });
  const wanted = roleNamed(role);
  const { name } = await call.useCases.giveRole(call.caller, (await userOf(call, user?.id)).name, wanted);
  return created(permissionType, toPermission(name, wanted));
}

/** Whose the permission of the path is, and which. */
async function permissionOf(call: Call): Promise<{ user: User; role: Role }> {
  const id = param(call, 'permissionId');
  for (const user of await call.look.users()) {
    const role = user.roles.find((each) => toPermission(user.name, each).id === id);
    if (role) return { user, role };
  }
  throw notFound('permission', id);
}

/** Told apart from all else a user may keep in oVirt: nothing of it is kept here. */
async function acceptOption(call: Call): Promise<Answer> {
  const { name: owner } = await userOf(call);
  const { name, content } = call.body(userOptionType);
  requireFields('UserOption', 'add', { name, content });
  const id = stableId('user_option', owner, name ?? '');
  return { ...one(userOptionType, { id, name, content }), status: 201 };
}

/** A collection below a user that is always empty. */
const empty = (
  name: string,
  type: typeof groupType | typeof userOptionType | typeof sshPublicKeyType,
): Route => ({
  method: 'GET',
  path: `users/:userId/${name}`,
  needs: 'see_users',
  isEmpty: true,
  run: async (call) => {
    await userOf(call);
    return many(type, []);
  },
});

/** Routes of `/users` and `/permissions`. */
export const userRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: 'users',
    needs: 'see_users',
    run: async (call) =>
      many(userType, (await call.look.users()).map(toUser), {
        usrname: (each) => each['user_name'] as string,
      }),
  },
  { method: 'POST', path: 'users', needs: 'configure', operation: 'add_user', run: add },
  {
    method: 'GET',
    path: 'users/:userId',
    needs: 'see_users',
    run: async (call) => one(userType, toUser(await userOf(call))),
  },
  { method: 'PUT', path: 'users/:userId', needs: 'configure', operation: 'update_user', run: update },
  { method: 'DELETE', path: 'users/:userId', needs: 'configure', operation: 'remove_user', run: remove },
  {
    method: 'GET',
    path: 'users/:userId/permissions',
    needs: 'see_users',
    run: async (call) => many(permissionType, permissionsOf(await userOf(call))),
  },
  {
    method: 'GET',
    path: 'users/:userId/roles',
    needs: 'see_users',
    run: async (call) => many(roleType, toRoles((await userOf(call)).roles)),
  },
  empty('groups', groupType),
  empty('options', userOptionType),
  empty('sshpublickeys', sshPublicKeyType),
  {
    method: 'POST',
    path: 'users/:userId/options',
    needs: 'see_users',
    operation: 'update_user',
    run: acceptOption,
  },
  { method: 'GET', path: 'permissions', needs: 'see_users', run: listPermissions },
  {
    method: 'POST',
    path: 'permissions',
    needs: 'configure',
    operation: 'add_permission',
    run: addPermission,
  },
  {
    method: 'GET',
    path: 'permissions/:permissionId',
    needs: 'see_users',
    run: async (call) => {
      const { user, role } = await permissionOf(call);
      return one(permissionType, toPermission(user.name, role));
    },
  },
  {
    method: 'DELETE',
    path: 'permissions/:permissionId',
    needs: 'configure',
    operation: 'remove_permission',
    run: async (call) => {
      const { user, role } = await permissionOf(call);
      await call.useCases.takeRole(call.caller, user.name, role);
      return done();
    },
  },
];
