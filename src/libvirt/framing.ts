/**
 * Frames of libvirt's RPC: a length word that counts itself, six header words, a payload. For both sides: the
 * client and a simulated server use the same reader and writer. Facts: libvirt's docs "internals/rpc".
 *
 * Invariants: a `FrameReader` holds at most one unfinished frame (bounded by `MAX_FRAME_BYTES`) plus the
 * chunk being read; a bad length is refused when its four bytes are there, before anything is kept for it.
 * After it threw once, it must not be fed again: the stream has no way to find the next frame.
 */
import { HandoverError } from '../base/errors.ts';
import { KEEPALIVE, PROGRAM } from './procedures/procedure.ts';
import { type Codec, nothing } from './xdr/codec.ts';
import { violation } from './xdr/reader.ts';
import { tooLong, XdrWriter } from './xdr/writer.ts';

/** Length word and header. */
export const MIN_FRAME_BYTES = 28;
/** libvirt's limit for a message, 32 MiB, plus its length word. */
export const MAX_FRAME_BYTES = 32 * 1024 * 1024 + 4;

const RPC_VERSION = 1;

/** Kinds of frame. 3 to 6 (streams, file descriptors) are never asked for and therefore a violation. */
export const FRAME_TYPE = { call: 0, reply: 1, message: 2 } as const;
/** Outcome a frame carries; `continue` belongs to streams and is a violation. */
export const FRAME_STATUS = { ok: 0, error: 1 } as const;

/** The header words that vary; length and version are the framing's own. */
export interface FrameHeader {
  readonly program: number;
  readonly procedure: number;
  readonly type: number;
  /** Numbered by the caller, from 1; 0 in a message. */
  readonly serial: number;
  readonly status: number;
}

/** A received frame. */
export interface Frame extends FrameHeader {
  /** A view on the received bytes: decode it before returning to the reader's caller. */
  readonly payload: Buffer;
}

/**
 * One frame as bytes. Throws `INVALID_INPUT` if the value does not fit the codec or the frame would be too
 * long.
 */
export function encodeFrame<T>(header: FrameHeader, codec: Codec<T>, value: T): Buffer {
  const writer = new XdrWriter();
  writer.uint32(0);
  writer.uint32(header.program);
  writer.uint32(RPC_VERSION);
  writer.int32(header.procedure);
  writer.int32(header.type);
  writer.uint32(header.serial);
  writer.int32(header.status);
  codec.write(writer, value);
  if (writer.length > MAX_FRAME_BYTES) throw tooLong('a message', writer.length, MAX_FRAME_BYTES);
  writer.patchUint32(0, writer.length);
  return writer.finish();
}

/** A keepalive frame; for both sides. */
export function keepaliveFrame(kind: 'ping' | 'pong'): Buffer {
  const header = {
    program: PROGRAM.keepalive,
    procedure: KEEPALIVE[kind],
    type: FRAME_TYPE.message,
    serial: 0,
    status: FRAME_STATUS.ok,
  };
  return encodeFrame(header, nothing, {});
}

/** Cuts a byte stream into frames, however it is chunked. */
export class FrameReader {
  readonly #onFrame: (frame: Frame) => void;
  readonly #maxBytes: number;
  #chunks: Buffer[] = [];
  #held = 0;
  /** Length of the frame being collected; 0 while fewer than four of its bytes are there. */
  #expected = 0;

  /** `onFrame` is called within `push`, once per frame, in order. What it throws ends the `push`. */
  constructor(onFrame: (frame: Frame) => void, maxBytes = MAX_FRAME_BYTES) {
    this.#onFrame = onFrame;
    this.#maxBytes = maxBytes;
  }

  /** Bytes of an unfinished frame kept for later. */
  get heldBytes(): number {
    return this.#held;
  }

  /** Takes the next bytes. Throws `PROTOCOL_VIOLATION`: close the connection then. */
  push(chunk: Buffer): void {
    let rest = this.#held === 0 ? chunk : this.#join(chunk);
    while (rest.length >= 4) {
      this.#expected = checkedLength(rest.readUInt32BE(0), this.#maxBytes);
      if (rest.length < this.#expected) break;
      const frame = parse(rest.subarray(0, this.#expected));
      rest = rest.subarray(this.#expected);
      this.#expected = 0;
      this.#onFrame(frame);
    }
    this.#keep(rest);
  }

  /**
   * Everything held with `chunk`, or nothing yet if that is still not a whole frame (so that joining stays
   * linear).
   */
  #join(chunk: Buffer): Buffer {
    this.#chunks.push(chunk);
    this.#held += chunk.length;
    if (this.#held < Math.max(this.#expected, 4)) return EMPTY;
    const joined = Buffer.concat(this.#chunks, this.#held);
    this.#chunks = [];
    this.#held = 0;
    return joined;
  }

  #keep(rest: Buffer): void {
    if (rest.length === 0) return;
    this.#chunks = [rest];
    this.#held = rest.length;
  }
}

const EMPTY = Buffer.alloc(0);

function checkedLength(length: number, maxBytes: number): number {
  if (length < MIN_FRAME_BYTES) throw violation(`frame of ${length} bytes, less than a header`);
  if (length > maxBytes) throw violation(`frame of ${length} bytes, more than the ${maxBytes} allowed`);
  return length;
}

function parse(bytes: Buffer): Frame {
  const version = bytes.readUInt32BE(8);
  if (version !== RPC_VERSION) throw violation(`protocol version ${version}, only ${RPC_VERSION} exists`);
  const type = bytes.readInt32BE(16);
  if (type !== FRAME_TYPE.call && type !== FRAME_TYPE.reply && type !== FRAME_TYPE.message) {
    throw violation(`frame of type ${type}, which was never asked for`);
  }
  const status = bytes.readInt32BE(24);
  if (status !== FRAME_STATUS.ok && status !== FRAME_STATUS.error)
    throw violation(`frame with status ${status}`);
  return {
    program: bytes.readUInt32BE(4),
    procedure: bytes.readInt32BE(12),
    type,
    serial: bytes.readUInt32BE(20),
    status,
    payload: bytes.subarray(MIN_FRAME_BYTES),
  };
}

/** True for the error a broken peer causes. */
export function isViolation(thrown: unknown): thrown is HandoverError {
  return thrown instanceof HandoverError && thrown.code === 'PROTOCOL_VIOLATION';
}
