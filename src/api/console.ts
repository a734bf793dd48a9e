/**
 * The web console: the files of its built folder, and its one page for every path a browser is sent to that
 * is none of an API, so that deep links and reloads work. Needs no sign-on: the files are the same for
 * everybody, and what they show they ask of the APIs. Registered by `create-api.ts`.
 */
import fastifyStatic from '@fastify/static';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

/** Paths that are no pages: an unknown one below them is a fault. */
const NO_PAGES = /^\/(api|ovirt-engine|assets)(\/|$)/;
const PAGE = 'index.html';
/** Beside the page, under a fixed name. */
const ROOT_FILES = ['favicon.svg', 'theme.js'];
/** All lie in one folder: nothing that leads anywhere else is one. */
const ASSET_NAME = /^[\w-][\w.-]*$/;
const ASSET_AGE_MS = 365 * 24 * 3600_000;

/** Nothing from elsewhere and nothing inline. Styles set by scripts are not inline ones. */
const POLICY = [
  "default-src 'self'",
  "img-src 'self' data:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

const NOT_BUILT =
  '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Handover</title></head><body>' +
  '<h1>The web console has not been built</h1>' +
  '<p>Stop the engine and start it with <code>npm start</code> in the folder of Handover, which builds the ' +
  'console first. The HTTP API at <code>/ovirt-engine/api</code> and the command <code>handover</code> ' +
  'work without it.</p></body></html>';

/** Registers the files; `dir` is null if the console has not been built. */
export function registerConsole(app: FastifyInstance, dir: string | null): void {
  if (dir === null) return;
  // Routes of our own: the plugin's would take every path there is, those of the APIs too.
  void app.register(fastifyStatic, { root: dir, serve: false, preCompressed: true });
  for (const name of ROOT_FILES) {
    app.get(`/${name}`, async (_request, reply) => {
      protect(reply).header('cache-control', 'no-cache');
      return await reply.sendFile(name, { cacheControl: false });
    });
  }
  // Their names change with their content.
  app.get<{ Params: { readonly '*': string } }>('/assets/*', async (request, reply) => {
    const name = request.params['*'];
    if (!ASSET_NAME.test(name)) {
      reply.callNotFound();
      return reply;
    }
    protect(reply);
    return await reply.sendFile(`assets/${name}`, { maxAge: ASSET_AGE_MS, immutable: true });
  });
}

/** True if a browser wants to show the answer as a page, and the path is one the console may know. */
export function isForPage(request: FastifyRequest): boolean {
  if (request.method !== 'GET' && request.method !== 'HEAD') return false;
  const path = request.url.split('?')[0] ?? '';
  return !NO_PAGES.test(path) && /\btext\/html\b/.test(request.headers.accept ?? '');
}

/** Sends the page; asked for again each time, because it names the assets. */
export async function answerPage(reply: FastifyReply, dir: string | null): Promise<FastifyReply> {
  protect(reply).header('cache-control', 'no-cache').header('content-security-policy', POLICY);
  if (dir === null) return await reply.code(404).type('text/html; charset=utf-8').send(NOT_BUILT);
  return await reply.code(200).sendFile(PAGE, { cacheControl: false });
}

function protect(reply: FastifyReply): FastifyReply {
  return reply.header('x-content-type-options', 'nosniff').header('referrer-policy', 'same-origin');
}
