/**
 * Brings running VMs to what is desired: a vNIC that should be plugged and is not (a plug failed after a
 * move, or a guest gave its VF back after we had given up) is plugged on the host the VM is on, on any VF
 * that fits, again and again with growing pauses, under an alert that clears itself. VMs with a live job are
 * the job's business.
 */
import { explain, isCode } from '../base/errors.ts';
import type { PciAddress, VnicId } from '../base/ids.ts';
import { type Domain, isActive } from '../model/domain.ts';
import type { Vm, Vnic } from '../model/vm.ts';
import { vnicAlert } from '../migration/vnics.ts';
import { candidatesFor } from '../scheduler/judge-host.ts';
import { planFacts } from './facts.ts';
import { hostById, observeHost } from './observe-host.ts';
import type { AppParts } from './parts.ts';
import type { Turnstile } from './reserve-migration.ts';

const LOOK_EVERY_MS = 3_000;
/** KubeVirt's pauses: 3 s, growing by 1.8, ten minutes at most. */
const RETRY_FIRST_MS = 3_000;
const RETRY_FACTOR = 1.8;
const RETRY_LONGEST_MS = 600_000;
const VFS_TRIED_MAX = 3;

export interface Reconciler {
  stop(): Promise<void>;
}

interface Retry {
  nextAtMs: number;
  pauseMs: number;
}

/**
 * Starts reconciling. Shares the turnstile with the migrations: whoever takes a VF stands in the same line.
 */
export function startReconciler(parts: AppParts, turnstile: Turnstile): Reconciler {
  const stopping = new AbortController();
  const retries = new Map<VnicId, Retry>();
  const loop = (async () => {
    while (!stopping.signal.aborted) {
      try {
        await reconcileAll(parts, turnstile, retries, stopping.signal);
      } catch (thrown) {
        if (!stopping.signal.aborted) parts.log.warn('not reconciled', { error: explain(thrown) });
      }
      await parts.clock.sleep(LOOK_EVERY_MS, stopping.signal).catch(() => undefined);
    }
  })();
  return {
    async stop() {
      stopping.abort();
      await loop;
    },
  };
}

const isMissing = (vnic: Vnic): boolean =>
  vnic.passthrough &&
  vnic.plugged &&
  vnic.blocker === null &&
  (vnic.actual === 'unplugged' || vnic.actual === 'unplug_pending');

async function reconcileAll(
  parts: AppParts,
  turnstile: Turnstile,
  retries: Map<VnicId, Retry>,
  signal: AbortSignal,
): Promise<void> {
  // Alerts first: one that a job raises after this look is not judged by a state from before it.
  const standing = new Set((await parts.store.alerts.list()).map((alert) => alert.key));
  const busy = new Set((await parts.store.jobs.list({ live: true })).map((job) => job.vmId));
  const vms = (await parts.store.vms.list()).filter((vm) => !busy.has(vm.id));
  await clearSettled(parts, vms, standing);
  for (const vm of vms.filter((each) => each.status === 'up' && each.hostId !== null)) {
    for (const vnic of vm.vnics.filter(isMissing)) {
      if (signal.aborted) return;
      const retry = retries.get(vnic.id);
      if (retry && parts.clock.monotonicMs() < retry.nextAtMs) continue;
      const done = await turnstile.through(() =>
        plugMissing(parts, vm, vnic, retry?.pauseMs ?? RETRY_FIRST_MS),
      );
      if (done) retries.delete(vnic.id);
      else {
        const pauseMs = retry ? Math.min(retry.pauseMs * RETRY_FACTOR, RETRY_LONGEST_MS) : RETRY_FIRST_MS;
        retries.set(vnic.id, { pauseMs, nextAtMs: parts.clock.monotonicMs() + pauseMs });
      }
    }
  }
}

/** Alerts of vNICs that somebody else put right: plugged by hand, or the VM was powered off. */
async function clearSettled(
  parts: AppParts,
  vms: readonly Vm[],
  standing: ReadonlySet<string>,
): Promise<void> {
  for (const vm of vms) {
    for (const vnic of vm.vnics.filter((each) => standing.has(vnicAlert(each.id)))) {
      if (vm.status === 'down') await clearAlert(parts, vm, vnic, 'does not matter while the VM is down');
      else if (vnic.actual === 'plugged') await clearAlert(parts, vm, vnic, `is plugged again on ${vnic.vf}`);
    }
  }
}

/** One try. True = nothing more to do for this vNIC now; it is looked at again at the next turn. */
async function plugMissing(parts: AppParts, vm: Vm, vnic: Vnic, nextMs: number): Promise<boolean> {
  const { store, hypervisors } = parts;
  if (vm.hostId === null || vnic.alias === null) return false;
  const host = await hostById(parts, vm.hostId);
  if (host.status !== 'up') return false;
  const hypervisor = hypervisors.host(host);
  const domain = await hypervisor.inspect(vm.id);
  if (!domain || !isActive(domain)) return true;
  const there = domain.interfaces.find(
    (each) => each.alias === vnic.alias || (each.vf !== null && each.mac === vnic.mac),
  );
  if (there) {
    // Pending: the guest still holds it, and re-attaching is impossible until it lets go (libvirt answers 67
    // and 55).
    if (vnic.actual === 'unplugged') await plugged(parts, vm, vnic, there.vf);
    return true;
  }
  let reason = 'no free VF fits';
  for (const vf of await freeVfs(parts, vm, vnic, domain)) {
    try {
      await hypervisor.plug(vm.id, {
        alias: vnic.alias,
        mac: vnic.mac,
        vf,
        managed: vnic.managed,
        vlan: vnic.vlan,
        guestAddress: vnic.guestAddress,
        traitsXml: vnic.traitsXml,
      });
      await plugged(parts, vm, vnic, vf);
      return true;
    } catch (thrown) {
      reason = explain(thrown);
      if (!isCode(thrown, 'LIBVIRT_REFUSED', 'HOST_COMMAND_FAILED')) break;
    }
  }
  await store.vms.setVnicActual(vnic.id, 'unplugged', null);
  await store.alerts.raise({
    key: vnicAlert(vnic.id),
    vmId: vm.id,
    hostId: host.id,
    message:
      `vNIC ${vnic.name} of ${vm.name} is not plugged on ${host.name}: ${reason}. Tried ` +
      `again in ${Math.round(nextMs / 1000)} s.`,
  });
  return false;
}

/**
 * VFs to try, the one it had first: it may be the one the definition names. Looked at now, because the VF
 * that just came back is still in use in what was seen before.
 */
async function freeVfs(parts: AppParts, vm: Vm, vnic: Vnic, domain: Domain): Promise<PciAddress[]> {
  if (vm.hostId === null) return [];
  await observeHost(parts, vm.hostId);
  const facts = await planFacts(parts, vm.id, null);
  const host = facts.hosts.find((each) => each.id === vm.hostId);
  if (!host) return [];
  const free = candidatesFor(facts, host, vnic).map(({ vf }) => vf.pciAddress);
  const had = [vnic.vf, domain.configInterfaces.find((each) => each.mac === vnic.mac)?.vf];
  return [...free.filter((vf) => had.includes(vf)), ...free.filter((vf) => !had.includes(vf))].slice(
    0,
    VFS_TRIED_MAX,
  );
}

async function plugged(parts: AppParts, vm: Vm, vnic: Vnic, vf: Vnic['vf']): Promise<void> {
  await parts.store.vms.setVnicActual(vnic.id, 'plugged', vf);
  await clearAlert(parts, vm, vnic, `is plugged again on ${vf ?? 'its VF'}`);
}

async function clearAlert(parts: AppParts, vm: Vm, vnic: Vnic, because: string): Promise<void> {
  if (!(await parts.store.alerts.clear(vnicAlert(vnic.id)))) return;
  await parts.store.events.add({
    name: 'ALERT_CLEARED',
    severity: 'normal',
    message: `vNIC ${vnic.name} of ${vm.name} ${because}.`,
    vmId: vm.id,
    hostId: vm.hostId,
  });
}
