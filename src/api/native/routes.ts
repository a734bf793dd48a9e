/**
 * `/api`: the few things oVirt has no words for, JSON only: jobs with VFs and figures, retry and abandon,
 * alerts, what was seen on a host, and host-to-host tests. Same sign-on and faults as oVirt's API.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Caller, UseCases } from '../../app/use-cases.ts';
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

/** What a native route is asked. */
interface NativeCall {
  readonly caller: Caller;
  /** The path's `:id`, as it was given. */
  readonly id: string;
  readonly query: URLSearchParams;
}

/** A native route; its answer is sent as JSON. */
interface NativeRoute {
  readonly method: 'GET' | 'POST';
  /** Below `/api`. */
  readonly path: string;
  readonly run: (call: NativeCall) => Promise<unknown>;
}

/** Every native route. */
export function nativeRoutes(useCases: UseCases): readonly NativeRoute[] {
  const hostId = (call: NativeCall) => idOf<HostId>(call, 'host');
  return [
    { method: 'GET', path: 'jobs', run: async (call) => await listJobs(useCases, call) },
    {
      method: 'GET',
      path: 'jobs/:id',
      run: async (call) => await jobView(useCases, call.caller, idOf<JobId>(call, 'job')),
    },
    jobChange(useCases, 'cancel', async (caller, id) => await useCases.cancelJob(caller, id)),
    jobChange(useCases, 'retry', async (caller, id) => await useCases.retryJob(caller, id)),
    jobChange(useCases, 'abandon', async (caller, id) => await useCases.abandonJob(caller, id)),
    {
      method: 'GET',
      path: 'alerts',
      run: async ({ caller }): Promise<AlertView[]> =>
        (await useCases.listAlerts(caller)).map((alert) => ({ ...alert, raisedAt: isoTime(alert.raisedAt) })),
    },
    {
      method: 'GET',
      path: 'hosts/:id',
      run: async (call) => await useCases.getHost(call.caller, hostId(call)),
    },
    {
      method: 'POST',
      path: 'hosts/:id/peer-tests',
      run: async (call) => Object.fromEntries(await useCases.testPeers(call.caller, hostId(call))),
    },
  ];
}

/** Registers the native routes. `callerOf` is who asks, found by the sign-on hook. */
export function registerNative(
  app: FastifyInstance,
  parts: ApiParts,
  callerOf: (request: FastifyRequest) => Caller,
): void {
  for (const route of nativeRoutes(parts.useCases)) {
    app.route({
      method: route.method,
      url: `/api/${route.path}`,
      handler: async (request, reply) => {
        try {
          const { id = '' } = request.params as { id?: string };
          const query = new URLSearchParams(request.url.split('?')[1] ?? '');
          await sendJson(reply, await route.run({ caller: callerOf(request), id, query }));
        } catch (thrown) {
          const fault = faultOf(thrown);
          if (fault.status === 500) parts.log.error('a request failed', { route: route.path, error: thrown });
          await sendFault(request, reply, fault);
        }
        return reply;
      },
    });
  }
}

async function hostNames(useCases: UseCases, caller: Caller): Promise<Map<string, string>> {
  return new Map((await useCases.listHosts(caller)).map((host): [string, string] => [host.id, host.name]));
}

async function jobView(useCases: UseCases, caller: Caller, id: JobId): Promise<JobView> {
  const { job, steps } = await useCases.getJob(caller, id);
  return toJobView(job, steps, await hostNames(useCases, caller));
}

async function listJobs(useCases: UseCases, { caller, query }: NativeCall): Promise<JobView[]> {
  const jobs = await useCases.listJobs(caller, {
    limit: limitOf(query.get('max')),
    ...(query.get('live') === 'true' ? { live: true } : {}),
  });
  const names = await hostNames(useCases, caller);
  return jobs.toSorted((a, b) => b.createdAt - a.createdAt).map((job) => toJobView(job, [], names));
}

function jobChange(
  useCases: UseCases,
  verb: string,
  change: (caller: Caller, id: JobId) => Promise<Job>,
): NativeRoute {
  return {
    method: 'POST',
    path: `jobs/:id/${verb}`,
    run: async (call) => {
      const { id } = await change(call.caller, idOf<JobId>(call, 'job'));
      return await jobView(useCases, call.caller, id);
    },
  };
}

function limitOf(given: string | null): number {
  if (given === null || given === '') return JOBS_SHOWN;
  const limit = Number(given);
  if (Number.isInteger(limit) && limit > 0 && limit <= JOBS_SHOWN_MAX) return limit;
  throw badRequest(`max=${given} is no whole number from 1 to ${JOBS_SHOWN_MAX}`);
}

function idOf<Id extends string>({ id }: NativeCall, what: string): Id {
  if (!isUuid(id)) throw notFound(what, id);
  return id as Id;
}

async function sendJson(reply: FastifyReply, body: unknown): Promise<void> {
  await reply.code(200).header('content-type', 'application/json').send(JSON.stringify(body));
}
