/** `/networks`: networks VMs are connected to, with their labels and vNIC profiles. */
import { HandoverError } from '../../base/errors.ts';
import type { NetworkId } from '../../base/ids.ts';
import type { Network } from '../../model/network.ts';
import type { NewNetwork } from '../../app/use-cases.ts';
import { notFound } from './look.ts';
import { ABSENT_OF_NETWORK, absentLinks } from './absent.ts';
import { checkDefault } from './default-cluster.ts';
import {
  type Call,
  created,
  done,
  many,
  one,
  param,
  refuseNewId,
  requireFields,
  type Route,
} from './route.ts';
import { networkLabelType, networkType, vnicProfileType } from './schema/index.ts';
import { DATA_CENTER_ID } from './stable-id.ts';
import { addVnicProfile, removeVnicProfile, toVnicProfile } from './vnic-profiles.ts';
import type { Entity } from './wire/fields.ts';
import { badRequest } from './wire/read.ts';

/** A network as oVirt shows it. */
export function toNetwork(network: Network): Entity<typeof networkType> {
  const href = `networks/${network.id}`;
  return {
    id: network.id,
    href,
    name: network.name,
    description: network.description,
    data_center: { id: DATA_CENTER_ID, href: `datacenters/${DATA_CENTER_ID}` },
    mtu: network.mtu ?? 0,
    port_isolation: false,
    required: false,
    status: 'operational',
    stp: false,
    usages: ['vm'],
    vdsm_name: network.name,
    vlan: network.vlan === null ? null : { id: network.vlan },
    link: [
      ...['networklabels', 'vnicprofiles'].map((rel) => ({ rel, href: `${href}/${rel}` })),
      ...absentLinks(href, ABSENT_OF_NETWORK),
    ],
  };
}

function toLabel(network: Network, label: string): Entity<typeof networkLabelType> {
  return {
    id: label,
    href: `networks/${network.id}/networklabels/${encodeURIComponent(label)}`,
    network: { id: network.id, href: `networks/${network.id}` },
  };
}

/**
 * Accepting what nobody does would be a lie: Handover makes no bridges, so a network is what VMs are
 * connected to, and no more.
 */
function refuseUnsupported(given: Entity<typeof networkType>): void {
  checkDefault('data center', given.data_center);
  const refuse = (what: string) => new HandoverError('INVALID_INPUT', `${what}; leave it out`);
  if (given.port_isolation) throw refuse('Handover isolates no ports (port_isolation)');
  if (given.stp) throw refuse('Handover makes no bridges, so it can not switch STP on (stp)');
  if (given.external_provider?.id) throw refuse('there are no external providers (external_provider)');
  const usages = given.usages ?? ['vm'];
  if (usages.length !== 1 || usages[0]?.toLowerCase() !== 'vm') {
    throw new HandoverError(
      'INVALID_INPUT',
      `the usages of a network are vm alone, not ${usages.join(', ') || 'none'}: Handover only knows ` +
        'networks that VMs are connected to',
    );
  }
}

/** What a request says of a network; absent elements are no change. */
function changesOf(given: Entity<typeof networkType>): Partial<NewNetwork> {
  refuseUnsupported(given);
  const labels = given.network_labels ?? [];
  if (labels.length > 1) throw badRequest('a network has at most one label');
  return {
    ...(given.name === undefined ? {} : { name: given.name ?? '' }),
    ...(given.description === undefined ? {} : { description: given.description || null }),
    // `<vlan/>` takes the tag away; an MTU of 0 is oVirt's word for the default.
    ...(given.vlan === undefined ? {} : { vlan: given.vlan?.id ?? null }),
    ...(given.mtu === undefined ? {} : { mtu: given.mtu || null }),
    ...(given.network_labels === undefined ? {} : { label: labels[0]?.id ?? null }),
  };
}

async function add(call: Call) {
  const given = call.body(networkType);
  requireFields('Network', 'add', { name: given.name });
  const network = await call.useCases.addNetwork(call.caller, {
    ...changesOf(given),
    name: given.name as string,
  });
  return created(networkType, toNetwork(network));
}

async function update(call: Call) {
  const { id } = await call.look.network(param(call, 'networkId'));
  const body = call.body(networkType);
  refuseNewId(id, body);
  const changes = changesOf(body);
  return one(networkType, toNetwork(await call.useCases.updateNetwork(call.caller, id, changes)));
}

async function remove(call: Call) {
  const { id } = await call.look.network(param(call, 'networkId'));
  await call.useCases.removeNetwork(call.caller, id as NetworkId);
  return done();
}

async function addLabel(call: Call) {
  const network = await call.look.network(param(call, 'networkId'));
  const { id } = call.body(networkLabelType);
  requireFields('NetworkLabel', 'add', { id });
  if (network.label !== null) {
    throw new HandoverError(
      'ALREADY_EXISTS',
      `network ${network.name} already has the label ${network.label}; remove it first`,
    );
  }
  const updated = await call.useCases.updateNetwork(call.caller, network.id, { label: id as string });
  return created(networkLabelType, toLabel(updated, id as string));
}

async function labelOf(call: Call) {
  const network = await call.look.network(param(call, 'networkId'));
  const label = param(call, 'label');
  if (network.label !== label) {
    throw new HandoverError('NOT_FOUND', `network ${network.name} has no label ${label}`);
  }
  return { network, label };
}

/** The profile of the path, if it is of the path's network. */
async function profileOf(call: Call) {
  const network = await call.look.network(param(call, 'networkId'));
  const profile = await call.look.profile(param(call, 'profileId'));
  if (profile.networkId !== network.id) throw notFound(`vNIC profile of ${network.name}`, profile.id);
  return profile;
}

/** Routes of `/networks`. */
export const networkRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: 'networks',
    run: async (call) =>
      many(networkType, (await call.look.networks()).map(toNetwork), {
        vlanid: (each) => (each['vlan'] as { id?: number } | null)?.id,
        mtu: (each) => each['mtu'] as number,
        datacenter: () => 'Default',
        'datacenter.name': () => 'Default',
      }),
  },
  {
    method: 'GET',
    path: 'networks/:networkId',
    run: async (call) => one(networkType, toNetwork(await call.look.network(param(call, 'networkId')))),
  },
  { method: 'POST', path: 'networks', needs: 'configure', operation: 'add_network', run: add },
  {
    method: 'PUT',
    path: 'networks/:networkId',
    needs: 'configure',
    operation: 'update_network',
    run: update,
  },
  {
    method: 'DELETE',
    path: 'networks/:networkId',
    needs: 'configure',
    operation: 'remove_network',
    run: remove,
  },
  {
    method: 'GET',
    path: 'networks/:networkId/vnicprofiles',
    run: async (call) => {
      const { id } = await call.look.network(param(call, 'networkId'));
      const profiles = (await call.look.profiles()).filter((each) => each.networkId === id);
      return many(vnicProfileType, profiles.map(toVnicProfile));
    },
  },
  {
    method: 'POST',
    path: 'networks/:networkId/vnicprofiles',
    needs: 'configure',
    operation: 'add_vnic_profile',
    run: async (call) => addVnicProfile(call, (await call.look.network(param(call, 'networkId'))).id),
  },
  {
    method: 'GET',
    path: 'networks/:networkId/vnicprofiles/:profileId',
    run: async (call) => one(vnicProfileType, toVnicProfile(await profileOf(call))),
  },
  {
    method: 'DELETE',
    path: 'networks/:networkId/vnicprofiles/:profileId',
    needs: 'configure',
    operation: 'remove_vnic_profile',
    run: async (call) => {
      await profileOf(call);
      return removeVnicProfile(call);
    },
  },
  {
    method: 'GET',
    path: 'networks/:networkId/networklabels',
    run: async (call) => {
      const network = await call.look.network(param(call, 'networkId'));
      return many(networkLabelType, network.label === null ? [] : [toLabel(network, network.label)]);
    },
  },
  {
    method: 'POST',
    path: 'networks/:networkId/networklabels',
    needs: 'configure',
    operation: 'update_network',
    run: addLabel,
  },
  {
    method: 'GET',
    path: 'networks/:networkId/networklabels/:label',
    run: async (call) => {
      const { network, label } = await labelOf(call);
      return one(networkLabelType, toLabel(network, label));
    },
  },
  {
    method: 'DELETE',
    path: 'networks/:networkId/networklabels/:label',
    needs: 'configure',
    operation: 'update_network',
    run: async (call) => {
      const { network } = await labelOf(call);
      await call.useCases.updateNetwork(call.caller, network.id, { label: null });
      return done();
    },
  },
];
