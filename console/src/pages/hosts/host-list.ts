/** Hosts, asked for through the native API and changed through oVirt's. */
import { useQuery } from '@tanstack/react-query';
import type { HostSummaryView } from '../../../../src/api/types/fleet-view.ts';
import type { HostView } from '../../../../src/api/types/host-view.ts';
import type { VmPage } from '../../../../src/api/types/vm-view.ts';
import { ask } from '../../server/ask.ts';
import type { ServerFault } from '../../server/fault.ts';
import { listKey, oneKey } from '../../server/keys.ts';
import { queryClient } from '../../server/query-client.ts';

/** A look at a host makes no event; asked for again this often. */
const LOOKED_EVERY_MS = 15_000;
/** How many VMs of a host are shown at most. */
export const VMS_SHOWN_MAX = 200;

/** All hosts, by name. */
export const useHosts = () =>
  useQuery({
    queryKey: listKey('hosts'),
    refetchInterval: LOOKED_EVERY_MS,
    queryFn: async ({ signal }) => {
      const hosts = await ask<readonly HostSummaryView[]>('/api/hosts', { signal });
      return [...hosts].sort((a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }));
    },
  });

/** One host with all that was seen on it. */
export const useHost = (id: string) =>
  useQuery({
    queryKey: oneKey('hosts', id),
    refetchInterval: LOOKED_EVERY_MS,
    queryFn: ({ signal }) => ask<HostView>(`/api/hosts/${id}`, { signal }),
  });

/** The VMs of a host, by name: the first `VMS_SHOWN_MAX`, and how many there are. */
export const useHostVms = (id: string) =>
  useQuery({
    queryKey: listKey('vms', 'host', id),
    queryFn: ({ signal }) => ask<VmPage>(`/api/vms?host=${id}&max=${VMS_SHOWN_MAX}`, { signal }),
  });

/** The state as it is shown: as in oVirt, a host with VMs that run is not in maintenance yet. */
export const shownState = (status: HostView['status'], runningCount: number): string =>
  status === 'maintenance' && runningCount > 0 ? 'preparing_for_maintenance' : status;

/** As it was typed. `place`: an address, or a libvirt URI. */
export type NewHostFields = Readonly<Record<'name' | 'place', string>>;

/** Adds it; answered once the host was looked at. Throws what `ask` throws. */
export async function addHost(fields: NewHostFields): Promise<void> {
  const place = fields.place.trim();
  const where = place.includes('://') ? { libvirt_uri: place } : { address: place };
  await ask('hosts', { method: 'POST', body: { name: fields.name.trim(), ...where } });
  await hostsChanged();
}

/** Which field a refusal to add a host is about; null: none of them. */
export function newHostFieldOf({ status, message }: ServerFault): string | null {
  if (status === 403) return null;
  const isName = /\bname\b.*required|no host name|a host named/.test(message);
  return isName ? 'name' : 'place';
}

/** As it was typed; empty texts: libvirt's choice, or as the URI says. */
export type HostSettings = Readonly<
  Record<'peerUri' | 'migrationAddress' | 'outgoingMax' | 'incomingMax', string>
>;

/** Changes them. Throws what `ask` throws. */
export async function saveHostSettings(id: string, settings: HostSettings): Promise<void> {
  const body = {
    peer_uri: settings.peerUri.trim(),
    migration_address: settings.migrationAddress.trim(),
    outgoing_migrations_max: settings.outgoingMax.trim(),
    incoming_migrations_max: settings.incomingMax.trim(),
  };
  await ask(`hosts/${id}`, { method: 'PUT', body });
  await hostsChanged();
}

/** Which field a refusal to change a host is about; null: none of them. */
export function settingsFieldOf({ message }: ServerFault): string | null {
  if (/outgoing/i.test(message)) return 'outgoingMax';
  if (/incoming/i.test(message)) return 'incomingMax';
  if (/migration_address/.test(message)) return 'migrationAddress';
  return /no URI|peer_uri/.test(message) ? 'peerUri' : null;
}

/** Maintenance on and off, or a fresh look. Throws what `ask` throws. */
export async function actOnHost(id: string, verb: 'activate' | 'deactivate' | 'refresh'): Promise<void> {
  try {
    await ask(`hosts/${id}/${verb}`, { method: 'POST', body: {} });
  } finally {
    // One that does not answer has changed too.
    await hostsChanged();
  }
}

/** Has it forgotten. Throws what `ask` throws. */
export async function removeHost(id: string): Promise<void> {
  await ask(`hosts/${id}`, { method: 'DELETE' });
  queryClient.removeQueries({ queryKey: oneKey('hosts', id) });
  await queryClient.invalidateQueries({ queryKey: listKey('hosts') });
}

/** Tests from the host to every other one. Throws what `ask` throws. */
export async function testPeers(id: string): Promise<void> {
  await ask(`/api/hosts/${id}/peer-tests`, { method: 'POST', body: {} });
  await hostsChanged();
}

/** Asks for all hosts that are shown again. */
export const hostsChanged = (): Promise<void> => queryClient.invalidateQueries({ queryKey: ['hosts'] });
