/**
 * The bytes between a daemon and one client, with the faults that rules ask for: late, stuck, cut off. Wraps
 * any stream; without a rule it adds nothing, not even a turn of the event loop. Order is always kept.
 */
import type { Clock } from '../base/clock.ts';
import type { ByteDirection, BytesRule } from './faults.ts';
import type { ByteStream, StreamHandlers } from './stream.ts';

/** What rules say of the next bytes. */
export type AskRules = (direction: ByteDirection) => BytesRule | null;

/** One direction. */
class Lane {
  readonly #clock: Clock;
  readonly #ask: () => BytesRule | null;
  readonly #pass: (bytes: Buffer) => void;
  readonly #cut: () => void;
  /** Late pieces, in order; one timer waits for the first. */
  #late: { readonly bytes: Buffer; readonly dueMs: number }[] = [];
  #stuck = false;

  constructor(clock: Clock, ask: () => BytesRule | null, pass: (bytes: Buffer) => void, cut: () => void) {
    this.#clock = clock;
    this.#ask = ask;
    this.#pass = pass;
    this.#cut = cut;
  }

  push(bytes: Buffer): void {
    if (this.#stuck) return;
    const { effect, delayMs = 0 } = this.#ask() ?? {};
    if (effect && delayMs === 0) {
      this.#happens(effect.type);
      return;
    }
    if (effect) this.#clock.after(delayMs, () => this.#happens(effect.type));
    const ownMs = this.#clock.monotonicMs() + (effect ? 0 : delayMs);
    const dueMs = Math.max(ownMs, this.#late.at(-1)?.dueMs ?? 0);
    if (this.#late.length === 0 && (effect || delayMs === 0)) this.#pass(bytes);
    else if (this.#late.push({ bytes: Buffer.from(bytes), dueMs }) === 1) this.#wait();
  }

  #wait(): void {
    const [next] = this.#late;
    if (!next) return;
    this.#clock.after(Math.max(0, next.dueMs - this.#clock.monotonicMs()), () => {
      this.#late.shift();
      if (!this.#stuck) this.#pass(next.bytes);
      this.#wait();
    });
  }

  #happens(effect: 'hang' | 'closeConnection'): void {
    this.#stuck = true;
    if (effect === 'closeConnection') this.#cut();
  }
}

/** A daemon's end of a connection whose bytes the rules may spoil. */
export function faultyStream(inner: ByteStream, clock: Clock, ask: AskRules): ByteStream {
  let full = false;
  let closed = false;
  const outgoing = new Lane(
    clock,
    () => ask('sent'),
    (bytes) => {
      full = !inner.write(bytes);
    },
    () => inner.close(),
  );
  return {
    label: inner.label,
    start(handlers: StreamHandlers) {
      const incoming = new Lane(
        clock,
        () => ask('received'),
        (bytes) => {
          if (!closed) handlers.data(bytes);
        },
        () => inner.close(),
      );
      inner.start({
        data: (bytes) => incoming.push(bytes),
        drain: () => handlers.drain(),
        closed(reason) {
          closed = true;
          handlers.closed(reason);
        },
      });
    },
    write(bytes) {
      outgoing.push(bytes);
      return !full;
    },
    pause: () => inner.pause(),
    resume: () => inner.resume(),
    close: () => inner.close(),
  };
}
