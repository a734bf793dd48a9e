/**
 * Listeners of one connection's events. The packet reader hands decoded events over; listeners run
 * afterwards, in a microtask, in the order of the wire, and one that throws disturbs neither the others nor
 * the reader.
 */
import type { Log } from '../base/log.ts';
import type { EventKind } from './procedures/events.ts';
import { decode } from './xdr/codec.ts';

type AnyEventKind = EventKind<unknown>;

/** A listener and what it listens to. */
export interface Listening {
  readonly kind: AnyEventKind;
  readonly listener: (payload: never) => void;
}

export class Subscriptions {
  readonly #log: Log;
  /** By event family and callback id: each family of events numbers its callbacks for itself. */
  readonly #listening = new Map<string, Listening>();
  readonly #kindByMessage = new Map<number, AnyEventKind>();
  #queue: (() => void)[] = [];

  constructor(log: Log) {
    this.#log = log;
  }

  /** Begins to deliver events with that callback id. Call it before the next frame is read. */
  add(callbackId: number, listening: Listening): void {
    this.#listening.set(keyOf(listening.kind, callbackId), listening);
    this.#kindByMessage.set(listening.kind.message, listening.kind);
  }

  /** Nothing is delivered to that callback any more, not even what is queued. */
  remove(kind: AnyEventKind, callbackId: number): void {
    this.#listening.delete(keyOf(kind, callbackId));
  }

  /** Takes a message of the remote program. Throws `PROTOCOL_VIOLATION` if a known one cannot be decoded. */
  message(procedure: number, payload: Buffer): void {
    const kind = this.#kindByMessage.get(procedure);
    if (!kind) {
      this.#log.debug('libvirt sent a message nobody asked for', { procedure });
      return;
    }
    const event = decode(kind.payload, payload) as { readonly callbackId: number };
    this.#queue.push(() => this.#deliver(keyOf(kind, event.callbackId), event));
    if (this.#queue.length === 1) queueMicrotask(() => this.#run());
  }

  #run(): void {
    const due = this.#queue;
    this.#queue = [];
    for (const deliver of due) deliver();
  }

  #deliver(key: string, event: unknown): void {
    const listening = this.#listening.get(key);
    if (!listening) return;
    try {
      listening.listener(event as never);
    } catch (error) {
      this.#log.error('a listener of libvirt events failed', {
        event: listening.kind.name,
        error: String(error),
      });
    }
  }
}

function keyOf(kind: AnyEventKind, callbackId: number): string {
  return `${kind.of}:${callbackId}`;
}
