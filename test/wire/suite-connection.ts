/** Part of the wire suite: opening, versions, keepalive, errors, the end of a connection. */
import { describe, expect, test } from 'vitest';
import { type HandoverError, isCode } from '../../src/base/errors.ts';
import { isLibvirtCode, LIBVIRT_CODE, procedures } from '../../src/libvirt/index.ts';
import { eventually } from '../support/eventually.ts';
import { failureOf } from './suite-tools.ts';
import type { SuiteContext } from './wire-suite.ts';

/** Declares the tests of this part. */
export function connectionTests(context: SuiteContext): void {
  describe('a connection', () => {
    test('opens the driver and tells the versions, 9.0 at least', async () => {
      const client = await context.open(context.a);
      expect(await client.call(procedures.connectGetType, {})).toEqual({ type: 'QEMU' });
      expect(await client.call(procedures.connectGetUri, {})).toEqual({ uri: 'qemu:///system' });
      const { libVersion } = await client.call(procedures.connectGetLibVersion, {});
      expect(libVersion).toBeGreaterThanOrEqual(9_000_000n);
      const { hvVersion } = await client.call(procedures.connectGetVersion, {});
      expect(hvVersion).toBeGreaterThanOrEqual(6_000_000n);
    });

    test('closes in order and then refuses calls as not sent', async () => {
      const client = await context.open(context.a);
      await client.close();
      expect(await failureOf(client.call(procedures.connectGetUri, {}))).toMatchObject({
        code: 'HOST_UNREACHABLE',
      });
    });

    test("answers the daemon's pings and outlives many intervals of silence", async () => {
      const client = await context.open(context.a, { keepalive: { intervalMs: 1000, count: 3 } });
      await eventually('pings of the daemon', () => client.pingsAnswered >= 2);
      expect(await client.call(procedures.connectGetUri, {})).toEqual({ uri: 'qemu:///system' });
    });

    test('carries errors with their code', async () => {
      const client = await context.open(context.a);
      const unknown = await failureOf(client.call(procedures.domainLookupByName, { name: 'nobody' }));
      expect(isLibvirtCode(unknown, LIBVIRT_CODE.noDomain)).toBe(true);
      expect((unknown as HandoverError).detail).toMatchObject({
        procedure: 'domain_lookup_by_name',
        level: 2,
      });
    });

    test('serves many calls made at once, each with its own answer', async () => {
      const client = await context.open(context.a);
      const calls = Array.from({ length: 50 }, (_, index) =>
        index % 2 === 0
          ? client.call(procedures.connectGetUri, {}).then(({ uri }) => uri)
          : failureOf(client.call(procedures.domainLookupByName, { name: `nobody-${index}` })),
      );
      const answers = await Promise.all(calls);
      answers.forEach((answer, index) => {
        if (index % 2 === 0) expect(answer).toBe('qemu:///system');
        else expect((answer as HandoverError).message).toContain(`nobody-${index}`);
      });
      expect(client.inFlight).toBe(0);
    });

    test('whose daemon is killed ends at once, and what was pending is an unknown outcome', async () => {
      const server = await context.startAnother();
      const client = await context.open(server);
      const reasons: (HandoverError | null)[] = [];
      client.onClose((reason) => reasons.push(reason));
      const errors: unknown[] = [];
      let stop = false;
      const busy = (async () => {
        while (!stop) {
          const error = await failureOf(client.call(procedures.nodeGetFreeMemory, {}));
          if (error !== undefined) errors.push(error);
          stop ||= !client.isOpen;
        }
      })();
      await server.kill();
      await eventually('end of the connection', () => reasons.length > 0);
      await busy;
      expect(reasons).toEqual([expect.objectContaining({ code: 'HOST_UNREACHABLE' })]);
      for (const error of errors) expect(isCode(error, 'REPLY_LOST', 'HOST_UNREACHABLE')).toBe(true);
    });
  });
}
