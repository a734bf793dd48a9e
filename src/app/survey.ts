/**
 * The fleet at a glance: how busy each host is, and how many VFs there are for each network. Reads only; the
 * survey itself is pure.
 */
import type { HostId, PciAddress } from '../base/ids.ts';
import { answers, type Host } from '../model/host.ts';
import type { Job, Reservation } from '../model/job.ts';
import { type Network, pfAllows, type PfConfig } from '../model/network.ts';
import type { Vf } from '../model/pf.ts';
import type { VmStatus } from '../model/vm.ts';
import { pfKey } from '../scheduler/plan-migration.ts';
import { vfUse, vfUsers } from '../scheduler/vf-use.ts';
import type { AppParts } from './parts.ts';
import type { VmCount } from './store-port.ts';

/** VFs, and how many of them could be given to a VM now. */
export interface VfCount {
  readonly total: number;
  readonly free: number;
}

/** One host. */
export interface HostSurvey {
  readonly host: Host;
  readonly vmCount: number;
  /** Those that are not down: they keep a host from being in maintenance. */
  readonly runningCount: number;
  readonly vfs: VfCount;
  /** Migrations under way. */
  readonly leaving: number;
  readonly entering: number;
}

/** The VFs that may carry a network, of hosts that answer and are not in maintenance. */
export interface NetworkCapacity {
  readonly network: Network;
  readonly vfs: VfCount;
}

/** The whole fleet. */
export interface FleetSurvey {
  readonly hosts: readonly HostSurvey[];
  readonly networks: readonly NetworkCapacity[];
  /** As observed: a VM that is moved counts as what it was seen to be. */
  readonly vms: readonly { readonly status: VmStatus; readonly count: number }[];
}

/** What a survey is made of. */
export interface SurveyFacts {
  readonly hosts: readonly Host[];
  readonly networks: readonly Network[];
  readonly pfConfigs: readonly PfConfig[];
  readonly reservations: readonly Reservation[];
  readonly liveJobs: readonly Job[];
  readonly vmCounts: readonly VmCount[];
}

/** Of this moment. */
export async function surveyNow({ store }: AppParts): Promise<FleetSurvey> {
  const [hosts, networks, pfConfigs, reservations, liveJobs, vmCounts] = await Promise.all([
    store.hosts.list(),
    store.networks.list(),
    store.pfConfigs.list(),
    store.reservations.list(),
    store.jobs.list({ kind: 'migrate_vm', live: true }),
    store.vms.counts(),
  ]);
  return survey({ hosts, networks, pfConfigs, reservations, liveJobs, vmCounts });
}

/** Free VFs of one PF. */
interface PfCount {
  readonly hostId: HostId;
  readonly pf: PciAddress;
  readonly isOffered: boolean;
  readonly vfs: VfCount;
}

/** The survey of these facts. */
export function survey(facts: SurveyFacts): FleetSurvey {
  const reserved = groupBy(facts.reservations, ({ hostId }) => hostId);
  const counted = groupBy(facts.vmCounts, ({ hostId }) => hostId);
  const seen = facts.hosts.map((host) => ({ host, pfs: pfCounts(host, reserved.get(host.id) ?? []) }));
  return {
    hosts: seen.map(({ host, pfs }) => {
      const counts = counted.get(host.id) ?? [];
      return {
        host,
        vmCount: countVms(counts),
        runningCount: countVms(counts.filter(({ status }) => status !== 'down')),
        vfs: total(pfs),
        leaving: facts.liveJobs.filter((job) => job.sourceHostId === host.id).length,
        entering: facts.liveJobs.filter((job) => job.targetHostId === host.id).length,
      };
    }),
    networks: capacities(
      seen.flatMap(({ pfs }) => pfs.filter(({ isOffered }) => isOffered)),
      facts,
    ),
    vms: Array.from(
      groupBy(facts.vmCounts, ({ status }) => status),
      ([status, counts]) => ({ status, count: countVms(counts) }),
    ),
  };
}

function capacities(offered: readonly PfCount[], { networks, pfConfigs }: SurveyFacts): NetworkCapacity[] {
  const configs = new Map(pfConfigs.map((each) => [pfKey(each.hostId, each.pf), each]));
  const configured = offered.map((each) => ({ ...each, config: configs.get(pfKey(each.hostId, each.pf)) }));
  return networks.map((network) => ({
    network,
    vfs: total(configured.filter(({ config }) => pfAllows(config, network))),
  }));
}

function pfCounts(host: Host, reservations: readonly Reservation[]): PfCount[] {
  if (!host.inventory) return [];
  const users = vfUsers(host.inventory);
  const held = new Map(reservations.map((each) => [each.vf, each]));
  const isFree = (vf: Vf) => vfUse(vf, users.get(vf.pciAddress), held.get(vf.pciAddress)).state === 'free';
  return host.inventory.pfs.map(({ pciAddress, vfs }) => ({
    hostId: host.id,
    pf: pciAddress,
    isOffered: host.status === 'up' && answers(host),
    vfs: { total: vfs.length, free: vfs.filter(isFree).length },
  }));
}

/** By key; a list for each key that occurs. */
function groupBy<Item, Key>(items: readonly Item[], keyOf: (item: Item) => Key): Map<Key, Item[]> {
  const groups = new Map<Key, Item[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group) group.push(item);
    else groups.set(keyOf(item), [item]);
  }
  return groups;
}

const countVms = (counts: readonly VmCount[]): number => sum(counts.map(({ count }) => count));

const sum = (numbers: readonly number[]): number => numbers.reduce((all, each) => all + each, 0);

const total = (pfs: readonly Pick<PfCount, 'vfs'>[]): VfCount => ({
  total: sum(pfs.map(({ vfs }) => vfs.total)),
  free: sum(pfs.map(({ vfs }) => vfs.free)),
});
