/**
 * Who may do what: roles by oVirt's names, and the permissions each gives, on everything Handover knows.
 * Pure. Which permission a use case needs is said once, in `src/app/permissions.ts`.
 */
import { HandoverError } from '../base/errors.ts';

/** Roles, the most powerful first. oVirt gives them per object; here they hold for everything. */
export const ROLES = ['SuperUser', 'UserVmManager', 'ReadOnlyAdmin'] as const;
export type Role = (typeof ROLES)[number];

/**
 * `look`: hosts, networks, VMs, jobs, events. `see_users`: who there is, with which roles. `use_vms`: move
 * VMs, cancel, change their vNICs. `configure`: hosts, networks, profiles, users.
 */
export const PERMISSIONS = ['look', 'see_users', 'use_vms', 'configure'] as const;
export type Permission = (typeof PERMISSIONS)[number];

/** What each role gives. */
export const GIVES: Readonly<Record<Role, readonly Permission[]>> = {
  SuperUser: PERMISSIONS,
  UserVmManager: ['look', 'use_vms'],
  ReadOnlyAdmin: ['look', 'see_users'],
};

/** The role that may give roles to others. */
export const GIVER: Role = 'SuperUser';

/** Whether one of the roles gives the permission. */
export function gives(roles: readonly Role[], permission: Permission): boolean {
  return roles.some((role) => GIVES[role].includes(permission));
}

/** The roles that give a permission, the most powerful first. */
export function rolesThatGive(permission: Permission): Role[] {
  return ROLES.filter((role) => GIVES[role].includes(permission));
}

/** Whether a text from outside names a role. Exact, as all names are. */
export function isRole(text: string): text is Role {
  return (ROLES as readonly string[]).includes(text);
}

/** The only directory there is; names of users end in it. */
export const DOMAIN = 'internal';

/** The administrator every installation begins with. */
export const ADMIN = `admin@${DOMAIN}`;

const USER_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}@internal$/;

/** Whether a text can be a user's name: `NAME@internal`. */
export function isUserName(text: string): boolean {
  return USER_NAME.test(text);
}

/** A user as others see it. */
export interface User {
  readonly name: string;
  /** At least one, in the order of `ROLES`. */
  readonly roles: readonly Role[];
}

/** Each of the roles once, in the order of `ROLES`. */
export function inOrder(roles: readonly Role[]): Role[] {
  return ROLES.filter((role) => roles.includes(role));
}

/** Why a user's only role stays. */
export const onlyRole = (name: string): HandoverError =>
  new HandoverError('IN_USE', `it is the only role of ${name}; give another one first, or remove the user`);

/** Why the last one who can give roles stays. */
export const lastGiver = (name: string): HandoverError =>
  new HandoverError(
    'IN_USE',
    `${name} is the only user with the role ${GIVER}, which alone can give roles; give it to another first`,
  );
