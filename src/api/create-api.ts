/**
 * The HTTP server: oVirt's API, its sign-on, and the native API, over the use cases. The daemon makes one and
 * lets it listen. Whatever arrives, the answer is a fault, never a crash or a wait without end: bodies,
 * headers and the time a client may take are limited here.
 */
import type { ServerOptions } from 'node:http';
import Fastify, {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify';
import type { Caller, UseCases } from '../app/use-cases.ts';
import type { Clock } from '../base/clock.ts';
import { HandoverError, messageOf } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { Random } from '../base/random.ts';
import { answerPage, isForPage, registerConsole } from './console.ts';
import { registerEventStream } from './native/event-stream.ts';
import { OPENAPI_PATH, registerOpenApi } from './native/openapi.ts';
import { registerNative } from './native/routes.ts';
import { faultOf, transportFault } from './ovirt/fault.ts';
import { registerPki } from './ovirt/pki-resource.ts';
import { withoutMatrix } from './ovirt/query.ts';
import { BASES, registerOvirt, sendFault } from './ovirt/server.ts';
import { registerSso } from './ovirt/sso.ts';
import { refuseCrossSite, type SignedOn, signedOn } from './sign-on.ts';

/** A server certificate in PEM, for whoever connects. */
export interface ServerTls {
  /** The server's certificate first, then those that lead to its authority. */
  readonly cert: string;
  readonly key: string;
  /** The server's and its authority's alone, to be given to whoever asks; null: not known. */
  readonly server: string | null;
  readonly ca: string | null;
}

/** What the server needs. */
export interface ApiParts {
  readonly useCases: UseCases;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Left out: plain HTTP. */
  readonly tls?: ServerTls;
  /** Folder of the built web console; null or left out: a page that says how to build it. */
  readonly consoleDir?: string | null;
}

/** Largest request body in bytes; a whole entity sent back by a client is a few KiB. */
const BODY_BYTES_MAX = 1024 * 1024;
/** A request must have arrived completely within this time. */
const REQUEST_TIMEOUT_MS = 20_000;
/** Below the limit for the whole: Node exchanges the two if it is not. */
const HEADERS_TIMEOUT_MS = 10_000;
const CONNECTION_CHECK_MS = 2_000;
/**
 * How long a GET's announced body is waited for before the connection is given up, see
 * `closeAfterUnreadBody`.
 */
const GET_BODY_WAIT_MS = 20;
const MATRIX_URL_LENGTH_MAX = 8_000;

/** Makes the server; it does not listen yet. Close it to end every connection. */
export function createApi(parts: ApiParts): FastifyInstance {
  const app = Fastify({
    bodyLimit: BODY_BYTES_MAX,
    requestTimeout: REQUEST_TIMEOUT_MS,
    forceCloseConnections: true,
    ...serverOptions(parts.tls),
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 256 },
    rewriteUrl: ({ url = '/' }) => (url.length > MATRIX_URL_LENGTH_MAX ? url : withoutMatrix(url)),
  });
  // Bodies stay text here; the route knows what they should be.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => {
    done(null, body);
  });

  const signedOnBy = new WeakMap<FastifyRequest, SignedOn & { readonly caller: Caller }>();
  const callerOf = (request: FastifyRequest): Caller => {
    const found = signedOnBy.get(request);
    if (!found) throw new HandoverError('NOT_SIGNED_IN', 'sign on first');
    return found.caller;
  };

  app.addHook('onRequest', async (request, reply) => {
    const correlationId = correlationIdOf(request) ?? parts.random.uuid();
    void reply.header('correlation-id', correlationId);
    if (!needsSignOn(request.url)) return;
    refuseCrossSite(request);
    const found = await signedOn(parts.useCases, request, reply);
    const { user, roles } = found;
    signedOnBy.set(request, { ...found, caller: { user, roles, correlationId } });
  });
  app.addHook('onSend', async (request, reply) => await closeAfterUnreadBody(parts.clock, request, reply));
  app.addHook('onResponse', async (request) => {
    try {
      await signedOnBy.get(request)?.end?.();
    } catch (thrown) {
      parts.log.warn('a session for one request could not be ended; it will expire', {
        reason: messageOf(thrown),
      });
    }
  });

  app.setErrorHandler(async (error: FastifyError, request, reply) => {
    const fault = error.code?.startsWith('FST_')
      ? transportFault(error.statusCode ?? 400, error.message)
      : faultOf(error);
    if (fault.status >= 500) parts.log.error('a request failed', { method: request.method, error });
    await sendFault(request, reply, fault);
    return reply;
  });
  app.setNotFoundHandler(async (request, reply) => {
    if (isForPage(request)) return await answerPage(reply, parts.consoleDir ?? null);
    const path = request.url.split('?')[0];
    await sendFault(request, reply, transportFault(404, `there is no ${request.method} ${path}`));
    return reply;
  });

  // Node answers `Expect: 201-created`, which oVirt's clients may send, with 417 by itself.
  app.server.on('checkExpectation', (request, response) => {
    app.server.emit('request', request, response);
  });
  // The VM Portal reads it when it starts; there are no USB devices to filter.
  app.get('/ovirt-engine/services/files/usbfilter.txt', async (_request, reply) => {
    await reply.header('content-type', 'text/plain').send('');
    return reply;
  });
  registerAll(app, parts, callerOf);
  return app;
}

function registerAll(
  app: FastifyInstance,
  parts: ApiParts,
  callerOf: (request: FastifyRequest) => Caller,
): void {
  registerSso(app, parts.useCases);
  registerPki(app, { ca: parts.tls?.ca ?? null, server: parts.tls?.server ?? null });
  registerOvirt(app, parts, callerOf);
  registerNative(app, parts, callerOf);
  registerEventStream(app, parts, callerOf);
  registerOpenApi(app);
  registerConsole(app, parts.consoleDir ?? null);
}

/** Typed as those of plain HTTP: Fastify has another type for each kind of server. */
function serverOptions(tls: ServerTls | undefined): { http: ServerOptions } {
  const limits = { connectionsCheckingInterval: CONNECTION_CHECK_MS, headersTimeout: HEADERS_TIMEOUT_MS };
  if (tls === undefined) return { http: limits };
  const https = { ...limits, handshakeTimeout: HEADERS_TIMEOUT_MS, cert: tls.cert, key: tls.key };
  return { https } as unknown as { http: ServerOptions };
}

/** Everything below the APIs, known or not, is for those who signed on only; but for what describes one. */
function needsSignOn(url: string): boolean {
  if (url === OPENAPI_PATH || url.startsWith(`${OPENAPI_PATH}?`)) return false;
  return [BASES[0], '/api'].some(
    (base) => url === base || url.startsWith(`${base}/`) || url.startsWith(`${base}?`),
  );
}

/** From the query or the header; only the characters oVirt keeps. */
function correlationIdOf(request: FastifyRequest): string | null {
  const query = new URLSearchParams(request.url.split('?')[1] ?? '').get('correlation_id');
  const given = query ?? String(request.headers['correlation-id'] ?? '');
  const kept = given.replace(/[^0-9A-Za-z_-]/g, '').slice(0, 100);
  return kept === '' ? null : kept;
}

/**
 * libgovirt announces a body of 17 bytes with every GET and, after a 401, does not send it. Nobody waits for
 * that body; but if it has not arrived when the answer goes out, the next request on the connection would be
 * read as it: close the connection.
 */
async function closeAfterUnreadBody(
  clock: Clock,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  const { raw } = request;
  const hasBody = (raw.headers['content-length'] ?? raw.headers['transfer-encoding']) !== undefined;
  if (!hasBody || (raw.method !== 'GET' && raw.method !== 'HEAD') || raw.complete) return;
  raw.resume();
  await clock.sleep(GET_BODY_WAIT_MS);
  if (!raw.complete) void reply.header('connection', 'close');
}
