/**
 * Migrations that are looked at: VMs with one and two VFs on two simulated hosts, and how they are moved,
 * slowly enough that a test can look and act meanwhile.
 */
import type { JobView } from '../../../src/api/types/job-view.ts';
import type { VmPage, VmView } from '../../../src/api/types/vm-view.ts';
import { eventually } from '../../support/eventually.ts';
import { simVmFleet } from '../../support/sim-vms.ts';
import type { ConsoleStage } from './console-stage.ts';

/** For `useConsole`. `web-1` has two VFs, `web-2` one; four VFs are on each host. */
export const MOVING_FLEET = simVmFleet({
  vms: [
    { name: 'web-1', vfs: [0, 1], guest: { dirtyMiBps: 8 } },
    { name: 'web-2', vfs: [2], guest: { dirtyMiBps: 8 } },
  ],
  hostCount: 2,
  vfCount: 4,
});

/** The 900 MiB of their memory take 9 s at this rate. */
const MIB_PER_SECOND = 100;
/** And a minute at this one. */
const SLOW_MIB_PER_SECOND = 15;

interface Named {
  readonly id: string;
  readonly name: string;
}

/** What is done with the VMs of `MOVING_FLEET`, through the engine of a stage. */
export interface Migrations {
  /** Adds the network and the profile of their VFs, and waits until they have it. */
  introduce(): Promise<void>;
  /** Asks for a move to the other host; returns the id of the job. */
  begin(vm: string): Promise<string>;
  /** The same, so slow that it goes on for as long as anybody looks. Returns once memory is sent. */
  beginSlowly(vm: string): Promise<string>;
  /** Cancels all that go on, if it is not too late, and waits for their end. */
  endAll(): Promise<void>;
  /** Waits until every vNIC is plugged: what a job left behind is mended. */
  whole(): Promise<void>;
  /** A job once `isSo` is true of it. */
  when(id: string, isSo: (job: JobView) => boolean): Promise<JobView>;
  ended(id: string): Promise<JobView>;
}

/** For a stage that may not have been started yet. */
export function migrationsOn(stage: ConsoleStage): Migrations {
  const post = async <T>(path: string, body: object): Promise<T> => {
    const answer = await stage.engine.ask<T>('POST', path, body);
    if (answer.status >= 300) throw new Error(JSON.stringify(answer.body));
    return answer.body;
  };
  const vms = async (): Promise<readonly VmView[]> =>
    (await stage.engine.ask<VmPage>('GET', '/api/vms')).body.vms;
  const when = async (id: string, isSo: (job: JobView) => boolean): Promise<JobView> =>
    await eventually('the job to get there', async () => {
      const { body } = await stage.engine.ask<JobView>('GET', `/api/jobs/${id}`);
      return isSo(body) && body;
    });
  const begin = async (name: string, rate: number): Promise<string> => {
    const vm = (await vms()).find((each) => each.name === name);
    const { job } = await post<{ job: Named }>(`vms/${vm?.id}/migrate`, {
      bandwidth_mib_per_second: String(rate),
    });
    return job.id;
  };
  return {
    when,
    ended: async (id) => await when(id, (job) => job.ended),
    async introduce() {
      const network = await post<Named>('networks', { name: 'prod', vlan: { id: '42' } });
      const passThrough = { pass_through: { mode: 'enabled' } };
      await post('vnicprofiles', { name: 'prod-vf', network: { id: network.id }, ...passThrough });
      const { body } = await stage.engine.ask<{ host: readonly Named[] }>('GET', 'hosts');
      for (const { id } of body.host) await post(`hosts/${id}/refresh`, {});
      await eventually('the vNICs to have their profile', async () => {
        const vnics = (await vms()).flatMap((vm) => vm.vnics).filter((vnic) => vnic.passthrough);
        return vnics.length > 0 && vnics.every((vnic) => vnic.profile === 'prod-vf');
      });
    },
    begin: async (name) => await begin(name, MIB_PER_SECOND),
    async beginSlowly(name) {
      const id = await begin(name, SLOW_MIB_PER_SECOND);
      await when(id, (job) => job.samples.length > 1);
      return id;
    },
    async whole() {
      await eventually('every vNIC to be plugged', async () =>
        (await vms()).flatMap((vm) => vm.vnics).every(({ actual }) => actual === 'plugged'),
      );
    },
    async endAll() {
      const { body } = await stage.engine.ask<readonly JobView[]>('GET', '/api/jobs?live=true');
      for (const { id } of body) {
        await stage.engine.ask('POST', `/api/jobs/${id}/cancel`, {});
        await when(id, (job) => job.ended);
      }
    },
  };
}
