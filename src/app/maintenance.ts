/**
 * A host's maintenance: no VM is placed on it any more. What runs there goes on, is watched, and may be moved
 * away; nothing is moved by itself.
 */
import type { HostId } from '../base/ids.ts';
import type { Host } from '../model/host.ts';
import { hostById, observeHost } from './observe-host.ts';
import type { AppParts } from './parts.ts';
import type { Caller } from './use-cases.ts';

/** A host that is there already stays as it is. */
export async function beginMaintenance(parts: AppParts, caller: Caller, id: HostId): Promise<Host> {
  const host = await hostById(parts, id);
  if (host.status === 'maintenance') return host;
  // Does not answer, or never did: the reason stays with it.
  const reason = host.status === 'up' ? null : (host.statusReason ?? 'it was not seen yet');
  await parts.store.hosts.setStatus(id, 'maintenance', reason);
  await parts.store.events.add({
    name: 'HOST_MAINTENANCE',
    severity: 'normal',
    message: `${caller.user} switched host ${host.name} to maintenance; no VM is placed there any more.`,
    hostId: id,
    correlationId: caller.correlationId,
  });
  return await hostById(parts, id);
}

/** Looks at the host before it answers; one that does not answer is `non_responsive`, and that is thrown. */
export async function endMaintenance(parts: AppParts, caller: Caller, id: HostId): Promise<Host> {
  const host = await hostById(parts, id);
  if (host.status === 'maintenance') {
    await parts.store.hosts.setStatus(id, 'connecting', null);
    await parts.store.events.add({
      name: 'HOST_ACTIVATED',
      severity: 'normal',
      message: `${caller.user} ended the maintenance of host ${host.name}.`,
      hostId: id,
      correlationId: caller.correlationId,
    });
  }
  await observeHost(parts, id);
  return await hostById(parts, id);
}
