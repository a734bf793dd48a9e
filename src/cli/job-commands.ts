/** `handover job list|show|watch|cancel|retry|abandon`. Jobs are named by id, or by the beginning of one. */
import { createInterface } from 'node:readline/promises';
import type { JobView } from '../api/types/job-view.ts';
import type { Client } from './client.ts';
import { CliError, EXIT } from './cli-error.ts';
import { type OutputFormat, print, printList, timeOf } from './output.ts';
import { durationText } from './timeline.ts';
import { printJob, watchJob } from './watch-job.ts';

/** Among how many jobs, newest first, the beginning of an id is looked for. */
const JOBS_SEARCHED = 1_000;
const FULL_ID_LENGTH = 36;

/** Prints jobs, newest first. */
export async function listJobs(client: Client, format: OutputFormat, max: number): Promise<void> {
  const jobs = await client.native<JobView[]>('GET', `jobs?max=${max}`);
  printList(
    format,
    jobs,
    ['id', 'vm', 'from', 'to', 'state', 'began', 'took', ''],
    (job) => [
      job.id,
      job.vm,
      job.source,
      job.kind === 'drill_vm' ? '(drill)' : (job.target ?? '-'),
      job.state,
      timeOf(job.startedAt ?? job.createdAt),
      job.startedAt === null || job.endedAt === null
        ? '-'
        : durationText(Date.parse(job.endedAt) - Date.parse(job.startedAt)),
      job.waitReason ?? job.error?.message ?? '',
    ],
    'No jobs yet. Start one: handover vm migrate VM',
  );
}

async function fullId(client: Client, given: string): Promise<string> {
  if (given.length >= FULL_ID_LENGTH) return given;
  const jobs = await client.native<JobView[]>('GET', `jobs?max=${JOBS_SEARCHED}`);
  const found = jobs.filter((job) => job.id.startsWith(given.toLowerCase()));
  const [only] = found;
  if (!only) {
    throw new CliError(EXIT.notFound, `there is no job ${given}; "handover job list" shows which there are`);
  }
  if (found.length > 1) {
    throw new CliError(EXIT.usage, `${found.length} jobs begin with ${given}; give more of the id`);
  }
  return only.id;
}

const jobOf = async (client: Client, given: string): Promise<JobView> =>
  await client.native<JobView>('GET', `jobs/${await fullId(client, given)}`);

/** Prints one job with its timeline. */
export async function showJob(client: Client, format: OutputFormat, id: string): Promise<void> {
  printJob(format, await jobOf(client, id));
}

/** Follows one job to its end. */
export async function watchJobById(client: Client, format: OutputFormat, id: string): Promise<void> {
  await watchJob(client, format, await fullId(client, id));
}

async function change(
  client: Client,
  format: OutputFormat,
  id: string,
  verb: 'cancel' | 'retry' | 'abandon',
  said: string,
): Promise<void> {
  const job = await client.native<JobView>('POST', `jobs/${await fullId(client, id)}/${verb}`);
  if (format === 'json') printJob(format, job);
  else {
    print(`Job ${job.id} of ${job.vm}: ${said}`);
    for (const left of job.leftBehind) print(`  left behind: ${left}`);
  }
}

/** Cancels a job that has not passed its pivot. */
export async function cancelJob(client: Client, format: OutputFormat, id: string): Promise<void> {
  await change(client, format, id, 'cancel', 'cancelled; the VM stays where it is.');
}

/** Makes a parked job look at the hosts and go on. */
export async function retryJob(client: Client, format: OutputFormat, id: string): Promise<void> {
  await change(client, format, id, 'retry', 'looks at the hosts and goes on.');
}

/**
 * Gives a parked job up, after showing what stays as it is. Asks on a terminal; elsewhere `yes` must be
 * given.
 */
export async function abandonJob(
  client: Client,
  format: OutputFormat,
  id: string,
  yes: boolean,
): Promise<void> {
  const job = await jobOf(client, id);
  if (!yes) {
    if (!process.stdin.isTTY || !process.stdout.isTTY) {
      throw new CliError(EXIT.usage, 'giving a job up leaves things on the hosts as they are; add --yes');
    }
    printJob('text', job);
    const terminal = createInterface({ input: process.stdin, output: process.stdout });
    const answer = await terminal.question('\nGive it up and leave everything as it is now? [y/N] ');
    terminal.close();
    if (!/^y(es)?$/i.test(answer.trim())) throw new CliError(EXIT.failed, 'not abandoned');
  }
  await change(client, format, job.id, 'abandon', 'given up; its reservations are free.');
}
