/**
 * Follows `/api/events/stream` for as long as somebody is signed in: tells listeners every event once, in
 * order, and how the line is. Connects again by itself, with growing pauses, and goes on after the last event
 * it has; at once when the page is shown or the network is back. One line a tab; `<LiveEvents>` starts it.
 */
import type { EventView } from '../../../src/api/types/job-view.ts';
import { currentToken } from '../session/session.ts';
import { ask, askStream } from './ask.ts';
import { eventParser } from './event-parser.ts';

/** How the line is. `sinceMs`: since when nothing came through, wall clock. */
export type LineState =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'live' }
  | { readonly kind: 'reconnecting'; readonly sinceMs: number };

/** Who is told. */
export interface LineListener {
  event?(event: EventView): void;
  /** The line is there again after it was not: what was asked meanwhile may be old. */
  caughtUp?(): void;
  state?(state: LineState): void;
}

const PAUSE_MS_MIN = 1_000;
const PAUSE_MS_MAX = 10_000;
/** The engine says something every 20 s; twice that and more without a word: the line is dead. */
const SILENCE_MS_MAX = 45_000;

const listeners = new Set<LineListener>();
let state: LineState = { kind: 'connecting' };
let lastId: number | null = null;
let heardAtMs = 0;

/** How the line is now. */
export const lineState = (): LineState => state;

/** Tells `listener` from now on; returns how to stop. */
export function listenToLine(listener: LineListener): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

/** Follows until the returned function is called. The caller sees to it that there is only one. */
export function startLine(): () => void {
  const ended = new AbortController();
  lastId = null;
  setState({ kind: 'connecting' });
  void follow(ended.signal);
  return () => ended.abort();
}

function setState(next: LineState): void {
  // The beginning of a gap stays the same however often it is tried to end it.
  if (next.kind === state.kind) return;
  const wasAway = state.kind === 'reconnecting';
  state = next;
  for (const each of listeners) each.state?.(next);
  if (wasAway && next.kind === 'live') for (const each of listeners) each.caughtUp?.();
}

async function follow(ended: AbortSignal): Promise<void> {
  let pauseMs = PAUSE_MS_MIN;
  while (!ended.aborted) {
    const token = currentToken();
    try {
      await readOnce(ended, () => {
        pauseMs = PAUSE_MS_MIN;
      });
    } catch {
      // Whatever it was: said by the state of the line, and tried again.
    }
    if (ended.aborted) return;
    setState({ kind: 'reconnecting', sinceMs: heardAtMs || Date.now() });
    await pause(pauseMs, ended, token);
    pauseMs = Math.min(pauseMs * 2, PAUSE_MS_MAX);
  }
}

/** One connection, to its end. */
async function readOnce(ended: AbortSignal, connected: () => void): Promise<void> {
  const cut = new AbortController();
  const signal = AbortSignal.any([ended, cut.signal]);
  const cutOff = () => cut.abort();
  const begunMs = Date.now();
  const watch = setInterval(() => {
    if (Date.now() - Math.max(heardAtMs, begunMs) > SILENCE_MS_MAX) cutOff();
  }, 5_000);
  window.addEventListener('offline', cutOff);
  try {
    lastId ??= await newestId(signal);
    const body = await askStream(`/api/events/stream?after=${lastId}`, signal);
    heardAtMs = Date.now();
    connected();
    setState({ kind: 'live' });
    const parse = eventParser();
    const decoder = new TextDecoder();
    const reader = body.getReader();
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      heardAtMs = Date.now();
      for (const { data } of parse(decoder.decode(part.value, { stream: true }))) {
        tell(JSON.parse(data) as EventView);
      }
    }
  } finally {
    clearInterval(watch);
    window.removeEventListener('offline', cutOff);
    cutOff();
  }
}

/** What happened before the page was opened is asked for by whoever shows it. */
async function newestId(signal: AbortSignal): Promise<number> {
  const { event = [] } = await ask<{ readonly event?: readonly { readonly id: string }[] }>('events?max=1', {
    signal,
  });
  return Number(event[0]?.id ?? 0);
}

function tell(event: EventView): void {
  if (lastId !== null && event.id <= lastId) return;
  lastId = event.id;
  for (const each of listeners) each.event?.(event);
}

/** Ends early when the page is shown, the network is back or somebody signed in again. */
function pause(durationMs: number, ended: AbortSignal, token: string | null): Promise<void> {
  return new Promise((resolve) => {
    const done = new AbortController();
    const finish = () => {
      clearTimeout(timer);
      clearInterval(signedIn);
      done.abort();
      resolve();
    };
    const timer = setTimeout(finish, durationMs);
    const signedIn = setInterval(() => {
      if (currentToken() !== token) finish();
    }, 200);
    const options = { signal: done.signal };
    window.addEventListener('online', finish, options);
    document.addEventListener('visibilitychange', () => void (document.hidden || finish()), options);
    ended.addEventListener('abort', finish, options);
  });
}
