/**
 * Starts a VM that its user wants to run, on the host it is defined on: a VF is chosen and held for every
 * desired vNIC, the definition names them, then QEMU starts. Done by the engine that owns the host, called by
 * the reconciler only; whoever asked waits for it in `vm-lifecycle.ts`.
 */
import { until } from '../base/clock.ts';
import { HandoverError, isCode } from '../base/errors.ts';
import type { PciAddress } from '../base/ids.ts';
import type { Hypervisor } from '../hypervisor/port.ts';
import { guarded } from '../migration/context.ts';
import { type Domain, isActive } from '../model/domain.ts';
import type { Host } from '../model/host.ts';
import type { Vm, Vnic } from '../model/vm.ts';
import { candidatesFor } from '../scheduler/judge-host.ts';
import { matchAll } from '../scheduler/match-vfs.ts';
import { planFacts } from './facts.ts';
import type { HostClaims } from './host-claims.ts';
import { seenAfterLostAnswer } from './lost-answer.ts';
import { observeHost } from './observe-host.ts';
import type { AppParts } from './parts.ts';
import { plugOf } from './plug-missing.ts';
import type { HostClaim } from './store-port.ts';

/** It is looked at for so long after its start. */
const SEEN_LIMIT_MS = 60_000;
const SEEN_LOOK_EVERY_MS = 1_000;
const CHOICES_MAX = 3;

/** A VM that is to run, and by which right it is started. */
export interface Starting {
  readonly claim: HostClaim;
  readonly host: Host;
  readonly vm: Vm;
}

interface Chosen {
  readonly vnic: Vnic;
  readonly vf: PciAddress;
}

/**
 * Returns once it runs. Throws `CLAIM_LOST` if the host changed hands, `NO_VF_FITS`, `NOT_FOUND` if the VM is
 * defined there no more, and what libvirt says; nothing is held then.
 */
export async function startVm(
  parts: AppParts,
  claims: HostClaims,
  { claim, host, vm }: Starting,
): Promise<void> {
  const assertHeld = () => claims.assertHeld(claim);
  const hypervisor = guarded(parts.hypervisors.host(host), assertHeld);
  const domain = await hypervisor.inspect(vm.id);
  if (!domain) throw new HandoverError('NOT_FOUND', `${vm.name} is not defined on ${host.name} any more`);
  if (!isActive(domain)) {
    // Looked at now: choices are made from what is free at this moment.
    await observeHost(parts, host.id, assertHeld);
    const held = await holdVfs(parts, { claim, host, vm }, domain);
    try {
      // Taken out by its user while the VM went down: the definition may still name it.
      for (const vnic of vm.vnics)
        if (vnic.passthrough && vnic.kept && !vnic.plugged)
          await hypervisor.undefineVnic(vm.id, { mac: vnic.mac, definedPool: vnic.pool });
      await hypervisor.setDefinedVfs(
        vm.id,
        held.map(({ vnic, vf }) => plugOf(vnic, vf)),
      );
      const unmanaged = held.filter(({ vnic }) => !vnic.managed).map(({ vf }) => vf);
      await startAndSee(parts, hypervisor, vm, unmanaged);
      await endHolds(parts, claim, vm, held, 'plugged');
    } catch (thrown) {
      if (!isCode(thrown, 'CLAIM_LOST', 'STORE_UNAVAILABLE'))
        await endHolds(parts, claim, vm, held, 'unplugged');
      throw thrown;
    }
  }
  await seeItRun(parts, host, assertHeld);
}

/** It runs: that its host is slow to be looked at takes nothing back. */
async function seeItRun(parts: AppParts, host: Host, assertHeld: () => void): Promise<void> {
  const limits = { limitMs: SEEN_LIMIT_MS, everyMs: SEEN_LOOK_EVERY_MS };
  await until(parts.clock, 'a look after a start', limits, async () => {
    try {
      await observeHost(parts, host.id, assertHeld);
      return true;
    } catch (thrown) {
      if (isCode(thrown, 'CLAIM_LOST')) throw thrown;
      return undefined;
    }
  }).catch((thrown: unknown) => {
    if (!isCode(thrown, 'WAIT_TIMED_OUT')) throw thrown;
    parts.log.warn('host not looked at after a start; its next look will', { host: host.name });
  });
}

/** Chooses and holds, all or none; again where somebody was quicker. */
async function holdVfs(parts: AppParts, { claim, host, vm }: Starting, domain: Domain): Promise<Chosen[]> {
  for (let choice = 1; ; choice++) {
    const held: Chosen[] = [];
    try {
      for (const each of await chooseVfs(parts, host, vm, domain)) {
        await parts.store.reservations.hold(claim, holdOf(vm, each));
        held.push(each);
      }
      return held;
    } catch (thrown) {
      if (isCode(thrown, 'CLAIM_LOST', 'STORE_UNAVAILABLE')) throw thrown;
      await endHolds(parts, claim, vm, held, 'unplugged');
      if (!isCode(thrown, 'VF_TAKEN') || choice >= CHOICES_MAX) throw thrown;
    }
  }
}

/**
 * A VF for every vNIC at once; the one the definition names comes first. vNICs on a pool get theirs there.
 */
async function chooseVfs(parts: AppParts, host: Host, vm: Vm, domain: Domain): Promise<Chosen[]> {
  const facts = await planFacts(parts, vm.id, null);
  const here = facts.hosts.find((each) => each.id === host.id) ?? host;
  const wanted = vm.vnics.filter((vnic) => vnic.passthrough && vnic.plugged && vnic.pool === null);
  const candidates = wanted.map((vnic) => {
    const named = domain.configInterfaces.find((each) => each.mac === vnic.mac)?.vf;
    const free = candidatesFor(facts, here, vnic).map(({ vf }) => vf.pciAddress);
    return [...free.filter((vf) => vf === named), ...free.filter((vf) => vf !== named)];
  });
  const picks = matchAll(candidates);
  return wanted.map((vnic, at) => {
    const vf = picks[at];
    if (vf) return { vnic, vf };
    throw new HandoverError(
      'NO_VF_FITS',
      `There is no free virtual function which is suitable for virtual nic ${vnic.name}. Free a VF of ` +
        `${host.name} that its network may use, or unplug the vNIC: handover vm nic unplug ${vm.name} ` +
        vnic.name,
    );
  });
}

const holdOf = (vm: Vm, { vnic, vf }: Chosen) => ({ vmId: vm.id, vnicId: vnic.id, vf });

async function endHolds(
  parts: AppParts,
  claim: HostClaim,
  vm: Vm,
  held: readonly Chosen[],
  actual: 'plugged' | 'unplugged',
): Promise<void> {
  for (const each of held) await parts.store.reservations.endHold(claim, holdOf(vm, each), actual);
}

/** After an answer that did not come, the host says whether it runs. */
async function startAndSee(
  { clock }: AppParts,
  hypervisor: Hypervisor,
  vm: Vm,
  unmanaged: readonly PciAddress[],
): Promise<void> {
  try {
    await hypervisor.start(vm.id, unmanaged);
  } catch (thrown) {
    if (!(thrown instanceof HandoverError) || thrown.kind === 'refused' || thrown.code === 'CLAIM_LOST')
      throw thrown;
    // Not running yet is no answer: QEMU may still be starting.
    const runs = (domain: Domain | null) => (domain && isActive(domain) ? true : undefined);
    if (!(await seenAfterLostAnswer({ clock, hypervisor }, vm.id, runs))) throw thrown;
  }
}
