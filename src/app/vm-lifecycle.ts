/**
 * Start, shutdown and stop of a VM. A start is recorded and brought about by the engine that owns the host
 * (`start-vm.ts`); here it is waited for. What failed is not wanted any more when the caller is told so.
 */
import { until } from '../base/clock.ts';
import { HandoverError, isCode } from '../base/errors.ts';
import type { VmId } from '../base/ids.ts';
import { startAlert } from '../migration/alerts.ts';
import { observeHost } from './observe-host.ts';
import type { AppParts } from './parts.ts';
import { placeOf } from './place.ts';

/** Longer than a start takes at most: its call, what is waited for after a lost answer, and the looks. */
const START_LIMIT_MS = 420_000;
const LOOK_EVERY_MS = 100;

/** Returns once it runs. Throws `VM_STATUS_WRONG`, and why it could not be started. */
export async function startAndWait(parts: AppParts, vmId: VmId): Promise<void> {
  const { store, clock } = parts;
  const { vm, host } = await placeOf(parts, vmId);
  if (vm.status !== 'down')
    throw new HandoverError(
      'VM_STATUS_WRONG',
      `${vm.name} is ${vm.status} on ${host.name}; only a VM that is down can be started`,
    );
  if (host.status !== 'up')
    throw new HandoverError(
      'HOST_UNREACHABLE',
      `${vm.name} can not be started: its host ${host.name} is ${host.status} ` +
        `(${host.statusReason ?? 'no reason known'})`,
    );
  // Of an earlier failure: only what is said from now on is about this try.
  await store.alerts.clear(startAlert(vmId));
  await store.vms.setStarting(vmId, true);
  let reason = `not within ${START_LIMIT_MS / 1000} s`;
  try {
    const limits = { limitMs: START_LIMIT_MS, everyMs: LOOK_EVERY_MS };
    const runs = await until(clock, `${vm.name} to start`, limits, async () => {
      const now = await store.vms.get(vmId);
      if (now?.starting === false) {
        if (now.status === 'down') reason = 'it started, and is down again';
        return now.status !== 'down';
      }
      const alert = (await store.alerts.list()).find(({ key }) => key === startAlert(vmId));
      if (alert) reason = alert.message;
      return alert || !now ? false : undefined;
    });
    if (runs) return;
  } catch (thrown) {
    if (!isCode(thrown, 'WAIT_TIMED_OUT')) throw thrown;
  }
  await store.vms.setStarting(vmId, false);
  await store.alerts.clear(startAlert(vmId));
  throw new HandoverError('VM_NOT_STARTED', `${vm.name} was not started on ${host.name}: ${reason}`);
}

/** Asks the guest to shut down; it may take its time, or not do it. */
export async function shutDown(parts: AppParts, vmId: VmId): Promise<void> {
  const { vm, host } = await placeOf(parts, vmId);
  if (vm.status !== 'up')
    throw new HandoverError(
      'VM_STATUS_WRONG',
      `${vm.name} is ${vm.status}; only a running VM can be asked to shut down (stop ends it at once)`,
    );
  await parts.hypervisors.host(host).shutdown(vmId);
}

/** Ends it at once, as cutting its power does. Returns once it is known to be down. */
export async function stopAtOnce(parts: AppParts, vmId: VmId): Promise<void> {
  const { vm, host } = await placeOf(parts, vmId);
  if (vm.status === 'down') throw new HandoverError('VM_STATUS_WRONG', `${vm.name} is down already`);
  await parts.hypervisors.host(host).destroy(vmId);
  await observeHost(parts, host.id);
}
