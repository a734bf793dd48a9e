/**
 * Follows a job until it ends, or waits for an operator. On a terminal the timeline is redrawn in place;
 * elsewhere each change is one line. Looking again every so often is all it takes: a look that fails is
 * repeated while the engine restarts.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { JobView } from '../api/types/job-view.ts';
import type { Client } from './client.ts';
import { CliError, EXIT } from './cli-error.ts';
import { type OutputFormat, print, printJson } from './output.ts';
import { changeLines, timelineLines } from './timeline.ts';

const LOOK_EVERY_MS = 250;
/** An engine that restarts is back within this time; jobs go on by themselves. */
const ENGINE_AWAY_LIMIT_MS = 60_000;

/** True where colours and redrawing make sense. */
export const isFancy = (): boolean => Boolean(process.stdout.isTTY) && !process.env['NO_COLOR'];

/** Prints a job once: the timeline, or JSON. */
export function printJob(format: OutputFormat, job: JobView): void {
  if (format === 'json') {
    printJson(job);
    return;
  }
  print(`job ${job.id}`);
  for (const line of timelineLines(job, { colour: isFancy(), nowMs: Date.now() })) print(line);
}

/** Watches a job to its end. `CliError` (job not succeeded) unless it succeeded. */
export async function watchJob(client: Client, format: OutputFormat, id: string): Promise<void> {
  const job = await followJob(client, format, id);
  if (format === 'json') printJson(job);
  refuseUnlessSucceeded(job);
}

/** Shows a job until it ends or waits for an operator, and returns it as it is then. Nothing as JSON. */
export async function followJob(client: Client, format: OutputFormat, id: string): Promise<JobView> {
  const display = format === 'json' ? null : process.stdout.isTTY ? redrawing() : linewise();
  const onInterrupt = () => {
    process.stderr.write(`\nThe job goes on without this terminal. See it again: handover job watch ${id}\n`);
    process.exit(EXIT.interrupted);
  };
  process.once('SIGINT', onInterrupt);
  try {
    let job = await look(client, id);
    for (;;) {
      display?.(job);
      if (job.ended || job.state === 'needs_operator') return job;
      await sleep(LOOK_EVERY_MS);
      job = await look(client, id);
    }
  } finally {
    process.removeListener('SIGINT', onInterrupt);
  }
}

/** `CliError` (job not succeeded) with how it ended instead. */
export function refuseUnlessSucceeded(job: JobView): void {
  if (job.state !== 'succeeded')
    throw new CliError(EXIT.jobNotSucceeded, endOf(job), job.error?.code ?? null);
}

async function look(client: Client, id: string): Promise<JobView> {
  const giveUpAt = Date.now() + ENGINE_AWAY_LIMIT_MS;
  for (;;) {
    try {
      return await client.native<JobView>('GET', `jobs/${id}`);
    } catch (thrown) {
      const isAway = thrown instanceof CliError && thrown.exitCode === EXIT.unreachable;
      if (!isAway || Date.now() > giveUpAt) throw thrown;
      await sleep(LOOK_EVERY_MS * 4);
    }
  }
}

function endOf(job: JobView): string {
  const why = job.error === null ? '' : `: ${job.error.message}`;
  if (job.state === 'needs_operator') {
    return `job ${job.id} waits for an operator${why}; see "handover job retry" and "handover job abandon"`;
  }
  return `job ${job.id} ${job.state}${why}`;
}

/**
 * Draws over what it drew before. Lines wider than the terminal are cut: a wrapped line would be counted
 * wrongly.
 */
function redrawing(): (job: JobView) => void {
  let drawn = 0;
  return (job) => {
    const width = process.stdout.columns || 80;
    const lines = timelineLines(job, { colour: isFancy(), nowMs: Date.now() }).map((line) =>
      cut(line, width),
    );
    const up = drawn === 0 ? '' : `\u001b[${drawn}A`;
    process.stdout.write(`${up}${lines.map((line) => `\u001b[2K${line}\n`).join('')}\u001b[0J`);
    drawn = lines.length;
  };
}

/** A line cut to `width` columns; colour codes take no room. */
function cut(line: string, width: number): string {
  let room = width - 1;
  let out = '';
  for (const [piece] of line.matchAll(/\u001b\[\d+m|./gu)) {
    if (piece.startsWith('\u001b')) out += piece;
    else if (room > 0) {
      out += piece;
      room -= 1;
    }
  }
  return out;
}

const wayOf = ({ kind, source, target }: JobView): string =>
  kind === 'drill_vm'
    ? `in a drill on ${source}`
    : `from ${source} to ${target ?? 'a host yet to be chosen'}`;

function linewise(): (job: JobView) => void {
  let before: JobView | null = null;
  return (job) => {
    if (before === null) print(`job ${job.id}: ${job.vm} ${wayOf(job)}`);
    for (const line of changeLines(before, job)) print(line);
    if (job.ended) {
      print('');
      for (const line of timelineLines(job, { colour: false, nowMs: Date.now() })) print(line);
    }
    before = job;
  };
}
