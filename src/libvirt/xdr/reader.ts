/**
 * Takes XDR (RFC 4506) values from a buffer, strictly: nothing is read past the end, lengths are checked
 * before anything is allocated, padding must be zero, and `finish` refuses leftover bytes.
 *
 * Every failure is `PROTOCOL_VIOLATION`; the connection it came from cannot be trusted any more.
 */
import { HandoverError } from '../../base/errors.ts';

/** Reads one buffer from its beginning to its end. */
export class XdrReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** Bytes not read yet. */
  get remaining(): number {
    return this.#bytes.length - this.#at;
  }

  int32(): number {
    return this.#bytes.readInt32BE(this.#take(4, 'an integer'));
  }

  uint32(): number {
    return this.#bytes.readUInt32BE(this.#take(4, 'an integer'));
  }

  int64(): bigint {
    return this.#bytes.readBigInt64BE(this.#take(8, 'a hyper integer'));
  }

  uint64(): bigint {
    return this.#bytes.readBigUInt64BE(this.#take(8, 'a hyper integer'));
  }

  float64(): number {
    return this.#bytes.readDoubleBE(this.#take(8, 'a double'));
  }

  /** `length` bytes and their padding. A view on the input, valid as long as that is. */
  fixedOpaque(length: number): Buffer {
    const padded = (length + 3) & ~3;
    const at = this.#take(padded, `${length} bytes`);
    for (let index = at + length; index < at + padded; index++) {
      if (this.#bytes[index] !== 0) throw violation('padding is not zero');
    }
    return this.#bytes.subarray(at, at + length);
  }

  /** A length of at most `max` items, each of which takes at least `minItemBytes` of what remains. */
  length(max: number, minItemBytes: number, what: string): number {
    const length = this.uint32();
    if (length > max) throw violation(`${what} of length ${length}, more than the ${max} allowed`);
    if (length * minItemBytes > this.remaining) throw violation(`${what} of length ${length} is cut off`);
    return length;
  }

  /**
   * A string of at most `maxBytes`. Bytes that are not UTF-8 become U+FFFD: libvirt does not promise UTF-8.
   */
  string(maxBytes: number): string {
    const bytes = this.fixedOpaque(this.length(maxBytes, 1, 'a string'));
    if (bytes.includes(0)) throw violation('a string contains NUL');
    return bytes.toString('utf8');
  }

  /** Throws unless everything was read. */
  finish(): void {
    if (this.remaining > 0) throw violation(`${this.remaining} bytes too many at the end`);
  }

  #take(count: number, what: string): number {
    if (count > this.remaining) throw violation(`cut off where ${what} should be`);
    const at = this.#at;
    this.#at += count;
    return at;
  }
}

/** A `PROTOCOL_VIOLATION` of the peer. */
export function violation(what: string): HandoverError {
  return new HandoverError('PROTOCOL_VIOLATION', `malformed libvirt message: ${what}`);
}
