/**
 * oVirt's entities around sign-on: users, roles, permits, permissions, and what a user is said to have beside
 * them. Tags and spellings are oVirt's (api-model 4.5). Pure data, as `schema.ts`.
 */
import { bool, type EntityType, entity, list, ref, text } from './wire/fields.ts';

/** oVirt's `domain`: a directory of users. */
export const directoryType = entity('domain', 'domains', { name: text, description: text });

/** oVirt's `group`: users of a directory. */
export const groupType = entity('group', 'groups', { name: text });

/** oVirt's `permit`: one kind of thing a role allows. */
export const permitType = entity('permit', 'permits', {
  name: text,
  administrative: bool,
  role: ref('role'),
});

/** oVirt's `role`. */
export const roleType = entity('role', 'roles', {
  name: text,
  description: text,
  administrative: bool,
  mutable: bool,
  permits: list('permit', ref('permit')),
});

/** oVirt's `permission`: a role of a user; here always on everything. */
export const permissionType = entity('permission', 'permissions', {
  role: ref('role'),
  user: ref('user'),
});

/** oVirt's `user_option`. */
export const userOptionType = entity('user_option', 'user_options', { name: text, content: text });

/** oVirt's `ssh_public_key`. */
export const sshPublicKeyType = entity('ssh_public_key', 'ssh_public_keys', { content: text });

/** oVirt's `user`. Passwords are read and never written. */
export const userType = entity('user', 'users', {
  name: text,
  user_name: text,
  principal: text,
  namespace: text,
  domain: ref('domain'),
  password: text,
  /** Extension: needed to change one's own. */
  current_password: text,
  roles: list('role', ref('role')),
  permissions: list('permission', ref('permission')),
});

/** By tag, for references that are followed. */
export const ACCESS_TYPES: Readonly<Record<string, EntityType>> = Object.fromEntries(
  [directoryType, permitType, roleType, permissionType, userType].map((type) => [type.tag, type]),
);
