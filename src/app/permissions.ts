/**
 * What each use case needs, and the one place that asks whether the caller has it. A use case without a line
 * in the table does not compile.
 */
import { HandoverError } from '../base/errors.ts';
import { GIVER, gives, type Permission, rolesThatGive } from '../model/access.ts';
import type { Caller, UseCases } from './use-cases.ts';

/** Before anybody is known there is nobody whose permissions could be asked for. */
type OpenCase = 'signOn' | 'signOut' | 'session';
type GuardedCase = Exclude<keyof UseCases, OpenCase>;

/** The table. What acts on a host beside a VM's own business is `configure`. */
export const NEEDS: Readonly<Record<GuardedCase, Permission>> = {
  self: 'look',
  changeOwnPassword: 'look',
  listUsers: 'see_users',
  addUser: 'configure',
  setUserPassword: 'configure',
  giveRole: 'configure',
  takeRole: 'configure',
  removeUser: 'configure',

  listHosts: 'look',
  getHost: 'look',
  addHost: 'configure',
  updateHost: 'configure',
  removeHost: 'configure',
  refreshHost: 'configure',
  testPeers: 'configure',
  vfUses: 'look',
  surveyFleet: 'look',
  listPfConfigs: 'look',
  setPfConfig: 'configure',
  setVfCount: 'configure',
  setMaintenance: 'configure',

  listNetworks: 'look',
  getNetwork: 'look',
  addNetwork: 'configure',
  updateNetwork: 'configure',
  removeNetwork: 'configure',
  listVnicProfiles: 'look',
  getVnicProfile: 'look',
  listProfileUses: 'look',
  addVnicProfile: 'configure',
  updateVnicProfile: 'configure',
  removeVnicProfile: 'configure',

  listVms: 'look',
  listVmHeads: 'look',
  countVms: 'look',
  getVm: 'look',
  guestKit: 'look',
  // A definition may name any file and any device of its host.
  addVm: 'configure',
  updateVm: 'use_vms',
  removeVm: 'use_vms',
  setVnicProfile: 'use_vms',
  setVnicPlugged: 'use_vms',
  addVnic: 'use_vms',
  removeVnic: 'use_vms',
  startVm: 'use_vms',
  shutdownVm: 'use_vms',
  stopVm: 'use_vms',
  planMigration: 'look',
  planMigrations: 'look',
  expectMigration: 'look',
  getGuest: 'look',
  checkGuest: 'look',
  setStandbyPolicy: 'use_vms',
  setProbeAddress: 'use_vms',
  drillVm: 'use_vms',
  readMetrics: 'look',
  migrateVm: 'use_vms',
  cancelMigration: 'use_vms',

  listJobs: 'look',
  getJob: 'look',
  cancelJob: 'use_vms',
  retryJob: 'use_vms',
  // Leaves things on hosts as they are, for whoever looks after the hosts.
  abandonJob: 'configure',
  listEvents: 'look',
  followEvents: 'look',
  listAlerts: 'look',
};

/** What a permission is for, to be read after "may not". */
const IS_FOR: Readonly<Record<Permission, string>> = {
  look: 'look at anything here',
  see_users: 'see the users and their roles',
  use_vms: 'move or change VMs',
  configure: 'change hosts, networks, vNIC profiles or users, define VMs or give up jobs',
};

/** Throws `NOT_PERMITTED`, naming the roles that are missing and who can give them. */
function demand(caller: Caller, permission: Permission): void {
  if (gives(caller.roles, permission)) return;
  throw new HandoverError(
    'NOT_PERMITTED',
    `${caller.user} may not ${IS_FOR[permission]}: that needs the role ` +
      `${rolesThatGive(permission).join(' or ')}, which any user with the role ${GIVER} can give`,
    { detail: { permission } },
  );
}

type Case = (caller: Caller, ...rest: unknown[]) => Promise<unknown>;

/** The same use cases, each refusing callers who lack what the table says it needs. */
export function guarded(useCases: UseCases): UseCases {
  const guards = Object.entries(NEEDS).map(([name, permission]) => {
    const run: Case = async (caller, ...rest) => {
      demand(caller, permission);
      return await (useCases[name as GuardedCase] as Case)(caller, ...rest);
    };
    return [name, run] as const;
  });
  return { ...useCases, ...(Object.fromEntries(guards) as Pick<UseCases, GuardedCase>) };
}
