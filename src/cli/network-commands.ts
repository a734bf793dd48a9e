/** `handover network list|create|update|delete`. */
import type { Client } from './client.ts';
import { findOne, listAll } from './find.ts';
import { itemsOf, numberOf, type Reference } from './ovirt-json.ts';
import { type OutputFormat, printList, printOne } from './output.ts';

interface OvirtNetwork {
  readonly id: string;
  readonly name: string;
  readonly description?: string;
  readonly mtu?: string;
  readonly vlan?: { readonly id?: string };
  readonly network_labels?: Readonly<Record<string, unknown>>;
}

/** Options of create and update; `none` takes a value away. */
export interface NetworkOptions {
  readonly name?: string;
  readonly vlan?: number | 'none';
  readonly mtu?: number | 'none';
  readonly label?: string;
  readonly description?: string;
}

function toView(network: OvirtNetwork) {
  const [label] = itemsOf<Reference>(network.network_labels, 'network_label');
  return {
    id: network.id,
    name: network.name,
    vlan: numberOf(network.vlan?.id),
    // oVirt's 0: the default.
    mtu: numberOf(network.mtu) || null,
    label: label?.id ?? null,
    description: network.description ?? null,
  };
}

function bodyOf(options: NetworkOptions): object {
  const { name, vlan, mtu, label, description } = options;
  return {
    ...(name === undefined ? {} : { name }),
    ...(vlan === undefined ? {} : { vlan: vlan === 'none' ? {} : { id: String(vlan) } }),
    ...(mtu === undefined ? {} : { mtu: mtu === 'none' ? '0' : String(mtu) }),
    ...(label === undefined
      ? {}
      : { network_labels: { network_label: label === 'none' ? [] : [{ id: label }] } }),
    ...(description === undefined ? {} : { description }),
  };
}

async function show(client: Client, format: OutputFormat, id: string): Promise<void> {
  const network = toView(await client.ovirt<OvirtNetwork>('GET', `networks/${id}?follow=network_labels`));
  printOne(format, network, [
    ['name', network.name],
    ['id', network.id],
    ['vlan', network.vlan === null ? 'untagged' : String(network.vlan)],
    ['mtu', network.mtu === null ? null : String(network.mtu)],
    ['label', network.label],
    ['description', network.description],
  ]);
}

/** Prints all networks. */
export async function listNetworks(client: Client, format: OutputFormat): Promise<void> {
  const networks = (await listAll<OvirtNetwork>(client, 'networks', 'network_labels')).map(toView);
  printList(
    format,
    networks,
    ['name', 'vlan', 'label', 'description'],
    (each) => [each.name, String(each.vlan ?? '-'), each.label ?? '-', each.description ?? ''],
    'No networks yet. Add one: handover network create NAME --vlan TAG',
  );
}

/** Adds a network. */
export async function createNetwork(
  client: Client,
  format: OutputFormat,
  name: string,
  options: NetworkOptions,
): Promise<void> {
  const { id } = await client.ovirt<Reference>('POST', 'networks', bodyOf({ ...options, name }));
  await show(client, format, id);
}

/** Changes what the options name. */
export async function updateNetwork(
  client: Client,
  format: OutputFormat,
  nameOrId: string,
  options: NetworkOptions,
): Promise<void> {
  const { id } = await findOne<OvirtNetwork>(client, 'networks', nameOrId);
  await client.ovirt('PUT', `networks/${id}`, bodyOf(options));
  await show(client, format, id);
}

/** Deletes a network. */
export async function deleteNetwork(client: Client, format: OutputFormat, nameOrId: string): Promise<void> {
  const { id, name } = await findOne<OvirtNetwork>(client, 'networks', nameOrId);
  await client.ovirt('DELETE', `networks/${id}`);
  printOne(format, { id, name, deleted: true }, [['deleted', name]]);
}
