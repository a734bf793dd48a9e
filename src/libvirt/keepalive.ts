/**
 * Keepalive in both directions. The daemon's pings are answered at once; ours are sent when nothing arrived
 * for an interval, and any byte that arrives counts as life. Facts: libvirt docs "internals/rpc"; frames
 * without payload.
 */
import type { Clock } from '../base/clock.ts';
import { HandoverError } from '../base/errors.ts';
import { type Frame, keepaliveFrame } from './framing.ts';
import { KEEPALIVE } from './procedures/procedure.ts';

/** What keepalive needs from its connection. */
export interface KeepaliveOptions {
  readonly clock: Clock;
  readonly intervalMs: number;
  /** So many pings without any answer, then the connection counts as dead. */
  readonly count: number;
  readonly label: string;
  send(frame: Buffer): void;
  /** The peer is dead; called once. */
  dead(reason: HandoverError): void;
}

export class Keepalive {
  readonly #options: KeepaliveOptions;
  #unanswered = 0;
  #heardSinceTick = false;
  #cancelTick: (() => void) | undefined;
  #stopped = false;
  /** Pings of the peer that were answered; for tests and diagnosis. */
  pingsAnswered = 0;

  constructor(options: KeepaliveOptions) {
    this.#options = options;
  }

  /** Begins our own pings. */
  start(): void {
    if (!this.#stopped)
      this.#cancelTick = this.#options.clock.after(this.#options.intervalMs, () => this.#tick());
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelTick?.();
  }

  /** Bytes arrived. */
  heard(): void {
    this.#heardSinceTick = true;
    this.#unanswered = 0;
  }

  /** Takes a frame of the keepalive program. */
  frame(frame: Frame): void {
    if (frame.procedure !== KEEPALIVE.ping || this.#stopped) return;
    this.pingsAnswered += 1;
    this.#options.send(keepaliveFrame('pong'));
  }

  #tick(): void {
    const { count, intervalMs, label } = this.#options;
    if (!this.#heardSinceTick) {
      if (this.#unanswered >= count) {
        this.#stopped = true;
        const silentMs = intervalMs * (count + 1);
        this.#options.dead(
          new HandoverError('HOST_UNREACHABLE', `${label} has been silent for ${silentMs} ms`, {
            detail: { silentMs },
          }),
        );
        return;
      }
      this.#unanswered += 1;
      this.#options.send(keepaliveFrame('ping'));
    }
    this.#heardSinceTick = false;
    this.start();
  }
}
