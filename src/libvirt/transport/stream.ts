/**
 * A transport over Node streams: one socket (both directions) or the two pipes of a child process. Used by
 * the unix, TCP, TLS and ssh transports of this folder only.
 *
 * Races: an `error` event is followed by `close`, so the reason is kept and reported there; data that arrived
 * before
 * `start` stays in the stream, which is paused until then.
 */
import type { Readable, Writable } from 'node:stream';
import type { Clock } from '../../base/clock.ts';
import { HandoverError, messageOf } from '../../base/errors.ts';
import type { Transport, TransportHandlers } from './transport.ts';

/** How long an orderly end may take before the stream is destroyed. */
const CLOSE_LIMIT_MS = 2000;

/** The streams of a transport and how to end them. */
export interface StreamParts {
  readonly label: string;
  readonly clock: Clock;
  readonly readable: Readable;
  readonly writable: Writable;
  /** Ends everything at once; afterwards `readable` emits `close`. */
  destroy(): void;
  /**
   * Why the stream ended, when the owner knows better than the stream (ssh's exit status); awaited before
   * `closed`.
   */
  verdict?(): Promise<HandoverError | null>;
}

/** A transport that owns the given streams. */
export function streamTransport(parts: StreamParts): Transport {
  return new StreamTransport(parts);
}

class StreamTransport implements Transport {
  readonly label: string;
  readonly #parts: StreamParts;
  #handlers: TransportHandlers | undefined;
  #failure: HandoverError | null = null;
  #closing = false;
  #closedReported = false;
  #cancelLimit: (() => void) | undefined;

  constructor(parts: StreamParts) {
    this.label = parts.label;
    this.#parts = parts;
    const fail = (error: unknown) => this.#failed(error);
    parts.readable.pause();
    // It may have failed between the dial and here; its close is then reported by `start`.
    if (parts.readable.errored) fail(parts.readable.errored);
    parts.readable.on('error', fail);
    if ((parts.writable as unknown) !== parts.readable) parts.writable.on('error', fail);
  }

  start(handlers: TransportHandlers): void {
    this.#handlers = handlers;
    const { readable, writable } = this.#parts;
    writable.on('drain', () => {
      if (!this.#closing) handlers.drain();
    });
    readable.on('data', (bytes: Buffer) => {
      if (!this.#closing) handlers.data(bytes);
    });
    readable.on('end', () => this.#parts.destroy());
    readable.on('close', () => void this.#closed());
    if (readable.destroyed) queueMicrotask(() => void this.#closed());
    readable.resume();
  }

  write(bytes: Buffer): boolean {
    const { writable } = this.#parts;
    return this.#closing || writable.destroyed || writable.write(bytes);
  }

  pause(): void {
    this.#parts.readable.pause();
  }

  resume(): void {
    this.#parts.readable.resume();
  }

  close(): void {
    if (this.#closing) return;
    this.#closing = true;
    const { clock, writable } = this.#parts;
    this.#cancelLimit = clock.after(CLOSE_LIMIT_MS, () => this.#parts.destroy());
    if (writable.destroyed) this.#parts.destroy();
    else writable.end(() => this.#parts.destroy());
    if (!this.#handlers) this.#parts.destroy();
  }

  #failed(error: unknown): void {
    this.#failure ??= new HandoverError('HOST_UNREACHABLE', `the connection broke: ${messageOf(error)}`, {
      cause: error,
    });
    this.#parts.destroy();
  }

  async #closed(): Promise<void> {
    if (this.#closedReported) return;
    this.#closedReported = true;
    this.#cancelLimit?.();
    const verdict = await this.#parts.verdict?.();
    const reason = this.#closing ? null : (verdict ?? this.#failure);
    this.#handlers?.closed(reason);
  }
}
