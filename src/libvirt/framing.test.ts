/** Frames byte by byte, and streams of them however they are chunked. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  encodeFrame,
  type Frame,
  FRAME_STATUS,
  FRAME_TYPE,
  FrameReader,
  keepaliveFrame,
  MAX_FRAME_BYTES,
} from './framing.ts';
import { DOMAIN_EVENTS, procedureByNumber, procedures, PROGRAM, wireError } from './procedures/index.ts';
import { decode } from './xdr/codec.ts';

/** Annotated bytes: everything after `;` on a line says what the line is. */
const golden = (text: string) => Buffer.from(text.replace(/;.*$/gm, '').replace(/\s/g, ''), 'hex');

const UUID = '6695eb01-f6a4-8304-79aa-97f2502e193f';

function framesOf(bytes: Buffer): Frame[] {
  const frames: Frame[] = [];
  new FrameReader((frame) => frames.push(frame)).push(bytes);
  return frames;
}

describe('golden frames', () => {
  test('the first call of every connection', () => {
    const frame = golden(`
      0000001c ; length, itself included
      20008086 ; program remote
      00000001 ; version
      00000042 ; procedure 66, auth_list
      00000000 ; call
      00000001 ; serial
      00000000 ; ok`);
    const header = { program: PROGRAM.remote, procedure: 66, type: FRAME_TYPE.call, serial: 1, status: 0 };
    expect(encodeFrame(header, procedures.authList.args, {})).toEqual(frame);
  });

  test('a call with a domain and flags', () => {
    const frame = golden(`
      0000003c ; length 60
      20008086 00000001
      000000d4 ; procedure 212, domain_get_state
      00000000 00000007 00000000
      00000004 74657374 ; name "test"
      6695eb01f6a4830479aa97f2502e193f ; uuid, 16 raw bytes
      ffffffff ; id -1: inactive
      00000000 ; flags
    `);
    const header = { program: PROGRAM.remote, procedure: 212, type: FRAME_TYPE.call, serial: 7, status: 0 };
    const args = { dom: { name: 'test', uuid: UUID, id: -1 }, flags: 0 };
    expect(encodeFrame(header, procedures.domainGetState.args, args)).toEqual(frame);
    expect(decode(procedures.domainGetState.args, frame.subarray(28))).toEqual(args);
  });

  test('an error reply', () => {
    const [frame] = framesOf(
      golden(`
      00000064 20008086 00000001 00000017 ; procedure 23, domain_lookup_by_name
      00000001 ; reply
      00000004 ; serial
      00000001 ; status error
      0000002a ; code 42, no domain
      0000000a ; from the QEMU driver
      00000001 00000010 446f6d61696e206e6f7420666f756e64 ; "Domain not found"
      00000002 ; level error
      00000000 ; no domain
      00000001 00000002 25730000 ; str1 "%s"
      00000000 00000000 ; no str2, str3
      ffffffff 00000000 ; int1, int2
      00000000 ; no network
    `),
    );
    expect(frame).toMatchObject({ type: FRAME_TYPE.reply, serial: 4, status: FRAME_STATUS.error });
    expect(decode(wireError, frame?.payload ?? Buffer.alloc(0))).toMatchObject({
      code: 42,
      domain: 10,
      message: 'Domain not found',
      str1: '%s',
      net: null,
    });
  });

  test('an event', () => {
    const [frame] = framesOf(
      golden(`
      00000048 20008086 00000001 0000014d ; message 333, device removed
      00000002 00000000 00000000 ; message, serial 0, ok
      00000003 ; callback id
      00000001 61000000 ; domain name "a"
      6695eb01f6a4830479aa97f2502e193f 00000005 ; uuid, id
      00000006 75612d766630 0000 ; alias "ua-vf0"
    `),
    );
    expect(decode(DOMAIN_EVENTS.deviceRemoved.payload, frame?.payload ?? Buffer.alloc(0))).toEqual({
      callbackId: 3,
      dom: { name: 'a', uuid: UUID, id: 5 },
      alias: 'ua-vf0',
    });
  });

  test('migration parameters', () => {
    const args = {
      dom: { name: 'a', uuid: UUID, id: 1 },
      destinationUri: 'x',
      params: [
        { field: 'bandwidth', type: 'ullong', value: 60n },
        { field: 'migrate_uri', type: 'string', value: 'tcp' },
      ],
      cookie: Buffer.alloc(0),
      flags: 3,
    } as const;
    const frame = golden(`
      00000088 20008086 00000001 00000131 00000000 00000002 00000000 ; procedure 305
      00000001 61000000 6695eb01f6a4830479aa97f2502e193f 00000001 ; domain
      00000001 00000001 78000000 ; destination "x"
      00000002 ; two parameters
      00000009 62616e647769647468000000 00000004 000000000000003c ; "bandwidth", ullong, 60
      0000000b 6d6967726174655f75726900 00000007 00000003 74637000 ; "migrate_uri", string, "tcp"
      00000000 ; empty cookie
      00000003 ; live, peer-to-peer
    `);
    const header = { program: PROGRAM.remote, procedure: 305, type: FRAME_TYPE.call, serial: 2, status: 0 };
    const perform = procedures.domainMigratePerform3Params;
    expect(encodeFrame(header, perform.args, args).toString('hex')).toEqual(frame.toString('hex'));
    expect(decode(perform.args, frame.subarray(28))).toEqual(args);
  });

  test('keepalive', () => {
    const pong = golden('0000001c 6b656570 00000001 00000002 00000002 00000000 00000000');
    expect(keepaliveFrame('pong')).toEqual(pong);
  });
});

describe('a stream of frames', () => {
  const frames = fc.array(
    fc.record({
      program: fc.constantFrom(PROGRAM.remote, PROGRAM.qemu),
      procedure: fc.integer({ min: 1, max: 500 }),
      type: fc.constantFrom(0, 1, 2),
      serial: fc.nat(),
      status: fc.constantFrom(0, 1),
      text: fc.string({ maxLength: 300 }).filter((s) => !s.includes('\0')),
    }),
    { maxLength: 6 },
  );
  const { args } = procedures.domainLookupByName;

  test('is cut into the same frames however it is chunked', () => {
    fc.assert(
      fc.property(frames, fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }), (sent, sizes) => {
        const stream = Buffer.concat(sent.map((one) => encodeFrame(one, args, { name: one.text })));
        const got: unknown[] = [];
        const reader = new FrameReader(({ payload, ...header }) => {
          got.push({ ...header, text: decode(args, payload).name });
        });
        for (let at = 0, turn = 0; at < stream.length; turn++) {
          const size = sizes[turn % sizes.length] ?? 1;
          reader.push(stream.subarray(at, at + size));
          at += size;
        }
        expect(got).toEqual(sent);
        expect(reader.heldBytes).toBe(0);
      }),
    );
  });

  test('of random bytes is refused or waits for more, never anything else', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ minLength: 1, maxLength: 64 }), { maxLength: 20 }), (chunks) => {
        const reader = new FrameReader(({ program, procedure, payload }) => {
          const known = procedureByNumber(program, procedure);
          if (known) decode(known.args, payload);
        });
        try {
          for (const chunk of chunks) reader.push(Buffer.from(chunk));
        } catch (error) {
          expect(error).toMatchObject({ code: 'PROTOCOL_VIOLATION' });
        }
        expect(reader.heldBytes).toBeLessThanOrEqual(chunks.length * 64);
      }),
    );
  });

  const broken: [string, string][] = [
    ['shorter than a header', '0000001b'],
    ['one byte longer than allowed', (MAX_FRAME_BYTES + 1).toString(16).padStart(8, '0')],
    ['of another version', '0000001c 20008086 00000002 00000042 00000001 00000001 00000000'],
    ['of the type stream', '0000001c 20008086 00000001 00000042 00000003 00000001 00000000'],
    ['with the status continue', '0000001c 20008086 00000001 00000042 00000001 00000001 00000002'],
  ];
  test.each(broken)('with a frame %s is refused', (_, hex) => {
    expect(() => framesOf(golden(hex))).toThrow(
      expect.objectContaining({ code: 'PROTOCOL_VIOLATION' }) as Error,
    );
  });

  test('keeps nothing but the unfinished frame, and a length that is too large not even that', () => {
    const reader = new FrameReader(() => {}, 1024);
    reader.push(golden('00000400'));
    for (let sent = 4; sent < 1000; sent += 100) reader.push(Buffer.alloc(100));
    expect(reader.heldBytes).toBeLessThanOrEqual(1024);
    expect(() => new FrameReader(() => {}, 1024).push(golden('00000401'))).toThrow(
      'more than the 1024 allowed',
    );
  });
});
