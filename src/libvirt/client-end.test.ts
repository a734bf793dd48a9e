/** The end of a connection, in order or not, and the keepalive that notices. */
import { describe, expect, test, vi } from 'vitest';
import { ScriptedDaemon, SILENCE } from '../../test/support/scripted-daemon.ts';
import { failure, frame, opened, STATE } from '../../test/support/opened-client.ts';
import { settle } from '../../test/support/virtual-clock.ts';
import { procedures } from './index.ts';

describe('the end of a connection', () => {
  test('rejects what was sent as unknown, what was not as unreachable, and tells once', async () => {
    const { client, daemon } = await opened(undefined, { maxInFlight: 1 });
    daemon.on(procedures.domainGetState, () => SILENCE);
    const told = vi.fn();
    client.onClose(told);
    const sent = failure(client.call(procedures.domainGetState, STATE));
    const queued = failure(client.call(procedures.domainGetState, STATE));
    await settle();
    daemon.close();
    expect(await sent).toMatchObject({ code: 'REPLY_LOST' });
    expect(await queued).toMatchObject({ code: 'HOST_UNREACHABLE' });
    expect(told).toHaveBeenCalledOnce();
    expect(told).toHaveBeenCalledWith(expect.objectContaining({ code: 'HOST_UNREACHABLE' }));
    expect(client.isOpen).toBe(false);
    expect(await failure(client.call(procedures.connectGetUri, {}))).toMatchObject({
      code: 'HOST_UNREACHABLE',
    });
    const late = vi.fn();
    client.onClose(late);
    await settle();
    expect(late).toHaveBeenCalledOnce();
  });

  test('in order says goodbye and gives no reason', async () => {
    const { client, clock, daemon } = await opened();
    const told = vi.fn();
    client.onClose(told);
    await client.close();
    expect(daemon.calls(procedures.connectClose)).toHaveLength(1);
    expect(told).toHaveBeenCalledExactlyOnceWith(null);
    expect(clock.pendingTimers).toBe(0);
    await client.close();
  });

  test('in order gives no reason either when the daemon closes first after the goodbye', async () => {
    const { client, daemon } = await opened();
    daemon.on(procedures.connectClose, (_args, request) => {
      daemon.reply(procedures.connectClose, request.serial, {});
      daemon.close();
      return SILENCE;
    });
    const told = vi.fn();
    client.onClose(told);
    await client.close();
    expect(told).toHaveBeenCalledExactlyOnceWith(null);
  });

  const broken: [string, Buffer][] = [
    ['an oversized frame', Buffer.from('7fffffff', 'hex')],
    ['a frame shorter than a header', Buffer.from('00000004', 'hex')],
    ['a reply nobody waits for', frame(1, 66, 1, 999)],
    ['a call from the daemon', frame(0, 66, 0, 1)],
  ];
  test.each(broken)('%s is a protocol violation', async (_, bytes) => {
    const { client, daemon } = await opened();
    daemon.on(procedures.domainGetState, () => SILENCE);
    const told = vi.fn();
    client.onClose(told);
    const call = failure(client.call(procedures.domainGetState, STATE));
    await settle();
    daemon.send(bytes);
    expect(await call).toMatchObject({ code: 'PROTOCOL_VIOLATION', kind: 'outcome_unknown' });
    await settle();
    expect(told).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ code: 'PROTOCOL_VIOLATION' }));
    expect(daemon.closed).toBe(true);
  });

  test('a reply cut off or of another procedure is a protocol violation', async () => {
    for (const [procedure, type] of [
      [212, 1],
      [66, 1],
    ] as const) {
      const { client, daemon } = await opened();
      daemon.on(procedures.domainGetState, (_args, request) => {
        daemon.send(frame(type, procedure, 0, request.serial));
        return SILENCE;
      });
      const error = await failure(client.call(procedures.domainGetState, STATE));
      expect(error).toMatchObject({ code: 'PROTOCOL_VIOLATION' });
    }
  });
});

describe('keepalive', () => {
  test('answers pings even while all places are taken', async () => {
    const { client, daemon } = await opened(undefined, { maxInFlight: 1 });
    daemon.on(procedures.domainGetState, () => SILENCE);
    const call = failure(client.call(procedures.domainGetState, STATE));
    await settle();
    daemon.ping();
    await settle();
    expect(daemon.pings).toEqual(['pong']);
    expect(client.pingsAnswered).toBe(1);
    await client.close();
    await call;
  });

  test('pings a silent daemon, and gives it up after the count', async () => {
    const { client, clock, daemon } = await opened(undefined, { keepalive: { intervalMs: 1000, count: 3 } });
    const told = vi.fn();
    client.onClose(told);
    await clock.advance(5000);
    expect(daemon.pings.length).toBeGreaterThan(1);
    expect(client.isOpen).toBe(true);
    daemon.answersPings = false;
    await clock.advance(5000);
    expect(told).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ code: 'HOST_UNREACHABLE' }));
  });

  test('does not ping a daemon that speaks anyway', async () => {
    const { client, clock, daemon } = await opened(undefined, { keepalive: { intervalMs: 1000, count: 3 } });
    for (let second = 0; second < 8; second++) {
      daemon.ping();
      await clock.advance(1000);
    }
    expect(daemon.pings.filter((kind) => kind === 'ping')).toEqual([]);
    expect(client.isOpen).toBe(true);
  });

  test('is not begun with a daemon that does not know it', async () => {
    const daemon = new ScriptedDaemon().on(procedures.connectSupportsFeature, () => ({ supported: false }));
    const { client, clock } = await opened(daemon, { keepalive: { intervalMs: 1000, count: 3 } });
    await clock.advance(60_000);
    expect(daemon.pings).toEqual([]);
    expect(client.isOpen).toBe(true);
  });
});
