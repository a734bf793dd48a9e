/** vNIC profiles: read from the native API, which knows their VMs; changed through oVirt's. */
import { useQuery } from '@tanstack/react-query';
import type { ProfileView } from '../../../../src/api/types/fleet-view.ts';
import { ask } from '../../server/ask.ts';
import type { ServerFault } from '../../server/fault.ts';
import { listKey } from '../../server/keys.ts';
import { queryClient } from '../../server/query-client.ts';
import { type ProfileFields, shownValues } from './profile-rules.ts';

/** All vNIC profiles, by name. */
export const useProfiles = () =>
  useQuery({
    queryKey: listKey('profiles'),
    queryFn: ({ signal }) => ask<readonly ProfileView[]>('/api/vnic-profiles', { signal }),
  });

/** Adds a profile, or changes the one with `id`. Throws what `ask` throws. */
export async function saveProfile(id: string | null, fields: ProfileFields): Promise<void> {
  const { passThrough, migratable, failoverId, portMirroring } = shownValues(fields);
  const body = {
    name: fields.name.trim(),
    description: fields.description.trim(),
    ...(id === null ? { network: { id: fields.networkId } } : {}),
    pass_through: { mode: passThrough ? 'enabled' : 'disabled' },
    // Of an ordinary profile there is nothing to say: it always migrates.
    ...(passThrough ? { migratable } : {}),
    port_mirroring: portMirroring,
    failover: failoverId === '' ? {} : { id: failoverId },
  };
  const path = id === null ? 'vnicprofiles' : `vnicprofiles/${id}`;
  await ask(path, { method: id === null ? 'POST' : 'PUT', body });
  await queryClient.invalidateQueries({ queryKey: listKey('profiles') });
}

/** Removes it. Throws what `ask` throws. */
export async function removeProfile(id: string): Promise<void> {
  await ask(`vnicprofiles/${id}`, { method: 'DELETE' });
  await queryClient.invalidateQueries({ queryKey: listKey('profiles') });
}

/** Which field of the dialog a fault is about; null: none of them. */
export function fieldOf({ code, message }: ServerFault): string | null {
  if (/failover/i.test(message)) return 'failover';
  if (/port mirroring/i.test(message)) return 'portMirroring';
  if (/pass-?through/i.test(message)) return 'passThrough';
  if (/\bnetwork\b/i.test(message) && code !== 'ALREADY_EXISTS') return 'network';
  return code === 'ALREADY_EXISTS' || /\bname\b/i.test(message) ? 'name' : null;
}
