/** The part of `memory-use-cases.ts` that is about VFs and what PFs may serve. */
import { survey } from '../../src/app/survey.ts';
import type { UseCases } from '../../src/app/use-cases.ts';
import { HandoverError } from '../../src/base/errors.ts';
import type { HostId } from '../../src/base/ids.ts';
import { isActive, pciAddressesOf } from '../../src/model/domain.ts';
import type { Host } from '../../src/model/host.ts';
import { isLive } from '../../src/model/job.ts';
import { countsOf } from './memory-store/vm-part.ts';
import type { MemoryWorld } from './memory-use-cases.ts';

function hostIn(world: MemoryWorld, id: HostId): Host {
  const host = world.hosts.find((each) => each.id === id);
  if (!host) throw new HandoverError('NOT_FOUND', `there is no host ${id}`);
  return host;
}

/** Their state as the inventory shows it; their number stays as it is. */
export const memoryVfCases = (
  world: MemoryWorld,
): Pick<UseCases, 'vfUses' | 'surveyFleet' | 'listPfConfigs' | 'setPfConfig' | 'setVfCount'> => ({
  setVfCount: async (_caller, { hostId, pf, count }) => {
    const { inventory } = hostIn(world, hostId);
    if (inventory?.pfs.find((each) => each.pciAddress === pf)?.vfs.length === count) return;
    throw new HandoverError('VFS_IN_USE', `nobody changes the number of VFs here to ${count}`);
  },
  vfUses: async (_caller, id) => {
    const { inventory } = hostIn(world, id);
    const domains = (inventory?.domains ?? []).filter(isActive);
    return (inventory?.pfs ?? []).flatMap((pf) =>
      pf.vfs.map((vf) => {
        const owner = domains.find((domain) => pciAddressesOf(domain).live.includes(vf.pciAddress));
        return {
          pciAddress: vf.pciAddress,
          state: owner ? ('attached' as const) : ('free' as const),
          reason: owner ? `attached to ${owner.name}` : null,
          vmId: owner?.uuid ?? null,
          jobId: null,
        };
      }),
    );
  },
  surveyFleet: async () =>
    survey({
      hosts: world.hosts,
      networks: world.networks,
      pfConfigs: world.pfConfigs,
      reservations: [],
      liveJobs: world.jobs.filter((job) => isLive(job.state)),
      vmCounts: countsOf(world.vms),
    }),
  listPfConfigs: async (_caller, id) => world.pfConfigs.filter((each) => each.hostId === id),
  setPfConfig: async (_caller, config) => {
    world.pfConfigs = world.pfConfigs.filter(
      (each) => each.hostId !== config.hostId || each.pf !== config.pf,
    );
    world.pfConfigs.push(config);
  },
});
