/**
 * What may be done with the VFs of a PF: how many there are, and which networks they may serve. A nic that is
 * no PF has none of this: 405, as in oVirt.
 */
import { HandoverError } from '../../base/errors.ts';
import type { NetworkId } from '../../base/ids.ts';
import type { Host } from '../../model/host.ts';
import type { PfConfig } from '../../model/network.ts';
import type { Pf } from '../../model/pf.ts';
import { getHostNic, nicId } from './host-nics.ts';
import { notFound } from './look.ts';
import { toNetwork } from './networks.ts';
import { type Call, created, done, many, one, param, requireFields, type Route } from './route.ts';
import { actionType, networkLabelType, networkType } from './schema/index.ts';
import type { Entity } from './wire/fields.ts';

/** The PF a request is about and its configuration; a nic that is no PF has none. */
async function pfOf(call: Call): Promise<{ host: Host; pf: Pf; config: PfConfig }> {
  const host = await call.look.host(param(call, 'hostId'));
  const id = param(call, 'nicId');
  const pf = host.inventory?.pfs.find((each) => nicId(host.id, each.pciAddress) === id);
  if (!pf) {
    const { document } = await getHostNic(call);
    const name = 'value' in document ? String(document.value['name']) : id;
    throw new HandoverError('INVALID_INPUT', `nic ${name} of ${host.name} has no SR-IOV; name a PF`, {
      detail: { httpStatus: 405 },
    });
  }
  const stored = (await call.look.pfConfigs(host.id)).find((each) => each.pf === pf.pciAddress);
  const config = stored ?? {
    hostId: host.id,
    pf: pf.pciAddress,
    allNetworksAllowed: true,
    networkIds: [],
    labels: [],
  };
  return { host, pf, config };
}

async function updateConfiguration(call: Call) {
  const { host, pf, config } = await pfOf(call);
  const given = call.body(actionType).virtual_functions_configuration;
  requireFields('HostNicVirtualFunctionsConfiguration', 'update', {
    'numberOfVirtualFunctions|allNetworksAllowed':
      given?.number_of_virtual_functions ?? given?.all_networks_allowed ?? undefined,
  });
  const count = given?.number_of_virtual_functions;
  if (typeof count === 'number') {
    await call.useCases.setVfCount(call.caller, { hostId: host.id, pf: pf.pciAddress, count });
  }
  const all = given?.all_networks_allowed;
  if (typeof all === 'boolean' && all !== config.allNetworksAllowed) {
    // As in oVirt, allowing all forgets the list.
    const lists = all ? { networkIds: [], labels: [] } : {};
    await call.useCases.setPfConfig(call.caller, { ...config, ...lists, allNetworksAllowed: all });
  }
  return done();
}

function requireSpecific(host: Host, pf: Pf, config: PfConfig): void {
  if (!config.allNetworksAllowed) return;
  throw new HandoverError(
    'IN_USE',
    `all networks are allowed on ${pf.name} of ${host.name}; set all_networks_allowed to false first`,
  );
}

async function addAllowedNetwork(call: Call) {
  const { host, pf, config } = await pfOf(call);
  const given = call.body(networkType);
  const networks = await call.look.networks();
  const network = networks.find((each) => (given.id ? each.id === given.id : each.name === given.name));
  requireFields('Network', 'add', { 'id|name': given.id ?? given.name ?? undefined });
  if (!network) {
    throw new HandoverError('INVALID_INPUT', `there is no network ${given.id ?? given.name}; add it first`);
  }
  requireSpecific(host, pf, config);
  if (config.networkIds.includes(network.id)) {
    throw new HandoverError('ALREADY_EXISTS', `${network.name} is allowed on ${pf.name} already`);
  }
  const networkIds = [...config.networkIds, network.id];
  await call.useCases.setPfConfig(call.caller, { ...config, networkIds });
  return done();
}

async function removeAllowedNetwork(call: Call) {
  const { host, pf, config } = await pfOf(call);
  const id = param(call, 'networkId') as NetworkId;
  if (!config.networkIds.includes(id)) throw notFound(`allowed network of ${pf.name}`, id);
  requireSpecific(host, pf, config);
  const networkIds = config.networkIds.filter((each) => each !== id);
  await call.useCases.setPfConfig(call.caller, { ...config, networkIds });
  return done();
}

function toAllowedLabel(call: Call, label: string): Entity<typeof networkLabelType> {
  const nic = `hosts/${param(call, 'hostId')}/nics/${param(call, 'nicId')}`;
  return { id: label, href: `${nic}/virtualfunctionallowedlabels/${encodeURIComponent(label)}` };
}

async function addAllowedLabel(call: Call) {
  const { host, pf, config } = await pfOf(call);
  const { id } = call.body(networkLabelType);
  requireFields('NetworkLabel', 'add', { id });
  requireSpecific(host, pf, config);
  if (config.labels.includes(id as string)) {
    throw new HandoverError('ALREADY_EXISTS', `the label ${id} is allowed on ${pf.name} already`);
  }
  await call.useCases.setPfConfig(call.caller, { ...config, labels: [...config.labels, id as string] });
  return created(networkLabelType, toAllowedLabel(call, id as string));
}

async function removeAllowedLabel(call: Call) {
  const { host, pf, config } = await pfOf(call);
  const label = param(call, 'label');
  if (!config.labels.includes(label)) throw notFound(`allowed label of ${pf.name}`, label);
  requireSpecific(host, pf, config);
  const labels = config.labels.filter((each) => each !== label);
  await call.useCases.setPfConfig(call.caller, { ...config, labels });
  return done();
}

async function listAllowedNetworks(call: Call) {
  const { config } = await pfOf(call);
  const networks = await call.look.networks();
  return many(networkType, networks.filter((each) => config.networkIds.includes(each.id)).map(toNetwork));
}

async function getAllowedNetwork(call: Call) {
  const { pf, config } = await pfOf(call);
  const id = param(call, 'networkId');
  if (!config.networkIds.some((each) => each === id)) throw notFound(`allowed network of ${pf.name}`, id);
  return one(networkType, toNetwork(await call.look.network(id)));
}

async function getAllowedLabel(call: Call) {
  const { pf, config } = await pfOf(call);
  const label = param(call, 'label');
  if (!config.labels.includes(label)) throw notFound(`allowed label of ${pf.name}`, label);
  return one(networkLabelType, toAllowedLabel(call, label));
}

async function listAllowedLabels(call: Call) {
  const { config } = await pfOf(call);
  return many(
    networkLabelType,
    config.labels.map((label) => toAllowedLabel(call, label)),
  );
}

const NIC = 'hosts/:hostId/nics/:nicId';
const operation = 'update_vfs';
/** Routes of what may be done with the VFs of a PF. */
export const hostNicVfRoutes: readonly Route[] = [
  {
    method: 'POST',
    path: `${NIC}/updatevirtualfunctionsconfiguration`,
    needs: 'configure',
    operation,
    isAction: true,
    run: updateConfiguration,
  },
  { method: 'GET', path: `${NIC}/virtualfunctionallowednetworks`, run: listAllowedNetworks },
  {
    method: 'GET',
    path: `${NIC}/virtualfunctionallowednetworks/:networkId`,
    run: getAllowedNetwork,
  },
  {
    method: 'POST',
    path: `${NIC}/virtualfunctionallowednetworks`,
    needs: 'configure',
    operation,
    run: addAllowedNetwork,
  },
  {
    method: 'DELETE',
    path: `${NIC}/virtualfunctionallowednetworks/:networkId`,
    needs: 'configure',
    operation,
    run: removeAllowedNetwork,
  },
  { method: 'GET', path: `${NIC}/virtualfunctionallowedlabels`, run: listAllowedLabels },
  { method: 'GET', path: `${NIC}/virtualfunctionallowedlabels/:label`, run: getAllowedLabel },
  {
    method: 'POST',
    path: `${NIC}/virtualfunctionallowedlabels`,
    needs: 'configure',
    operation,
    run: addAllowedLabel,
  },
  {
    method: 'DELETE',
    path: `${NIC}/virtualfunctionallowedlabels/:label`,
    needs: 'configure',
    operation,
    run: removeAllowedLabel,
  },
];
