/** `handover user list|add|remove|password|role`. */
import { readCurrentPassword, readNewPassword } from './ask-password.ts';
import { CliError, EXIT } from './cli-error.ts';
import type { Client } from './client.ts';
import { signOnAt } from './login-command.ts';
import { itemsOf, type Reference } from './ovirt-json.ts';
import { type OutputFormat, printList, printOne } from './output.ts';

interface OvirtUser extends Reference {
  readonly user_name: string;
  readonly roles?: Readonly<Record<string, unknown>>;
  readonly permissions?: Readonly<Record<string, unknown>>;
}

interface OvirtPermission extends Reference {
  readonly role: Reference;
}

const toView = ({ id, user_name: name, roles }: OvirtUser) => ({
  id,
  name,
  roles: itemsOf<Reference>(roles, 'role').map((role) => role.name ?? role.id),
});

const fullName = (name: string): string => (name.includes('@') ? name : `${name}@internal`);

async function users(client: Client): Promise<OvirtUser[]> {
  const follow = 'roles,permissions.role';
  return itemsOf<OvirtUser>(await client.ovirt('GET', `users?follow=${follow}`), 'user');
}

async function userNamed(client: Client, given: string): Promise<OvirtUser> {
  const name = fullName(given);
  const found = (await users(client)).find((each) => each.user_name === name);
  if (found) return found;
  throw new CliError(
    EXIT.notFound,
    `there is no user ${name}; "handover user list" shows which there are`,
    'NOT_FOUND',
  );
}

async function show(client: Client, format: OutputFormat, name: string): Promise<void> {
  const view = toView(await userNamed(client, name));
  printOne(format, view, [
    ['name', view.name],
    ['roles', view.roles.join(', ')],
    ['id', view.id],
  ]);
}

/** Prints all users. */
export async function listUsers(client: Client, format: OutputFormat): Promise<void> {
  printList(
    format,
    (await users(client)).map(toView),
    ['name', 'roles'],
    ({ name, roles }) => [name, roles.join(', ')],
    'No users.',
  );
}

/** Adds a user. */
export async function addUser(
  client: Client,
  format: OutputFormat,
  name: string,
  options: { readonly role: readonly string[]; readonly passwordStdin?: boolean },
): Promise<void> {
  const user = fullName(name);
  const password = await readNewPassword(options.passwordStdin ?? false, user);
  const roles = { role: options.role.map((role) => ({ name: role })) };
  await client.ovirt('POST', 'users', { user_name: user, password, roles });
  await show(client, format, user);
}

/** Removes a user. */
export async function removeUser(client: Client, format: OutputFormat, given: string): Promise<void> {
  const { id, user_name: name } = await userNamed(client, given);
  await client.ovirt('DELETE', `users/${id}`);
  printOne(format, { id, name, removed: true }, [['removed', name]]);
}

/** Sets a password. Whoever changes the own one is signed on again with it. */
export async function setPassword(
  client: Client,
  format: OutputFormat,
  given: string | undefined,
  fromStdin: boolean,
): Promise<void> {
  const self = (await client.ovirt<{ authenticated_user: Reference }>('GET', '')).authenticated_user;
  const own = await client.ovirt<OvirtUser>('GET', `users/${self.id}`);
  const isOwn = given === undefined || fullName(given) === own.user_name;
  const { id, user_name: name } = isOwn ? own : await userNamed(client, given);
  const current = isOwn ? { current_password: await readCurrentPassword(name) } : {};
  const password = await readNewPassword(fromStdin, name);
  await client.ovirt('PUT', `users/${id}`, { password, ...current });
  if (isOwn) await signOnAt(client.engine, name, password);
  printOne(format, { id, name, passwordSet: true }, [['password set', name]]);
}

/** Gives and takes roles, and prints those the user has then. */
export async function changeRoles(
  client: Client,
  format: OutputFormat,
  given: string,
  options: { readonly add?: readonly string[]; readonly remove?: readonly string[] },
): Promise<void> {
  const { id, user_name: name, permissions } = await userNamed(client, given);
  for (const role of options.add ?? []) {
    await client.ovirt('POST', 'permissions', { user: { id }, role: { name: role } });
  }
  const held = itemsOf<OvirtPermission>(permissions, 'permission');
  for (const role of options.remove ?? []) {
    const permission = held.find((each) => each.role.name === role);
    if (!permission) throw new CliError(EXIT.notFound, `${name} does not have the role ${role}`, 'NOT_FOUND');
    await client.ovirt('DELETE', `permissions/${permission.id}`);
  }
  await show(client, format, name);
}
