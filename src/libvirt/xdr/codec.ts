/**
 * Codecs: one value that knows both directions of an XDR type. Procedures are described with them, so that
 * TypeScript infers the types of arguments and replies, and a server can decode what a client encodes and the
 * other way round.
 *
 * Reading throws `PROTOCOL_VIOLATION`, writing `INVALID_INPUT`. Codecs hold no state.
 */
import { HandoverError } from '../../base/errors.ts';
import { violation, XdrReader } from './reader.ts';
import { tooLong, XdrWriter } from './writer.ts';

export interface Codec<T> {
  /** The least bytes any value takes on the wire; lets a reader refuse an absurd array length early. */
  readonly minBytes: number;
  write(writer: XdrWriter, value: T): void;
  read(reader: XdrReader): T;
}

/** The TypeScript type of a codec's values. */
export type Infer<C> = C extends Codec<infer T> ? T : never;

/** Signed 32 bits. */
export const int: Codec<number> = {
  minBytes: 4,
  write: (writer, value) => writer.int32(value),
  read: (reader) => reader.int32(),
};

/** Unsigned 32 bits. */
export const uint: Codec<number> = {
  minBytes: 4,
  write: (writer, value) => writer.uint32(value),
  read: (reader) => reader.uint32(),
};

/** Signed 64 bits. */
export const hyper: Codec<bigint> = {
  minBytes: 8,
  write: (writer, value) => writer.int64(value),
  read: (reader) => reader.int64(),
};

/** Unsigned 64 bits. */
export const uhyper: Codec<bigint> = {
  minBytes: 8,
  write: (writer, value) => writer.uint64(value),
  read: (reader) => reader.uint64(),
};

/** IEEE double. */
export const double: Codec<number> = {
  minBytes: 8,
  write: (writer, value) => writer.float64(value),
  read: (reader) => reader.float64(),
};

/** A truth value that libvirt carries in an `int`; any other number than 0 reads as true. */
export const flag: Codec<boolean> = {
  minBytes: 4,
  write: (writer, value) => writer.int32(value ? 1 : 0),
  read: (reader) => reader.int32() !== 0,
};

/** A string of at most `maxBytes` UTF-8 bytes. */
export function string(maxBytes: number): Codec<string> {
  return {
    minBytes: 4,
    write: (writer, value) => writer.string(value, maxBytes),
    read: (reader) => reader.string(maxBytes),
  };
}

/** At most `maxBytes` raw bytes. What is read is a copy: it may outlive the frame. */
export function opaque(maxBytes: number): Codec<Uint8Array> {
  return {
    minBytes: 4,
    write(writer, value) {
      if (value.length > maxBytes) throw tooLong('opaque data', value.length, maxBytes);
      writer.uint32(value.length);
      writer.fixedOpaque(value);
    },
    read: (reader) => Buffer.from(reader.fixedOpaque(reader.length(maxBytes, 1, 'opaque data'))),
  };
}

/** Exactly `length` raw bytes. */
export function fixedOpaque(length: number): Codec<Uint8Array> {
  return {
    minBytes: (length + 3) & ~3,
    write(writer, value) {
      if (value.length !== length) {
        throw new HandoverError('INVALID_INPUT', `${value.length} bytes given where libvirt wants ${length}`);
      }
      writer.fixedOpaque(value);
    },
    read: (reader) => Buffer.from(reader.fixedOpaque(length)),
  };
}

/** `item` or null. */
export function optional<T>(item: Codec<T>): Codec<T | null> {
  return {
    minBytes: 4,
    write(writer, value) {
      writer.uint32(value === null ? 0 : 1);
      if (value !== null) item.write(writer, value);
    },
    read(reader) {
      const present = reader.uint32();
      if (present > 1) throw violation(`${present} where 0 or 1 should say whether a value follows`);
      return present === 1 ? item.read(reader) : null;
    },
  };
}

/** At most `max` items. */
export function array<T>(item: Codec<T>, max: number): Codec<readonly T[]> {
  return {
    minBytes: 4,
    write(writer, value) {
      if (value.length > max) throw tooLong('a list', value.length, max, 'items');
      writer.uint32(value.length);
      for (const one of value) item.write(writer, one);
    },
    read(reader) {
      const length = reader.length(max, item.minBytes, 'a list');
      const items: T[] = [];
      for (let index = 0; index < length; index++) items.push(item.read(reader));
      return items;
    },
  };
}

type Fields = Readonly<Record<string, Codec<unknown>>>;
type StructOf<F extends Fields> = { readonly [K in keyof F]: Infer<F[K]> };

/** Fields one after the other, in the order they are written here. */
export function struct<const F extends Fields>(fields: F): Codec<StructOf<F>> {
  const entries = Object.entries(fields) as [string, Codec<unknown>][];
  return {
    minBytes: entries.reduce((sum, [, codec]) => sum + codec.minBytes, 0),
    write(writer, value) {
      for (const [name, codec] of entries) codec.write(writer, (value as Record<string, unknown>)[name]);
    },
    read(reader) {
      const value: Record<string, unknown> = {};
      for (const [name, codec] of entries) value[name] = codec.read(reader);
      return value as StructOf<F>;
    },
  };
}

/** No bytes at all: a procedure without arguments or without a reply. Its value is `{}`. */
export const nothing: Codec<Record<never, never>> = {
  minBytes: 0,
  write() {},
  read: () => ({}),
};

/**
 * `inner` on the wire, another type for the program. `fromWire` throws `violation` on what it does not
 * accept.
 */
export function mapped<W, T>(inner: Codec<W>, toWire: (value: T) => W, fromWire: (wire: W) => T): Codec<T> {
  return {
    minBytes: inner.minBytes,
    write: (writer, value) => inner.write(writer, toWire(value)),
    read: (reader) => fromWire(inner.read(reader)),
  };
}

/** One value alone as bytes; for tests and for values kept outside a frame. */
export function encode<T>(codec: Codec<T>, value: T): Buffer {
  const writer = new XdrWriter();
  codec.write(writer, value);
  return writer.finish();
}

/** The value that `bytes` hold, all of them. Throws `PROTOCOL_VIOLATION`. */
export function decode<T>(codec: Codec<T>, bytes: Buffer): T {
  const reader = new XdrReader(bytes);
  const value = codec.read(reader);
  reader.finish();
  return value;
}
