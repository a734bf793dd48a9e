/** Codecs: golden bytes, limits, and properties of any value. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HandoverError } from '../../base/errors.ts';
import {
  array,
  type Codec,
  decode,
  double,
  encode,
  fixedOpaque,
  flag,
  hyper,
  int,
  nothing,
  opaque,
  optional,
  string,
  struct,
  uhyper,
  uint,
} from './codec.ts';

const bytes = (hex: string) => Buffer.from(hex.replaceAll(' ', ''), 'hex');

describe('golden bytes', () => {
  const cases: [string, Codec<never>, unknown, string][] = [
    ['int', int, -2, 'fffffffe'],
    ['uint', uint, 0xdeadbeef, 'deadbeef'],
    ['hyper', hyper, -1n, 'ffffffffffffffff'],
    ['uhyper', uhyper, 11003000n, '0000000000a7e478'],
    ['double', double, 1.5, '3ff8000000000000'],
    ['flag', flag, true, '00000001'],
    ['string with padding', string(10), 'vf-0é', '00000006 76662d30c3a9 0000'],
    ['empty string', string(10), '', '00000000'],
    ['opaque', opaque(10), Buffer.from([1, 2, 3, 4, 5]), '00000005 0102030405 000000'],
    ['fixed opaque', fixedOpaque(3), Buffer.from([7, 8, 9]), '070809 00'],
    ['absent', optional(int), null, '00000000'],
    ['present', optional(int), 5, '00000001 00000005'],
    ['array', array(uint, 4), [1, 2], '00000002 00000001 00000002'],
    ['struct', struct({ a: int, b: string(4) }), { a: 1, b: 'x' }, '00000001 00000001 78000000'],
    ['nothing', nothing, {}, ''],
  ] as unknown as [string, Codec<never>, unknown, string][];
  test.each(cases)('%s', (_, codec, value, hex) => {
    expect(encode(codec as Codec<unknown>, value)).toEqual(bytes(hex));
    expect(decode(codec as Codec<unknown>, bytes(hex))).toEqual(value);
  });
});

describe('what is refused', () => {
  const refused: [string, Codec<unknown>, string][] = [
    ['a leftover byte', int, '00000001 00'],
    ['a cut integer', int, '000000'],
    ['a string longer than allowed', string(2), '00000003 61626300'],
    ['a string longer than the message', string(1000), '00000010 61626300'],
    ['padding that is not zero', string(10), '00000001 61000001'],
    ['NUL in a string', string(10), '00000002 61000000'],
    ['a presence of 2', optional(int), '00000002 00000001'],
    ['more items than allowed', array(int, 1), '00000002 00000001 00000002'],
    ['more items than can follow', array(hyper, 1_000_000), '000f4240 0000000000000000'],
  ] as [string, Codec<unknown>, string][];
  test.each(refused)('reading %s', (_, codec, hex) => {
    expect(() => decode(codec, bytes(hex))).toThrow(
      expect.objectContaining({ code: 'PROTOCOL_VIOLATION' }) as Error,
    );
  });

  const misfits: [string, Codec<unknown>, unknown][] = [
    ['an int of 33 bits', int, 2 ** 32],
    ['a negative uint', uint, -1],
    ['a fraction', int, 0.5],
    ['a hyper of 65 bits', hyper, 2n ** 64n],
    ['a string too long in bytes', string(2), 'éé'],
    ['a string with NUL', string(10), 'a\0b'],
    ['too many items', array(int, 1), [1, 2]],
    ['opaque data too long', opaque(1), Buffer.alloc(2)],
    ['fixed data of another length', fixedOpaque(4), Buffer.alloc(3)],
  ] as [string, Codec<unknown>, unknown][];
  test.each(misfits)('writing %s', (_, codec, value) => {
    expect(() => encode(codec, value)).toThrow(expect.objectContaining({ code: 'INVALID_INPUT' }) as Error);
  });
});

const sample = struct({
  id: int,
  size: uhyper,
  name: string(64),
  parent: optional(string(64)),
  tags: array(struct({ key: string(16), on: flag }), 8),
  blob: opaque(32),
});
const text = (max: number) => fc.string({ unit: 'grapheme', maxLength: max }).filter((s) => fitting(s, max));
const fitting = (s: string, max: number) => Buffer.byteLength(s) <= max && !s.includes('\0');
const sampleValue = fc.record({
  id: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  size: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  name: text(64),
  parent: fc.option(text(64), { nil: null }),
  tags: fc.array(fc.record({ key: text(16), on: fc.boolean() }), { maxLength: 8 }),
  blob: fc.uint8Array({ maxLength: 32 }).map((raw) => Buffer.from(raw)),
});

describe('any value', () => {
  test('is read back as it was written', () => {
    fc.assert(
      fc.property(sampleValue, (value) => {
        expect(decode(sample, encode(sample, value))).toEqual(value);
      }),
    );
  });

  test('is refused when cut anywhere or when a word follows', () => {
    fc.assert(
      fc.property(sampleValue, fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }), (value, at) => {
        const whole = encode(sample, value);
        const cut = whole.subarray(0, Math.floor(whole.length * at));
        expect(() => decode(sample, cut)).toThrow(HandoverError);
        expect(() => decode(sample, Buffer.concat([whole, Buffer.alloc(4)]))).toThrow(HandoverError);
      }),
    );
  });

  test('that random bytes decode to, encodes to the same bytes; all others are a protocol violation', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (raw) => {
        let value: unknown;
        try {
          value = decode(sample as Codec<unknown>, Buffer.from(raw));
        } catch (error) {
          expect(error).toMatchObject({ code: 'PROTOCOL_VIOLATION' });
          return;
        }
        expect(decode(sample as Codec<unknown>, encode(sample as Codec<unknown>, value))).toEqual(value);
      }),
    );
  });
});
