/**
 * One client's connection to a simulated libvirtd: frames in, calls to handlers, answers, events and
 * keepalive out.
 *
 * Like the real one it serves at most `REQUESTS_MAX` calls of a connection at once and stops reading while
 * they last, and it answers in the order in which calls end. Event messages and answers share one stream, so
 * their order is what happened.
 */
import { asHandoverError } from '../../base/errors.ts';
import { encodeFrame, type Frame, FRAME_STATUS, FRAME_TYPE, FrameReader } from '../../libvirt/framing.ts';
import {
  DOMAIN_EVENTS,
  type EventKind,
  KEEPALIVE,
  NODE_DEVICE_EVENTS,
  PROGRAM,
  wireError,
} from '../../libvirt/procedures/index.ts';
import { type Codec, nothing } from '../../libvirt/xdr/codec.ts';
import type { SimEvent } from '../events.ts';
import type { SimFabric } from '../fabric.ts';
import { type CallRule, SPOILS_ANSWER } from '../faults.ts';
import type { SimHost } from '../host.ts';
import { refuse, refuseWithCode } from '../refusal.ts';
import type { ByteStream } from '../stream.ts';
import { type Args, type Callable, calledBy, decodeArgs } from './callable.ts';
import { extraEvents } from './extra-procedures.ts';
import type { Registration, Session } from './session.ts';

/** max_client_requests of libvirtd.conf. */
const REQUESTS_MAX = 5;
const KEEPALIVE_INTERVAL_MS = 5000;
const KEEPALIVE_COUNT = 5;
const ERROR_LEVEL = 2;

/** Calls that may come before the connection is open. */
const BEFORE_OPEN = new Set([
  'authList',
  'authPolkit',
  'connectSupportsFeature',
  'connectOpen',
  'connectClose',
]);

interface Call {
  readonly program: number;
  readonly number: number;
  readonly serial: number;
  readonly known: Callable | undefined;
  /** Decoded at once: the frame's bytes are only lent. */
  readonly args: Args;
}

/** Made for a stream; lives until the client, a fault or the daemon ends it. */
export class Connection implements Session {
  readonly host: SimHost;
  readonly fabric: SimFabric;
  uri: string | null = null;
  readOnly = false;
  readonly #stream: ByteStream;
  readonly #frames: FrameReader;
  readonly #registrations = new Map<number, Registration>();
  readonly #endListeners = new Set<() => void>();
  readonly #stopListening: () => void;
  /** Ends what it knows of the host's daemon and power. */
  #stopWatching: () => void;
  #nextCallbackId = 0;
  #running = 0;
  #waiting: Call[] = [];
  #ended = false;
  #closing = false;
  #heardSinceTick = true;
  #unanswered = 0;
  #cancelKeepalive: (() => void) | null = null;

  constructor(fabric: SimFabric, host: SimHost, stream: ByteStream) {
    this.host = host;
    this.fabric = fabric;
    this.#stream = stream;
    this.#frames = new FrameReader((frame) => this.#frame(frame));
    this.#stopListening = host.listen((event) => this.#event(event));
    this.#stopWatching = host.onDaemonEnd(() => {
      if (host.powered) this.close();
      else this.#fallSilent();
    });
    stream.start({
      data: (bytes) => this.#data(bytes),
      drain: () => {},
      closed: () => {
        this.#end();
        this.#stopWatching();
      },
    });
  }

  // ---- Session ----

  register(registration: Registration): number {
    const callbackId = this.#nextCallbackId++;
    this.#registrations.set(callbackId, registration);
    return callbackId;
  }

  deregister(callbackId: number): void {
    if (!this.#registrations.delete(callbackId)) {
      throw refuse('internal', `domain event callback ${callbackId} not registered`);
    }
  }

  startKeepalive(): void {
    this.#cancelKeepalive ??= this.host.context.clock.after(KEEPALIVE_INTERVAL_MS, () => this.#tick());
  }

  onEnd(listener: () => void): () => void {
    // What ended while a call ran has ended for what the call made too.
    if (this.#ended) listener();
    this.#endListeners.add(listener);
    return () => this.#endListeners.delete(listener);
  }

  closeAfterReply(): void {
    this.#closing = true;
  }

  // ---- the stream ----

  /** Ends the connection; calls that run go on, nobody hears of them. */
  close(): void {
    this.#stream.close();
    this.#end();
  }

  /** The host lost power: the client hears nothing any more, until something answers there again. */
  #fallSilent(): void {
    this.#end();
    this.#stopWatching = this.host.onPower((powered) => {
      if (!powered) return;
      this.#stopWatching();
      this.#stream.close();
    });
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#waiting = [];
    this.#cancelKeepalive?.();
    this.#stopListening();
    this.#stopWatching();
    for (const listener of this.#endListeners) listener();
    this.#endListeners.clear();
  }

  #data(bytes: Buffer): void {
    if (this.#ended) return;
    this.#heardSinceTick = true;
    this.#unanswered = 0;
    try {
      this.#frames.push(bytes);
    } catch (error) {
      this.host.context.log.debug('a client broke the protocol', {
        host: this.host.name,
        error: String(error),
      });
      this.close();
    }
  }

  #send<T>(
    header: { program: number; procedure: number; type: number; serial: number; status: number },
    codec: Codec<T>,
    value: T,
  ): void {
    if (!this.#ended) this.#stream.write(encodeFrame(header, codec, value));
  }

  // ---- keepalive ----

  #keepalive(kind: keyof typeof KEEPALIVE): void {
    this.#send(
      {
        program: PROGRAM.keepalive,
        procedure: KEEPALIVE[kind],
        type: FRAME_TYPE.message,
        serial: 0,
        status: FRAME_STATUS.ok,
      },
      nothing,
      {},
    );
  }

  #tick(): void {
    if (this.#ended) return;
    if (!this.#heardSinceTick) {
      if (this.#unanswered >= KEEPALIVE_COUNT) {
        this.close();
        return;
      }
      this.#unanswered += 1;
    }
    this.#heardSinceTick = false;
    this.#keepalive('ping');
    this.#cancelKeepalive = this.host.context.clock.after(KEEPALIVE_INTERVAL_MS, () => this.#tick());
  }

  // ---- calls ----

  #frame(frame: Frame): void {
    if (this.#ended) return;
    if (frame.program === PROGRAM.keepalive) {
      if (frame.procedure === KEEPALIVE.ping) this.#keepalive('pong');
      return;
    }
    if (frame.type !== FRAME_TYPE.call) {
      this.close();
      return;
    }
    const known = calledBy(frame);
    const call: Call = {
      program: frame.program,
      number: frame.procedure,
      serial: frame.serial,
      known,
      args: decodeArgs(known, frame),
    };
    this.#waiting.push(call);
    this.#serve();
  }

  #serve(): void {
    while (!this.#ended && this.#running < REQUESTS_MAX) {
      const call = this.#waiting.shift();
      if (!call) break;
      const rule = call.known ? this.fabric.faults.ofCall(call.known.key, this.host.name) : null;
      const ending = rule ? this.#spoilt(call, rule) : this.#answer(call);
      if (ending === null) continue;
      this.#running += 1;
      void ending.finally(() => {
        this.#running -= 1;
        this.#serve();
      });
    }
    if (this.#running >= REQUESTS_MAX) this.#stream.pause();
    else this.#stream.resume();
  }

  /** A call that a rule is about. */
  async #spoilt(call: Call, rule: CallRule): Promise<void> {
    const { effect } = rule;
    if (!(await this.#goesOn(rule))) return;
    if (effect?.type === 'refuse') {
      this.#sendError(call, refuseWithCode(effect.libvirtCode, effect.message));
      return;
    }
    await this.#answer(call, effect?.type === 'dropReply');
  }

  /** Runs a call and answers it. Null: that is done already, as with most. */
  #answer(call: Call, replyIsLost = false): Promise<void> | null {
    const answered = (value: unknown): void => {
      if (replyIsLost) this.close();
      else if (call.known) this.#send(replyTo(call, FRAME_STATUS.ok), call.known.procedure.ret, value);
      if (this.#closing) this.close();
    };
    const failed = (error: unknown): void => {
      if (replyIsLost) this.close();
      else this.#sendError(call, error);
    };
    try {
      const value = this.#run(call);
      if (value instanceof Promise) return value.then(answered).catch(failed);
      answered(value);
    } catch (error) {
      failed(error);
    }
    return null;
  }

  /** What a rule does before the call runs; false if it must not run. */
  async #goesOn(rule: CallRule): Promise<boolean> {
    const { effect, delayMs } = rule;
    const { clock, strike } = this.host.context;
    if (effect === undefined || SPOILS_ANSWER.has(effect.type)) {
      if (delayMs !== undefined) await clock.sleep(delayMs);
      if (effect?.type === 'dropRequest') this.close();
      // A call that hangs occupies its place among those served at once.
      if (effect?.type === 'hang') await new Promise<void>((resolve) => this.onEnd(resolve));
      return !this.#ended;
    }
    const happens = async (): Promise<void> => {
      if (effect.type === 'closeConnection') this.close();
      else await strike(this.host, rule);
    };
    if (delayMs !== undefined) clock.after(delayMs, () => void happens());
    else await happens();
    return effect.type === 'closeConnection' || !this.#ended;
  }

  #run({ known, number, args }: Call): unknown {
    if (!known?.handler) throw refuse('rpc', `unknown procedure: ${number}`);
    if ('error' in args) throw refuse('rpc', 'Unable to decode message payload');
    if (this.uri === null && !BEFORE_OPEN.has(known.key)) throw refuse('internal', 'connection not open');
    return known.handler(this, args.value);
  }

  #sendError(call: Call, thrown: unknown): void {
    const error = asHandoverError(thrown);
    const code = error.detail['libvirtCode'];
    // A daemon that ended meanwhile cannot answer; its connections are closed already.
    if (typeof code !== 'number' && error.code !== 'CANCELLED') {
      this.host.context.log.error('the simulation failed', { host: this.host.name, error: error.message });
    }
    const domain = error.detail['libvirtDomain'];
    this.#send(replyTo(call, FRAME_STATUS.error), wireError, {
      code: typeof code === 'number' ? code : 1,
      domain: typeof domain === 'number' ? domain : 10,
      message: error.message,
      level: ERROR_LEVEL,
      dom: null,
      str1: '%s',
      str2: error.message,
      str3: null,
      int1: -1,
      int2: -1,
      net: null,
    });
  }

  // ---- events ----

  #event(event: SimEvent): void {
    const effect = this.fabric.faults.ofEvent(event.type, this.host.name)?.effect.type;
    if (effect === 'loseEvent') return;
    for (const [callbackId, registration] of this.#registrations) {
      if (registration.event !== event.type) continue;
      const about = 'dom' in event ? event.dom.uuid : event.name;
      if (registration.only !== null && registration.only !== about) continue;
      this.#sendEvent(callbackId, event);
      if (effect === 'repeatEvent') this.#sendEvent(callbackId, event);
    }
  }

  #sendEvent(callbackId: number, event: SimEvent): void {
    const [kind, payload] = messageOf(event);
    this.#send(
      {
        program: PROGRAM.remote,
        procedure: kind.message,
        type: FRAME_TYPE.message,
        serial: 0,
        status: FRAME_STATUS.ok,
      },
      kind.payload,
      { callbackId, ...payload } as { readonly callbackId: number },
    );
  }
}

function replyTo(call: Call, status: number) {
  return {
    program: call.program,
    procedure: call.number,
    type: FRAME_TYPE.reply,
    serial: call.serial,
    status,
  };
}

/** The message of an event, without its callback id. */
function messageOf(event: SimEvent): [EventKind<object>, object] {
  if (event.type === 'nodeDevice') {
    return [NODE_DEVICE_EVENTS.lifecycle, { device: { name: event.name }, event: event.event, detail: 0 }];
  }
  if (event.type === 'nodeDeviceUpdate') return [NODE_DEVICE_EVENTS.update, { device: { name: event.name } }];
  const { type, ...payload } = event;
  return [(type === 'reboot' ? extraEvents.reboot : DOMAIN_EVENTS[type]) as EventKind<object>, payload];
}
