/**
 * Appends XDR (RFC 4506) values to one growing buffer. Big-endian, every item padded with zeros to 4 bytes.
 *
 * A value that does not fit its type is the caller's mistake: `INVALID_INPUT`, and nothing was sent.
 * Used by the codecs of this folder and by the framing; nobody else.
 */
import { HandoverError } from '../../base/errors.ts';

const INITIAL_BYTES = 256;

/** Writes one message. */
export class XdrWriter {
  #buffer: Buffer = Buffer.allocUnsafe(INITIAL_BYTES);
  #length = 0;

  /** Bytes written so far. */
  get length(): number {
    return this.#length;
  }

  int32(value: number): void {
    if ((value | 0) !== value) throw outOfRange('a 32-bit integer', value);
    const at = this.#grow(4);
    this.#buffer.writeInt32BE(value, at);
  }

  uint32(value: number): void {
    if (value >>> 0 !== value) throw outOfRange('an unsigned 32-bit integer', value);
    const at = this.#grow(4);
    this.#buffer.writeUInt32BE(value, at);
  }

  int64(value: bigint): void {
    if (BigInt.asIntN(64, value) !== value) throw outOfRange('a 64-bit integer', value);
    const at = this.#grow(8);
    this.#buffer.writeBigInt64BE(value, at);
  }

  uint64(value: bigint): void {
    if (BigInt.asUintN(64, value) !== value) throw outOfRange('an unsigned 64-bit integer', value);
    const at = this.#grow(8);
    this.#buffer.writeBigUInt64BE(value, at);
  }

  float64(value: number): void {
    const at = this.#grow(8);
    this.#buffer.writeDoubleBE(value, at);
  }

  /** `bytes` and its padding, without a length. */
  fixedOpaque(bytes: Uint8Array): void {
    const padded = (bytes.length + 3) & ~3;
    const at = this.#grow(padded);
    this.#buffer.set(bytes, at);
    this.#buffer.fill(0, at + bytes.length, at + padded);
  }

  /**
   * Length, UTF-8 bytes, padding. `maxBytes` counts encoded bytes. NUL is refused: the C side would stop
   * there.
   */
  string(text: string, maxBytes: number): void {
    const byteLength = Buffer.byteLength(text, 'utf8');
    if (byteLength > maxBytes) throw tooLong('a string', byteLength, maxBytes);
    if (text.includes('\0'))
      throw new HandoverError('INVALID_INPUT', 'a string for libvirt contains a NUL character');
    this.uint32(byteLength);
    const padded = (byteLength + 3) & ~3;
    const at = this.#grow(padded);
    this.#buffer.write(text, at, byteLength, 'utf8');
    this.#buffer.fill(0, at + byteLength, at + padded);
  }

  /** Overwrites the word at `offset`; for a length that is known only at the end. */
  patchUint32(offset: number, value: number): void {
    this.#buffer.writeUInt32BE(value, offset);
  }

  /** What was written, without copying: the writer must not be used afterwards. */
  finish(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  /** Reserves `count` bytes and returns where they begin. */
  #grow(count: number): number {
    const at = this.#length;
    const needed = at + count;
    if (needed > this.#buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2));
      this.#buffer.copy(larger, 0, 0, at);
      this.#buffer = larger;
    }
    this.#length = needed;
    return at;
  }
}

/** The error for something longer than the protocol allows. Lengths in `unit`s. */
export function tooLong(what: string, length: number, max: number, unit = 'bytes'): HandoverError {
  return new HandoverError(
    'INVALID_INPUT',
    `${what} for libvirt has ${length} ${unit}; the protocol allows ${max}`,
    { detail: { length, max } },
  );
}

function outOfRange(what: string, value: number | bigint): HandoverError {
  return new HandoverError('INVALID_INPUT', `${String(value)} is not ${what}`, {
    detail: { value: String(value) },
  });
}
