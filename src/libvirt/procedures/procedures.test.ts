/** The table of procedures is consistent, and no payload does more than be refused. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Codec, decode, encode } from '../xdr/codec.ts';
import {
  type AnyProcedure,
  DOMAIN_EVENTS,
  MIGRATE,
  NODE_DEVICE_EVENTS,
  param,
  paramNumber,
  paramsObject,
  paramText,
  procedureByNumber,
  procedures,
  type TypedParam,
  withParam,
} from './index.ts';
import { typedParams } from './typed-params.ts';
import { uuid } from './types.ts';

const all = Object.entries(procedures) as unknown as [string, AnyProcedure][];

describe('the table of procedures', () => {
  test('has no number twice and finds each procedure by its number', () => {
    expect(new Set(all.map(([, one]) => `${one.program}:${one.number}`)).size).toBe(all.length);
    for (const [, one] of all) expect(procedureByNumber(one.program, one.number)).toBe(one);
    expect(procedureByNumber(0x20008086, 9999)).toBeUndefined();
  });

  test('names each procedure as its key says', () => {
    for (const [key, one] of all) {
      const camel = one.name
        .replace(/^qemu_domain/, 'qemu')
        .replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
      expect(key.toLowerCase()).toBe(camel.toLowerCase());
    }
  });

  test('has no event message twice', () => {
    const messages = [...Object.values(DOMAIN_EVENTS), ...Object.values(NODE_DEVICE_EVENTS)].map(
      (one) => one.message,
    );
    expect(new Set(messages).size).toBe(messages.length);
  });

  test.each(all)('%s: random payloads are refused or read, and what is read can be written', (_, one) => {
    const words = fc.array(fc.constantFrom(0, 1, 2, 4, 7, 0x61000000, 0xffffffff), { maxLength: 30 });
    fc.assert(
      fc.property(words, (values) => {
        const payload = Buffer.alloc(values.length * 4);
        values.forEach((value, index) => payload.writeUInt32BE(value, index * 4));
        for (const codec of [one.args, one.ret] as Codec<unknown>[]) {
          let value: unknown;
          try {
            value = decode(codec, payload);
          } catch (error) {
            expect(error).toMatchObject({ code: 'PROTOCOL_VIOLATION' });
            continue;
          }
          expect(decode(codec, encode(codec, value))).toEqual(value);
        }
      }),
      { numRuns: 100 },
    );
  });
});

describe('shared types', () => {
  test('a UUID is 16 bytes on the wire, whatever its case was', () => {
    const wire = encode(uuid, '6695EB01-F6A4-8304-79AA-97F2502E193F');
    expect(wire.toString('hex')).toBe('6695eb01f6a4830479aa97f2502e193f');
    expect(decode(uuid, wire)).toBe('6695eb01-f6a4-8304-79aa-97f2502e193f');
    expect(() => encode(uuid, 'no-uuid')).toThrow(
      expect.objectContaining({ code: 'INVALID_INPUT' }) as Error,
    );
  });

  test('the CPU model of a host is a char array with a word for each char', () => {
    const info = { memoryKiB: 1n, cpus: 1, mhz: 1, nodes: 1, sockets: 1, cores: 1, threads: 1 };
    const wire = encode(procedures.nodeGetInfo.ret, { model: 'x86_64', ...info });
    expect(wire.length).toBe(128 + 8 + 24);
    expect(wire.subarray(0, 8).toString('hex')).toBe('0000007800000038');
    expect(decode(procedures.nodeGetInfo.ret, wire).model).toBe('x86_64');
  });
});

describe('typed parameters', () => {
  const list: TypedParam[] = [
    param.string('migrate_uri', 'tcp://10.0.0.2'),
    param.ullong('bandwidth', 60n),
    param.int('parallel.connections', 2),
    { field: 'done', type: 'boolean', value: true },
    { field: 'ratio', type: 'double', value: 0.5 },
    { field: 'delta', type: 'llong', value: -5n },
  ];

  test('keep type and value over the wire', () => {
    expect(decode(typedParams(64), encode(typedParams(64), list))).toEqual(list);
  });

  test('are looked up by name, and a wrong type is a violation of the protocol', () => {
    expect(paramText(list, 'migrate_uri')).toBe('tcp://10.0.0.2');
    expect(paramText(list, 'absent')).toBeUndefined();
    expect(paramNumber(list, 'bandwidth')).toBe(60);
    expect(paramNumber(list, 'absent')).toBeUndefined();
    expect(() => paramNumber(list, 'migrate_uri')).toThrow('not a number');
    expect(() => paramText(list, 'bandwidth')).toThrow('not a string');
    expect(paramsObject(list)).toMatchObject({ bandwidth: 60, done: true, delta: -5 });
  });

  test('of one name are all replaced', () => {
    const twice = [...list, param.string('migrate_uri', 'again')];
    const replaced = withParam(twice, param.string('migrate_uri', 'once'));
    expect(replaced.filter((one) => one.field === 'migrate_uri')).toEqual([
      param.string('migrate_uri', 'once'),
    ]);
  });

  test('with an unknown type are refused', () => {
    const wire = Buffer.from('00000001000000016100000000000009', 'hex');
    expect(() => decode(typedParams(64), wire)).toThrow('unknown type 9');
  });
});

test('migration flags are single bits without a gap', () => {
  expect(Object.values(MIGRATE)).toEqual([...Array(21).keys()].map((bit) => 2 ** bit));
});
