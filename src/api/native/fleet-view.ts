/** Hosts in short, PFs with their VFs, and the overview, see `../types/fleet-view.ts`. Pure. */
import type { FleetSurvey, HostSurvey } from '../../app/survey.ts';
import type { VfUse } from '../../app/use-cases.ts';
import { isoTime } from '../../base/clock.ts';
import type { Host } from '../../model/host.ts';
import type { PfConfig } from '../../model/network.ts';
import type { Pf, Vf } from '../../model/pf.ts';
import { nicId } from '../ovirt/host-nics.ts';
import type { HostSummaryView, OverviewView, PfUseView, VfUseView } from '../types/fleet-view.ts';

/** The view of a host in a list. */
export function toHostSummaryView(survey: HostSurvey): HostSummaryView {
  const { host, vmCount, runningCount, vfs, leaving, entering } = survey;
  return {
    id: host.id,
    name: host.name,
    uri: host.uri,
    status: host.status,
    statusReason: host.statusReason,
    vmCount,
    runningCount,
    pfCount: host.inventory?.pfs.length ?? 0,
    vfs,
    leaving,
    entering,
    memoryKiB: host.inventory?.memoryKiB ?? null,
    memoryFreeKiB: host.inventory?.memoryFreeKiB ?? null,
    observedAt: host.observedAt === null ? null : isoTime(host.observedAt),
  };
}

/** What is shown with a host's VFs. */
export interface AroundPfs {
  readonly uses: readonly VfUse[];
  readonly configs: readonly PfConfig[];
  /** Names of VMs by id. */
  readonly vmNames: ReadonlyMap<string, string>;
}

/** The view of every PF of a host. */
export function toPfUseViews(host: Host, { uses, configs, vmNames }: AroundPfs): PfUseView[] {
  const useOf = new Map(uses.map((use) => [use.pciAddress, use]));
  return (host.inventory?.pfs ?? []).map((pf) => {
    const config = configs.find((each) => each.pf === pf.pciAddress);
    return {
      nicId: nicId(host.id, pf.pciAddress),
      ...ownFacts(pf),
      allNetworksAllowed: config?.allNetworksAllowed ?? true,
      networkIds: config?.networkIds ?? [],
      labels: config?.labels ?? [],
      vfs: pf.vfs.map((vf) => toVfUseView(vf, useOf.get(vf.pciAddress), vmNames)),
    };
  });
}

const ownFacts = ({ name, pciAddress, driver, numaNode, carrier, mtu, vfCountMax }: Pf) => ({
  name,
  pciAddress,
  driver,
  numaNode,
  carrier,
  mtu,
  vfCountMax,
});

function toVfUseView(vf: Vf, use: VfUse | undefined, vmNames: ReadonlyMap<string, string>): VfUseView {
  const vmId = use?.vmId ?? null;
  return {
    pciAddress: vf.pciAddress,
    index: vf.index,
    state: use?.state ?? 'unusable',
    reason: use?.reason ?? null,
    vmId,
    vm: vmId === null ? null : (vmNames.get(vmId) ?? null),
    jobId: use?.jobId ?? null,
    driver: vf.driver,
    netdev: vf.netdev,
    numaNode: vf.numaNode,
    mac: vf.attributes?.mac ?? null,
    vlan: vf.attributes?.vlan ?? null,
  };
}

/** The view of the fleet, but for jobs and alerts. */
export function toFleetView({ hosts, networks, vms }: FleetSurvey): Omit<OverviewView, 'jobs' | 'alerts'> {
  const counts = new Map<Host['status'], number>();
  for (const { host } of hosts) counts.set(host.status, (counts.get(host.status) ?? 0) + 1);
  return {
    hosts: Array.from(counts, ([status, count]) => ({ status, count })),
    troubledHosts: hosts
      .filter(({ host }) => host.status !== 'up' || host.statusReason !== null)
      .map(({ host: { id, name, status, statusReason } }) => ({ id, name, status, statusReason })),
    vms,
    networks: networks.map(({ network: { id, name, vlan }, vfs }) => ({ id, name, vlan, vfs })),
  };
}
