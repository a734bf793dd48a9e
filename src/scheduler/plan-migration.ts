/**
 * May this VM move, where to, and which VF for which vNIC? Pure: facts in, plan out; nothing is reserved
 * here. The same function answers `vm plan`, admits a migration and chooses in the reserve step, so they
 * cannot disagree.
 */
import type { HostId, JobId, NetworkId, PciAddress, VnicProfileId } from '../base/ids.ts';
import { type Domain, disksToCopy } from '../model/domain.ts';
import type { GuestRecord } from '../model/guest.ts';
import type { Host } from '../model/host.ts';
import type { Reservation } from '../model/job.ts';
import type { Network, PfConfig, VnicProfile } from '../model/network.ts';
import type { HostVerdict, MigrationPlan, PlanReason } from '../model/plan.ts';
import type { Vm, Vnic } from '../model/vm.ts';
import { judgeHost } from './judge-host.ts';
import { vmRefusals, vmWarnings } from './judge-vm.ts';

/** Everything a plan depends on. */
export interface PlanFacts {
  readonly vm: Vm;
  /** The running domain as last observed on the source. */
  readonly domain: Domain | null;
  /** What is known of the guest's side. */
  readonly guest: GuestRecord;
  readonly hosts: readonly Host[];
  readonly networks: ReadonlyMap<NetworkId, Network>;
  readonly profiles: ReadonlyMap<VnicProfileId, VnicProfile>;
  /** By host id and PF address, joined with `pfKey`. */
  readonly pfConfigs: ReadonlyMap<string, PfConfig>;
  /** By host id and VF address, joined with `pfKey`. */
  readonly reservations: ReadonlyMap<string, Reservation>;
  /** Memory promised to jobs that run, by target. */
  readonly promisedMemoryKiB: ReadonlyMap<HostId, number>;
  /**
   * Which of the VM's disk images are on a host, or why that could not be found out; hosts that were not
   * asked are not in it.
   */
  readonly imagesOn: ReadonlyMap<HostId, ReadonlySet<string> | string>;
  /** The job this plan is for; its own reservations and promise do not count against it. */
  readonly forJob: JobId | null;
  readonly now: number;
}

/** What is asked of the plan. */
export interface PlanOptions {
  /** Only this host; null = any. */
  readonly targetHostId: HostId | null;
  readonly copyStorage: boolean;
}

/** Key of a PF or VF within the fleet. */
export const pfKey = (hostId: HostId, address: PciAddress): string => `${hostId}/${address}`;

/** The vNICs a migration has to take out and put in again. */
export const movingVnics = (vm: Vm): Vnic[] =>
  vm.vnics.filter((vnic) => vnic.passthrough && (vnic.plugged || vnic.vf !== null));

/** Paths of the images that are shared between the hosts, or copied. */
export const imagesOf = (domain: Domain | null): string[] =>
  disksToCopy(domain?.disks ?? []).flatMap(({ kind, source }) => (kind === 'file' && source ? [source] : []));

/** Makes the plan. */
export function planMigration(facts: PlanFacts, options: PlanOptions): MigrationPlan {
  const { vm } = facts;
  const source = facts.hosts.find((host) => host.id === vm.hostId) ?? null;
  const refusals: PlanReason[] = vmRefusals(facts, source);
  const candidates = facts.hosts.filter(
    (host) => options.targetHostId === null || host.id === options.targetHostId,
  );
  if (options.targetHostId !== null && candidates.length === 0) {
    refusals.push({
      code: 'target_unknown',
      message: `there is no host with the id ${options.targetHostId}`,
    });
  }
  const hosts: HostVerdict[] = candidates.map((host) => judgeHost(facts, options, source, host));
  let best: HostVerdict | null = null;
  for (const verdict of hosts) {
    if (verdict.fits && (best === null || verdict.score < best.score)) best = verdict;
  }
  return {
    vmId: vm.id,
    vmName: vm.name,
    sourceHostId: source?.id ?? null,
    sourceHostName: source?.name ?? null,
    possible: refusals.length === 0 && best !== null,
    refusals,
    warnings: vmWarnings(facts),
    hosts,
    chosen: refusals.length === 0 ? (best?.hostId ?? null) : null,
  };
}
