/**
 * Carries oVirt's routes over HTTP: content negotiation, sign-on, faults, and the wire truths of `GET` with a
 * body. Registered by `create-api.ts`; knows no resource.
 */
import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import type { FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods } from 'fastify';
import type { Caller } from '../../app/use-cases.ts';
import type { ApiParts } from '../create-api.ts';
import { placeOf } from '../remote-place.ts';
import { ACCESS_TYPES } from './access-types.ts';
import { ovirtRoutes } from './collections.ts';
import { faultOf, type HttpFault } from './fault.ts';
import { Look } from './look.ts';
import { applyQuery, readWhole } from './query.ts';
import type { Call, Route } from './route.ts';
import { actionType, faultType, TYPES } from './schema/index.ts';
import { badRequest, readEntity } from './wire/read.ts';
import { type Document, type Format, type Parts, write, writeParts } from './wire/write.ts';
import type { Writing } from './wire/writing.ts';

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

const ALL_TYPES = { ...TYPES, ...ACCESS_TYPES };

/** How the client wants it written; `reply` says so. */
function negotiate(request: FastifyRequest, reply: FastifyReply): { format: Format; writing: Writing } {
  const isJson = wantsJson(request.headers.accept) || !request.url.startsWith(BASES[0]);
  void reply.header('content-type', isJson ? 'application/json' : 'application/xml;charset=UTF-8');
  return { format: isJson ? 'json' : 'xml', writing: { base: baseOf(request.url), types: ALL_TYPES } };
}

/** Sends a document in the format the client asked for. */
export async function sendDocument(
  request: FastifyRequest,
  reply: FastifyReply,
  status: number,
  document: Document,
): Promise<void> {
  const { format, writing } = negotiate(request, reply);
  await reply.code(status).send(write(document, format, writing));
}

/**
 * Sends a list as it is read, no faster than the client takes it. Nothing is sent before the second part is
 * there: what fails until then throws, and a list of one part is sent like any document. What fails later
 * cuts the connection, which is all that can be said in the middle of an answer.
 */
async function sendParts(
  request: FastifyRequest,
  reply: FastifyReply,
  { type, parts }: Parts,
  onFailure: (thrown: unknown) => void,
): Promise<void> {
  const source = parts[Symbol.asyncIterator]();
  const first = await source.next();
  const second = await source.next();
  const begun = [first, second].flatMap(({ done, value }) => (done ? [] : [value]));
  if (second.done) return await sendDocument(request, reply, 200, { type, values: begun.flat() });
  const { format, writing } = negotiate(request, reply);
  const all = async function* () {
    try {
      yield* begun;
      yield* { [Symbol.asyncIterator]: () => source };
    } catch (thrown) {
      onFailure(thrown);
      throw thrown;
    }
  };
  void reply.code(200).send(Readable.from(writeParts({ type, parts: all() }, format, writing)));
  try {
    await finished(reply.raw);
  } catch {
    // It was cut, from either side: there is nobody left to be told anything.
    reply.hijack();
  }
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
    const failed = (thrown: unknown) =>
      parts.log.error('a request failed', { route: route.path, error: thrown });
    try {
      checkVersion(request);
      const call = callOf(parts, request, callerOf(request));
      const made = await route.run(call);
      if (made.location !== undefined) {
        void reply.header('location', `${baseOf(request.url)}/${made.location}`);
      }
      const { method } = route;
      const document =
        method === 'GET' ? await applyQuery(made, call, routes) : await readWhole(made.document);
      if ('parts' in document) await sendParts(request, reply, document, failed);
      else await sendDocument(request, reply, made.status, document);
    } catch (thrown) {
      const fault = faultOf(thrown, route.operation);
      if (fault.status === 500) failed(thrown);
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
