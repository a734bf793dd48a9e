/**
 * `/vnicprofiles`: how a vNIC is connected: network, passthrough, and whether a VM that uses it may be moved.
 */
import { HandoverError } from '../../base/errors.ts';
import type { NetworkId, VnicProfileId } from '../../base/ids.ts';
import { isUuid } from '../../base/ids.ts';
import type { VnicProfile } from '../../model/network.ts';
import type { NewVnicProfile } from '../../app/use-cases.ts';
import { ABSENT_OF_NETWORK, absentLinks } from './absent.ts';
import { networkFilters } from './network-filters.ts';
import {
  type Call,
  created,
  done,
  given,
  many,
  one,
  param,
  refuseNewId,
  requireFields,
  type Route,
} from './route.ts';
import { vnicProfileType } from './schema/index.ts';
import type { AnyEntity, Entity } from './wire/fields.ts';
import { badRequest } from './wire/read.ts';

type Given = Entity<typeof vnicProfileType>;

/** A vNIC profile as oVirt shows it: `migratable` for passthrough profiles only. */
export function toVnicProfile(profile: VnicProfile): Given {
  const { failoverId } = profile;
  return {
    id: profile.id,
    href: `vnicprofiles/${profile.id}`,
    name: profile.name,
    description: profile.description,
    failover: failoverId === null ? null : { id: failoverId, href: `vnicprofiles/${failoverId}` },
    migratable: profile.passThrough ? profile.migratable : null,
    network: { id: profile.networkId, href: `networks/${profile.networkId}` },
    pass_through: { mode: profile.passThrough ? 'enabled' : 'disabled' },
    port_mirroring: profile.portMirroring,
    link: absentLinks(`vnicprofiles/${profile.id}`, ABSENT_OF_NETWORK),
  };
}

/**
 * What a request says; absent elements are no change. Ansible sends empty `network_filter` and `qos`: none.
 */
function changesOf(body: Given, wasPassThrough: boolean): Partial<NewVnicProfile> {
  const mode = body.pass_through?.mode;
  refuseFilterAndQos(body, wasPassThrough);
  return {
    ...(body.name === undefined ? {} : { name: body.name ?? '' }),
    ...(body.description === undefined ? {} : { description: body.description || null }),
    ...(mode ? { passThrough: mode === 'enabled' } : {}),
    ...given('migratable', body.migratable),
    ...given('portMirroring', body.port_mirroring),
    // An empty `<failover/>` takes the standby profile away; oVirt can not (ovirt.md 3.4).
    ...(body.failover === undefined
      ? {}
      : { failoverId: idOf('failover', body.failover?.id) as VnicProfileId | null }),
    ...given('networkId', idOf('network', body.network?.id) as NetworkId | null),
  };
}

/** Nobody would apply them, so they are not kept either. */
function refuseFilterAndQos(body: Given, wasPassThrough: boolean): void {
  const mode = body.pass_through?.mode;
  const isPassThrough = mode ? mode === 'enabled' : wasPassThrough;
  for (const name of ['network_filter', 'qos'] as const) {
    const id = idOf(name, body[name]?.id);
    if (id === null) continue;
    const known = name === 'network_filter' ? networkFilters.find((each) => each.id === id) : undefined;
    throw new HandoverError(
      'VNIC_PROFILE_INVALID',
      isPassThrough
        ? "'Port Mirroring,'Qos' and 'Network Filter' are not supported on passthrough profiles. " +
            `Leave ${name} out.`
        : known
          ? `Handover applies no network filter, so ${known.name} can not be chosen; leave network_filter ` +
            'out, or send it empty'
          : `there is no ${name} with the id ${id}; leave it out, or send it empty`,
    );
  }
}

/** An id in a body: a malformed one is a bad request, while in a path it is simply not there. */
function idOf(what: string, id: string | undefined): string | null {
  if (id === undefined || id === '') return null;
  if (!isUuid(id.toLowerCase())) throw badRequest(`${what} id ${JSON.stringify(id)} is not a UUID`);
  return id.toLowerCase();
}

/** `networkId`: of the network whose collection it is added to; then the body need not name one. */
export async function addVnicProfile(call: Call, networkId?: NetworkId) {
  const given = call.body(vnicProfileType);
  const body = networkId === undefined ? given : { ...given, network: { id: networkId } };
  requireFields('VnicProfile', 'add', {
    name: body.name,
    ...(networkId === undefined ? { 'network.id': body.network?.id } : {}),
  });
  const changes = changesOf(body, false);
  const profile = await call.useCases.addVnicProfile(call.caller, {
    ...changes,
    name: body.name as string,
    networkId: changes.networkId as NetworkId,
  });
  return created(vnicProfileType, toVnicProfile(profile));
}

async function update(call: Call) {
  const { id, passThrough } = await call.look.profile(param(call, 'profileId'));
  const body = call.body(vnicProfileType);
  refuseNewId(id, body);
  const changes = changesOf(body, passThrough);
  return one(vnicProfileType, toVnicProfile(await call.useCases.updateVnicProfile(call.caller, id, changes)));
}

/** Removes the profile the path names. */
export async function removeVnicProfile(call: Call) {
  const { id } = await call.look.profile(param(call, 'profileId'));
  await call.useCases.removeVnicProfile(call.caller, id);
  return done();
}

/** Routes of `/vnicprofiles`. */
export const vnicProfileRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: 'vnicprofiles',
    run: async (call) => {
      const names = new Map((await call.look.networks()).map((each) => [each.id as string, each.name]));
      const networkName = (each: AnyEntity) => names.get((each['network'] as { id: string }).id);
      return many(vnicProfileType, (await call.look.profiles()).map(toVnicProfile), {
        network: networkName,
        'network.name': networkName,
        network_name: networkName,
      });
    },
  },
  {
    method: 'GET',
    path: 'vnicprofiles/:profileId',
    run: async (call) =>
      one(vnicProfileType, toVnicProfile(await call.look.profile(param(call, 'profileId')))),
  },
  {
    method: 'POST',
    path: 'vnicprofiles',
    needs: 'configure',
    operation: 'add_vnic_profile',
    run: (call) => addVnicProfile(call),
  },
  {
    method: 'PUT',
    path: 'vnicprofiles/:profileId',
    needs: 'configure',
    operation: 'update_vnic_profile',
    run: update,
  },
  {
    method: 'DELETE',
    path: 'vnicprofiles/:profileId',
    needs: 'configure',
    operation: 'remove_vnic_profile',
    run: removeVnicProfile,
  },
];
