/**
 * `/api`: the few things oVirt has no words for, JSON only: jobs with VFs and figures, retry and abandon,
 * alerts, what was seen on a host, and host-to-host tests. Same sign-on and faults as oVirt's API.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Caller } from '../../app/use-cases.ts';
import { isoTime } from '../../base/clock.ts';
import { type HostId, isUuid, type JobId } from '../../base/ids.ts';
import type { Job } from '../../model/job.ts';
import type { ApiParts } from '../create-api.ts';
import { faultOf } from '../ovirt/fault.ts';
import { notFound } from '../ovirt/look.ts';
import { sendFault } from '../ovirt/server.ts';
import { badRequest } from '../ovirt/wire/read.ts';
import type { AlertView, JobView } from '../types/job-view.ts';
import { toJobView } from './job-view.ts';

const JOBS_SHOWN = 50;
const JOBS_SHOWN_MAX = 1_000;

/** Registers the native routes. `callerOf` is who asks, found by the sign-on hook. */
export function registerNative(
  app: FastifyInstance,
  parts: ApiParts,
  callerOf: (request: FastifyRequest) => Caller,
): void {
  const { useCases } = parts;
  type Run = (caller: Caller, request: FastifyRequest) => Promise<unknown>;
  const route = (method: 'GET' | 'POST', url: string, run: Run) =>
    app.route({
      method,
      url: `/api/${url}`,
      handler: async (request, reply) => {
        try {
          await sendJson(reply, await run(callerOf(request), request));
        } catch (thrown) {
          const fault = faultOf(thrown);
          if (fault.status === 500) parts.log.error('a request failed', { route: url, error: thrown });
          await sendFault(request, reply, fault);
        }
        return reply;
      },
    });
  const hostNames = async (caller: Caller) =>
    new Map((await useCases.listHosts(caller)).map((host): [string, string] => [host.id, host.name]));
  const viewOf = async (caller: Caller, id: JobId): Promise<JobView> => {
    const { job, steps } = await useCases.getJob(caller, id);
    return toJobView(job, steps, await hostNames(caller));
  };

  route('GET', 'jobs', async (caller, request): Promise<JobView[]> => {
    const query = new URLSearchParams(request.url.split('?')[1] ?? '');
    const jobs = await useCases.listJobs(caller, {
      limit: limitOf(query.get('max')),
      ...(query.get('live') === 'true' ? { live: true } : {}),
    });
    const names = await hostNames(caller);
    return jobs.map((job) => toJobView(job, [], names)).sort((a, b) => (a.createdAt < b.createdAt ? 1 : -1));
  });
  route('GET', 'jobs/:id', async (caller, request) => await viewOf(caller, idOf<JobId>(request, 'job')));
  const changes: Readonly<Record<string, (caller: Caller, id: JobId) => Promise<Job>>> = {
    cancel: async (caller, id) => await useCases.cancelJob(caller, id),
    retry: async (caller, id) => await useCases.retryJob(caller, id),
    abandon: async (caller, id) => await useCases.abandonJob(caller, id),
  };
  for (const [verb, change] of Object.entries(changes)) {
    route('POST', `jobs/:id/${verb}`, async (caller, request) => {
      const { id } = await change(caller, idOf<JobId>(request, 'job'));
      return await viewOf(caller, id);
    });
  }
  route(
    'GET',
    'alerts',
    async (caller): Promise<AlertView[]> =>
      (await useCases.listAlerts(caller)).map((alert) => ({ ...alert, raisedAt: isoTime(alert.raisedAt) })),
  );
  route(
    'GET',
    'hosts/:id',
    async (caller, request) => await useCases.getHost(caller, idOf<HostId>(request, 'host')),
  );
  route('POST', 'hosts/:id/peer-tests', async (caller, request) =>
    Object.fromEntries(await useCases.testPeers(caller, idOf<HostId>(request, 'host'))),
  );
}

function limitOf(given: string | null): number {
  if (given === null || given === '') return JOBS_SHOWN;
  const limit = Number(given);
  if (Number.isInteger(limit) && limit > 0 && limit <= JOBS_SHOWN_MAX) return limit;
  throw badRequest(`max=${given} is no whole number from 1 to ${JOBS_SHOWN_MAX}`);
}

function idOf<Id extends string>(request: FastifyRequest, what: string): Id {
  const { id = '' } = request.params as { id?: string };
  if (!isUuid(id)) throw notFound(what, id);
  return id as Id;
}

async function sendJson(reply: FastifyReply, body: unknown): Promise<void> {
  await reply.code(200).header('content-type', 'application/json').send(JSON.stringify(body));
}
