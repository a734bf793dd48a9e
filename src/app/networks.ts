/**
 * Use cases on networks and vNIC profiles, with oVirt's validations (ovirt.md section 3) and its texts where
 * clients match.
 */
import { HandoverError } from '../base/errors.ts';
import type { NetworkId, VnicProfileId } from '../base/ids.ts';
import type { EventName } from '../model/job.ts';
import type { Network, VnicProfile } from '../model/network.ts';
import type { AppParts } from './parts.ts';
import type { NewNetwork, NewVnicProfile, UseCases } from './use-cases.ts';

const NETWORK_NAME = /^[^\s/<>"'&]{1,256}$/;
const VLAN_MAX = 4094;
/** Of each profile, in lists of what uses them. */
const PROFILE_VMS_SHOWN = 20;

type NetworkCases = Pick<
  UseCases,
  | 'listNetworks'
  | 'getNetwork'
  | 'addNetwork'
  | 'updateNetwork'
  | 'removeNetwork'
  | 'listVnicProfiles'
  | 'getVnicProfile'
  | 'listProfileUses'
  | 'addVnicProfile'
  | 'updateVnicProfile'
  | 'removeVnicProfile'
>;

/** The network and profile use cases. */
export function networkCases(parts: AppParts): NetworkCases {
  const { store, random } = parts;
  return {
    listNetworks: () => store.networks.list(),
    getNetwork: (_caller, id) => networkById(parts, id),
    async addNetwork(_caller, wanted) {
      const network = checkedNetwork({ ...EMPTY_NETWORK, id: random.uuid() as NetworkId, ...wanted });
      await store.networks.add(network);
      await say(parts, 'NETWORK_ADDED', `Network ${network.name} was added`);
      return network;
    },
    async updateNetwork(_caller, id, changes) {
      const old = await networkById(parts, id);
      const network = checkedNetwork({ ...old, ...changes });
      await store.networks.update(network);
      if (!isSame(old, network)) await say(parts, 'NETWORK_UPDATED', `Network ${network.name} was changed`);
      return network;
    },
    async removeNetwork(_caller, id) {
      const network = await networkById(parts, id);
      for (const profile of (await store.profiles.list()).filter((each) => each.networkId === id)) {
        await refuseIfUsed(parts, profile, `network ${network.name}`);
      }
      await store.networks.remove(id);
      await say(parts, 'NETWORK_REMOVED', `Network ${network.name} was removed, with its vNIC profiles`);
    },
    listVnicProfiles: () => store.profiles.list(),
    getVnicProfile: (_caller, id) => profileById(parts, id),
    listProfileUses: () => store.profiles.uses(PROFILE_VMS_SHOWN),
    addVnicProfile: (_caller, wanted) => addProfile(parts, wanted),
    updateVnicProfile: (_caller, id, changes) => updateProfile(parts, id, changes),
    async removeVnicProfile(_caller, id) {
      const profile = await profileById(parts, id);
      await refuseIfUsed(parts, profile, `vNIC profile ${profile.name}`);
      await store.profiles.remove(id);
      await say(parts, 'PROFILE_REMOVED', `vNIC profile ${profile.name} was removed`);
    },
  };
}

/** Pages that others have open are told by the event. */
async function say(parts: AppParts, name: EventName, message: string): Promise<void> {
  await parts.store.events.add({ name, severity: 'normal', message });
}

const isSame = <T extends object>(one: T, other: T): boolean =>
  (Object.keys(other) as (keyof T)[]).every((key) => one[key] === other[key]);

const EMPTY_NETWORK = { vlan: null, label: null, mtu: null, description: null };

async function networkById(parts: AppParts, id: NetworkId): Promise<Network> {
  const network = await parts.store.networks.get(id);
  if (!network) throw new HandoverError('NOT_FOUND', `there is no network with the id ${id}`);
  return network;
}

async function profileById(parts: AppParts, id: VnicProfileId): Promise<VnicProfile> {
  const profile = await parts.store.profiles.get(id);
  if (!profile) throw new HandoverError('NOT_FOUND', `there is no vNIC profile with the id ${id}`);
  return profile;
}

function checkedNetwork(network: Network & NewNetwork): Network {
  const { id, name, vlan = null, label = null, mtu = null, description = null } = network;
  if (!NETWORK_NAME.test(name))
    throw new HandoverError(
      'INVALID_INPUT',
      `"${name}" is no network name; it must have no blanks, slashes or quotes`,
    );
  if (vlan !== null && !(Number.isInteger(vlan) && vlan >= 1 && vlan <= VLAN_MAX)) {
    throw new HandoverError(
      'INVALID_INPUT',
      `VLAN ${vlan} of network ${name} is out of range; it must be from 1 to ${VLAN_MAX}`,
    );
  }
  if (mtu !== null && !(Number.isInteger(mtu) && mtu >= 68 && mtu <= 65_535)) {
    throw new HandoverError(
      'INVALID_INPUT',
      `MTU ${mtu} of network ${name} is out of range; it must be from 68 to 65535`,
    );
  }
  return { id, name, vlan, label, mtu, description };
}

async function addProfile(parts: AppParts, wanted: NewVnicProfile): Promise<VnicProfile> {
  if (!(await parts.store.networks.get(wanted.networkId))) {
    throw new HandoverError(
      'VNIC_PROFILE_INVALID',
      `there is no network with the id ${wanted.networkId}; add it first`,
    );
  }
  const passThrough = wanted.passThrough ?? false;
  const profile: VnicProfile = {
    id: parts.random.uuid() as VnicProfileId,
    name: wanted.name,
    networkId: wanted.networkId,
    passThrough,
    // Documented by oVirt as true when omitted; ordinary vNICs are always migratable.
    migratable: passThrough ? (wanted.migratable ?? true) : true,
    portMirroring: wanted.portMirroring ?? false,
    failoverId: wanted.failoverId ?? null,
    description: wanted.description ?? null,
  };
  await checkProfile(parts, profile);
  await parts.store.profiles.add(profile);
  await say(parts, 'PROFILE_ADDED', `vNIC profile ${profile.name} was added`);
  return profile;
}

async function updateProfile(
  parts: AppParts,
  id: VnicProfileId,
  changes: Partial<NewVnicProfile>,
): Promise<VnicProfile> {
  const old = await profileById(parts, id);
  if (changes.networkId !== undefined && changes.networkId !== old.networkId) {
    throw new HandoverError(
      'VNIC_PROFILE_INVALID',
      'The network of a VM network interface profile cannot be changed. Create another profile on ' +
        'the other network.',
    );
  }
  const merged = { ...old, ...changes } as VnicProfile;
  const profile: VnicProfile = { ...merged, migratable: merged.passThrough ? merged.migratable : true };
  await checkProfile(parts, profile);
  for (const other of await parts.store.profiles.list()) {
    if (other.failoverId === id) {
      throw new HandoverError(
        'VNIC_PROFILE_INVALID',
        `Cannot edit the profile ${old.name}: it is the failover profile of ${other.name}. Take it ` +
          `out there first.`,
      );
    }
  }
  const frozen =
    old.passThrough !== profile.passThrough ||
    old.portMirroring !== profile.portMirroring ||
    old.failoverId !== profile.failoverId;
  if (frozen)
    await refuseIfUsed(parts, old, `pass-through, port mirroring or failover of vNIC profile ${old.name}`);
  await parts.store.profiles.update(profile);
  if (!isSame(old, profile)) await say(parts, 'PROFILE_UPDATED', `vNIC profile ${profile.name} was changed`);
  return profile;
}

async function checkProfile(parts: AppParts, profile: VnicProfile): Promise<void> {
  const invalid = (message: string) => new HandoverError('VNIC_PROFILE_INVALID', message);
  if (profile.name.length === 0 || profile.name.length > 256)
    throw invalid('A vNIC profile needs a name of at most 256 characters.');
  if (profile.passThrough && profile.portMirroring) {
    throw invalid(
      "'Port Mirroring,'Qos' and 'Network Filter' are not supported on passthrough profiles. Leave them out.",
    );
  }
  if (profile.failoverId === null) return;
  if (profile.failoverId === profile.id)
    throw invalid('A vNIC profile cannot be its own failover profile. Name another one.');
  const failover = await parts.store.profiles.get(profile.failoverId);
  if (!failover || failover.passThrough)
    throw invalid('The failover vNIC profile must exist and must not be a passthrough profile.');
  if (!profile.passThrough || !profile.migratable) {
    throw invalid('A failover vNIC profile is supported only for a passthrough profile that is migratable.');
  }
}

async function refuseIfUsed(parts: AppParts, profile: VnicProfile, what: string): Promise<void> {
  const users = await parts.store.profiles.users(profile.id);
  if (users.length === 0) return;
  const names = new Map((await parts.store.vms.list()).map((vm) => [vm.id, vm.name]));
  const list = [...new Set(users.map((vnic) => names.get(vnic.vmId) ?? vnic.vmId))].join(', ');
  throw new HandoverError(
    'IN_USE',
    `${what} cannot be changed or removed: it is used by ${list}. Give those vNICs another profile first.`,
  );
}
