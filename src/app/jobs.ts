/** Use cases on jobs, events and alerts. */
import { HandoverError } from '../base/errors.ts';
import type { JobId } from '../base/ids.ts';
import { alertsOfJob } from '../migration/alerts.ts';
import type { Job } from '../model/job.ts';
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
  const left = [
    `Job ${id} was given up in step ${step?.name ?? 'none'}: ${job.vmName} and its VFs stay as they are on ` +
      `the hosts; nothing more is undone. See that it runs on one host only.`,
    ...(job.data.vnics ?? [])
      .filter((vnic) => vnic.state !== 'plugged')
      .map(
        (vnic) =>
          `vNIC ${vnic.name} (${vnic.mac}) is ${vnic.state}; it is plugged again if ${job.vmName} runs.`,
      ),
    ...(job.data.copyDisks ?? []).map(
      (disk) => `The disk image ${disk.path} on the target is left; remove it by hand.`,
    ),
  ];
  const ended = await parts.store.jobs.abandon(id, left, alertsOfJob(id));
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
