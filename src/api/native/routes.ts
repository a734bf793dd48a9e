/**
 * `/api`: the few things oVirt has no words for, JSON only: jobs with VFs and figures, retry and abandon,
 * alerts, what was seen on a host, and host-to-host tests. Same sign-on and faults as oVirt's API. A route is
 * added here, with the schema of its answer in `../types/`.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Caller, UseCases } from '../../app/use-cases.ts';
import type { HostId, JobId, VmId } from '../../base/ids.ts';
import type { Permission } from '../../model/access.ts';
import type { Job } from '../../model/job.ts';
import type { ApiParts } from '../create-api.ts';
import { faultOf } from '../ovirt/fault.ts';
import { sendFault } from '../ovirt/server.ts';
import { badRequest } from '../ovirt/wire/read.ts';
import { hostSchema, peerTestsSchema } from '../types/host-view.ts';
import { alertSchema, jobSchema, type JobView } from '../types/job-view.ts';
import { flag, integer, list, text, uuid } from '../types/schema.ts';
import { toHostView, toPeerTestsView } from './host-view.ts';
import { toJobView } from './job-view.ts';
import { fleetRoutes } from './fleet-routes.ts';
import { guestRoutes } from './guest-routes.ts';
import { hostNames, idOf, listAlerts, queriedId } from './lookups.ts';
import { type NativeCall, type NativeRoute, nativeRoute } from './operation.ts';
import { vmRoutes } from './vm-routes.ts';

const JOBS_SHOWN = 50;
const JOBS_SHOWN_MAX = 1_000;
const JOB_ID = uuid('Of a job.');
const HOST_ID = uuid('Of a host.');

/** Every native route that answers at once; all there are: `nativeOperations` of `openapi.ts`. */
export const nativeRoutes: readonly NativeRoute[] = [
  ...fleetRoutes,
  ...vmRoutes,
  ...guestRoutes,
  nativeRoute({
    method: 'GET',
    path: 'jobs',
    needs: 'look',
    name: 'listJobs',
    summary: 'Jobs, newest first, without their steps',
    query: {
      max: { ...integer('How many, at most.'), minimum: 1, maximum: JOBS_SHOWN_MAX, default: JOBS_SHOWN },
      live: { ...flag('`true`: only those that have not ended.'), default: false },
      vm: uuid('Only those of this VM.'),
    },
    answer: list(jobSchema),
    run: async (call) => await listJobs(call),
  }),
  nativeRoute({
    method: 'GET',
    path: 'jobs/:id',
    needs: 'look',
    name: 'getJob',
    summary: 'A job with steps, VFs and figures',
    id: JOB_ID,
    answer: jobSchema,
    run: async (call) => await jobView(call, idOf<JobId>(call, 'job')),
  }),
  jobChange('cancel', {
    needs: 'use_vms',
    summary: 'Cancels a job, and answers it',
    description: 'The VM stays on its source, or the answer is 409: it is too late.',
    change: async (useCases, caller, id) => await useCases.cancelJob(caller, id),
  }),
  jobChange('retry', {
    needs: 'use_vms',
    summary: 'Goes on with a job that waits for an operator, and answers it',
    description: 'Looks at the hosts first. 409 for any other job.',
    change: async (useCases, caller, id) => await useCases.retryJob(caller, id),
  }),
  jobChange('abandon', {
    needs: 'configure',
    summary: 'Gives up a job that waits for an operator, and answers it',
    description: 'What it left on the hosts stays as it is (`leftBehind`). 409 for any other job.',
    change: async (useCases, caller, id) => await useCases.abandonJob(caller, id),
  }),
  nativeRoute({
    method: 'GET',
    path: 'alerts',
    needs: 'look',
    name: 'listAlerts',
    summary: 'Alerts that stand',
    answer: list(alertSchema),
    run: listAlerts,
  }),
  nativeRoute({
    method: 'GET',
    path: 'metrics',
    needs: 'look',
    name: 'readMetrics',
    summary: 'What this engine did since it started, in the text format of Prometheus',
    description: 'Each of several engines counts its own. Basic authentication will do.',
    answer: text(),
    mediaType: 'text/plain',
    run: async (call) => await call.useCases.readMetrics(call.caller),
  }),
  nativeRoute({
    method: 'GET',
    path: 'hosts/:id',
    needs: 'look',
    name: 'getHost',
    summary: 'All that was seen on a host, and the host-to-host tests from it',
    id: HOST_ID,
    answer: hostSchema,
    run: async (call) => toHostView(await call.useCases.getHost(call.caller, idOf<HostId>(call, 'host'))),
  }),
  nativeRoute({
    method: 'POST',
    path: 'hosts/:id/peer-tests',
    needs: 'configure',
    name: 'testPeers',
    summary: 'Tests from a host to every other, and answers how each went',
    id: HOST_ID,
    answer: peerTestsSchema,
    run: async (call) =>
      toPeerTestsView(await call.useCases.testPeers(call.caller, idOf<HostId>(call, 'host'))),
  }),
];

/** Registers the native routes. `callerOf` is who asks, found by the sign-on hook. */
export function registerNative(
  app: FastifyInstance,
  parts: ApiParts,
  callerOf: (request: FastifyRequest) => Caller,
): void {
  const { useCases } = parts;
  for (const route of nativeRoutes) {
    app.route({
      method: route.method,
      url: `/api/${route.path}`,
      handler: async (request, reply) => {
        try {
          const { id = '' } = request.params as { id?: string };
          const query = new URLSearchParams(request.url.split('?')[1] ?? '');
          const answer = await route.run({ useCases, caller: callerOf(request), id, query });
          await (route.mediaType === 'text/plain' ? sendText(reply, answer) : sendJson(reply, answer));
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

async function jobView(call: NativeCall, id: JobId): Promise<JobView> {
  const { job, steps } = await call.useCases.getJob(call.caller, id);
  return toJobView(job, steps, await hostNames(call));
}

async function listJobs(call: NativeCall): Promise<JobView[]> {
  const vm = call.query.get('vm');
  const jobs = await call.useCases.listJobs(call.caller, {
    limit: limitOf(call.query.get('max')),
    ...(call.query.get('live') === 'true' ? { live: true } : {}),
    ...(vm === null ? {} : { vmId: queriedId<VmId>('vm', vm) }),
  });
  const names = await hostNames(call);
  return jobs.toSorted((a, b) => b.createdAt - a.createdAt).map((job) => toJobView(job, [], names));
}

function jobChange(
  verb: 'cancel' | 'retry' | 'abandon',
  {
    change,
    ...said
  }: {
    readonly needs: Permission;
    readonly summary: string;
    readonly description: string;
    readonly change: (useCases: UseCases, caller: Caller, id: JobId) => Promise<Job>;
  },
): NativeRoute {
  return nativeRoute({
    method: 'POST',
    path: `jobs/:id/${verb}`,
    name: `${verb}Job`,
    ...said,
    id: JOB_ID,
    answer: jobSchema,
    run: async (call) => {
      const { id } = await change(call.useCases, call.caller, idOf<JobId>(call, 'job'));
      return await jobView(call, id);
    },
  });
}

function limitOf(given: string | null): number {
  if (given === null || given === '') return JOBS_SHOWN;
  const limit = Number(given);
  if (Number.isInteger(limit) && limit > 0 && limit <= JOBS_SHOWN_MAX) return limit;
  throw badRequest(`max=${given} is no whole number from 1 to ${JOBS_SHOWN_MAX}`);
}

async function sendJson(reply: FastifyReply, body: unknown): Promise<void> {
  await reply.code(200).header('content-type', 'application/json').send(JSON.stringify(body));
}

async function sendText(reply: FastifyReply, body: unknown): Promise<void> {
  await reply.code(200).header('content-type', 'text/plain; charset=utf-8').send(String(body));
}
