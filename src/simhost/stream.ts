/**
 * Byte streams a simulated daemon speaks over: an accepted socket, or one end of a pair inside the process
 * (no time, no operating system: for a virtual clock). The shape is that of the client's transports, so a
 * client can take the other end.
 */
import type { Socket } from 'node:net';
import { HandoverError } from '../base/errors.ts';

/** Who reads a stream. */
export interface StreamHandlers {
  data(bytes: Buffer): void;
  drain(): void;
  /** The stream ended; nothing is called after it. */
  closed(reason: HandoverError | null): void;
}

/** An ordered byte stream in both directions. */
export interface ByteStream {
  readonly label: string;
  /** Begins delivery; called once. */
  start(handlers: StreamHandlers): void;
  /** Queues bytes, which the writer leaves alone from now on. False: too much waits. Ignored once closed. */
  write(bytes: Buffer): boolean;
  pause(): void;
  resume(): void;
  /** Sends what is queued, then ends the stream. */
  close(): void;
}

/** An accepted socket. */
export function socketStream(label: string, socket: Socket): ByteStream {
  let closed = false;
  socket.pause();
  return {
    label,
    start(handlers) {
      socket.on('data', (bytes) => {
        if (!closed) handlers.data(bytes);
      });
      socket.on('drain', () => handlers.drain());
      // The close event that follows an error tells; a reset client is an ordinary end for a daemon.
      socket.on('error', () => socket.destroy());
      socket.on('end', () => socket.destroy());
      socket.on('close', () => handlers.closed(null));
      socket.resume();
    },
    write: (bytes) => closed || socket.destroyed || socket.write(bytes),
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    close() {
      if (closed) return;
      closed = true;
      socket.end(() => socket.destroy());
    },
  };
}

/** Bytes waiting at the receiver from which on `write` says false. */
const HIGH_WATER_BYTES = 256 * 1024;

/** Two connected ends. Delivery is in microtasks, so the order is the same every time. */
export function streamPair(label: string): [ByteStream, ByteStream] {
  const one = new PairEnd(`${label}:client`);
  const other = new PairEnd(`${label}:daemon`);
  one.peer = other;
  other.peer = one;
  return [one, other];
}

/** Its continuations run as microtasks do, without what `queueMicrotask` makes for each. */
const NEXT = Promise.resolve();

class PairEnd implements ByteStream {
  readonly label: string;
  peer: PairEnd | null = null;
  #handlers: StreamHandlers | null = null;
  #incoming: Buffer[] = [];
  #waitingBytes = 0;
  #paused = false;
  #scheduled = false;
  #ended = false;
  #told = false;
  #writerWaits = false;

  constructor(label: string) {
    this.label = label;
  }

  start(handlers: StreamHandlers): void {
    this.#handlers = handlers;
    this.#schedule();
  }

  write(bytes: Buffer): boolean {
    const { peer } = this;
    if (this.#ended || !peer || peer.#ended) return true;
    peer.#incoming.push(bytes);
    peer.#waitingBytes += bytes.length;
    peer.#schedule();
    this.#writerWaits = peer.#waitingBytes > HIGH_WATER_BYTES;
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
    for (const end of [this, this.peer]) {
      if (!end) continue;
      end.#ended = true;
      end.#schedule();
    }
  }

  #schedule(): void {
    if (this.#scheduled || !this.#handlers) return;
    this.#scheduled = true;
    void NEXT.then(this.#scheduledDelivery);
  }

  readonly #scheduledDelivery = (): void => {
    this.#scheduled = false;
    this.#deliver();
  };

  #deliver(): void {
    const handlers = this.#handlers;
    if (!handlers || this.#told) return;
    while (!this.#paused && this.#incoming.length > 0) {
      const bytes = this.#incoming.shift() as Buffer;
      this.#waitingBytes -= bytes.length;
      handlers.data(bytes);
    }
    if (this.#incoming.length === 0 && this.peer) this.peer.#drained();
    if (!this.#ended || (this.#incoming.length > 0 && !this.#paused)) return;
    this.#told = true;
    handlers.closed(null);
  }

  #drained(): void {
    if (!this.#writerWaits) return;
    this.#writerWaits = false;
    queueMicrotask(() => {
      if (!this.#told) this.#handlers?.drain();
    });
  }
}

/** Why a client is told that a daemon cannot be reached. */
export function noDaemon(host: string): HandoverError {
  return new HandoverError(
    'HOST_UNREACHABLE',
    `cannot connect to ${host}: its simulated libvirtd does not run`,
  );
}
