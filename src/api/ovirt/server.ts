/**
 * Carries oVirt's routes over HTTP: content negotiation, sign-on, faults, and the wire truths of `GET` with a
 * body. Registered by `create-api.ts`; knows no resource.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods } from 'fastify';
import type { Caller } from '../../app/use-cases.ts';
import type { ApiParts } from '../create-api.ts';
import { placeOf } from '../remote-place.ts';
import { ACCESS_TYPES } from './access-types.ts';
import { ovirtRoutes } from './collections.ts';
import { faultOf, type HttpFault } from './fault.ts';
import { Look } from './look.ts';
import { applyQuery } from './query.ts';
import type { Call, Route } from './route.ts';
import { actionType, faultType, TYPES } from './schema/index.ts';
import { badRequest, readEntity } from './wire/read.ts';
import { type Document, writeJson, writeXml } from './wire/write.ts';

/** Where the API is found; the second form names its version, and hrefs follow whichever the client used. */
export const BASES = ['/ovirt-engine/api', '/ovirt-engine/api/v4'] as const;

/** JSON only if the client says so: no `Accept` at all means XML (libgovirt). */
export function wantsJson(accept: string | undefined): boolean {
  let best = { json: 0, xml: 0 };
  for (const part of (accept ?? '').split(',')) {
    const [type = '', ...parameters] = part.trim().toLowerCase().split(';');
    const given = parameters.map((each) => /^\s*q=([\d.]+)\s*$/.exec(each)?.[1]).find((q) => q !== undefined);
    const quality = given === undefined ? 1 : Number(given);
    if (type.trim() === 'application/json') best = { ...best, json: Math.max(best.json, quality) };
    if (/^(application|text)\/xml$/.test(type.trim())) best = { ...best, xml: Math.max(best.xml, quality) };
  }
  return best.json > best.xml;
}

/** Which of the bases a path begins with. */
function baseOf(url: string): string {
  return /^\/ovirt-engine\/api\/v4(?=[/?]|$)/.test(url) ? BASES[1] : BASES[0];
}

/** Sends a document in the format the client asked for. */
export async function sendDocument(
  request: FastifyRequest,
  reply: FastifyReply,
  status: number,
  document: Document,
): Promise<void> {
  const writing = { base: baseOf(request.url), types: { ...TYPES, ...ACCESS_TYPES } };
  const isJson = wantsJson(request.headers.accept) || !request.url.startsWith(BASES[0]);
  await reply
    .code(status)
    .header('content-type', isJson ? 'application/json' : 'application/xml;charset=UTF-8')
    .send(isJson ? writeJson(document, writing) : writeXml(document, writing));
}

/** Sends a fault; a refused action is answered as a failed one. */
export async function sendFault(
  request: FastifyRequest,
  reply: FastifyReply,
  { status, fault }: HttpFault,
  isAction = false,
): Promise<void> {
  // Without the challenge libgovirt never sends its credentials.
  if (status === 401) void reply.header('www-authenticate', 'Basic realm="RESTAPI"');
  await sendDocument(
    request,
    reply,
    status,
    isAction && status !== 401 && status !== 404
      ? { type: actionType, value: { status: 'failed', fault } }
      : { type: faultType, value: fault },
  );
}

function callOf(parts: ApiParts, request: FastifyRequest, caller: Caller): Call {
  const contentType = request.headers['content-type'] ?? '';
  const format = /\bjson\b/i.test(contentType) ? 'json' : /\bxml\b/i.test(contentType) ? 'xml' : 'unknown';
  return {
    useCases: parts.useCases,
    caller,
    place: placeOf(request.ip),
    isFiltered: String(request.headers['filter'] ?? '').toLowerCase() === 'true',
    look: new Look(parts.useCases, caller),
    params: request.params as Record<string, string>,
    query: new URLSearchParams(request.url.split('?')[1] ?? ''),
    body: (type) => readEntity(type, typeof request.body === 'string' ? request.body : '', format),
  };
}

function checkVersion(request: FastifyRequest): void {
  const given = request.headers['version'];
  if (given !== undefined && given !== '4') {
    throw badRequest(
      `this is version 4 of the API, not ${String(given).slice(0, 20)}`,
      'Unsupported version',
    );
  }
}

/** Registers every oVirt route below both bases. `callerOf` is who asks, found by the sign-on hook. */
export function registerOvirt(
  app: FastifyInstance,
  parts: ApiParts,
  callerOf: (request: FastifyRequest) => Caller,
): void {
  const routes = ovirtRoutes(() => parts.clock.now());
  const answer = async (route: Route, request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    try {
      checkVersion(request);
      const call = callOf(parts, request, callerOf(request));
      const made = await route.run(call);
      if (made.location !== undefined) {
        void reply.header('location', `${baseOf(request.url)}/${made.location}`);
      }
      const document = route.method === 'GET' ? await applyQuery(made, call, routes) : made.document;
      await sendDocument(request, reply, made.status, document);
    } catch (thrown) {
      const fault = faultOf(thrown, route.operation);
      if (fault.status === 500) parts.log.error('a request failed', { route: route.path, error: thrown });
      await sendFault(request, reply, fault, route.isAction);
    }
  };
  for (const base of BASES) {
    for (const route of routes) {
      app.route({
        method: route.method satisfies HTTPMethods,
        url: route.path === '' ? base : `${base}/${route.path}`,
        handler: async (request, reply) => {
          await answer(route, request, reply);
          return reply;
        },
      });
    }
  }
}
