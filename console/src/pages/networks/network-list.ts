/** Networks, asked for and changed through oVirt's API. */
import { useQuery } from '@tanstack/react-query';
import { ask } from '../../server/ask.ts';
import type { ServerFault } from '../../server/fault.ts';
import { listKey, oneKey } from '../../server/keys.ts';
import { askList, numberOf, type Ref } from '../../server/ovirt.ts';
import { queryClient } from '../../server/query-client.ts';

/** A network. `vlan`: null: untagged. `mtu`: null: the default. */
export interface Network {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly vlan: number | null;
  readonly mtu: number | null;
  readonly label: string;
}

/** As it was typed; empty: none. */
export type NetworkFields = Readonly<Record<'name' | 'description' | 'vlan' | 'mtu' | 'label', string>>;

interface OvirtNetwork extends Ref {
  readonly name: string;
  readonly description?: string;
  readonly vlan?: Ref;
  readonly mtu?: string;
  readonly network_labels?: { readonly network_label?: readonly Ref[] };
}

/** All networks, by name. */
export const useNetworks = () =>
  useQuery({
    queryKey: listKey('networks'),
    queryFn: async ({ signal }) => {
      const all = await askList<OvirtNetwork>('networks?follow=network_labels', 'network', signal);
      return all.map(toNetwork).sort((a, b) => a.name.localeCompare(b.name));
    },
  });

/** Names of the vNIC profiles of a network. */
export const useProfileNames = (networkId: string) =>
  useQuery({
    queryKey: oneKey('networks', networkId, 'profiles'),
    queryFn: async ({ signal }) =>
      (
        await askList<{ readonly name: string }>(`networks/${networkId}/vnicprofiles`, 'vnic_profile', signal)
      ).map(({ name }) => name),
  });

/** Adds it, or changes the one with `id`. Throws what `ask` throws. */
export async function saveNetwork(id: string | null, fields: NetworkFields): Promise<void> {
  const body = {
    name: fields.name.trim(),
    description: fields.description.trim(),
    vlan: fields.vlan.trim() === '' ? {} : { id: fields.vlan.trim() },
    mtu: fields.mtu.trim() || '0',
    network_labels: fields.label.trim() === '' ? {} : { network_label: [{ id: fields.label.trim() }] },
  };
  await ask(id === null ? 'networks' : `networks/${id}`, { method: id === null ? 'POST' : 'PUT', body });
  await queryClient.invalidateQueries({ queryKey: listKey('networks') });
}

/** Removes it. Throws what `ask` throws. */
export async function removeNetwork(id: string): Promise<void> {
  await ask(`networks/${id}`, { method: 'DELETE' });
  await queryClient.invalidateQueries({ queryKey: listKey('networks') });
}

/** Which field of the form a fault is about; null: none of them. */
export function fieldOf({ code, message }: ServerFault): string | null {
  if (/\bVLAN\b|\bvlan\b/.test(message)) return 'vlan';
  if (/\bMTU\b|\bmtu\b/.test(message)) return 'mtu';
  if (/\blabel\b/.test(message)) return 'label';
  return code === 'ALREADY_EXISTS' || /\bname\b/.test(message) ? 'name' : null;
}

function toNetwork(network: OvirtNetwork): Network {
  return {
    id: network.id,
    name: network.name,
    description: network.description ?? '',
    vlan: numberOf(network.vlan?.id),
    mtu: numberOf(network.mtu) || null,
    label: network.network_labels?.network_label?.[0]?.id ?? '',
  };
}
