/**
 * What carries frames: an ordered byte stream in both directions. Implementations: unix and TCP sockets, TLS,
 * a child process running ssh, and an in-memory pair. The client owns the transport it was given and is the
 * one who closes it.
 *
 * Invariants of every implementation: handlers are called one at a time and never from within `write`,
 * `start` or
 * `close`; `closed` is called exactly once, last, also after `close()`; after it nothing else is called.
 */
import type { HandoverError } from '../../base/errors.ts';

/** The user of a transport. Must not throw. */
export interface TransportHandlers {
  /** Bytes that arrived. The buffer is the receiver's to keep. */
  data(bytes: Buffer): void;
  /** The outgoing buffer, once reported full by `write`, has room again. */
  drain(): void;
  /** The stream ended: null if either side closed it in order, else why it broke. */
  closed(reason: HandoverError | null): void;
}

/** An ordered byte stream in both directions. */
export interface Transport {
  /** Where it leads, for messages: `unix:/run/libvirt/libvirt-sock`. */
  readonly label: string;
  /** Begins delivery; called once. What arrived before is delivered first. */
  start(handlers: TransportHandlers): void;
  /** Queues bytes. False: too much is waiting, write no more until `drain`. Ignored once closed. */
  write(bytes: Buffer): boolean;
  /** Stops reading, so that the peer is slowed down, until `resume`. */
  pause(): void;
  resume(): void;
  /** Sends what is queued, then ends the stream. Never throws; may be called again. */
  close(): void;
}
