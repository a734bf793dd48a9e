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
  type AnyProcedure,
  DOMAIN_EVENTS,
  type EventKind,
  KEEPALIVE,
  NODE_DEVICE_EVENTS,
  PROGRAM,
  procedures,
  wireError,
} from '../../libvirt/procedures/index.ts';
import { type Codec, decode, nothing } from '../../libvirt/xdr/codec.ts';
import type { SimEvent } from '../events.ts';
import type { SimFabric } from '../fabric.ts';
import type { FaultEffect } from '../faults.ts';
import type { SimHost } from '../host.ts';
import { strike } from '../machine.ts';
import { refuse, refuseWithCode } from '../refusal.ts';
import type { ByteStream } from '../stream.ts';
import { connectCalls } from './connect-calls.ts';
import { deviceCalls } from './device-calls.ts';
import { domainCalls } from './domain-calls.ts';
import { extraProcedures } from './extra-procedures.ts';
import { migrateCalls } from './migrate-calls.ts';
import type { Handlers, Registration, Session } from './session.ts';

/** max_client_requests of libvirtd.conf. */
const REQUESTS_MAX = 5;
const KEEPALIVE_INTERVAL_MS = 5000;
const KEEPALIVE_COUNT = 5;
const ERROR_LEVEL = 2;

type AnyHandler = (session: Session, args: unknown) => unknown;
interface Callable {
  readonly key: string;
  readonly procedure: AnyProcedure;
  readonly handler: AnyHandler | undefined;
}

const HANDLERS: Handlers = { ...connectCalls, ...domainCalls, ...migrateCalls, ...deviceCalls };
const CALLABLE = new Map<string, Callable>(
  Object.entries({ ...extraProcedures, ...procedures } as unknown as Record<string, AnyProcedure>).map(
    ([key, procedure]) => [
      `${procedure.program}:${procedure.number}`,
      { key, procedure, handler: (HANDLERS as Record<string, AnyHandler>)[key] },
    ],
  ),
);
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
  /** Decoded at once: the frame's bytes are only lent. */
  readonly args: { readonly value: unknown } | { readonly error: unknown };
}

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
    stream.start({
      data: (bytes) => this.#data(bytes),
      drain: () => {},
      closed: () => this.#end(),
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

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#waiting = [];
    this.#cancelKeepalive?.();
    this.#stopListening();
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
    const known = CALLABLE.get(`${frame.program}:${frame.procedure}`);
    const call: Call = {
      program: frame.program,
      number: frame.procedure,
      serial: frame.serial,
      args: decodeArgs(known, frame),
    };
    this.#waiting.push(call);
    this.#serve();
  }

  #serve(): void {
    while (!this.#ended && this.#running < REQUESTS_MAX) {
      const call = this.#waiting.shift();
      if (!call) break;
      this.#running += 1;
      void this.#dispatch(call).finally(() => {
        this.#running -= 1;
        this.#serve();
      });
    }
    if (this.#running >= REQUESTS_MAX) this.#stream.pause();
    else this.#stream.resume();
  }

  async #dispatch(call: Call): Promise<void> {
    const known = CALLABLE.get(`${call.program}:${call.number}`);
    const effect = known ? this.fabric.faults.decide(known.key, this.host.name) : null;
    if (effect && (await this.#spoiled(effect))) return;
    try {
      if (effect?.type === 'refuse') throw refuseWithCode(effect.libvirtCode, effect.message);
      const value = await this.#run(call, known);
      if (effect?.type === 'dropReply') this.close();
      else if (known) this.#send(replyTo(call, FRAME_STATUS.ok), known.procedure.ret, value);
      if (this.#closing) this.close();
    } catch (error) {
      if (effect?.type === 'dropReply') this.close();
      else this.#sendError(call, error);
    }
  }

  /** What a fault does before the call runs; true if it must not run. */
  async #spoiled(effect: FaultEffect): Promise<boolean> {
    if (effect.type === 'delay') {
      await this.host.context.clock.sleep(effect.delayMs);
      return this.#ended;
    }
    if (effect.type === 'dropRequest') this.close();
    if (strike(this.host, effect)) return true;
    // A call that hangs occupies its place among those served at once.
    if (effect.type === 'hang') await new Promise<void>((resolve) => this.onEnd(resolve));
    return effect.type === 'dropRequest' || effect.type === 'hang';
  }

  async #run(call: Call, known: Callable | undefined): Promise<unknown> {
    if (!known?.handler) throw refuse('rpc', `unknown procedure: ${call.number}`);
    if ('error' in call.args) throw refuse('rpc', 'Unable to decode message payload');
    if (this.uri === null && !BEFORE_OPEN.has(known.key)) throw refuse('internal', 'connection not open');
    return known.handler(this, call.args.value);
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
    if (this.fabric.faults.losesEvent(event.type, this.host.name)) return;
    for (const [callbackId, registration] of this.#registrations) {
      if (registration.event !== event.type) continue;
      const about = 'dom' in event ? event.dom.uuid : event.name;
      if (registration.only !== null && registration.only !== about) continue;
      this.#sendEvent(callbackId, event);
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

function decodeArgs(known: Callable | undefined, frame: Frame): Call['args'] {
  try {
    return { value: known ? decode(known.procedure.args, frame.payload) : null };
  } catch (error) {
    return { error };
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
  return [DOMAIN_EVENTS[type] as EventKind<object>, payload];
}
