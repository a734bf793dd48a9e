/**
 * One connection to a libvirt daemon: opening, calls, events, keepalive, end. It knows libvirt's words only.
 *
 * Invariants: a broken peer (malformed, oversized, unexpected frame) ends the connection with
 * `PROTOCOL_VIOLATION`; when the connection ends, every pending call is rejected and every close listener
 * told, once; nothing reconnects by itself, because events were lost and the owner has to look again. User
 * code never runs within the packet reader.
 *
 * Use one connection per migration: `domainMigratePerform3Params` blocks for its whole time, and a daemon
 * serves only 5 requests of a connection at once.
 */
import type { Clock } from '../base/clock.ts';
import { HandoverError, isCode } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { type CallLimits, CallQueue } from './call-queue.ts';
import { FRAME_TYPE, type Frame, FrameReader } from './framing.ts';
import { Keepalive } from './keepalive.ts';
import { openSequence } from './open-sequence.ts';
import { type Domain, type EventKind, procedures, PROGRAM, type Procedure } from './procedures/index.ts';
import type { NodeDevice } from './procedures/types.ts';
import { Subscriptions } from './subscriptions.ts';
import { dial } from './transport/dial.ts';
import type { Transport } from './transport/transport.ts';
import { parseHostUri } from './uri.ts';
import { violation } from './xdr/reader.ts';

const DEFAULT_CALL_TIMEOUT_MS = 30_000;
const DEFAULT_OPEN_TIMEOUT_MS = 20_000;
const DEFAULT_MAX_IN_FLIGHT = 4;
const DEFAULT_KEEPALIVE = { intervalMs: 5000, count: 5 } as const;
const CLOSE_CALL_LIMIT_MS = 2000;

/** What a connection takes, besides where it leads. */
export interface ClientOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** Gives up the attempt to connect; later it has no effect. */
  readonly signal?: AbortSignal;
  /** For the whole of connecting and opening. Default 20 s. */
  readonly openTimeoutMs?: number;
  /** Of a call without a limit of its own. Default 30 s. */
  readonly callTimeoutMs?: number;
  /** Requests without an answer at one time, 1 to 4. Default 4, one less than a daemon serves. */
  readonly maxInFlight?: number;
  /** Our pings: dead after `intervalMs * (count + 1)` of silence. Default 5 s and 5. */
  readonly keepalive?: { readonly intervalMs: number; readonly count: number };
  readonly readOnly?: boolean;
}

/** Of one call; without a limit the connection's default holds. */
export interface CallOptions {
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** One registration for an event. Ends with its connection. */
export interface Subscription {
  /**
   * Stops at once here and deregisters at the daemon. Never throws; a dead connection has nothing to
   * deregister.
   */
  off(): Promise<void>;
}

/** An open connection. Every method may be called after its end; calls are then refused at once. */
export interface LibvirtClient {
  /** The URI, for messages. */
  readonly label: string;
  readonly isOpen: boolean;
  /** Requests sent and unanswered. */
  readonly inFlight: number;
  /** Pings of the daemon answered so far. */
  readonly pingsAnswered: number;
  /**
   * Calls a procedure. Rejects with `LIBVIRT_REFUSED` (`libvirtCodeOf`), `CALL_TIMED_OUT` or `REPLY_LOST`
   * (sent, outcome unknown), `HOST_UNREACHABLE` (not sent), `PROTOCOL_VIOLATION` (outcome unknown),
   * `INVALID_INPUT` (not sent), or the signal's reason if it aborted before the call was sent.
   */
  call<Args, Ret>(procedure: Procedure<Args, Ret>, args: Args, options?: CallOptions): Promise<Ret>;
  /** Registers for an event, of one domain or device if `of` is given. Register before acting. */
  on<Payload>(
    event: EventKind<Payload>,
    of: Domain | NodeDevice | null,
    listener: (payload: Payload) => void,
    options?: CallOptions,
  ): Promise<Subscription>;
  /**
   * Tells when the connection ended: null if closed by us, else why. At once (in a microtask) if it has ended
   * already. Returns a function that takes the listener back.
   */
  onClose(listener: (reason: HandoverError | null) => void): () => void;
  /** Says goodbye and closes; resolves when it is closed. Pending calls are rejected. Never throws. */
  close(): Promise<void>;
}

/**
 * Connects to the daemon of `uri` (see `uri.ts`). Throws `HOST_URI_INVALID`, `HOST_UNREACHABLE`,
 * `HOST_KEY_UNKNOWN`,
 * `HOST_REFUSED_CREDENTIALS`, `PROTOCOL_VIOLATION`, `LIBVIRT_REFUSED` (the driver cannot be opened) or the
 * signal's reason; nothing stays open then.
 */
export async function connect(uri: string, options: ClientOptions): Promise<LibvirtClient> {
  const parsed = parseHostUri(uri);
  const limitMs = options.openTimeoutMs ?? DEFAULT_OPEN_TIMEOUT_MS;
  const startMs = options.clock.monotonicMs();
  const transport = await dial(parsed, { clock: options.clock, limitMs, signal: options.signal });
  const leftMs = Math.max(1, limitMs - (options.clock.monotonicMs() - startMs));
  return openClient(transport, parsed.driverUri, { ...options, openTimeoutMs: leftMs, label: uri });
}

/** Opens a connection over a transport, which it owns from now on. Throws as `connect` does. */
export async function openClient(
  transport: Transport,
  driverUri: string,
  options: ClientOptions & { readonly label?: string },
): Promise<LibvirtClient> {
  const connection = new Connection(transport, options);
  try {
    const limits = { timeoutMs: options.openTimeoutMs ?? DEFAULT_OPEN_TIMEOUT_MS, signal: options.signal };
    const keepalive = await openSequence(connection, driverUri, limits, options.readOnly ?? false);
    if (keepalive) connection.startKeepalive();
    return connection;
  } catch (error) {
    const ended = await connection.abandon();
    // The calls only know that the reply is lost; while connecting, why the stream ended is the better
    // answer.
    if (ended && isCode(error, 'REPLY_LOST', 'HOST_UNREACHABLE', 'PROTOCOL_VIOLATION')) throw ended;
    throw unreachableWhileOpening(error, connection.label);
  }
}

/**
 * A connection that never opened did nothing: what would be an unknown outcome later is `unreachable` here.
 */
function unreachableWhileOpening(error: unknown, label: string): unknown {
  if (!isCode(error, 'CALL_TIMED_OUT', 'REPLY_LOST')) return error;
  const given = error.cause;
  if (error.code === 'REPLY_LOST' && given instanceof Error && !(given instanceof HandoverError))
    return given;
  if (isCode(given, 'CANCELLED')) return given;
  return new HandoverError('HOST_UNREACHABLE', `${label} did not answer while opening`, { cause: error });
}

class Connection implements LibvirtClient {
  readonly label: string;
  readonly #transport: Transport;
  readonly #calls: CallQueue;
  readonly #events: Subscriptions;
  readonly #keepalive: Keepalive;
  readonly #frames: FrameReader;
  readonly #callTimeoutMs: number;
  readonly #closeListeners = new Set<(reason: HandoverError | null) => void>();
  readonly #log: Log;
  /** Why we ended it ourselves; undefined while we have not. */
  #ending: { readonly reason: HandoverError | null } | undefined;
  #ended: { readonly reason: HandoverError | null } | undefined;
  /** We said goodbye. */
  #leaving = false;

  constructor(transport: Transport, options: ClientOptions & { readonly label?: string }) {
    const { clock } = options;
    this.label = options.label ?? transport.label;
    this.#transport = transport;
    this.#log = options.log.child({ libvirt: this.label });
    this.#callTimeoutMs = options.callTimeoutMs ?? DEFAULT_CALL_TIMEOUT_MS;
    const send = (frame: Buffer) => transport.write(frame);
    const maxInFlight = Math.min(
      Math.max(options.maxInFlight ?? DEFAULT_MAX_IN_FLIGHT, 1),
      DEFAULT_MAX_IN_FLIGHT,
    );
    const stuck = (reason: HandoverError) => this.#end(reason);
    this.#calls = new CallQueue({ clock, maxInFlight, label: this.label, send, stuck });
    this.#events = new Subscriptions(this.#log);
    this.#keepalive = new Keepalive({
      clock,
      ...(options.keepalive ?? DEFAULT_KEEPALIVE),
      label: this.label,
      send,
      dead: (reason) => this.#end(reason),
    });
    this.#frames = new FrameReader((frame) => this.#frame(frame));
    transport.start({
      data: (bytes) => this.#data(bytes),
      drain: () => this.#calls.drained(),
      closed: (reason) => this.#closed(reason),
    });
  }

  get isOpen(): boolean {
    return !this.#ending && !this.#ended;
  }

  get inFlight(): number {
    return this.#calls.inFlight;
  }

  get pingsAnswered(): number {
    return this.#keepalive.pingsAnswered;
  }

  startKeepalive(): void {
    if (this.isOpen) this.#keepalive.start();
  }

  call<Args, Ret>(procedure: Procedure<Args, Ret>, args: Args, options: CallOptions = {}): Promise<Ret> {
    return this.#calls.call(
      procedure as Procedure<unknown, unknown>,
      args,
      this.#limits(options),
    ) as Promise<Ret>;
  }

  async on<Payload>(
    event: EventKind<Payload>,
    of: Domain | NodeDevice | null,
    listener: (payload: Payload) => void,
    options: CallOptions = {},
  ): Promise<Subscription> {
    const listening = { kind: event as EventKind<unknown>, listener: listener as (payload: never) => void };
    const [register, args] = registration(event as EventKind<unknown>, of);
    // Listening begins within the reader: the first event may follow the reply in the same packet.
    const ret = await this.#calls.call(register, args, this.#limits(options), (reply) => {
      this.#events.add((reply as { callbackId: number }).callbackId, listening);
    });
    const { callbackId } = ret as { callbackId: number };
    return { off: () => this.#deregister(event as EventKind<unknown>, callbackId) };
  }

  onClose(listener: (reason: HandoverError | null) => void): () => void {
    const ended = this.#ended;
    if (ended) queueMicrotask(() => this.#tellClosed(listener, ended.reason));
    else this.#closeListeners.add(listener);
    return () => this.#closeListeners.delete(listener);
  }

  async close(): Promise<void> {
    if (this.isOpen && this.inFlight === 0) {
      this.#leaving = true;
      await this.call(procedures.connectClose, {}, { timeoutMs: CLOSE_CALL_LIMIT_MS }).catch(() => {});
    }
    await this.abandon();
  }

  /** Closes without a goodbye; resolves with why the connection had ended before, if it had. */
  abandon(): Promise<HandoverError | null> {
    const closed = new Promise<HandoverError | null>((resolve) => {
      this.onClose(resolve);
    });
    this.#end(null);
    return closed;
  }

  #limits(options: CallOptions): CallLimits {
    return { timeoutMs: options.timeoutMs ?? this.#callTimeoutMs, signal: options.signal };
  }

  async #deregister(event: EventKind<unknown>, callbackId: number): Promise<void> {
    this.#events.remove(event, callbackId);
    const deregister =
      event.of === 'domain'
        ? procedures.connectDomainEventCallbackDeregisterAny
        : procedures.connectNodeDeviceEventDeregisterAny;
    if (this.isOpen) await this.call(deregister, { callbackId }).catch(() => {});
  }

  #data(bytes: Buffer): void {
    if (!this.isOpen) return;
    this.#keepalive.heard();
    try {
      this.#frames.push(bytes);
    } catch (error) {
      if (!isCode(error, 'PROTOCOL_VIOLATION')) throw error;
      this.#end(new HandoverError(error.code, `${this.label}: ${error.message}; the connection was closed`));
    }
  }

  #frame(frame: Frame): void {
    if (!this.isOpen) return;
    if (frame.program === PROGRAM.keepalive) this.#keepalive.frame(frame);
    else if (frame.type === FRAME_TYPE.reply) this.#calls.reply(frame);
    else if (frame.type === FRAME_TYPE.call) throw violation('a call, which only clients make');
    else if (frame.program === PROGRAM.remote) this.#events.message(frame.procedure, frame.payload);
    else this.#log.debug('libvirt sent a message of an unknown program', { program: frame.program });
  }

  /**
   * We end it: nothing is read or sent any more, pending calls settle now, listeners hear when the stream is
   * closed.
   */
  #end(reason: HandoverError | null): void {
    if (this.#ending || this.#ended) return;
    this.#ending = { reason };
    this.#keepalive.stop();
    this.#calls.end(reason);
    this.#transport.close();
  }

  #closed(streamReason: HandoverError | null): void {
    const reason = this.#ending ? this.#ending.reason : this.#whyClosed(streamReason);
    this.#ended = { reason };
    this.#keepalive.stop();
    this.#calls.end(reason);
    if (reason) this.#log.debug('connection ended', { code: reason.code, why: reason.message });
    for (const listener of this.#closeListeners) this.#tellClosed(listener, reason);
    this.#closeListeners.clear();
  }

  /** After our goodbye the daemon may be the first to close. */
  #whyClosed(streamReason: HandoverError | null): HandoverError | null {
    return this.#leaving ? null : (streamReason ?? closedByDaemon(this.label));
  }

  #tellClosed(listener: (reason: HandoverError | null) => void, reason: HandoverError | null): void {
    try {
      listener(reason);
    } catch (error) {
      this.#log.error('a listener of the connection end failed', { error: String(error) });
    }
  }
}

function closedByDaemon(label: string): HandoverError {
  return new HandoverError('HOST_UNREACHABLE', `the daemon closed the connection ${label}`);
}

function registration(
  event: EventKind<unknown>,
  of: Domain | NodeDevice | null,
): [Procedure<unknown, unknown>, unknown] {
  return event.of === 'domain'
    ? [
        procedures.connectDomainEventCallbackRegisterAny as Procedure<unknown, unknown>,
        { eventId: event.id, dom: of },
      ]
    : [
        procedures.connectNodeDeviceEventRegisterAny as Procedure<unknown, unknown>,
        { eventId: event.id, device: of },
      ];
}
