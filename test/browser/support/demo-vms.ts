/** The VMs of the demo's fleet, by name, through the engine of a stage. */
import type { JobView } from '../../../src/api/types/job-view.ts';
import type { HostSummaryView } from '../../../src/api/types/fleet-view.ts';
import type { VmPage, VmView } from '../../../src/api/types/vm-view.ts';
import { eventually } from '../../support/eventually.ts';
import type { ConsoleStage } from './console-stage.ts';

/** What tests ask of them. */
export interface DemoVms {
  vm(name: string): Promise<VmView>;
  hostId(name: string): Promise<string>;
  /** Posts to oVirt's API. Throws what it refused. */
  post<T = unknown>(path: string, body?: object): Promise<T>;
  /** Waits until a job has ended well. */
  succeeded(jobId: string): Promise<JobView>;
}

/** For a stage that may not have been started yet. */
export function demoVms(stage: ConsoleStage): DemoVms {
  return {
    async vm(name) {
      const { body } = await stage.engine.ask<VmPage>('GET', `/api/vms?name=${name}`);
      const found = body.vms.find((vm) => vm.name === name);
      if (found === undefined) throw new Error(`there is no VM ${name}`);
      return found;
    },
    async hostId(name) {
      const { body } = await stage.engine.ask<HostSummaryView[]>('GET', '/api/hosts');
      return body.find((host) => host.name === name)?.id ?? '';
    },
    async post<T>(path: string, body: object = {}): Promise<T> {
      const answer = await stage.engine.ask<T>('POST', path, body);
      if (answer.status >= 300) throw new Error(JSON.stringify(answer.body));
      return answer.body;
    },
    succeeded: async (jobId) =>
      await eventually('the migration to succeed', async () => {
        const { body } = await stage.engine.ask<JobView>('GET', `/api/jobs/${jobId}`);
        if (body.ended && body.state !== 'succeeded') throw new Error(`it ended as ${body.state}`);
        return body.ended && body;
      }),
  };
}
