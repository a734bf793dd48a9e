/**
 * Two transports connected to each other inside the process: what one writes the other receives, in order.
 * They take no time and need no operating system, so a client and a server can run on a virtual clock.
 */
import { HandoverError } from '../../base/errors.ts';
import type { Transport, TransportHandlers } from './transport.ts';

/** Bytes waiting at the receiver from which on `write` asks to wait. */
const HIGH_WATER_BYTES = 256 * 1024;

/** One end of a pair; `break` is for tests and faults. */
export interface MemoryTransport extends Transport {
  /** Ends both directions at once, without delivering what is queued; both sides are told `reason`. */
  break(reason: HandoverError): void;
}

/** A connected pair. */
export function memoryTransportPair(label = 'memory'): [MemoryTransport, MemoryTransport] {
  const left = new MemoryEnd(`${label}:left`);
  const right = new MemoryEnd(`${label}:right`);
  left.connect(right);
  right.connect(left);
  return [left, right];
}

class MemoryEnd implements MemoryTransport {
  readonly label: string;
  #peer: MemoryEnd | undefined;
  #handlers: TransportHandlers | undefined;
  #incoming: Buffer[] = [];
  #incomingBytes = 0;
  #paused = false;
  #scheduled = false;
  #writerWaits = false;
  /** Set when no more will arrive: null for an orderly end. */
  #ended: { readonly reason: HandoverError | null } | undefined;
  #closedReported = false;

  constructor(label: string) {
    this.label = label;
  }

  connect(peer: MemoryEnd): void {
    this.#peer = peer;
  }

  start(handlers: TransportHandlers): void {
    this.#handlers = handlers;
    this.#schedule();
  }

  write(bytes: Buffer): boolean {
    const peer = this.#peer;
    if (!peer || this.#ended || peer.#ended) return true;
    peer.#incoming.push(Buffer.from(bytes));
    peer.#incomingBytes += bytes.length;
    peer.#schedule();
    this.#writerWaits = peer.#incomingBytes > HIGH_WATER_BYTES;
    return !this.#writerWaits;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#schedule();
  }

  close(): void {
    this.#incoming = [];
    this.#end(null);
    if (this.#peer) this.#peer.#end(null);
  }

  break(reason: HandoverError): void {
    for (const end of [this, this.#peer]) {
      if (!end) continue;
      end.#incoming = [];
      end.#end(reason);
    }
  }

  #end(reason: HandoverError | null): void {
    this.#ended ??= { reason };
    this.#schedule();
  }

  /** Delivery happens in a microtask: never within the writer's call, and in the same order every time. */
  #schedule(): void {
    if (this.#scheduled || !this.#handlers) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.#deliver();
    });
  }

  #deliver(): void {
    const handlers = this.#handlers;
    if (!handlers || this.#closedReported) return;
    while (!this.#paused && this.#incoming.length > 0) {
      const bytes = this.#incoming.shift() as Buffer;
      this.#incomingBytes -= bytes.length;
      handlers.data(bytes);
    }
    if (this.#incoming.length === 0 && this.#peer) this.#peer.#drained();
    if (!this.#ended || this.#incoming.length > 0) return;
    this.#closedReported = true;
    handlers.closed(this.#ended.reason);
  }

  #drained(): void {
    if (!this.#writerWaits || this.#ended) return;
    this.#writerWaits = false;
    queueMicrotask(() => {
      if (!this.#ended) this.#handlers?.drain();
    });
  }
}
