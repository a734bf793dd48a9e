/**
 * One try to take a vNIC out of its running VM because its user does not want it there any more: the guest is
 * asked, waited for a moment, and what is left of it is cleaned up: its MAC on the VF, its place in the
 * definition. Repeated until it is out. Called by the reconciler only, which owns the host.
 */
import { until } from '../base/clock.ts';
import { HandoverError, isCode } from '../base/errors.ts';
import type { PciAddress } from '../base/ids.ts';
import type { Hypervisor } from '../hypervisor/port.ts';
import { cleanVf } from '../migration/clean-vf.ts';
import { guarded } from '../migration/context.ts';
import { interfaceOf } from '../migration/vnics.ts';
import { type Domain, isActive, pciAddressesOf } from '../model/domain.ts';
import type { Vnic } from '../model/vm.ts';
import type { HostClaims } from './host-claims.ts';
import { observeHost } from './observe-host.ts';
import type { AppParts } from './parts.ts';
import type { Missing } from './plug-missing.ts';

/** A guest that listens is done in one or two seconds. */
const GIVE_LIMIT_MS = 5_000;
const LOOK_EVERY_MS = 250;

/** A vNIC whose user took it out, and which may still be in the guest. */
export const isLeaving = (vnic: Vnic): boolean =>
  vnic.passthrough && !vnic.plugged && vnic.blocker === null && vnic.actual === 'unplug_pending';

/**
 * Returns whether it is out. Throws `CLAIM_LOST` if the host changed hands, and what looking at the host or
 * asking the guest throws.
 */
export async function takeOut(
  parts: AppParts,
  claims: HostClaims,
  { claim, host, vm, vnic }: Missing,
  signal: AbortSignal,
): Promise<boolean> {
  const assertHeld = () => claims.assertHeld(claim);
  const hypervisor = guarded(parts.hypervisors.host(host), assertHeld);
  const domain = await hypervisor.inspect(vm.id);
  const isMoving = (await parts.store.jobs.list({ vmId: vm.id, live: true })).length > 0;
  if (!domain || isMoving) return false;
  if (!(await givesBack(parts, hypervisor, domain, vnic, signal))) return false;
  if (domain.persistent) await hypervisor.undefineVnic(vm.id, { mac: vnic.mac, definedPool: vnic.pool });
  const leaving = { claim, host, vm, vnic };
  if (vnic.vf !== null && !(await cleanLeft(parts, leaving, hypervisor, vnic.vf))) return false;
  await parts.store.vms.setVnicActual(vnic.id, 'unplugged', null);
  await parts.store.events.add({
    name: 'VNIC_UNPLUGGED',
    severity: 'normal',
    message: `Interface ${vnic.name} of ${vm.name} was unplugged from ${vnic.vf ?? 'its VF'} on ${host.name}`,
    vmId: vm.id,
    hostId: host.id,
  });
  // The VF is free from now on, as far as others know.
  await observeHost(parts, host.id, assertHeld);
  return true;
}

/**
 * Cleans the VF that was given back, unless it is another VM's by now: between the removal and this nobody
 * held it, and a reset under a running guest takes its network away. Held while it is cleaned. False: a job
 * of the VM began, whose business it is.
 */
async function cleanLeft(
  parts: AppParts,
  { claim, host, vm, vnic }: Missing,
  hypervisor: Hypervisor,
  vf: PciAddress,
): Promise<boolean> {
  const hold = { vmId: vm.id, vnicId: vnic.id, vf };
  try {
    await parts.store.reservations.hold(claim, hold);
  } catch (thrown) {
    if (isCode(thrown, 'VM_ALREADY_MIGRATING', 'NOT_FOUND')) return false;
    if (isCode(thrown, 'VF_TAKEN')) return true;
    throw thrown;
  }
  try {
    // From here on nobody gets it from us; who got it before shows it.
    const { domains } = await hypervisor.observe();
    const isOthers = domains.some((each) => each.uuid !== vm.id && pciAddressesOf(each).live.includes(vf));
    if (!isOthers) await cleanVf(hypervisor, host.name, { ...vnic, vf });
  } catch (thrown) {
    // Still pending: it is tried again.
    await parts.store.reservations.endHold(claim, hold, 'unplugged');
    await parts.store.vms.setVnicActual(vnic.id, 'unplug_pending', vf);
    throw thrown;
  }
  await parts.store.reservations.endHold(claim, hold, 'unplugged');
  return true;
}

/** Asks the guest, unless it has given the VF back already. */
async function givesBack(
  { clock }: AppParts,
  hypervisor: Hypervisor,
  domain: Domain,
  vnic: Vnic,
  signal: AbortSignal,
): Promise<boolean> {
  const there = isActive(domain) ? interfaceOf(domain, vnic) : null;
  if (!there) return true;
  if (there.alias === null)
    throw new HandoverError('LIBVIRT_REFUSED', 'the device has no alias, so it cannot be unplugged by name');
  await hypervisor.requestUnplug(domain.uuid, there.alias);
  const limits = { limitMs: GIVE_LIMIT_MS, everyMs: LOOK_EVERY_MS, signal };
  try {
    return await until(clock, 'the guest to give the VF back', limits, async () => {
      const now = await hypervisor.inspect(domain.uuid);
      return now && isActive(now) && interfaceOf(now, vnic) ? undefined : true;
    });
  } catch (thrown) {
    if (isCode(thrown, 'WAIT_TIMED_OUT')) return false;
    throw thrown;
  }
}
