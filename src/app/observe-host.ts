/** One look at a host: its inventory stored, its VMs adopted, its status set. */
import { explain, HandoverError } from '../base/errors.ts';
import type { HostId, VmId } from '../base/ids.ts';
import { isActive } from '../model/domain.ts';
import type { Host, HostInventory } from '../model/host.ts';
import { adopt } from './adopt.ts';
import type { AppParts } from './parts.ts';

/** A host by id. Throws `NOT_FOUND`. */
export async function hostById(parts: AppParts, id: HostId): Promise<Host> {
  const host = await parts.store.hosts.get(id);
  if (!host) throw new HandoverError('NOT_FOUND', `there is no host with the id ${id}`);
  return host;
}

/**
 * Looks and stores. A host that cannot be looked at becomes `non_responsive` with the reason, and the error
 * is thrown on.
 */
export async function observeHost(parts: AppParts, id: HostId): Promise<HostInventory> {
  const host = await hostById(parts, id);
  const beganMs = parts.clock.monotonicMs();
  try {
    const inventory = await parts.hypervisors.host(host).observe();
    await storeInventory(parts, host, inventory, beganMs);
    return inventory;
  } catch (thrown) {
    await noteUnresponsive(parts, host, thrown);
    throw thrown;
  }
}

/** Stores one observation and adopts the VMs in it. `beganMs`: monotonic, when the look began. */
export async function storeInventory(
  parts: AppParts,
  host: Host,
  inventory: HostInventory,
  beganMs: number,
): Promise<void> {
  const { store, clock, random } = parts;
  const [hosts, networks, profiles] = await Promise.all([
    store.hosts.list(),
    store.networks.list(),
    store.profiles.list(),
  ]);
  const activeElsewhere = new Set<VmId>();
  for (const other of hosts) {
    if (other.id === host.id) continue;
    for (const domain of other.inventory?.domains ?? [])
      if (isActive(domain)) activeElsewhere.add(domain.uuid);
  }
  const seen = adopt({ hostId: host.id, inventory, networks, profiles, activeElsewhere, random });
  await store.vms.observe({ ...seen, ageMs: clock.monotonicMs() - beganMs });
  await store.hosts.setInventory(host.id, inventory, clock.now());
  if (host.status === 'non_responsive') {
    await store.events.add({
      name: 'HOST_UP',
      severity: 'normal',
      message: `Host ${host.name} answers again.`,
      hostId: host.id,
    });
  }
}

async function noteUnresponsive(parts: AppParts, host: Host, thrown: unknown): Promise<void> {
  const reason = explain(thrown);
  // The store itself may be what failed; the error that brought us here is the one to report.
  await parts.store.hosts.setStatus(host.id, 'non_responsive', reason).catch(() => undefined);
  if (host.status === 'non_responsive') return;
  await parts.store.events
    .add({
      name: 'HOST_NON_RESPONSIVE',
      severity: 'error',
      message: `Host ${host.name} does not answer: ${reason}`,
      hostId: host.id,
    })
    .catch(() => undefined);
}
