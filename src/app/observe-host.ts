/** One look at a host: its inventory stored, its VMs adopted, its status set. */
import { explain, HandoverError } from '../base/errors.ts';
import type { HostId, VmId } from '../base/ids.ts';
import { isActive } from '../model/domain.ts';
import { answers, type Host, type HostInventory } from '../model/host.ts';
import { adopt } from './adopt.ts';
import { newsOf } from './host-news.ts';
import type { AppParts } from './parts.ts';

/** A host by id. Throws `NOT_FOUND`. */
export async function hostById(parts: AppParts, id: HostId): Promise<Host> {
  const host = await parts.store.hosts.get(id);
  if (!host) throw new HandoverError('NOT_FOUND', `there is no host with the id ${id}`);
  return host;
}

/**
 * Looks and stores. A host that cannot be looked at becomes `non_responsive` with the reason, and the error
 * is thrown on. `assertOurs` throws if the host changed hands while it was looked at: who stood still since
 * must not store how it was before.
 */
export async function observeHost(
  parts: AppParts,
  id: HostId,
  assertOurs: () => void = () => undefined,
): Promise<HostInventory> {
  const host = await hostById(parts, id);
  const began = await beginLook(parts);
  try {
    const seen = newsOf(parts, id).look(began.atMs);
    const inventory = await parts.hypervisors.host(host).observe();
    assertOurs();
    await storeInventory(parts, host, inventory, began);
    seen();
    return inventory;
  } catch (thrown) {
    assertOurs();
    await noteUnresponsive(parts, host, thrown);
    throw thrown;
  }
}

/** When a look began: its number, and monotonic ms. */
export interface LookBegan {
  readonly look: number;
  readonly atMs: number;
}

/** To be called before looking. */
export async function beginLook({ store, clock }: AppParts): Promise<LookBegan> {
  const atMs = clock.monotonicMs();
  return { look: await store.hosts.nextLook(), atMs };
}

/** Stores one observation and adopts the VMs in it. */
export async function storeInventory(
  parts: AppParts,
  host: Host,
  inventory: HostInventory,
  began: LookBegan,
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
  const { look } = began;
  await store.vms.observe({ ...seen, look, ageMs: clock.monotonicMs() - began.atMs });
  await store.hosts.setInventory(host.id, inventory, clock.now(), look);
  if (!answers(host) && host.status !== 'connecting') {
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
  newsOf(parts, host.id).tell();
  // The store itself may be what failed; the error that brought us here is the one to report.
  await parts.store.hosts.setStatus(host.id, 'non_responsive', reason).catch(() => undefined);
  if (!answers(host) && host.status !== 'connecting') return;
  await parts.store.events
    .add({
      name: 'HOST_NON_RESPONSIVE',
      severity: 'error',
      message: `Host ${host.name} does not answer: ${reason}`,
      hostId: host.id,
    })
    .catch(() => undefined);
}
