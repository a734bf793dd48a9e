/**
 * One try to plug a vNIC that should be plugged and is not, on the host its VM runs on. The VF is held in the
 * store before it is touched: nobody else chooses it, and no job of the VM gets its place meanwhile. Every
 * call is checked against the claim on the host just before it is sent. Called by the reconciler only.
 */
import { explain, HandoverError, isCode } from '../base/errors.ts';
import type { PciAddress } from '../base/ids.ts';
import type { DefinedVf, Hypervisor } from '../hypervisor/port.ts';
import { guarded } from '../migration/context.ts';
import { interfaceOf } from '../migration/vnics.ts';
import { type Domain, isActive } from '../model/domain.ts';
import type { Host } from '../model/host.ts';
import { aliasToPlug, type Vm, type Vnic } from '../model/vm.ts';
import { candidatesFor } from '../scheduler/judge-host.ts';
import { planFacts } from './facts.ts';
import type { HostClaims } from './host-claims.ts';
import { seenAfterLostAnswer } from './lost-answer.ts';
import { observeHost } from './observe-host.ts';
import type { AppParts } from './parts.ts';
import type { HostClaim, VfHold } from './store-port.ts';

const VFS_TRIED_MAX = 3;

/** `settled`: nothing to do for this vNIC now. `plugged`: it is, on that VF. `failed`: why. */
export type Try =
  | { readonly kind: 'settled' }
  | { readonly kind: 'plugged'; readonly vf: PciAddress }
  | { readonly kind: 'failed'; readonly reason: string };

const SETTLED: Try = { kind: 'settled' };

/** A vNIC that is not as desired, and by which right it is changed. */
export interface Missing {
  readonly claim: HostClaim;
  readonly host: Host;
  readonly vm: Vm;
  readonly vnic: Vnic;
}

/**
 * Throws `CLAIM_LOST` if the host changed hands, what looking at the host throws, and the signal's reason
 * when it ends the waiting for a host.
 */
export async function plugMissing(
  parts: AppParts,
  claims: HostClaims,
  { claim, host, vm, vnic }: Missing,
  signal: AbortSignal,
): Promise<Try> {
  const assertHeld = () => claims.assertHeld(claim);
  const hypervisor = guarded(parts.hypervisors.host(host), assertHeld);
  const domain = await hypervisor.inspect(vm.id);
  if (!domain || !isActive(domain)) return SETTLED;
  const there = interfaceOf(domain, vnic);
  if (there) {
    // Pending: the guest still holds it, and re-attaching is impossible until it lets go (libvirt answers 67
    // and 55).
    if (vnic.actual !== 'unplugged' || there.vf === null || (await hasLiveJob(parts, vm))) return SETTLED;
    await parts.store.vms.setVnicActual(vnic.id, 'plugged', there.vf);
    return { kind: 'plugged', vf: there.vf };
  }
  let reason = 'no free VF fits';
  // Looked at now: the VF that just came back is still in use in what was seen before.
  await observeHost(parts, host.id, assertHeld);
  for (const vf of await freeVfs(parts, vm, vnic, domain)) {
    const hold = { vmId: vm.id, vnicId: vnic.id, vf };
    try {
      await parts.store.reservations.hold(claim, hold);
    } catch (thrown) {
      // A job began, or ended with the VM elsewhere: its steps plug, and nobody beside them.
      if (isCode(thrown, 'VM_ALREADY_MIGRATING', 'NOT_FOUND')) return SETTLED;
      if (!isCode(thrown, 'VF_TAKEN')) throw thrown;
      reason = explain(thrown);
      continue;
    }
    const failure = await plugHeld({ parts, hypervisor, claim, signal }, hold, vnic);
    if (failure === null) {
      // What its user plugged, its next start has too; what somebody else took out is in the definition
      // still.
      if (vnic.kept && domain.persistent) await hypervisor.defineVnic(vm.id, plugOf(vnic, vf));
      return { kind: 'plugged', vf };
    }
    reason = explain(failure);
    if (failure.kind !== 'refused') break;
  }
  if (vnic.actual !== 'unplugged' && !(await hasLiveJob(parts, vm)))
    await parts.store.vms.setVnicActual(vnic.id, 'unplugged', null);
  return { kind: 'failed', reason };
}

/** VFs that fit, by what is known; the ones it had come first: the definition may name them. */
export async function freeVfs(
  parts: AppParts,
  vm: Vm,
  vnic: Vnic,
  domain: Domain | null,
): Promise<PciAddress[]> {
  const facts = await planFacts(parts, vm.id, null);
  const host = facts.hosts.find((each) => each.id === vm.hostId);
  if (!host?.inventory) return [];
  const free = candidatesFor(facts, host, vnic).map(({ vf }) => vf.pciAddress);
  const had = [vnic.vf, domain?.configInterfaces.find((each) => each.mac === vnic.mac)?.vf];
  return [...free.filter((vf) => had.includes(vf)), ...free.filter((vf) => !had.includes(vf))].slice(
    0,
    VFS_TRIED_MAX,
  );
}

/** A vNIC as it is plugged on a VF, or defined. */
export const plugOf = (vnic: Vnic, vf: PciAddress): DefinedVf => ({
  alias: aliasToPlug(vnic),
  mac: vnic.mac,
  vf,
  managed: vnic.managed,
  vlan: vnic.vlan,
  guestAddress: vnic.guestAddress,
  traitsXml: vnic.traitsXml,
  pool: vnic.pool,
  definedPool: vnic.pool,
});

const hasLiveJob = async (parts: AppParts, vm: Vm): Promise<boolean> =>
  (await parts.store.jobs.list({ vmId: vm.id, live: true })).length > 0;

interface Plugging {
  readonly parts: AppParts;
  readonly hypervisor: Hypervisor;
  readonly claim: HostClaim;
  readonly signal: AbortSignal;
}

/** Plugs, and ends the hold with what became of it. Null: plugged. */
async function plugHeld(plugging: Plugging, hold: VfHold, vnic: Vnic): Promise<HandoverError | null> {
  const { parts, hypervisor, claim } = plugging;
  let failure: HandoverError | null = null;
  let isThere = true;
  try {
    await hypervisor.plug(hold.vmId, plugOf(vnic, hold.vf));
  } catch (thrown) {
    if (!(thrown instanceof HandoverError) || thrown.code === 'CLAIM_LOST') throw thrown;
    failure = thrown;
    isThere = thrown.kind !== 'refused' && (await becamePlugged(plugging, hold, vnic));
  }
  await parts.store.reservations.endHold(claim, hold, isThere ? 'plugged' : 'unplugged');
  return isThere ? null : failure;
}

/** Whether it was plugged although its answer did not come. */
const becamePlugged = ({ parts: { clock }, hypervisor, signal }: Plugging, hold: VfHold, vnic: Vnic) =>
  seenAfterLostAnswer(
    { clock, hypervisor, signal },
    hold.vmId,
    (domain) => domain !== null && interfaceOf(domain, vnic) !== null,
  );
