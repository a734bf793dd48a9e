/** Use cases on jobs, events and alerts. */
import { HandoverError } from '../base/errors.ts';
import type { JobId } from '../base/ids.ts';
import { alertsOfJob } from '../migration/alerts.ts';
import { delaysLeft } from '../migration/legs.ts';
import type { Job, MovingVnic } from '../model/job.ts';
import type { AppParts } from './parts.ts';
import type { UseCases } from './use-cases.ts';

type JobCases = Pick<
  UseCases,
  'listJobs' | 'getJob' | 'retryJob' | 'abandonJob' | 'listEvents' | 'listAlerts'
>;

/** The job use cases. */
export function jobCases(parts: AppParts): JobCases {
  const { store } = parts;
  return {
    listJobs: (_caller, filter) => store.jobs.list(filter),
    async getJob(_caller, id) {
      const job = await jobById(parts, id);
      return { job, steps: await store.jobs.steps(id) };
    },
    async retryJob(_caller, id) {
      await jobById(parts, id);
      return store.jobs.retry(id);
    },
    abandonJob: (_caller, id) => abandonJob(parts, id),
    listEvents: (_caller, filter) => store.events.list(filter),
    listAlerts: () => store.alerts.list(),
  };
}

async function jobById(parts: AppParts, id: JobId): Promise<Job> {
  const job = await parts.store.jobs.get(id);
  if (!job) throw new HandoverError('NOT_FOUND', `there is no job with the id ${id}`);
  return job;
}

/**
 * Ends a job that is parked, or that waits under an alert for what may never come, after writing down what
 * stays as it is. Nothing on the hosts is touched.
 */
async function abandonJob(parts: AppParts, id: JobId): Promise<Job> {
  const job = await jobById(parts, id);
  const step = (await parts.store.jobs.steps(id)).findLast((each) => each.vnicId === null);
  const pending = pendingOf(job);
  const left = [
    `Job ${id} was given up in step ${step?.name ?? 'none'}: ${job.vmName} and its VFs stay as they are on ` +
      `the hosts; nothing more is undone. See that it runs on one host only.`,
    ...leftOut(job, pending),
    ...delaysLeft(job.data, job.vmName),
    ...(job.data.copyDisks ?? []).map(
      (disk) => `The disk image ${disk.path} on the target is left; remove it by hand.`,
    ),
  ];
  const ended = await parts.store.jobs.abandon(id, left, alertsOfJob(id));
  for (const { vnicId, sourceVf } of pending)
    await parts.store.vms.setVnicActual(vnicId, 'unplug_pending', sourceVf);
  for (const key of alertsOfJob(id)) await parts.store.alerts.clear(key);
  for (const message of left) {
    await parts.store.events.add({
      name: 'LEFT_BEHIND',
      severity: 'warning',
      message,
      vmId: job.vmId,
      jobId: id,
    });
  }
  return ended;
}

/** Asked for and not heard of since: the guest may give them back at any time. */
function pendingOf({ data }: Job): readonly MovingVnic[] {
  const asked = new Set(data.unplugAsked ?? []);
  return (data.vnics ?? []).filter(({ vnicId, state }) => asked.has(vnicId) && state !== 'unplugged');
}

function leftOut(job: Job, pending: readonly MovingVnic[]): readonly string[] {
  const out = (job.data.vnics ?? []).filter((each) => each.state !== 'plugged' && !pending.includes(each));
  return [
    ...pending.map(
      ({ name, mac }) =>
        `The guest was asked for the VF of vNIC ${name} (${mac}) and may give it back at any time; it is ` +
        `then plugged again.`,
    ),
    ...out.map(
      ({ name, mac, state }) =>
        `vNIC ${name} (${mac}) is ${state}; it is plugged again if ${job.vmName} runs.`,
    ),
  ];
}
