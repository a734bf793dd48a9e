/**
 * Brings running VMs to what is desired: a vNIC that should be plugged and is not (a plug failed after a
 * move, or a guest gave its VF back after we had given up) is plugged on the host the VM is on, on any VF
 * that fits, again and again with growing pauses and whenever something was freed, under an alert that clears
 * itself. One that its user took out is asked for until the guest gives it back. A VM whose start was asked
 * for is started, or said why not, once. VMs with a live job are the
 * job's business; VMs on hosts of another engine are that engine's.
 *
 * One task per host: a host that answers slowly keeps nobody else's VMs waiting.
 */
import { Bell } from '../base/bell.ts';
import { isoTime } from '../base/clock.ts';
import { explain, isCode } from '../base/errors.ts';
import type { HostId, PciAddress, VmId, VnicId } from '../base/ids.ts';
import { jobOfAlert, startAlert, vnicAlert } from '../migration/alerts.ts';
import { answers, type Host } from '../model/host.ts';
import type { Job } from '../model/job.ts';
import type { Vm, Vnic } from '../model/vm.ts';
import type { HostClaims } from './host-claims.ts';
import { DefinitionMender } from './mend-definitions.ts';
import { hostById } from './observe-host.ts';
import type { AppParts } from './parts.ts';
import { freeVfs, plugMissing } from './plug-missing.ts';
import { startVm } from './start-vm.ts';
import { isLeaving, takeOut } from './take-out.ts';
import type { HostClaim } from './store-port.ts';

const LOOK_EVERY_MS = 3_000;
/** KubeVirt's pauses: 3 s, growing by 1.8, ten minutes at most. */
const RETRY_FIRST_MS = 3_000;
const RETRY_FACTOR = 1.8;
const RETRY_LONGEST_MS = 600_000;

export interface Reconciler {
  /** Something changed (a host was looked at, a job ended): look now. */
  wake(): void;
  stop(): Promise<void>;
}

/** Starts reconciling this engine's hosts. */
export function startReconciler(parts: AppParts, claims: HostClaims): Reconciler {
  const reconciler = new HostReconciler(parts, claims);
  return { wake: () => reconciler.wake(), stop: () => reconciler.stop() };
}

/** The tries of one vNIC so far. */
interface Retry {
  readonly pauseMs: number;
  readonly nextAtMs: number;
  /** VFs that fitted after the last try and had been of no use; any other is news. */
  readonly known: ReadonlySet<PciAddress>;
}

const isMissing = (vnic: Vnic): boolean =>
  vnic.passthrough &&
  vnic.plugged &&
  vnic.blocker === null &&
  (vnic.actual === 'unplugged' || vnic.actual === 'unplug_pending');

const isUnlikeDesired = (vnic: Vnic): boolean => isMissing(vnic) || isLeaving(vnic);

class HostReconciler {
  readonly #parts: AppParts;
  readonly #claims: HostClaims;
  readonly #stopping = new AbortController();
  readonly #bell = new Bell();
  readonly #retries = new Map<VnicId, Retry>();
  readonly #tasks = new Map<HostId, Promise<void>>();
  /** Starts take minutes with much memory: nobody's vNIC waits for them. */
  readonly #starts = new Map<VmId, Promise<void>>();
  readonly #mender: DefinitionMender;
  readonly #unsubscribe: () => void;
  readonly #loop: Promise<void>;

  constructor(parts: AppParts, claims: HostClaims) {
    this.#parts = parts;
    this.#claims = claims;
    this.#mender = new DefinitionMender(parts, claims);
    // The end of a job frees VFs, whichever engine ran it.
    this.#unsubscribe = parts.store.jobs.saga.onWake(() => this.#bell.ring());
    this.#loop = this.#untilStopped();
  }

  wake(): void {
    this.#bell.ring();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#unsubscribe();
    await this.#loop;
    await Promise.all([...this.#tasks.values(), ...this.#starts.values()]);
  }

  async #untilStopped(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await this.#turn().catch((thrown: unknown) => {
        this.#parts.log.warn('not reconciled', { error: explain(thrown) });
      });
      await this.#bell.wait(this.#parts.clock, LOOK_EVERY_MS, signal).catch(() => undefined);
    }
  }

  async #turn(): Promise<void> {
    const { store } = this.#parts;
    const claims = this.#claims.held();
    if (claims.length === 0) return;
    // Alerts first: one that a job raises after this look is not judged by a state from before it.
    const standing = new Set((await store.alerts.list()).map((alert) => alert.key));
    const live = await store.jobs.list({ live: true });
    await clearEndedJobs(this.#parts, live, standing);
    const busy = new Set(live.map((job) => job.vmId));
    const vms = (await store.vms.list()).filter((vm) => !busy.has(vm.id));
    // Pauses are of a try after a try; what is wanted anew begins anew.
    const tried = new Set(vms.flatMap((vm) => vm.vnics.filter(isUnlikeDesired).map((vnic) => vnic.id)));
    for (const id of this.#retries.keys()) if (!tried.has(id)) this.#retries.delete(id);
    for (const claim of claims) {
      const here = vms.filter((vm) => vm.hostId === claim.hostId);
      await clearSettled(this.#parts, here, standing);
      const missing = here
        .filter((vm) => vm.status === 'up')
        .flatMap((vm) => vm.vnics.filter(isUnlikeDesired).map((vnic) => ({ vm, vnic })));
      for (const vm of here) if (vm.starting && !standing.has(startAlert(vm.id))) this.#begin(claim, vm);
      const toMend = this.#mender.due(claim, here);
      if ((missing.length === 0 && toMend.length === 0) || this.#tasks.has(claim.hostId)) continue;
      const task = this.#mender
        .mend(claim, toMend)
        .then(() => this.#reconcileAll(claim, missing))
        .finally(() => this.#tasks.delete(claim.hostId));
      this.#tasks.set(claim.hostId, task);
    }
  }

  #begin(claim: HostClaim, vm: Vm): void {
    if (this.#starts.has(vm.id)) return;
    const task = this.#start(claim, vm).finally(() => this.#starts.delete(vm.id));
    this.#starts.set(vm.id, task);
  }

  /** Never throws. Whoever asked for the start hears of a failure by the alert, and ends it. */
  async #start(claim: HostClaim, vm: Vm): Promise<void> {
    const { store, log } = this.#parts;
    try {
      // The turn's lists are older than what its user may have been told since. The alert first: who hears of
      // a failure ends the wish before the alert, so without both this is another wish.
      if ((await store.alerts.list()).some(({ key }) => key === startAlert(vm.id))) return;
      const now = await store.vms.get(vm.id);
      if (!now?.starting) return;
      const host = await hostById(this.#parts, claim.hostId);
      await startVm(this.#parts, this.#claims, { claim, host, vm: now });
      await store.vms.setStarting(vm.id, false);
    } catch (thrown) {
      log.warn('VM not started', { vm: vm.name, error: explain(thrown) });
      // The next owner of the host starts it.
      if (isCode(thrown, 'CLAIM_LOST', 'STORE_UNAVAILABLE')) return;
      const alert = { key: startAlert(vm.id), vmId: vm.id, hostId: claim.hostId, message: explain(thrown) };
      // Not raised: it is still wanted, so the next turn begins it again.
      await store.alerts.raise(alert).catch(() => undefined);
    }
  }

  /** Never throws. */
  async #reconcileAll(claim: HostClaim, missing: readonly { vm: Vm; vnic: Vnic }[]): Promise<void> {
    for (const { vm, vnic } of missing) {
      if (this.#stopping.signal.aborted) return;
      try {
        await this.#reconcile(claim, vm, vnic);
      } catch (thrown) {
        this.#parts.log.warn('vNIC not reconciled', {
          vm: vm.name,
          vnic: vnic.name,
          error: explain(thrown),
        });
        // The claim or the database is gone: so it is for all the others.
        if (isCode(thrown, 'CLAIM_LOST', 'STORE_UNAVAILABLE')) return;
      }
    }
  }

  async #reconcile(claim: HostClaim, vm: Vm, vnic: Vnic): Promise<void> {
    const host = await hostById(this.#parts, claim.hostId);
    if (!answers(host)) return this.#waitForHost(host, vm, vnic);
    if (!(await this.#isDue(vm, vnic))) return;
    let reason: string;
    try {
      const missing = { claim, host, vm, vnic };
      if (isLeaving(vnic)) {
        const isOut = await takeOut(this.#parts, this.#claims, missing, this.#stopping.signal);
        if (isOut) await clearAlert(this.#parts, vm, vnic, 'is out');
        return;
      }
      const tried = await plugMissing(this.#parts, this.#claims, missing, this.#stopping.signal);
      if (tried.kind !== 'failed') {
        this.#retries.delete(vnic.id);
        if (tried.kind === 'plugged') await clearAlert(this.#parts, vm, vnic, isPlugged(tried.vf));
        return;
      }
      reason = tried.reason;
    } catch (thrown) {
      if (this.#stopping.signal.aborted || isCode(thrown, 'CLAIM_LOST', 'STORE_UNAVAILABLE')) throw thrown;
      reason = explain(thrown);
    }
    await this.#retryLater(host, vm, vnic, reason);
  }

  /** A host that does not answer takes no tries; when it answers, the first is at once. */
  async #waitForHost(host: Host, vm: Vm, vnic: Vnic): Promise<void> {
    this.#retries.delete(vnic.id);
    const why = host.statusReason === null ? host.status : `it is ${host.status}: ${host.statusReason}`;
    await this.#alert(host, vm, vnic, `${why}. Next try when ${host.name} is up.`);
  }

  async #isDue(vm: Vm, vnic: Vnic): Promise<boolean> {
    const retry = this.#retries.get(vnic.id);
    if (!retry || this.#parts.clock.monotonicMs() >= retry.nextAtMs) return true;
    const free = await freeVfs(this.#parts, vm, vnic, null);
    if (free.some((vf) => !retry.known.has(vf))) return true;
    // One that is taken now is news when it is freed.
    const known = new Set(free.filter((vf) => retry.known.has(vf)));
    this.#retries.set(vnic.id, { ...retry, known });
    return false;
  }

  async #retryLater(host: Host, vm: Vm, vnic: Vnic, reason: string): Promise<void> {
    const { clock } = this.#parts;
    const before = this.#retries.get(vnic.id);
    const pauseMs = before ? Math.min(before.pauseMs * RETRY_FACTOR, RETRY_LONGEST_MS) : RETRY_FIRST_MS;
    const known = new Set(await freeVfs(this.#parts, vm, vnic, null));
    this.#retries.set(vnic.id, { pauseMs, nextAtMs: clock.monotonicMs() + pauseMs, known });
    const at = isoTime(clock.now() + pauseMs).replace(/\.\d+Z$/, 'Z');
    const sooner = vnic.plugged ? ', or when a VF that fits is freed' : '';
    await this.#alert(host, vm, vnic, `${reason}. Next try at ${at}${sooner}.`);
  }

  async #alert(host: Host, vm: Vm, vnic: Vnic, why: string): Promise<void> {
    const what = vnic.plugged ? 'is not plugged' : 'is not unplugged';
    const message = `vNIC ${vnic.name} of ${vm.name} ${what} on ${host.name}: ${why}`;
    await this.#parts.store.alerts.raise({ key: vnicAlert(vnic.id), vmId: vm.id, hostId: host.id, message });
  }
}

const isPlugged = (vf: PciAddress | null): string => `is plugged again on ${vf ?? 'its VF'}`;

/** Alerts of jobs that ended elsewhere: given up while an engine still worked on them, or as it stopped. */
async function clearEndedJobs(
  parts: AppParts,
  live: readonly Job[],
  standing: ReadonlySet<string>,
): Promise<void> {
  for (const key of standing) {
    const jobId = jobOfAlert(key);
    if (jobId !== null && !live.some((job) => job.id === jobId)) await parts.store.alerts.clear(key);
  }
}

/** Alerts of vNICs that somebody else put right: plugged by hand, or the VM was powered off. */
async function clearSettled(
  parts: AppParts,
  vms: readonly Vm[],
  standing: ReadonlySet<string>,
): Promise<void> {
  for (const vm of vms) {
    // Somebody else started it.
    if (vm.status !== 'down' && standing.has(startAlert(vm.id))) {
      await parts.store.vms.setStarting(vm.id, false);
      await parts.store.alerts.clear(startAlert(vm.id));
    }
    for (const vnic of vm.vnics.filter((each) => standing.has(vnicAlert(each.id)))) {
      if (vm.status === 'down') await clearAlert(parts, vm, vnic, 'does not matter while the VM is down');
      else if (vnic.actual === 'plugged') await clearAlert(parts, vm, vnic, isPlugged(vnic.vf));
    }
  }
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
