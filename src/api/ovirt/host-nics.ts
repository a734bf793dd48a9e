/**
 * `/hosts/ID/nics`: ordinary nics, PFs and every VF that exists, attached or free, with a netdev or without:
 * the number of VFs listed is the PF's `number_of_virtual_functions`. Unlike oVirt, PF configuration and VFs
 * are shown without `all_content`.
 */
import { HandoverError } from '../../base/errors.ts';
import type { HostId, NetworkId } from '../../base/ids.ts';
import type { VfUse } from '../../app/use-cases.ts';
import type { Host, HostNic } from '../../model/host.ts';
import type { PfConfig } from '../../model/network.ts';
import type { Pf, Vf } from '../../model/pf.ts';
import { notFound } from './look.ts';
import { toNetwork } from './networks.ts';
import { type Call, created, done, many, one, param, requireFields, type Route } from './route.ts';
import { actionType, hostNicType, networkLabelType, networkType } from './schema/index.ts';
import { stableId } from './stable-id.ts';
import type { Entity } from './wire/fields.ts';

type Nic = Entity<typeof hostNicType>;

/** Id of a host's nic: of its PCI function where it has one, else of its name. */
const nicId = (hostId: HostId, key: string): string => stableId('host_nic', hostId, key);

const linkStatus = (carrier: boolean | null): string | null =>
  carrier === null ? null : carrier ? 'up' : 'down';

function base(host: Host, key: string) {
  const id = nicId(host.id, key);
  return {
    id,
    href: `hosts/${host.id}/nics/${id}`,
    host: { id: host.id, href: `hosts/${host.id}` },
  };
}

function toPlainNic(host: Host, nic: HostNic): Nic {
  return {
    ...base(host, nic.pciAddress ?? nic.name),
    name: nic.name,
    mac: nic.mac === null ? null : { address: nic.mac },
    status: linkStatus(nic.carrier),
    pci_address: nic.pciAddress,
  };
}

function toPfNic(host: Host, pf: Pf, uses: ReadonlyMap<string, VfUse>, config: PfConfig | undefined): Nic {
  const own = base(host, pf.pciAddress);
  const links = ['virtualfunctionallowednetworks', 'virtualfunctionallowedlabels'];
  return {
    ...own,
    name: pf.name,
    mac: pf.mac === null ? null : { address: pf.mac },
    mtu: pf.mtu,
    status: linkStatus(pf.carrier),
    virtual_functions_configuration: {
      all_networks_allowed: config?.allNetworksAllowed ?? true,
      max_number_of_virtual_functions: pf.vfCountMax,
      number_of_virtual_functions: pf.vfs.length,
      number_of_free_virtual_functions: pf.vfs.filter((vf) => uses.get(vf.pciAddress)?.state === 'free')
        .length,
    },
    pci_address: pf.pciAddress,
    driver: pf.driver,
    numa_node: pf.numaNode,
    actions: [
      {
        rel: 'updatevirtualfunctionsconfiguration',
        href: `${own.href}/updatevirtualfunctionsconfiguration`,
      },
    ],
    link: links.map((rel) => ({ rel, href: `${own.href}/${rel}` })),
  };
}

function toVfNic(host: Host, pf: Pf, vf: Vf, use: VfUse | undefined): Nic {
  const pfId = nicId(host.id, pf.pciAddress);
  const mac = vf.attributes?.mac ?? null;
  return {
    ...base(host, vf.pciAddress),
    // A VF in a VM, or bound to vfio-pci, has no netdev: then the name the kernel would give it.
    name: vf.netdev ?? `${pf.name}v${vf.index}`,
    mac: mac === null ? null : { address: mac },
    physical_function: { id: pfId, href: `hosts/${host.id}/nics/${pfId}` },
    pci_address: vf.pciAddress,
    driver: vf.driver,
    numa_node: vf.numaNode,
    virtual_function_state: use?.state,
    virtual_function_reason: use?.reason,
  };
}

/** All nics of a host, its PFs each followed by their VFs. Empty for a host that was never seen. */
async function nicsOf(call: Call, host: Host): Promise<Nic[]> {
  const { inventory } = host;
  if (inventory === null) return [];
  const uses = new Map((await call.look.vfUses(host.id)).map((use) => [use.pciAddress as string, use]));
  const configs = await call.look.pfConfigs(host.id);
  return [
    ...inventory.nics.map((nic) => toPlainNic(host, nic)),
    ...inventory.pfs.flatMap((pf) => [
      toPfNic(
        host,
        pf,
        uses,
        configs.find((config) => config.pf === pf.pciAddress),
      ),
      ...pf.vfs.map((vf) => toVfNic(host, pf, vf, uses.get(vf.pciAddress))),
    ]),
  ];
}

async function list(call: Call) {
  return many(hostNicType, await nicsOf(call, await call.look.host(param(call, 'hostId'))));
}

async function get(call: Call) {
  const id = param(call, 'nicId');
  const nic = (await nicsOf(call, await call.look.host(param(call, 'hostId')))).find(
    (each) => each.id === id,
  );
  if (!nic) throw notFound('host nic', id);
  return one(hostNicType, nic);
}

/** The PF a request is about and its configuration; a nic that is no PF has none. */
async function pfOf(call: Call): Promise<{ host: Host; pf: Pf; config: PfConfig }> {
  const host = await call.look.host(param(call, 'hostId'));
  const id = param(call, 'nicId');
  const pf = host.inventory?.pfs.find((each) => nicId(host.id, each.pciAddress) === id);
  if (!pf) {
    const { document } = await get(call);
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
  if (typeof count === 'number' && count !== pf.vfs.length) {
    throw new HandoverError(
      'INVALID_INPUT',
      `${pf.name} of ${host.name} has ${pf.vfs.length} VFs and Handover does not change that; ` +
        `write ${count} to its sriov_numvfs on the host, then refresh the host`,
    );
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

async function listAllowedLabels(call: Call) {
  const { config } = await pfOf(call);
  return many(
    networkLabelType,
    config.labels.map((label) => toAllowedLabel(call, label)),
  );
}

const NIC = 'hosts/:hostId/nics/:nicId';
const operation = 'update_vfs';
/** Routes of `/hosts/ID/nics`. */
export const hostNicRoutes: readonly Route[] = [
  { method: 'GET', path: 'hosts/:hostId/nics', run: list },
  { method: 'GET', path: NIC, run: get },
  {
    method: 'POST',
    path: `${NIC}/updatevirtualfunctionsconfiguration`,
    operation,
    isAction: true,
    run: updateConfiguration,
  },
  { method: 'GET', path: `${NIC}/virtualfunctionallowednetworks`, run: listAllowedNetworks },
  { method: 'POST', path: `${NIC}/virtualfunctionallowednetworks`, operation, run: addAllowedNetwork },
  {
    method: 'DELETE',
    path: `${NIC}/virtualfunctionallowednetworks/:networkId`,
    operation,
    run: removeAllowedNetwork,
  },
  { method: 'GET', path: `${NIC}/virtualfunctionallowedlabels`, run: listAllowedLabels },
  { method: 'POST', path: `${NIC}/virtualfunctionallowedlabels`, operation, run: addAllowedLabel },
  {
    method: 'DELETE',
    path: `${NIC}/virtualfunctionallowedlabels/:label`,
    operation,
    run: removeAllowedLabel,
  },
];
