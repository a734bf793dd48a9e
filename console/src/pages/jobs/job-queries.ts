/**
 * Jobs as the engine tells them: one that is followed while it runs, lists of them, and what changes them.
 */
import { useQuery, useQueryClient } from '@tanstack/react-query';
import type { AlertView, JobView } from '../../../../src/api/types/job-view.ts';
import type { PlanView } from '../../../../src/api/types/vm-view.ts';
import { ask } from '../../server/ask.ts';
import { listKey, oneKey } from '../../server/keys.ts';

/** A step of a job, or the part of one that belongs to one vNIC. */
export type StepView = JobView['steps'][number];
/** A vNIC that moves. */
export type VnicView = JobView['vnics'][number];

/** How often a job that runs is asked for besides the events: memory goes across without any. */
const FOLLOW_EVERY_MS = 1_000;
/** How many jobs the list shows; live ones always. */
export const JOBS_MAX = 200;

/** A job that waits for an operator changes by an event; any other live one by itself. */
const isRunning = (job: JobView): boolean => !job.ended && job.state !== 'needs_operator';

/** One job, whole. */
export function useJob(id: string) {
  return useQuery({
    queryKey: oneKey('jobs', id),
    queryFn: async ({ signal }) => await ask<JobView>(`/api/jobs/${id}`, { signal }),
    refetchInterval: ({ state: { data } }) => (data && isRunning(data) ? FOLLOW_EVERY_MS : false),
  });
}

/** The newest jobs and all live ones, or only these; live ones first, then newest first. Without steps. */
export function useJobs(only: 'live' | 'all') {
  return useQuery({
    queryKey: listKey('jobs', only),
    queryFn: async ({ signal }) => {
      const live = await ask<readonly JobView[]>('/api/jobs?live=true&max=1000', { signal });
      if (only === 'live') return live;
      const newest = await ask<readonly JobView[]>(`/api/jobs?max=${JOBS_MAX}`, { signal });
      return liveFirst([...live, ...newest]);
    },
    refetchInterval: ({ state: { data } }) => (data?.some(isRunning) ? FOLLOW_EVERY_MS : false),
  });
}

/** Each once; of one that is there twice the later answer, which is the second. */
function liveFirst(jobs: readonly JobView[]): readonly JobView[] {
  const each = [...new Map(jobs.map((job) => [job.id, job])).values()];
  const byAge = each.sort((a, b) => Date.parse(b.createdAt) - Date.parse(a.createdAt));
  return [...byAge.filter((job) => !job.ended), ...byAge.filter((job) => job.ended)];
}

/** Alerts that stand. */
export function useAlerts() {
  return useQuery({
    queryKey: listKey('alerts'),
    queryFn: async ({ signal }) => await ask<readonly AlertView[]>('/api/alerts', { signal }),
  });
}

/**
 * How long migrations of this VM took until now; null data: nothing is known. Asked for once: its key is none
 * that events make old.
 */
export function useExpectation(vmId: string) {
  return useQuery({
    queryKey: ['expectation', vmId],
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
    queryFn: async ({ signal }) => (await ask<PlanView>(`/api/vms/${vmId}/plan`, { signal })).expected,
  });
}

/** Does it and shows what came of it. Rejects with the engine's refusal. */
export function useJobChange(id: string): (verb: 'cancel' | 'retry' | 'abandon') => Promise<JobView> {
  const client = useQueryClient();
  return async (verb) => {
    const job = await ask<JobView>(`/api/jobs/${id}/${verb}`, { method: 'POST' });
    client.setQueryData(oneKey('jobs', id), job);
    for (const kind of ['jobs', 'alerts'] as const) {
      void client.invalidateQueries({ queryKey: listKey(kind) });
    }
    return job;
  };
}
