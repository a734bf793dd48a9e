/**
 * `/api/events/stream`: events as they happen, as server-sent events (WHATWG HTML, "Server-sent events"). A
 * client that names the last id it has (`Last-Event-ID`, as browsers do by themselves, or `after` in the
 * query) gets what it missed first; one that names none gets what happens from now on.
 *
 * A client that does not read is cut off rather than waited for: it resumes where it was.
 */
import type { ServerResponse } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Caller, UseCases } from '../../app/use-cases.ts';
import { type Clock, isoTime } from '../../base/clock.ts';
import { HandoverError } from '../../base/errors.ts';
import type { HandoverEvent } from '../../model/job.ts';
import type { ApiParts } from '../create-api.ts';
import { faultOf } from '../ovirt/fault.ts';
import { sendFault } from '../ovirt/server.ts';
import { badRequest } from '../ovirt/wire/read.ts';
import { bearerOf } from '../sign-on.ts';
import type { EventView } from '../types/job-view.ts';
import { integer, text } from '../types/schema.ts';
import type { NativeOperation } from './operation.ts';

/**
 * Proxies give up a silent answer after a minute. Also how often it is asked whether the token still holds.
 */
const BEAT_EVERY_MS = 20_000;
/** What a client may lag behind, and how soon it connects again. */
const UNREAD_BYTES_MAX = 1024 * 1024;
const RECONNECT_AFTER_MS = 2_000;
/** Whoever signed on with a name and password does so again: there is no session to ask for meanwhile. */
const WITHOUT_TOKEN_MS = 5 * 60_000;

/** How it is asked. */
export const EVENT_STREAM = {
  method: 'GET',
  path: 'events/stream',
  needs: 'look',
  name: 'followEvents',
  summary: 'Events as they happen, as server-sent events',
  description:
    'Each has `event: event`, as `id` the id of the event, and as `data` the event in JSON (schema ' +
    '`Event`). With `Last-Event-ID` or `after`, what followed that one comes first; without, what happens ' +
    'from now on. Ends with the token, and after five minutes without one. A client that does not read is ' +
    'cut off, and resumes where it was.',
  query: { after: { ...integer('The id of the last event the client has.'), minimum: 0 } },
  headers: { 'Last-Event-ID': { ...integer('As `after`; browsers send it by themselves.'), minimum: 0 } },
  answer: text(),
  mediaType: 'text/event-stream',
} as const satisfies NativeOperation;

/** Every listener gets the same text, so it is made once. */
const texts = new WeakMap<HandoverEvent, string>();

function textOf(event: HandoverEvent): string {
  const known = texts.get(event);
  if (known !== undefined) return known;
  const shown: EventView = { ...event, time: isoTime(event.time) };
  const made = `id: ${event.id}\nevent: event\ndata: ${JSON.stringify(shown)}\n\n`;
  texts.set(event, made);
  return made;
}

/** Registers it. `callerOf` is who asks, found by the sign-on hook. */
export function registerEventStream(
  app: FastifyInstance,
  parts: ApiParts,
  callerOf: (request: FastifyRequest) => Caller,
): void {
  app.get(`/api/${EVENT_STREAM.path}`, async (request, reply) => {
    try {
      const { stop, listenWith } = await follow(parts.useCases, callerOf(request), lastIdOf(request));
      const token = bearerOf(request.headers.authorization);
      const endMs = parts.clock.monotonicMs() + WITHOUT_TOKEN_MS;
      const holds = async () => {
        if (token !== undefined) await parts.useCases.session(token);
        else if (parts.clock.monotonicMs() > endMs) throw new HandoverError('NOT_SIGNED_IN', 'sign on again');
      };
      stream(parts.clock, reply, { stop, listenWith, holds });
    } catch (thrown) {
      await sendFault(request, reply, faultOf(thrown));
    }
    return reply;
  });
}

interface Followed {
  readonly stop: () => void;
  /** What came before somebody listened is told at once. */
  readonly listenWith: (listener: (events: readonly HandoverEvent[]) => void) => void;
}

async function follow(useCases: UseCases, caller: Caller, after: number | null): Promise<Followed> {
  const early: HandoverEvent[] = [];
  let told: (events: readonly HandoverEvent[]) => void = (events) => void early.push(...events);
  const stop = await useCases.followEvents(caller, after, (events) => told(events));
  return {
    stop,
    listenWith(listener) {
      listener(early);
      told = listener;
    },
  };
}

function lastIdOf(request: FastifyRequest): number | null {
  const query = new URLSearchParams(request.url.split('?')[1] ?? '').get('after');
  const given = String(request.headers['last-event-id'] ?? query ?? '');
  if (given === '') return null;
  if (/^\d{1,15}$/.test(given)) return Number(given);
  throw badRequest(`the last event's id must be a whole number, not ${JSON.stringify(given.slice(0, 40))}`);
}

/** Takes the connection over until either side ends it. */
function stream(
  clock: Clock,
  reply: FastifyReply,
  { stop, listenWith, holds }: Followed & { readonly holds: () => Promise<void> },
): void {
  reply.hijack();
  const { raw } = reply;
  raw.writeHead(200, {
    'content-type': 'text/event-stream',
    'cache-control': 'no-cache, no-transform',
    'correlation-id': String(reply.getHeader('correlation-id') ?? ''),
  });
  const write = (said: string): void => {
    if (raw.writableLength > UNREAD_BYTES_MAX) raw.destroy();
    else if (!raw.destroyed) raw.write(said);
  };
  write(`retry: ${RECONNECT_AFTER_MS}\n\n`);
  listenWith((events) => write(events.map(textOf).join('')));
  const stopBeating = beat(clock, raw, holds, () => write(': still here\n\n'));
  const end = () => {
    stopBeating();
    stop();
  };
  // It may have gone while it was signed on.
  if (raw.destroyed || raw.closed) end();
  else raw.once('close', end);
}

/** Until the answer has ended, which it does when `holds` refuses. Returns how to stop. */
function beat(clock: Clock, raw: ServerResponse, holds: () => Promise<void>, still: () => void): () => void {
  let cancel = (): void => undefined;
  const next = (): void => {
    cancel = clock.after(BEAT_EVERY_MS, () => {
      still();
      holds().then(next, () => raw.end());
    });
  };
  next();
  return () => cancel();
}
