/** Hosts, their VFs, vNIC profiles and the overview, below `/api`. Callers: `routes.ts`. */
import type { HostId } from '../../base/ids.ts';
import type { OverviewView, ProfileView } from '../types/fleet-view.ts';
import { hostSummarySchema, overviewSchema, pfUseSchema, profileSchema } from '../types/fleet-view.ts';
import { list, uuid } from '../types/schema.ts';
import { toFleetView, toHostSummaryView, toPfUseViews } from './fleet-view.ts';
import { toJobView } from './job-view.ts';
import { idOf, listAlerts, networkNames } from './lookups.ts';
import { type NativeCall, type NativeRoute, nativeRoute } from './operation.ts';

/** Its routes. */
export const fleetRoutes: readonly NativeRoute[] = [
  nativeRoute({
    method: 'GET',
    path: 'overview',
    needs: 'look',
    name: 'getOverview',
    summary: 'What runs, what needs attention, and the VFs there are',
    answer: overviewSchema,
    run: overview,
  }),
  nativeRoute({
    method: 'GET',
    path: 'hosts',
    needs: 'look',
    name: 'listHosts',
    summary: 'Hosts in short',
    answer: list(hostSummarySchema),
    run: async ({ useCases, caller }) => (await useCases.surveyFleet(caller)).hosts.map(toHostSummaryView),
  }),
  nativeRoute({
    method: 'GET',
    path: 'hosts/:id/pfs',
    needs: 'look',
    name: 'listPfs',
    summary: "A host's PFs with every VF and what it is used for",
    id: uuid('Of a host.'),
    answer: list(pfUseSchema),
    async run(call) {
      const { useCases, caller } = call;
      const id = idOf<HostId>(call, 'host');
      const [host, uses, configs, vms, jobs] = await Promise.all([
        useCases.getHost(caller, id),
        useCases.vfUses(caller, id),
        useCases.listPfConfigs(caller, id),
        useCases.listVmHeads(caller, { hostId: id }),
        useCases.listJobs(caller, { live: true }),
      ]);
      // A VF may be reserved for a VM that is still on another host.
      const vmNames = new Map<string, string>([
        ...jobs.map(({ vmId, vmName }) => [vmId, vmName] as const),
        ...vms.map(({ id: vmId, name }) => [vmId, name] as const),
      ]);
      return toPfUseViews(host, { uses, configs, vmNames });
    },
  }),
  nativeRoute({
    method: 'GET',
    path: 'vnic-profiles',
    needs: 'look',
    name: 'listVnicProfiles',
    summary: 'vNIC profiles with the VMs that use them',
    answer: list(profileSchema),
    run: listProfiles,
  }),
];

async function overview(call: NativeCall): Promise<OverviewView> {
  const { useCases, caller } = call;
  const [survey, jobs, alerts] = await Promise.all([
    useCases.surveyFleet(caller),
    useCases.listJobs(caller, { live: true }),
    listAlerts(call),
  ]);
  const names = new Map(survey.hosts.map(({ host }): [string, string] => [host.id, host.name]));
  return { ...toFleetView(survey), jobs: jobs.map((job) => toJobView(job, [], names)), alerts };
}

async function listProfiles(call: NativeCall): Promise<ProfileView[]> {
  const { useCases, caller } = call;
  const [profiles, uses, networks] = await Promise.all([
    useCases.listVnicProfiles(caller),
    useCases.listProfileUses(caller),
    networkNames(call),
  ]);
  const names = new Map(profiles.map(({ id, name }): [string, string] => [id, name]));
  return profiles.map((profile) => {
    const use = uses.find(({ profileId }) => profileId === profile.id);
    return {
      ...profile,
      network: networks.get(profile.networkId) ?? profile.networkId,
      failover: profile.failoverId === null ? null : (names.get(profile.failoverId) ?? null),
      vmCount: use?.vmCount ?? 0,
      vms: use?.vms ?? [],
    };
  });
}
