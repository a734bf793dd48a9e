/**
 * Plugging and unplugging ordinary vNICs. No VF is at stake, so it is done here and now, by whichever engine
 * is asked; libvirt does one change of a domain at a time. What is taken out is kept as it was written, and
 * plugged so again.
 *
 * An engine that dies in between leaves what its host shows: the vNIC is seen in the domain or not, and
 * asking again goes on from there.
 */
import { until } from '../base/clock.ts';
import { explain, HandoverError, isCode } from '../base/errors.ts';
import type { Hypervisor } from '../hypervisor/port.ts';
import { type Domain, type DomainInterface, isActive } from '../model/domain.ts';
import type { EventName } from '../model/job.ts';
import type { Vm, Vnic } from '../model/vm.ts';
import { seenAfterLostAnswer } from './lost-answer.ts';
import { observeHost } from './observe-host.ts';
import type { AppParts } from './parts.ts';
import type { VnicPlace } from './place.ts';

/** As long as a VF is waited for. */
const UNPLUG_LIMIT_MS = 40_000;
const LOOK_EVERY_MS = 250;
/** Which interface of the domain it is. */
export const whichOf = (vm: Vm, vnic: Vnic) => ({
  mac: vnic.mac,
  pools: vm.vnics.flatMap((each) => each.pool ?? []),
});

/** Its interface in a running domain; a VF with the same MAC is another vNIC. */
function inDomain({ interfaces }: Domain, { mac }: Vnic): DomainInterface | null {
  const isOrdinary = (each: DomainInterface) =>
    each.vf === null && each.kind !== 'hostdev' && each.kind !== 'hostdev_pool';
  return interfaces.find((each) => each.mac === mac && isOrdinary(each)) ?? null;
}

/**
 * Returns when it is so, in the guest and in the definition. Throws `UNPLUG_TIMED_OUT`, `INVALID_INPUT` for
 * one of which nothing is known, and what libvirt says; it is then as it was.
 */
export async function setOrdinaryPlugged(parts: AppParts, place: VnicPlace, plugged: boolean): Promise<void> {
  const hypervisor = parts.hypervisors.host(place.host);
  if (plugged) await plug(parts, hypervisor, place);
  else await unplug(parts, hypervisor, place);
  // It is so already: that its host is slow to be looked at changes nothing.
  await observeHost(parts, place.host.id).catch((thrown: unknown) => {
    parts.log.warn('host not looked at after a change; its next look will', {
      host: place.host.name,
      error: explain(thrown),
    });
  });
}

async function plug(parts: AppParts, hypervisor: Hypervisor, place: VnicPlace): Promise<void> {
  const { host, vm, vnic } = place;
  const { vms } = parts.store;
  const domain = await hypervisor.inspect(vm.id);
  if (!domain) throw new HandoverError('NOT_FOUND', `${vm.name} is not on ${host.name} any more`);
  const found = await hypervisor.ordinaryInterface(vm.id, whichOf(vm, vnic));
  const isIn = isActive(domain) && inDomain(domain, vnic) !== null;
  // What somebody plugged by hand into the running VM alone is left so.
  const to = { live: isActive(domain) && !isIn, config: domain.persistent && !found?.isDefined && !isIn };
  const xml = found?.xml ?? vnic.unpluggedXml;
  if (xml === null)
    throw new HandoverError(
      'INVALID_INPUT',
      `nothing is known any more of how ${vnic.name} of ${vm.name} was plugged; remove it and add it again`,
    );
  // Before it is touched: whether a migration has begun is decided by this.
  await vms.setVnicDesired(vnic.id, true);
  try {
    if (to.live || to.config) await hypervisor.plugInterface(vm.id, xml, to);
  } catch (thrown) {
    if (!(await becamePlugged(parts, hypervisor, place, thrown))) {
      if (!vnic.plugged) await vms.setVnicDesired(vnic.id, false);
      throw thrown;
    }
  }
  if (!to.live) return;
  await vms.setVnicActual(vnic.id, 'plugged', null);
  await tell(parts, place, 'VNIC_PLUGGED', 'plugged');
}

/** Whether it was plugged although its answer says otherwise, or did not come. */
async function becamePlugged(
  { clock }: AppParts,
  hypervisor: Hypervisor,
  { vm, vnic }: VnicPlace,
  thrown: unknown,
): Promise<boolean> {
  if (!(thrown instanceof HandoverError) || thrown.kind === 'refused') return false;
  return seenAfterLostAnswer(
    { clock, hypervisor },
    vm.id,
    (domain) => domain !== null && inDomain(domain, vnic) !== null,
  );
}

async function unplug(parts: AppParts, hypervisor: Hypervisor, place: VnicPlace): Promise<void> {
  const { vm, vnic } = place;
  const { vms } = parts.store;
  // Still as desired as it was: only whether a migration has begun is decided by this.
  await vms.setVnicDesired(vnic.id, vnic.plugged);
  const found = await hypervisor.ordinaryInterface(vm.id, whichOf(vm, vnic));
  if (found !== null) await vms.setVnicUnpluggedXml(vnic.id, found.xml);
  const wasIn = await takeOut(parts, hypervisor, place);
  await hypervisor.undefineInterface(vm.id, whichOf(vm, vnic));
  await vms.setVnicDesired(vnic.id, false);
  if (wasIn) await tell(parts, place, 'VNIC_UNPLUGGED', 'unplugged');
}

/** Out of the guest; false if it was not in it. */
async function takeOut(
  { clock }: AppParts,
  hypervisor: Hypervisor,
  { host, vm, vnic }: VnicPlace,
): Promise<boolean> {
  const inGuest = async () => {
    const domain = await hypervisor.inspect(vm.id);
    return domain && isActive(domain) ? inDomain(domain, vnic) : null;
  };
  const there = await inGuest();
  if (!there) return false;
  if (there.alias === null)
    throw new HandoverError('LIBVIRT_REFUSED', `${vnic.name} of ${vm.name} has no alias to unplug it by`);
  await hypervisor.requestUnplug(vm.id, there.alias);
  const limits = { limitMs: UNPLUG_LIMIT_MS, everyMs: LOOK_EVERY_MS };
  try {
    await until(clock, 'the guest to give the interface back', limits, async () =>
      (await inGuest()) === null ? true : undefined,
    );
  } catch (thrown) {
    if (!isCode(thrown, 'WAIT_TIMED_OUT')) throw thrown;
    throw new HandoverError(
      'UNPLUG_TIMED_OUT',
      `the guest did not give vNIC ${vnic.name} of ${vm.name} back within ${UNPLUG_LIMIT_MS / 1000} s; it ` +
        `is still plugged on ${host.name}, and may go later since the request can not be taken back. Check ` +
        "that the guest's kernel handles PCI hot-unplug",
    );
  }
  return true;
}

async function tell(
  { store }: AppParts,
  { host, vm, vnic }: VnicPlace,
  name: EventName,
  what: string,
): Promise<void> {
  await store.events.add({
    name,
    severity: 'normal',
    message: `Interface ${vnic.name} of ${vm.name} was ${what} on ${host.name}`,
    vmId: vm.id,
    hostId: host.id,
  });
}
