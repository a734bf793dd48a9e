/**
 * Changes how many VFs a PF has. Its VFs are made anew by that, so none may be in use: they are closed to
 * every job and plug in the store first, then the host is looked at, and only then the number is written. A
 * VF taken by hand in the moment between look and write is not seen; the kernel then waits for whoever has
 * it, and the command ends at its limit.
 */
import { until } from '../base/clock.ts';
import { explain, HandoverError, isCode } from '../base/errors.ts';
import type { HostId, PciAddress } from '../base/ids.ts';
import type { Host, HostInventory } from '../model/host.ts';
import type { Pf } from '../model/pf.ts';
import { vfUse, vfUsers } from '../scheduler/vf-use.ts';
import { hostById, observeHost } from './observe-host.ts';
import type { AppParts } from './parts.ts';
import type { Caller } from './use-cases.ts';

/** Longer than the look, the write and the look after it can take together. */
const CLOSED_MS = 5 * 60_000;
/** libvirt hears of new VFs from udev, one after the other. */
const SEEN_LIMIT_MS = 30_000;
const SEEN_EVERY_MS = 500;
/** A copper port negotiates for 2 to 4 s; with spanning tree on the switch nothing is lost by going on. */
const LINK_LIMIT_MS = 15_000;

/** What to change. */
export interface VfCountChange {
  readonly hostId: HostId;
  readonly pf: PciAddress;
  readonly count: number;
}

/**
 * As many as there are is no change, whatever they are used for. Throws `INVALID_INPUT` for a number out of
 * range, `VFS_IN_USE` naming the VFs that keep it from being changed, and what the host channel throws.
 */
export async function setVfCount(parts: AppParts, caller: Caller, change: VfCountChange): Promise<void> {
  const host = await hostById(parts, change.hostId);
  const known = pfOf(host, host.inventory, change.pf);
  if (known.vfs.length === change.count) return;
  checkRange(known, change.count);
  const pf = pfOf(host, await observeHost(parts, host.id), change.pf);
  if (pf.vfs.length === change.count) return;
  const text = `the number of VFs on ${pf.name} of ${host.name} from ${pf.vfs.length} to ${change.count}`;
  const tell = async (name: 'VFS_CONFIG_UPDATED' | 'VFS_CONFIG_UPDATE_FAILED', message: string) => {
    const severity = name === 'VFS_CONFIG_UPDATED' ? 'normal' : 'error';
    const { correlationId } = caller;
    await parts.store.events.add({ name, severity, message, hostId: host.id, correlationId });
  };
  const id = parts.random.uuid();
  await closeAll(parts, host, pf, id);
  try {
    await changeClosed(parts, host, pf, change.count);
    await tell('VFS_CONFIG_UPDATED', `${caller.user} changed ${text}.`);
  } catch (thrown) {
    await tell('VFS_CONFIG_UPDATE_FAILED', `Failed to change ${text}: ${explain(thrown)}`);
    throw thrown;
  } finally {
    await parts.store.reservations.reopen(id);
  }
}

async function closeAll(parts: AppParts, host: Host, pf: Pf, id: string): Promise<void> {
  const vfs = pf.vfs.map((vf) => vf.pciAddress);
  try {
    await parts.store.reservations.close({ id, hostId: host.id, pf: pf.pciAddress, vfs }, CLOSED_MS);
  } catch (thrown) {
    if (isCode(thrown, 'IN_USE')) throw inUse(host, pf, thrown.message);
    throw thrown;
  }
}

/** Nobody gets one of the PF's VFs from us any more; who has one already is found by this look. */
async function changeClosed(parts: AppParts, host: Host, known: Pf, count: number): Promise<void> {
  const inventory = await observeHost(parts, host.id);
  const pf = pfOf(host, inventory, known.pciAddress);
  if (pf.vfs.map((vf) => vf.pciAddress).join() !== known.vfs.map((vf) => vf.pciAddress).join()) {
    throw inUse(host, pf, 'somebody else changed them just now; try again');
  }
  const busy = busyVfs(inventory, pf);
  if (busy.length > 0) {
    const others = busy.length > 4 ? ` and ${busy.length - 4} more` : '';
    const who = `${busy.slice(0, 4).join(', ')}${others}`;
    throw inUse(host, pf, `${who}; move those VMs to another host, or free the VFs, first`);
  }
  await parts.hypervisors.host(host).setVfCount(pf.pciAddress, count);
  const limits = { limitMs: SEEN_LIMIT_MS, everyMs: SEEN_EVERY_MS };
  await until(parts.clock, `libvirt on ${host.name} to list ${count} VFs of ${pf.name}`, limits, async () => {
    const now = pfOf(host, await observeHost(parts, host.id), pf.pciAddress);
    return now.vfs.length === count ? true : undefined;
  });
  if (pf.carrier === true) await linkBack(parts, host, pf);
}

/**
 * The driver resets the card (igb does), and its link comes back seconds later, which nobody tells of:
 * without a look then, the PF would count as unplugged until the next resync. A link that stays away is no
 * failure of this: the VFs are there.
 */
async function linkBack(parts: AppParts, host: Host, pf: Pf): Promise<void> {
  const limits = { limitMs: LINK_LIMIT_MS, everyMs: SEEN_EVERY_MS };
  await until(parts.clock, `the link of ${pf.name} on ${host.name}`, limits, async () => {
    const now = pfOf(host, await observeHost(parts, host.id), pf.pciAddress);
    return now.carrier === true ? true : undefined;
  }).catch((thrown: unknown) => {
    if (!isCode(thrown, 'WAIT_TIMED_OUT')) throw thrown;
  });
}

/** That its IOMMU group is not its own keeps a VF from guests, not from being made anew. */
function busyVfs(inventory: HostInventory, pf: Pf): string[] {
  const users = vfUsers(inventory);
  return pf.vfs.flatMap((vf) => {
    const use = vfUse({ ...vf, iommuGroupShared: false }, users.get(vf.pciAddress), undefined);
    return use.state === 'free' ? [] : [`${vf.pciAddress} (${use.reason})`];
  });
}

function pfOf(host: Host, inventory: HostInventory | null, address: PciAddress): Pf {
  const pf = inventory?.pfs.find((each) => each.pciAddress === address);
  if (pf) return pf;
  throw new HandoverError('NOT_FOUND', `host ${host.name} has no SR-IOV network card at ${address}`);
}

function checkRange(pf: Pf, count: number): void {
  if (Number.isInteger(count) && count >= 0 && count <= pf.vfCountMax) return;
  throw new HandoverError(
    'INVALID_INPUT',
    `The specified number of VFs on network interface ${pf.name} is ${count}, the valid range is ` +
      `0 - ${pf.vfCountMax}.`,
  );
}

const inUse = (host: Host, pf: Pf, why: string): HandoverError =>
  new HandoverError(
    'VFS_IN_USE',
    `The selected network interface ${pf.name} has VFs that are in use. On ${host.name}: ${why}.`,
  );
