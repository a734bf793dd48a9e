/**
 * Plugging and unplugging one vNIC because its user wants it. Of a VF what is desired is recorded, and the
 * engine that owns the host brings it about (`reconciler.ts`); here it is waited for. What cannot be had is
 * not desired any more when the caller is told so: nothing goes on behind a refusal. Ordinary ones are in
 * `ordinary-vnics.ts`.
 */
import { until } from '../base/clock.ts';
import { HandoverError, isCode } from '../base/errors.ts';
import type { VmId, VnicId } from '../base/ids.ts';
import { stillAttached, vnicAlert } from '../migration/alerts.ts';
import type { Vm, Vnic } from '../model/vm.ts';
import { setOrdinaryPlugged } from './ordinary-vnics.ts';
import type { AppParts } from './parts.ts';
import { freeVfs, plugOf } from './plug-missing.ts';
import { type VnicPlace, vnicNow, vnicPlaceOf } from './place.ts';

/** As long as a migration gives a guest by default, and a look at the host after it. */
const UNPLUG_LIMIT_MS = 40_000;
/** A plug takes 1 to 2 s; with very large guests minutes, which then go on under an alert. */
const PLUG_LIMIT_MS = 120_000;
const LOOK_EVERY_MS = 100;

/**
 * Makes `plugged` what is desired of the vNIC, and what is so. Of a VM that is down its definition is
 * changed. Throws `VM_STATUS_WRONG`, `VM_ALREADY_MIGRATING`, `NO_VF_FITS`, `VNIC_NOT_PLUGGED`,
 * `UNPLUG_TIMED_OUT`; the vNIC is then as it was.
 */
export async function setVnicPlugged(
  parts: AppParts,
  vmId: VmId,
  vnicId: VnicId,
  plugged: boolean,
): Promise<void> {
  const place = await vnicPlaceOf(parts, vmId, vnicId);
  const { vm, vnic } = place;
  checkMayChange(vm, vnic, plugged);
  if (!vnic.passthrough) await setOrdinaryPlugged(parts, place, plugged);
  else if (vm.status === 'down') await changeDefinition(parts, place, plugged);
  else if (!plugged) await unplug(parts, place);
  else if (vnic.actual === 'unplugged') await plug(parts, place);
  // It is in the guest still: nothing is to be plugged, and whoever wanted it out does not any more.
  else if (!vnic.plugged) await parts.store.vms.setVnicDesired(vnic.id, true);
}

function checkMayChange(vm: Vm, vnic: Vnic, plugged: boolean): void {
  const what = `vNIC ${vnic.name} of ${vm.name} can not be ${plugged ? 'plugged' : 'unplugged'}`;
  if (vm.starting)
    throw new HandoverError('VM_STATUS_WRONG', `${what} while the VM starts; wait until it is up`);
  if (vnic.blocker !== null) throw new HandoverError('INVALID_INPUT', `${what}: ${vnic.blocker}`);
  if (vm.status !== 'up' && vm.status !== 'down')
    throw new HandoverError('VM_STATUS_WRONG', `${what} while the VM is ${vm.status}; wait until it is up`);
  if (plugged && vnic.passthrough && vnic.profileId === null)
    throw new HandoverError(
      'INVALID_INPUT',
      `${what}: it has no vNIC profile; run: handover vm nic set-profile ${vm.name} ${vnic.name} PROFILE`,
    );
}

async function changeDefinition(parts: AppParts, place: VnicPlace, plugged: boolean): Promise<void> {
  const { host, vm, vnic } = place;
  const hypervisor = parts.hypervisors.host(host);
  if (plugged) await hypervisor.defineVnic(vm.id, plugOf(vnic, await someFreeVf(parts, place)));
  else await hypervisor.undefineVnic(vm.id, { mac: vnic.mac, definedPool: vnic.pool });
  await parts.store.vms.setVnicDesired(vnic.id, plugged);
}

async function someFreeVf(parts: AppParts, { host, vm, vnic }: VnicPlace) {
  const [vf] = await freeVfs(parts, vm, vnic, null);
  if (vf !== undefined) return vf;
  throw new HandoverError(
    'NO_VF_FITS',
    `There is no free virtual function which is suitable for virtual nic ${vnic.name}. Free a VF of ` +
      `${host.name} that its network may use, or move ${vm.name} to another host`,
  );
}

async function plug(parts: AppParts, place: VnicPlace): Promise<void> {
  const { host, vm, vnic } = place;
  const { store, clock } = parts;
  await someFreeVf(parts, place);
  // Of an earlier failure: only what is said from now on is about this try.
  await store.alerts.clear(vnicAlert(vnic.id));
  await store.vms.setVnicDesired(vnic.id, true);
  let reason = `not within ${PLUG_LIMIT_MS / 1000} s`;
  try {
    const limits = { limitMs: PLUG_LIMIT_MS, everyMs: LOOK_EVERY_MS };
    const isPlugged = await until(
      clock,
      `vNIC ${vnic.name} of ${vm.name} to be plugged`,
      limits,
      async () => {
        const now = await vnicNow(parts, place);
        if (now?.actual === 'plugged') return true;
        const alert = (await store.alerts.list()).find(({ key }) => key === vnicAlert(vnic.id));
        if (alert) reason = alert.message;
        return alert || !now ? false : undefined;
      },
    );
    if (isPlugged) return;
  } catch (thrown) {
    if (!isCode(thrown, 'WAIT_TIMED_OUT')) throw thrown;
  }
  // One that was wanted before goes on being tried, under its alert.
  if (!vnic.plugged) {
    await store.vms.setVnicDesired(vnic.id, false);
    await store.alerts.clear(vnicAlert(vnic.id));
  }
  const left = vnic.plugged ? 'goes on being tried' : 'is left unplugged';
  throw new HandoverError(
    'VNIC_NOT_PLUGGED',
    `vNIC ${vnic.name} of ${vm.name} was not plugged on ${host.name} and ${left}: ${reason}`,
  );
}

async function unplug(parts: AppParts, place: VnicPlace): Promise<void> {
  const { host, vm, vnic } = place;
  const { store, clock } = parts;
  await store.vms.setVnicDesired(vnic.id, false);
  try {
    const limits = { limitMs: UNPLUG_LIMIT_MS, everyMs: LOOK_EVERY_MS };
    await until(clock, `vNIC ${vnic.name} of ${vm.name} to be unplugged`, limits, async () => {
      const now = await vnicNow(parts, place);
      return !now || now.actual === 'unplugged' ? true : undefined;
    });
  } catch (thrown) {
    if (!isCode(thrown, 'WAIT_TIMED_OUT')) throw thrown;
    await store.vms.setVnicDesired(vnic.id, true);
    // The request can not be taken back.
    const message = stillAttached(vnic, vm.name, vnic.vf, host.name);
    await store.alerts.raise({ key: vnicAlert(vnic.id), vmId: vm.id, hostId: host.id, message });
    throw new HandoverError(
      'UNPLUG_TIMED_OUT',
      `the guest did not give vNIC ${vnic.name} of ${vm.name} back within ${UNPLUG_LIMIT_MS / 1000} s: ` +
        `${message}. Check that the guest's kernel handles PCI hot-unplug`,
    );
  }
}
