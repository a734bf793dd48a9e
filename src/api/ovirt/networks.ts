/** `/networks`: networks VMs are connected to, with their labels and vNIC profiles. */
import { HandoverError } from '../../base/errors.ts';
import type { NetworkId } from '../../base/ids.ts';
import type { Network } from '../../model/network.ts';
import type { NewNetwork } from '../../app/use-cases.ts';
import { type Call, created, done, many, one, param, requireFields, type Route } from './route.ts';
import { networkLabelType, networkType, vnicProfileType } from './schema/index.ts';
import { DATA_CENTER_ID } from './stable-id.ts';
import { toVnicProfile } from './vnic-profiles.ts';
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
    link: ['networklabels', 'vnicprofiles'].map((rel) => ({ rel, href: `${href}/${rel}` })),
  };
}

function toLabel(network: Network, label: string): Entity<typeof networkLabelType> {
  return {
    id: label,
    href: `networks/${network.id}/networklabels/${encodeURIComponent(label)}`,
    network: { id: network.id, href: `networks/${network.id}` },
  };
}

/** What a request says of a network; absent elements are no change. */
function changesOf(given: Entity<typeof networkType>): Partial<NewNetwork> {
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
  const changes = changesOf(call.body(networkType));
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
  { method: 'POST', path: 'networks', operation: 'add_network', run: add },
  { method: 'PUT', path: 'networks/:networkId', operation: 'update_network', run: update },
  { method: 'DELETE', path: 'networks/:networkId', operation: 'remove_network', run: remove },
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
    operation: 'update_network',
    run: async (call) => {
      const { network } = await labelOf(call);
      await call.useCases.updateNetwork(call.caller, network.id, { label: null });
      return done();
    },
  },
];
