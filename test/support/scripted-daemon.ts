/**
 * The other end of an in-memory connection, told by the test what to answer. It speaks the real frames
 * through the real codecs, so what the client sends is decoded and checked. For tests of the client;
 * simulated hosts are `src/simhost`.
 */
import {
  decode,
  encodeFrame,
  type EventKind,
  type Frame,
  FRAME_STATUS,
  FRAME_TYPE,
  FrameReader,
  keepaliveFrame,
  memoryTransportPair,
  type MemoryTransport,
  type Procedure,
  procedureByNumber,
  procedures,
  PROGRAM,
  type Transport,
  wireError,
} from '../../src/libvirt/index.ts';
import { KEEPALIVE } from '../../src/libvirt/procedures/procedure.ts';

/** A request as it arrived. */
export interface Request {
  readonly name: string;
  readonly serial: number;
  readonly args: unknown;
}

/** What an answer throws to refuse. */
export class Refusal extends Error {
  readonly code: number;
  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** An answer that never comes; the test may send it later with `reply`. */
export const SILENCE = Symbol('silence');

type Answer = (args: never, request: Request) => unknown;

/** A daemon that answers by script; the opening calls are answered unless the script says otherwise. */
export class ScriptedDaemon {
  /** The client's end. */
  readonly clientEnd: MemoryTransport;
  readonly requests: Request[] = [];
  /** Keepalive frames that arrived. */
  readonly pings: ('ping' | 'pong')[] = [];
  readonly #end: Transport;
  readonly #answers = new Map<string, Answer>();
  closed = false;
  answersPings = true;

  constructor() {
    [this.clientEnd, this.#end] = memoryTransportPair('scripted');
    this.on(procedures.authList, () => ({ types: [0] }));
    this.on(procedures.connectSupportsFeature, () => ({ supported: true }));
    this.on(procedures.connectOpen, () => ({}));
    this.on(procedures.connectClose, () => ({}));
    const reader = new FrameReader((frame) => this.#frame(frame));
    this.#end.start({
      data: (bytes) => reader.push(bytes),
      drain: () => {},
      closed: () => {
        this.closed = true;
      },
    });
  }

  /**
   * Answers calls of `procedure` with what `answer` returns; a `Refusal` it throws is sent as libvirt's
   * error.
   */
  on<Args, Ret>(
    procedure: Procedure<Args, Ret>,
    answer: (args: Args, request: Request) => Ret | typeof SILENCE,
  ): this {
    this.#answers.set(procedure.name, answer as Answer);
    return this;
  }

  /** Requests of that procedure so far. */
  calls(procedure: { readonly name: string }): Request[] {
    return this.requests.filter((request) => request.name === procedure.name);
  }

  /** Answers an earlier request now. */
  reply<Args, Ret>(procedure: Procedure<Args, Ret>, serial: number, ret: Ret): void {
    this.send(encodeFrame(header(procedure, FRAME_TYPE.reply, serial, FRAME_STATUS.ok), procedure.ret, ret));
  }

  /** Sends an event. */
  event<Payload>(kind: EventKind<Payload>, payload: Payload & { readonly callbackId: number }): void {
    const head = header(
      { program: PROGRAM.remote, number: kind.message },
      FRAME_TYPE.message,
      0,
      FRAME_STATUS.ok,
    );
    this.send(encodeFrame(head, kind.payload, payload));
  }

  /** Sends raw bytes. */
  send(bytes: Buffer): void {
    this.#end.write(bytes);
  }

  ping(): void {
    this.send(keepaliveFrame('ping'));
  }

  /** Closes from the daemon's side. */
  close(): void {
    this.#end.close();
  }

  #frame(frame: Frame): void {
    if (frame.program === PROGRAM.keepalive) {
      const kind = frame.procedure === KEEPALIVE.ping ? 'ping' : 'pong';
      this.pings.push(kind);
      if (kind === 'ping' && this.answersPings) this.send(keepaliveFrame('pong'));
      return;
    }
    const procedure = procedureByNumber(frame.program, frame.procedure);
    if (!procedure) throw new Error(`the client called the unknown procedure ${frame.procedure}`);
    const args = decode(procedure.args, frame.payload);
    const request = { name: procedure.name, serial: frame.serial, args };
    this.requests.push(request);
    this.#answer(procedure, request);
  }

  #answer(procedure: Procedure<unknown, unknown>, request: Request): void {
    const answer = this.#answers.get(procedure.name);
    try {
      if (!answer) throw new Refusal(3, `the script has no answer to ${procedure.name}`);
      const ret = answer(request.args as never, request);
      if (ret !== SILENCE) this.reply(procedure, request.serial, ret);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const head = header(procedure, FRAME_TYPE.reply, request.serial, FRAME_STATUS.error);
      this.send(encodeFrame(head, wireError, errorOf(error)));
    }
  }
}

function header(
  procedure: { readonly program: number; readonly number: number },
  type: number,
  serial: number,
  status: number,
) {
  return { program: procedure.program, procedure: procedure.number, type, serial, status };
}

function errorOf(refusal: Refusal) {
  return {
    code: refusal.code,
    domain: 10,
    message: refusal.message,
    level: 2,
    dom: null,
    str1: null,
    str2: null,
    str3: null,
    int1: 0,
    int2: 0,
    net: null,
  };
}
