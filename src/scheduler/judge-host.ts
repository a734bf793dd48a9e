/** One host as a target for one VM: every reason against it, or a complete assignment of VFs. Pure. */
import type { HostId } from '../base/ids.ts';
import { type Host, type HostInventory, peerUriOf } from '../model/host.ts';
import { pfAllows } from '../model/network.ts';
import { findVf, type Pf, type Vf, type VfAttributes } from '../model/pf.ts';
import type { HostVerdict, PlanReason, VfAssignment } from '../model/plan.ts';
import type { Vm, Vnic } from '../model/vm.ts';
import { matchAll } from './match-vfs.ts';
import { imagesOf, movingVnics, type PlanFacts, type PlanOptions, pfKey } from './plan-migration.ts';
import { type VfUser, vfUse, vfUsers } from './vf-use.ts';

interface Candidate {
  readonly pf: Pf;
  readonly vf: Vf;
}

/** Judges `host`. */
export function judgeHost(
  facts: PlanFacts,
  options: PlanOptions,
  source: Host | null,
  host: Host,
): HostVerdict {
  const reasons = [...unfit(facts, source, host), ...imageReasons(facts, options, host)];
  const warnings = [...unknownFacts(facts.vm, host), ...imageWarnings(facts, host)];
  const moving = movingVnics(facts.vm);
  let assignment: VfAssignment[] = [];
  let numaMisses = 0;
  if (reasons.length === 0 && moving.length > 0) {
    const matched = assign(facts, source, host, moving);
    reasons.push(...matched.reasons);
    warnings.push(...matched.warnings);
    assignment = matched.assignment;
    numaMisses = matched.numaMisses;
  }
  const protocol = source ? protocolTo(source, host, warnings) : 'p2p';
  return {
    hostId: host.id,
    hostName: host.name,
    fits: reasons.length === 0,
    reasons,
    warnings,
    assignment,
    protocol,
    score: numaMisses * 1_000 + memoryUsedShare(facts, host) * 100,
  };
}

/** As the migration itself will find them. */
function imageReasons(facts: PlanFacts, { copyStorage }: PlanOptions, host: Host): PlanReason[] {
  const there = facts.imagesOn.get(host.id);
  if (there === undefined || typeof there === 'string') return [];
  return imagesOf(facts.domain).flatMap((path) => {
    if (there.has(path) === !copyStorage) return [];
    const message = copyStorage
      ? `${path} already exists on ${host.name}; move it away or leave out --copy-storage`
      : `the disk ${path} is not on ${host.name}; share the storage or use --copy-storage`;
    return [{ code: copyStorage ? 'image_exists' : 'image_missing', message }];
  });
}

function imageWarnings(facts: PlanFacts, host: Host): PlanReason[] {
  const why = facts.imagesOn.get(host.id);
  if (typeof why !== 'string') return [];
  const message =
    `whether the disks of ${facts.vm.name} are on ${host.name} is unknown (${why}); the migration looks ` +
    `again before it touches anything`;
  return [{ code: 'images_unknown', message }];
}

function unfit(facts: PlanFacts, source: Host | null, host: Host): PlanReason[] {
  const reasons: PlanReason[] = [];
  const refuse = (code: string, message: string) => reasons.push({ code, message });
  const { vm } = facts;
  if (host.id === source?.id) {
    refuse('is_source', `${host.name} is where ${vm.name} runs now; source and destination is the same.`);
    return reasons;
  }
  if (host.status === 'maintenance') {
    refuse('host_in_maintenance', `${host.name} is in maintenance and takes no VMs; activate it first`);
    return reasons;
  }
  if (host.status !== 'up' || !host.inventory) {
    refuse(
      'host_not_up',
      `${host.name} is ${host.status}${host.statusReason ? `: ${host.statusReason}` : ''}`,
    );
    return reasons;
  }
  const from = source?.inventory;
  if (from && from.arch !== host.inventory.arch) {
    refuse('other_arch', `${host.name} is ${host.inventory.arch}, ${vm.name} runs on ${from.arch}`);
  }
  const freeKiB = host.inventory.memoryFreeKiB - (facts.promisedMemoryKiB.get(host.id) ?? 0);
  if (freeKiB < vm.memoryKiB) {
    refuse(
      'no_memory',
      `${host.name} has ${mib(Math.max(freeKiB, 0))} MiB of memory free, ${vm.name} needs ` +
        `${mib(vm.memoryKiB)} MiB`,
    );
  }
  for (const vnic of vm.vnics) {
    if (hasBridge(host.inventory, vnic) !== false) continue;
    refuse(
      'bridge_missing',
      `${host.name} has no bridge ${vnic.bridge}, which the standby vNIC ${vnic.name} needs; create it there`,
    );
  }
  const same = host.inventory.domains.find((domain) => domain.uuid === vm.id && domain.state !== 'shut_off');
  if (same)
    refuse('uuid_running', `${host.name} already has an active domain ${same.name} with the same UUID`);
  return reasons;
}

/**
 * Whether the host has the bridge of an ordinary vNIC; null = nobody can tell, the host channel is missing.
 */
function hasBridge(inventory: HostInventory, vnic: Vnic): boolean | null {
  if (vnic.passthrough || vnic.bridge === null || !vnic.plugged) return true;
  if (inventory.bridges.some((bridge) => bridge.name === vnic.bridge)) return true;
  return inventory.channel.works ? false : null;
}

/** What could not be looked at on a host without a host channel: unknown is said, never taken for fine. */
function unknownFacts(vm: Vm, host: Host): PlanReason[] {
  const { inventory } = host;
  if (!inventory || inventory.channel.works) return [];
  const bridges = vm.vnics.filter((vnic) => hasBridge(inventory, vnic) === null).map((vnic) => vnic.bridge);
  const what = [
    'carrier, MAC and VLAN of its VFs',
    ...(bridges.length > 0 ? [`whether it has ${bridges.join(', ')}`] : []),
  ];
  const why = inventory.channel.reason ?? 'no host channel';
  return [
    { code: 'facts_unknown', message: `${host.name} cannot be asked for ${what.join(' and ')} (${why})` },
  ];
}

/** All vNICs at once, or the reasons why not. */
function assign(facts: PlanFacts, source: Host | null, host: Host, moving: Vnic[]) {
  const inventory = host.inventory as NonNullable<Host['inventory']>;
  const users = vfUsers(inventory, facts.vm.id);
  const numaNodes = new Set(facts.domain?.numaNodes ?? []);
  const near = (each: Candidate) =>
    numaNodes.size === 0 || each.vf.numaNode === null || numaNodes.has(each.vf.numaNode);
  const candidates = moving.map((vnic) => {
    const free = candidatesFor(facts, host, vnic, users);
    return [...free.filter(near), ...free.filter((each) => !near(each))];
  });
  // Near VFs alone first: an augmenting path may otherwise trade a near VF away although a near matching
  // exists.
  const keys = (list: readonly Candidate[]) => list.map((each) => each.vf.pciAddress);
  let picked = matchAll(candidates.map((list) => keys(list.filter(near))));
  if (picked.includes(null)) picked = matchAll(candidates.map(keys));
  const picks = picked.map((key, index) => candidates[index]?.find((each) => each.vf.pciAddress === key));
  const reasons: PlanReason[] = [];
  const warnings: PlanReason[] = [];
  const assignment: VfAssignment[] = [];
  let numaMisses = 0;
  moving.forEach((vnic, index) => {
    const pick = picks[index];
    if (!pick) {
      reasons.push(noVf(facts, host, vnic, users, (candidates[index] ?? []).length));
      return;
    }
    if (!near(pick)) {
      numaMisses += 1;
      warnings.push(farAway(vnic, pick, numaNodes, host.name));
    }
    const from = vnic.vf && source?.inventory ? findVf(source.inventory.pfs, vnic.vf) : null;
    warnings.push(...attributeWarnings(vnic, from, pick, host.name));
    assignment.push({
      vnicId: vnic.id,
      vnicName: vnic.name,
      sourceVf: vnic.vf,
      sourcePf: from?.pf.name ?? 'unknown',
      targetPf: pick.pf.name,
      targetVf: pick.vf.pciAddress,
    });
  });
  return { reasons, warnings, assignment: reasons.length === 0 ? assignment : [], numaMisses };
}

function farAway(
  vnic: Vnic,
  { vf }: Candidate,
  numaNodes: ReadonlySet<number>,
  hostName: string,
): PlanReason {
  return {
    code: 'other_numa_node',
    vnicId: vnic.id,
    message:
      `vNIC ${vnic.name}: VF ${vf.pciAddress} on ${hostName} is on NUMA node ${vf.numaNode}, the VM on ` +
      `${[...numaNodes].join(', ')}; its traffic crosses between them`,
  };
}

/** Why a whole PF cannot serve a vNIC; null = it can. */
function pfRefusal(facts: PlanFacts, hostId: HostId, pf: Pf, vnic: Vnic): string | null {
  if (pf.vfs.length === 0) return `${pf.name} has no VFs (0 of ${pf.vfCountMax} enabled)`;
  if (pf.carrier === false) return `${pf.name} has no carrier`;
  const profile = vnic.profileId === null ? undefined : facts.profiles.get(vnic.profileId);
  const network = profile ? (facts.networks.get(profile.networkId) ?? null) : null;
  if (!pfAllows(facts.pfConfigs.get(pfKey(hostId, pf.pciAddress)), network)) {
    return `${pf.name} may not serve network ${network?.name ?? '?'}`;
  }
  return null;
}

/** Free VFs a vNIC may get on a host, PF by PF. Also used to find a replacement. */
export function candidatesFor(
  facts: PlanFacts,
  host: Host,
  vnic: Vnic,
  users: ReadonlyMap<string, VfUser> = vfUsers(host.inventory as NonNullable<Host['inventory']>, facts.vm.id),
): Candidate[] {
  const found: Candidate[] = [];
  for (const pf of host.inventory?.pfs ?? []) {
    if (pfRefusal(facts, host.id, pf, vnic) !== null) continue;
    for (const vf of pf.vfs) {
      const reservation = facts.reservations.get(pfKey(host.id, vf.pciAddress));
      if (vfUse(vf, users.get(vf.pciAddress), reservation, facts.forJob).state === 'free')
        found.push({ pf, vf });
    }
  }
  return found;
}

function noVf(
  facts: PlanFacts,
  host: Host,
  vnic: Vnic,
  users: ReadonlyMap<string, VfUser>,
  fitting: number,
): PlanReason {
  const pfs = host.inventory?.pfs ?? [];
  const perPf = pfs.map((pf) => pfRefusal(facts, host.id, pf, vnic) ?? busy(facts, host.id, pf, users));
  const why =
    pfs.length === 0
      ? 'it has no SR-IOV network card'
      : fitting > 0
        ? `its ${fitting} free VF${fitting === 1 ? '' : 's'} are needed by the VM's other vNICs`
        : perPf.join('; ');
  return {
    code: 'no_free_vf',
    vnicId: vnic.id,
    message:
      `There is no free virtual function which is suitable for virtual nic ${vnic.name} on ` +
      `${host.name}: ${why}`,
  };
}

function busy(facts: PlanFacts, hostId: HostId, pf: Pf, users: ReadonlyMap<string, VfUser>): string {
  const counts = new Map<string, number>();
  for (const vf of pf.vfs) {
    const reservation = facts.reservations.get(pfKey(hostId, vf.pciAddress));
    const { reason } = vfUse(vf, users.get(vf.pciAddress), reservation, facts.forJob);
    if (reason !== null) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  const parts = [...counts]
    .slice(0, 4)
    .map(([reason, count]) => (count === 1 ? reason : `${count}x ${reason}`));
  const more = counts.size > 4 ? ` and ${counts.size - 4} more` : '';
  return `${pf.name}: all ${pf.vfs.length} VFs are in use (${parts.join(', ')}${more})`;
}

const COMPARED = [
  'trust',
  'spoofCheck',
  'linkState',
  'rateMbitMin',
  'rateMbitMax',
] as const satisfies readonly (keyof VfAttributes)[];

/** Settings the guest's traffic may depend on and that will not be there on the target's VF. */
function attributeWarnings(
  vnic: Vnic,
  from: Candidate | null,
  to: Candidate,
  hostName: string,
): PlanReason[] {
  const warn = (message: string): PlanReason => ({
    code: 'vf_attributes_differ',
    vnicId: vnic.id,
    message: `vNIC ${vnic.name}: ${message}`,
  });
  if (!from) return [];
  const place = `${to.pf.name} VF ${to.vf.pciAddress} on ${hostName}`;
  const warnings: PlanReason[] = [];
  if (from.pf.mtu !== null && to.pf.mtu !== null && to.pf.mtu < from.pf.mtu) {
    warnings.push(warn(`MTU is ${to.pf.mtu} on ${place}, ${from.pf.mtu} now`));
  }
  const [before, after] = [from.vf.attributes, to.vf.attributes];
  if (!before || !after) return warnings;
  const differing = COMPARED.filter((name) => before[name] !== after[name]).map(
    (name) => `${name} is ${String(after[name])} on ${place}, ${String(before[name])} now`,
  );
  if (differing.length > 0) warnings.push(warn(differing.join('; ')));
  return warnings;
}

function protocolTo(source: Host, target: Host, warnings: PlanReason[]): 'p2p' | 'direct' {
  const peerUri = peerUriOf(target);
  const test = source.peerTests[target.id];
  if (peerUri !== null && test?.ok !== false) return 'p2p';
  const why =
    peerUri === null
      ? `${target.name} has no peer URI`
      : `"virsh -c ${peerUri} version" on ${source.name} said: ${test?.message ?? '?'}`;
  warnings.push({
    code: 'peer_unreachable',
    message:
      `${source.name} cannot reach libvirtd on ${target.name} (${why}); the engine will drive the ` +
      `migration itself. ` +
      `To mend it, let root on ${source.name} reach ${peerUri ?? 'the target'} (key and ` +
      `known_hosts), or name another way: handover host update ${target.name} --peer-uri URI`,
  });
  return 'direct';
}

function memoryUsedShare(facts: PlanFacts, host: Host): number {
  if (!host.inventory || host.inventory.memoryKiB === 0) return 1;
  const freeKiB = host.inventory.memoryFreeKiB - (facts.promisedMemoryKiB.get(host.id) ?? 0);
  return 1 - freeKiB / host.inventory.memoryKiB;
}

const mib = (kib: number): number => Math.floor(kib / 1024);
