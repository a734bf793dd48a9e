/**
 * `/roles`, with oVirt's own ids and permits: of what oVirt knows, a role shows what it allows here. Also the
 * one directory, and its groups, of which there are none.
 */
import { HandoverError } from '../../base/errors.ts';
import { DOMAIN, GIVES, type Permission, PERMISSIONS, type Role, ROLES } from '../../model/access.ts';
import { directoryType, groupType, permitType, roleType } from './access-types.ts';
import { notFound } from './look.ts';
import { type Call, many, one, param, type Route } from './route.ts';
import { stableId } from './stable-id.ts';
import type { Entity, Ref } from './wire/fields.ts';

interface RoleFacts {
  /** oVirt's predefined one. */
  readonly id: string;
  readonly description: string;
  readonly administrative: boolean;
}

const FACTS: Readonly<Record<Role, RoleFacts>> = {
  SuperUser: {
    id: '00000000-0000-0000-0000-000000000001',
    description: 'May do everything, and give roles',
    administrative: true,
  },
  UserVmManager: {
    id: 'def00006-0000-0000-0000-def000000006',
    description: 'May look at everything, move VMs and change their vNICs',
    administrative: false,
  },
  ReadOnlyAdmin: {
    id: 'def0000c-0000-0000-0000-def00000000c',
    description: 'May look at everything, users included',
    administrative: true,
  },
};

interface PermitFacts {
  /** oVirt's number of it (ActionGroup). */
  readonly id: number;
  readonly name: string;
  readonly administrative: boolean;
}

const permit = (id: number, name: string, administrative: boolean): PermitFacts => ({
  id,
  name,
  administrative,
});

/** Which of oVirt's permits each of our permissions amounts to. */
const PERMITS: Readonly<Record<Permission, readonly PermitFacts[]>> = {
  look: [permit(1300, 'login', false)],
  see_users: [],
  use_vms: [permit(6, 'migrate_vm', false), permit(9, 'configure_vm_network', false)],
  configure: [
    permit(100, 'create_host', true),
    permit(101, 'edit_host_configuration', true),
    permit(102, 'delete_host', true),
    permit(104, 'configure_host_network', true),
    permit(500, 'manipulate_users', true),
    permit(502, 'manipulate_permissions', false),
    permit(703, 'configure_storage_pool_network', true),
    permit(704, 'create_storage_pool_network', true),
    permit(705, 'delete_storage_pool_network', true),
    permit(1203, 'configure_network_vnic_profile', true),
    permit(1204, 'create_network_vnic_profile', true),
    permit(1205, 'delete_network_vnic_profile', true),
  ],
};

/** The reference to a role. */
export const roleRef = (role: Role): Ref => ({ id: FACTS[role].id, href: `roles/${FACTS[role].id}` });

function toRole(role: Role): Entity<typeof roleType> {
  const { id, description, administrative } = FACTS[role];
  const href = `roles/${id}`;
  return {
    id,
    href,
    name: role,
    description,
    administrative,
    mutable: false,
    link: [{ rel: 'permits', href: `${href}/permits` }],
  };
}

function toPermit(role: Role, { id, name, administrative }: PermitFacts): Entity<typeof permitType> {
  return {
    id: String(id),
    href: `roles/${FACTS[role].id}/permits/${id}`,
    name,
    administrative,
    role: roleRef(role),
  };
}

const permitsOf = (role: Role): Entity<typeof permitType>[] =>
  PERMISSIONS.filter((permission) => GIVES[role].includes(permission))
    .flatMap((permission) => PERMITS[permission])
    .map((each) => toPermit(role, each));

/** Entities of some roles. */
export const toRoles = (roles: readonly Role[]): Entity<typeof roleType>[] => roles.map(toRole);

/** The role that a reference names by id or name. `INVALID_INPUT` if it names none. */
export function roleNamed(ref: Ref | null | undefined): Role {
  const found = ROLES.find((role) => (ref?.id ? FACTS[role].id === ref.id : role === ref?.name));
  if (found) return found;
  throw new HandoverError(
    'INVALID_INPUT',
    `there is no role ${ref?.id || ref?.name || 'without a name'}; the roles are ${ROLES.join(', ')}`,
  );
}

function roleOf(call: Call): Role {
  const id = param(call, 'roleId');
  const found = ROLES.find((role) => FACTS[role].id === id);
  if (!found) throw notFound('role', id);
  return found;
}

const DOMAIN_ID = stableId('domain', DOMAIN);
/** The reference to the one directory. */
export const directoryRef = { id: DOMAIN_ID, href: `domains/${DOMAIN_ID}`, name: DOMAIN } as const;
const directory: Entity<typeof directoryType> = {
  ...directoryRef,
  description: 'The users of this Handover',
};

/** Routes of `/roles`, `/domains` and `/groups`. */
export const roleRoutes: readonly Route[] = [
  { method: 'GET', path: 'roles', run: async () => many(roleType, toRoles(ROLES)) },
  { method: 'GET', path: 'roles/:roleId', run: async (call) => one(roleType, toRole(roleOf(call))) },
  {
    method: 'GET',
    path: 'roles/:roleId/permits',
    run: async (call) => many(permitType, permitsOf(roleOf(call))),
  },
  {
    method: 'GET',
    path: 'roles/:roleId/permits/:permitId',
    run: async (call) => {
      const id = param(call, 'permitId');
      const found = permitsOf(roleOf(call)).find((each) => each.id === id);
      if (!found) throw notFound('permit', id);
      return one(permitType, found);
    },
  },
  { method: 'GET', path: 'domains', run: async () => many(directoryType, [directory]) },
  {
    method: 'GET',
    path: 'domains/:domainId',
    run: async (call) => {
      const id = param(call, 'domainId');
      if (id !== DOMAIN_ID) throw notFound('domain', id);
      return one(directoryType, directory);
    },
  },
  { method: 'GET', path: 'groups', isEmpty: true, run: async () => many(groupType, []) },
];
