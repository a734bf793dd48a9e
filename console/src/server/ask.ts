/**
 * The one way to ask the engine: JSON in and out, with the session's token. Throws `ServerFault` and
 * `EngineUnreachable` alone, or the abort of the signal. A 401 has the session ask its user to sign in again.
 */
import { currentToken, noteExpired } from '../session/session.ts';
import { EngineUnreachable, faultOf } from './fault.ts';
import { noteServerDate } from './server-clock.ts';

/** What a request may carry. */
export interface AskOptions {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Sent as JSON. */
  readonly body?: object;
  readonly signal?: AbortSignal;
}

/**
 * Asks oVirt's API (`vms/ID`) or, with a slash before, any path (`/api/jobs`). oVirt's JSON has texts for
 * numbers and flags, see `ovirt.ts`.
 */
export async function ask<T>(path: string, options: AskOptions = {}): Promise<T> {
  const answer = await send(pathOf(path), options);
  const text = await answer.text().catch(unreachable);
  const body = parsed(text);
  if (!answer.ok) throw faultOf(answer.status, body);
  return body as T;
}

/** Asks for an answer that does not end; the caller reads it. */
export async function askStream(path: string, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
  const answer = await send(path, { signal }, 'text/event-stream');
  if (!answer.ok) throw faultOf(answer.status, parsed(await answer.text().catch(unreachable)));
  if (answer.body === null) throw new EngineUnreachable();
  return answer.body;
}

/** Where a path of `ask` leads. */
export const pathOf = (path: string): string => (path.startsWith('/') ? path : `/ovirt-engine/api/${path}`);

async function send(path: string, options: AskOptions, accept = 'application/json'): Promise<Response> {
  const { method = 'GET', body, signal } = options;
  const token = currentToken();
  const askedMs = Date.now();
  const answer = await fetch(path, {
    method,
    headers: {
      accept,
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(signal === undefined ? {} : { signal }),
    // The token is all that speaks for its user; nothing the browser remembers.
    credentials: 'omit',
    cache: 'no-store',
  }).catch((thrown: unknown) => {
    if (signal?.aborted) throw thrown;
    return unreachable();
  });
  noteServerDate(answer.headers.get('date'), askedMs, Date.now());
  if (answer.status !== 401) return answer;
  // Somebody signed in again while this was on its way: nothing was done yet, so ask again.
  if (currentToken() !== token && currentToken() !== null) return await send(path, options, accept);
  noteExpired(token);
  return answer;
}

function unreachable(): never {
  throw new EngineUnreachable();
}

function parsed(text: string): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
