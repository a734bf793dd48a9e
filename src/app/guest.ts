/** The guest's side of a VM: looked at through its agent, judged, and kept for whoever asks later. */
import type { VmId } from '../base/ids.ts';
import { isActive } from '../model/domain.ts';
import type { GuestReadiness, GuestRecord } from '../model/guest.ts';
import type { Vm } from '../model/vm.ts';
import type { Standby } from '../migration/port.ts';
import { judgeGuest } from '../scheduler/judge-guest.ts';
import { standbyMissing } from '../scheduler/judge-vm.ts';
import { vmById } from './facts.ts';
import { hostById } from './observe-host.ts';
import type { AppParts } from './parts.ts';

/** What was seen this long ago is taken for what is: a page that is open asks again and again. */
const FRESH_MS = 60_000;

/** What is known of a VM's guest. */
export async function guestRecord({ store }: AppParts, vmId: VmId): Promise<GuestRecord> {
  const records = await store.guests.get([vmId]);
  return records.get(vmId) as GuestRecord;
}

/** Looks at the guest now and keeps what it found. Throws `NOT_FOUND`, and what the host's verbs throw. */
export async function checkGuest(parts: AppParts, vmId: VmId): Promise<GuestRecord> {
  const vm = await vmById(parts, vmId);
  const readiness = await lookAtGuest(parts, vm);
  await parts.store.guests.setReadiness(vmId, readiness);
  return { ...(await guestRecord(parts, vmId)), readiness };
}

/**
 * What is known of it, looked at anew if that is old and the host can be asked. Changes nothing in the guest.
 */
export async function freshGuest(parts: AppParts, vmId: VmId): Promise<GuestRecord> {
  const known = await guestRecord(parts, vmId);
  const age = known.readiness === null ? Infinity : parts.clock.now() - known.readiness.checkedAt;
  if (age < FRESH_MS) return known;
  // A host that cannot be asked is said by the plan itself.
  return await checkGuest(parts, vmId).catch(() => known);
}

/** Looks at the guest for a migration that is about to begin. */
export async function standbyOf(parts: AppParts, vmId: VmId): Promise<Standby> {
  const guest = await checkGuest(parts, vmId);
  const missing = standbyMissing({ vm: await vmById(parts, vmId), guest });
  const doubt = guest.readiness?.findings.find(({ level }) => level === 'missing' || level === 'unknown');
  return {
    policy: guest.standby,
    missing: missing.map(({ message }) => message),
    doubt: doubt?.message ?? null,
    pairs: guest.readiness?.pairs ?? [],
  };
}

async function lookAtGuest(parts: AppParts, vm: Vm): Promise<GuestReadiness> {
  const facts = { vm, now: parts.clock.now() };
  const hasVf = vm.vnics.some((vnic) => vnic.passthrough && vnic.vf !== null);
  if (vm.hostId === null || !hasVf) return judgeGuest({ ...facts, network: null, vhostQueues: null });
  const hypervisor = parts.hypervisors.host(await hostById(parts, vm.hostId));
  const domain = await hypervisor.inspect(vm.id);
  const mayAnswer = domain !== null && isActive(domain) && domain.agentConnected;
  const [network, vhostQueues] = await Promise.all([
    mayAnswer ? hypervisor.guestNetwork(vm.id) : null,
    domain && isActive(domain) ? hypervisor.vhostQueues(domain) : null,
  ]);
  return judgeGuest({ ...facts, network, vhostQueues });
}
