/**
 * A world in which nothing goes wrong, and migrations in it: six VMs on three simulated hosts, all of them
 * moved at once, again and again. Callers: `bench/campaign.ts`, `bench/support/memory-run.ts`.
 */
import { isLive } from '../../src/model/job.ts';
import { simVmFleet } from '../../test/support/sim-vms.ts';
import { CALLER, VirtualWorld } from '../../test/support/virtual-world.ts';

const HOSTS = 3;
const VMS = 6;
const VFS_PER_HOST = 4;
/** What ended longer ago than the last round is of no use to anybody. */
const FORGET_AFTER_MS = 60_000;

/** One engine runs in it; who begins it closes it. */
export async function quietWorld(seed: number): Promise<VirtualWorld> {
  const vms = Array.from({ length: VMS }, (_, at) => ({
    name: `vm-${at}`,
    host: `host-${'abc'.charAt(at % HOSTS)}`,
    vfs: [Math.floor(at / HOSTS)],
  }));
  const inventory = simVmFleet({ vms, hostCount: HOSTS, vfCount: VFS_PER_HOST });
  const world = await VirtualWorld.begin({ seed, inventory });
  world.startEngine();
  return world;
}

/** Moves VMs until `count` migrations or a few more have succeeded; returns how many. Throws if one fails. */
export async function migrate(world: VirtualWorld, count: number): Promise<number> {
  let ended = 0;
  while (ended < count) {
    const asked = [...world.vmIds.values()].map((id) => world.useCases.migrateVm(CALLER, id, {}));
    const jobs = await world.run('all are asked for', Promise.all(asked));
    while ((await world.liveJobs()).length > 0) await world.clock.step();
    for (const { id } of jobs) {
      const job = await world.store.jobs.get(id);
      if (!job || isLive(job.state) || job.state !== 'succeeded')
        throw new Error(`a migration of ${job?.vmName} ${job?.state}: ${job?.error?.message}`);
    }
    ended += jobs.length;
    world.store.forgetEnded(FORGET_AFTER_MS);
  }
  if (world.broken.length > 0) throw new Error(world.broken.join('; '));
  return ended;
}
