/**
 * The calls of one connection: numbered, sent while fewer than the limit are unanswered, matched with their
 * replies, ended by deadline, abort or the connection's end.
 *
 * Invariants: a daemon reads no more from a connection with 5 unanswered requests, not even keepalives, so
 * fewer are ever sent; a call given up after it was sent keeps its place until the late reply comes, because
 * the daemon still counts it. A connection with nothing else in its places any more is ended, so that a new
 * one is dialled. Every call settles exactly once: `HOST_UNREACHABLE` if it was never written,
 * else the outcome is unknown.
 */
import { abortReason, type Clock } from '../base/clock.ts';
import { HandoverError } from '../base/errors.ts';
import { encodeFrame, FRAME_STATUS, FRAME_TYPE, type Frame } from './framing.ts';
import type { AnyProcedure } from './procedures/procedure.ts';
import { wireError } from './procedures/types.ts';
import { refusal } from './wire-error.ts';
import { decode } from './xdr/codec.ts';
import { violation } from './xdr/reader.ts';

/** How long one call may take, and who may give it up. */
export interface CallLimits {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

interface PendingCall {
  readonly procedure: AnyProcedure;
  readonly args: unknown;
  readonly timeoutMs: number;
  /** Runs within the packet reader: our own code only, before any promise continuation. */
  readonly onReply: ((ret: unknown) => void) | undefined;
  /** Monotonic ms. */
  readonly dueMs: number;
  readonly signal: AbortSignal | undefined;
  readonly onAbort: (() => void) | undefined;
  readonly resolve: (ret: unknown) => void;
  readonly reject: (error: Error) => void;
  state: 'queued' | 'sent' | 'settled';
}

/** What the queue needs from its connection. */
export interface CallQueueOptions {
  readonly clock: Clock;
  /** Most requests without an answer; the daemon's own limit is 5. */
  readonly maxInFlight: number;
  /** Of the connection, for messages. */
  readonly label: string;
  /** Sends a frame; false when no more should be sent for now. */
  send(frame: Buffer): boolean;
  /** Every place is held by a call that was given up, and another waited its whole limit behind them. */
  stuck(reason: HandoverError): void;
}

/** Its continuations run as microtasks do, without what `queueMicrotask` makes for each. */
const NEXT = Promise.resolve();

/** False if it was settled before. */
function settles(call: PendingCall): boolean {
  if (call.state === 'settled') return false;
  call.state = 'settled';
  if (call.onAbort) call.signal?.removeEventListener('abort', call.onAbort);
  return true;
}

function fail(call: PendingCall, error: Error): void {
  if (settles(call)) call.reject(error);
}

export class CallQueue {
  readonly #options: CallQueueOptions;
  readonly #waiting: PendingCall[] = [];
  /** Sent and unanswered, by serial; given-up ones stay here. */
  readonly #sent = new Map<number, PendingCall>();
  #lastSerial = 0;
  #congested = false;
  #pumpScheduled = false;
  #ended: HandoverError | null = null;
  /** When the timer for deadlines comes, monotonic ms. */
  #alarmMs = Infinity;
  #cancelAlarm: () => void = () => {};

  constructor(options: CallQueueOptions) {
    this.#options = options;
  }

  /** Requests the daemon has not answered. */
  get inFlight(): number {
    return this.#sent.size;
  }

  /** Calls not sent yet. */
  get queued(): number {
    return this.#waiting.length;
  }

  /** Makes a call. `onReply` sees the reply before anything else that comes after it on the wire. */
  call(
    procedure: AnyProcedure,
    args: unknown,
    limits: CallLimits,
    onReply?: (ret: unknown) => void,
  ): Promise<unknown> {
    const { signal, timeoutMs } = limits;
    if (this.#ended) return Promise.reject(this.#notSent(procedure));
    if (signal?.aborted) return Promise.reject(abortReason(signal));
    return new Promise((resolve, reject) => {
      const call: PendingCall = {
        procedure,
        args,
        timeoutMs,
        onReply,
        dueMs: this.#options.clock.monotonicMs() + timeoutMs,
        signal,
        onAbort: signal && (() => this.#giveUp(call, this.#abortError(call, signal))),
        resolve,
        reject,
        state: 'queued',
      };
      if (call.onAbort) signal?.addEventListener('abort', call.onAbort, { once: true });
      this.#waiting.push(call);
      this.#alarmBy(call.dueMs);
      this.#schedulePump();
    });
  }

  /** Takes a reply frame. Throws `PROTOCOL_VIOLATION` if it answers nothing or cannot be decoded. */
  reply(frame: Frame): void {
    const call = this.#sent.get(frame.serial);
    if (!call) throw violation(`a reply with serial ${frame.serial}, which waits for none`);
    const { procedure } = call;
    if (frame.program !== procedure.program || frame.procedure !== procedure.number) {
      throw violation(`a reply of procedure ${frame.procedure} to a call of ${procedure.name}`);
    }
    // Decoded before the call leaves the table: should that throw, the end of the connection settles it.
    const refused = frame.status === FRAME_STATUS.error ? decode(wireError, frame.payload) : undefined;
    const ret = refused ? undefined : decode(procedure.ret, frame.payload);
    this.#sent.delete(frame.serial);
    this.#schedulePump();
    if (refused) {
      fail(call, refusal(procedure, refused, this.#options.label));
      return;
    }
    if (call.state === 'sent') call.onReply?.(ret);
    if (settles(call)) call.resolve(ret);
  }

  /** The transport has room again. */
  drained(): void {
    this.#congested = false;
    this.#pump();
  }

  /** Ends all calls; later ones fail at once. `reason` null: closed in order. */
  end(reason: HandoverError | null): void {
    if (this.#ended) return;
    this.#ended =
      reason ?? new HandoverError('HOST_UNREACHABLE', `the connection ${this.#options.label} is closed`);
    const sent = [...this.#sent.values()];
    const waiting = this.#waiting.splice(0);
    this.#sent.clear();
    this.#cancelAlarm();
    for (const call of sent) fail(call, this.#replyLost(call.procedure, reason));
    for (const call of waiting) fail(call, this.#notSent(call.procedure));
  }

  /**
   * One timer for all calls, at the earliest deadline or before it: nearly every call is answered long before
   * its own, so a timer of its own would only be set and taken back.
   */
  #alarmBy(dueMs: number): void {
    if (this.#alarmMs <= dueMs) return;
    this.#cancelAlarm();
    this.#alarmMs = dueMs;
    const { clock } = this.#options;
    this.#cancelAlarm = clock.after(dueMs - clock.monotonicMs(), () => this.#alarm());
  }

  #alarm(): void {
    this.#alarmMs = Infinity;
    const nowMs = this.#options.clock.monotonicMs();
    for (const call of [...this.#sent.values(), ...this.#waiting]) {
      if (call.state === 'settled') continue;
      if (call.dueMs > nowMs) this.#alarmBy(call.dueMs);
      else this.#timeOut(call);
    }
  }

  #timeOut(call: PendingCall): void {
    const wasSent = call.state === 'sent';
    const error = this.#timeoutError(call);
    this.#giveUp(call, error);
    if (!wasSent && this.#allGivenUp()) this.#options.stuck(error);
  }

  /**
   * In a microtask, so that calls made in one go share a write and none is sent from within the packet
   * reader.
   */
  #schedulePump(): void {
    if (this.#pumpScheduled) return;
    this.#pumpScheduled = true;
    void NEXT.then(this.#scheduledPump);
  }

  readonly #scheduledPump = (): void => {
    this.#pumpScheduled = false;
    this.#pump();
  };

  #pump(): void {
    const frames: Buffer[] = [];
    while (!this.#ended && !this.#congested && this.#sent.size < this.#options.maxInFlight) {
      const call = this.#waiting.shift();
      if (!call) break;
      const frame = call.state === 'queued' ? this.#frameOf(call) : null;
      if (frame) frames.push(frame);
    }
    const [first] = frames;
    if (first) this.#congested = !this.#options.send(frames.length === 1 ? first : Buffer.concat(frames));
  }

  /** The call as a frame, from now on counted as sent; null if its arguments cannot be encoded. */
  #frameOf(call: PendingCall): Buffer | null {
    const serial = this.#nextSerial();
    const { program, number, args } = call.procedure;
    const header = { program, procedure: number, type: FRAME_TYPE.call, serial, status: FRAME_STATUS.ok };
    try {
      const frame = encodeFrame(header, args, call.args);
      call.state = 'sent';
      this.#sent.set(serial, call);
      return frame;
    } catch (error) {
      fail(call, error as Error);
      return null;
    }
  }

  /** 1, 2, 3…; after 2^31 from 1 again, past those still unanswered. */
  #nextSerial(): number {
    do {
      this.#lastSerial = this.#lastSerial >= 0x7fffffff ? 1 : this.#lastSerial + 1;
    } while (this.#sent.has(this.#lastSerial));
    return this.#lastSerial;
  }

  #allGivenUp(): boolean {
    const sent = [...this.#sent.values()];
    return sent.length > 0 && sent.every((each) => each.state === 'settled');
  }

  #giveUp(call: PendingCall, error: Error): void {
    const at = this.#waiting.indexOf(call);
    if (at >= 0) this.#waiting.splice(at, 1);
    fail(call, error);
  }

  #timeoutError(call: PendingCall): HandoverError {
    const { label } = this.#options;
    const { name } = call.procedure;
    const detail = { procedure: name, timeoutMs: call.timeoutMs };
    if (call.state === 'queued') {
      return new HandoverError(
        'HOST_UNREACHABLE',
        `${name} was not sent to ${label} within ${call.timeoutMs} ms: ` +
          `${this.inFlight} earlier calls are unanswered`,
        { detail },
      );
    }
    return new HandoverError(
      'CALL_TIMED_OUT',
      `${label} did not answer ${name} within ${call.timeoutMs} ms`,
      {
        detail,
      },
    );
  }

  /** Given up by the caller: harmless while queued, but what was sent goes on without us. */
  #abortError(call: PendingCall, signal: AbortSignal): Error {
    if (call.state === 'queued') return abortReason(signal);
    return new HandoverError('REPLY_LOST', `${call.procedure.name} was given up after it was sent`, {
      detail: { procedure: call.procedure.name },
      cause: abortReason(signal),
    });
  }

  #replyLost(procedure: AnyProcedure, reason: HandoverError | null): HandoverError {
    return new HandoverError(
      reason?.code === 'PROTOCOL_VIOLATION' ? 'PROTOCOL_VIOLATION' : 'REPLY_LOST',
      `the connection ${this.#options.label} ended before the answer to ${procedure.name}`,
      { detail: { procedure: procedure.name }, ...(reason ? { cause: reason } : {}) },
    );
  }

  #notSent(procedure: AnyProcedure): HandoverError {
    return new HandoverError(
      'HOST_UNREACHABLE',
      `${procedure.name} was not sent: ${this.#options.label} is closed`,
      {
        detail: { procedure: procedure.name },
        ...(this.#ended ? { cause: this.#ended } : {}),
      },
    );
  }
}
