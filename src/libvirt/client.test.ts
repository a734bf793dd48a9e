import { describe, expect, test, vi } from 'vitest';
import { Refusal, ScriptedDaemon, SILENCE } from '../../test/support/scripted-daemon.ts';
import { settle, VirtualClock } from '../../test/support/virtual-clock.ts';
import { HandoverError } from '../base/errors.ts';
import { type Log, silentLog } from '../base/log.ts';
import {
  type ClientOptions,
  type Domain,
  DOMAIN_EVENTS,
  encodeFrame,
  isLibvirtCode,
  libvirtCodeOf,
  NODE_DEVICE_EVENTS,
  openClient,
  procedures,
  PROGRAM,
} from './index.ts';

const DOMAIN: Domain = { name: 'web-1', uuid: '6695eb01-f6a4-8304-79aa-97f2502e193f', id: 1 };
const STATE = { dom: DOMAIN, flags: 0 };

async function opened(daemon = new ScriptedDaemon(), options: Partial<ClientOptions> = {}) {
  const clock = new VirtualClock();
  const client = await openClient(daemon.clientEnd, 'qemu:///system', {
    clock,
    log: silentLog,
    label: 'host-a',
    ...options,
  });
  return { client, clock, daemon };
}

/** What a promise rejected with; fails if it did not. */
async function failure(promise: Promise<unknown>): Promise<HandoverError> {
  const error: unknown = await promise.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(HandoverError);
  return error as HandoverError;
}

describe('opening', () => {
  test('asks for authentication, keepalive and the driver, in this order', async () => {
    const { daemon } = await opened();
    expect(daemon.requests.map((request) => request.name)).toEqual([
      'auth_list',
      'connect_supports_feature',
      'connect_open',
    ]);
    expect(daemon.calls(procedures.connectOpen)[0]?.args).toEqual({ name: 'qemu:///system', flags: 0 });
  });

  test('authenticates by polkit where that is all there is', async () => {
    const daemon = new ScriptedDaemon()
      .on(procedures.authList, () => ({ types: [2] }))
      .on(procedures.authPolkit, () => ({ complete: true }));
    await opened(daemon);
    expect(daemon.calls(procedures.authPolkit)).toHaveLength(1);
  });

  test('refuses a daemon that wants SASL, says what to use, and closes', async () => {
    const daemon = new ScriptedDaemon().on(procedures.authList, () => ({ types: [1] }));
    const error = await failure(opened(daemon));
    expect(error).toMatchObject({ code: 'HOST_REFUSED_CREDENTIALS' });
    expect(error.message).toContain('SASL');
    expect(daemon.closed).toBe(true);
  });

  test("passes on libvirt's refusal of the driver, and closes", async () => {
    const daemon = new ScriptedDaemon().on(procedures.connectOpen, () => {
      throw new Refusal(38, 'no connection driver available');
    });
    const error = await failure(opened(daemon));
    expect(libvirtCodeOf(error)).toBe(38);
    expect(daemon.closed).toBe(true);
  });

  test('of a daemon that does not answer is unreachable after the limit', async () => {
    const clock = new VirtualClock();
    const daemon = new ScriptedDaemon().on(procedures.authList, () => SILENCE);
    const attempt = failure(opened(daemon, { clock, openTimeoutMs: 700 }));
    await clock.advance(700);
    expect(await attempt).toMatchObject({ code: 'HOST_UNREACHABLE' });
    await settle();
    expect(daemon.closed).toBe(true);
  });

  test('ends with the reason of a stream that broke', async () => {
    const daemon = new ScriptedDaemon().on(procedures.authList, () => {
      daemon.clientEnd.break(new HandoverError('HOST_KEY_UNKNOWN', 'unknown key'));
      return SILENCE;
    });
    expect(await failure(opened(daemon))).toMatchObject({ code: 'HOST_KEY_UNKNOWN' });
  });

  test('can be given up, with the reason of the signal', async () => {
    const daemon = new ScriptedDaemon().on(procedures.authList, () => SILENCE);
    const controller = new AbortController();
    const attempt = failure(opened(daemon, { signal: controller.signal }));
    await settle();
    controller.abort(new HandoverError('CANCELLED', 'not wanted any more'));
    expect(await attempt).toMatchObject({ code: 'CANCELLED' });
  });
});

describe('calls', () => {
  test('answered in any order reach their callers', async () => {
    const { client, daemon } = await opened();
    daemon.on(procedures.domainGetState, () => SILENCE);
    const first = client.call(procedures.domainGetState, STATE);
    const second = client.call(procedures.domainGetState, STATE);
    await settle();
    const [one, two] = daemon.calls(procedures.domainGetState).map((request) => request.serial);
    daemon.reply(procedures.domainGetState, two ?? 0, { state: 3, reason: 1 });
    daemon.reply(procedures.domainGetState, one ?? 0, { state: 1, reason: 1 });
    expect(await first).toEqual({ state: 1, reason: 1 });
    expect(await second).toEqual({ state: 3, reason: 1 });
  });

  test("refused by libvirt keep libvirt's code, domain, level and text", async () => {
    const { client, daemon } = await opened();
    daemon.on(procedures.domainGetState, () => {
      throw new Refusal(42, 'Domain not found');
    });
    const error = await failure(client.call(procedures.domainGetState, STATE));
    expect(isLibvirtCode(error, 42)).toBe(true);
    expect(error.message).toBe('libvirt on host-a refused domain_get_state: Domain not found');
    expect(error.detail).toEqual({
      libvirtCode: 42,
      libvirtDomain: 10,
      level: 2,
      procedure: 'domain_get_state',
      libvirtMessage: 'Domain not found',
    });
  });

  test('are at most four at a time; the others wait their turn', async () => {
    const { client, daemon } = await opened();
    daemon.on(procedures.domainGetState, () => SILENCE);
    const calls = Array.from({ length: 9 }, () => client.call(procedures.domainGetState, STATE));
    await settle();
    expect(daemon.calls(procedures.domainGetState)).toHaveLength(4);
    expect(client.inFlight).toBe(4);
    for (let answered = 0; answered < 9; answered++) {
      const request = daemon.calls(procedures.domainGetState)[answered];
      daemon.reply(procedures.domainGetState, request?.serial ?? 0, { state: answered, reason: 0 });
      await settle();
      expect(client.inFlight).toBeLessThanOrEqual(4);
    }
    expect((await Promise.all(calls)).map((ret) => ret.state)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  });

  test('past their limit are an unknown outcome, keep their place, and the late reply is ignored', async () => {
    const { client, clock, daemon } = await opened(undefined, { maxInFlight: 1 });
    daemon.on(procedures.domainGetState, () => SILENCE).on(procedures.connectGetUri, () => ({ uri: 'x' }));
    const slow = failure(client.call(procedures.domainGetState, STATE, { timeoutMs: 100 }));
    await clock.advance(100);
    expect(await slow).toMatchObject({ code: 'CALL_TIMED_OUT', kind: 'outcome_unknown' });
    const next = client.call(procedures.connectGetUri, {});
    await settle();
    expect(daemon.calls(procedures.connectGetUri)).toHaveLength(0);
    const { serial } = daemon.calls(procedures.domainGetState)[0] ?? { serial: 0 };
    daemon.reply(procedures.domainGetState, serial, { state: 1, reason: 0 });
    expect(await next).toEqual({ uri: 'x' });
  });

  test('that could not be sent within their limit are unreachable, and never sent', async () => {
    const { client, clock, daemon } = await opened(undefined, { maxInFlight: 1 });
    daemon.on(procedures.domainGetState, () => SILENCE);
    const blocking = failure(client.call(procedures.domainGetState, STATE, { timeoutMs: 10_000 }));
    const waiting = failure(client.call(procedures.connectGetUri, {}, { timeoutMs: 100 }));
    await clock.advance(100);
    expect(await waiting).toMatchObject({ code: 'HOST_UNREACHABLE', retry: 'safe' });
    await client.close();
    await blocking;
    expect(daemon.calls(procedures.connectGetUri)).toHaveLength(0);
  });

  test('given up while queued reject with the reason and are never sent', async () => {
    const { client, daemon } = await opened(undefined, { maxInFlight: 1 });
    daemon.on(procedures.domainGetState, () => SILENCE);
    const controller = new AbortController();
    const blocking = failure(client.call(procedures.domainGetState, STATE));
    const waiting = failure(client.call(procedures.connectGetUri, {}, { signal: controller.signal }));
    await settle();
    controller.abort(new HandoverError('CANCELLED', 'stop'));
    expect(await waiting).toMatchObject({ code: 'CANCELLED' });
    await client.close();
    await blocking;
    expect(daemon.calls(procedures.connectGetUri)).toHaveLength(0);
  });

  test('given up after they were sent are an unknown outcome', async () => {
    const { client, daemon } = await opened();
    daemon.on(procedures.domainGetState, () => SILENCE);
    const controller = new AbortController();
    const call = failure(client.call(procedures.domainGetState, STATE, { signal: controller.signal }));
    await settle();
    controller.abort(new HandoverError('CANCELLED', 'stop'));
    const error = await call;
    expect(error).toMatchObject({ code: 'REPLY_LOST', kind: 'outcome_unknown' });
    expect(error.cause).toMatchObject({ code: 'CANCELLED' });
  });

  test('with arguments that do not fit are refused without disturbing others', async () => {
    const { client, daemon } = await opened();
    daemon.on(procedures.connectGetUri, () => ({ uri: 'x' }));
    const bad = failure(client.call(procedures.domainGetState, { dom: { ...DOMAIN, uuid: 'x' }, flags: 0 }));
    expect(await bad).toMatchObject({ code: 'INVALID_INPUT' });
    expect(await client.call(procedures.connectGetUri, {})).toEqual({ uri: 'x' });
  });
});

describe('the end of a connection', () => {
  test('rejects what was sent as unknown, what was not as unreachable, and tells listeners once', async () => {
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

describe('events', () => {
  function listeningDaemon() {
    let next = 5;
    return new ScriptedDaemon()
      .on(procedures.connectDomainEventCallbackRegisterAny, () => ({ callbackId: next++ }))
      .on(procedures.connectNodeDeviceEventRegisterAny, () => ({ callbackId: 5 }))
      .on(procedures.connectDomainEventCallbackDeregisterAny, () => ({}))
      .on(procedures.connectNodeDeviceEventDeregisterAny, () => ({}));
  }
  const removed = (callbackId: number, alias: string) => ({ callbackId, dom: DOMAIN, alias });

  test('reach their listener in order, until it is taken off', async () => {
    const { client, daemon } = await opened(listeningDaemon());
    const aliases: string[] = [];
    const subscription = await client.on(DOMAIN_EVENTS.deviceRemoved, DOMAIN, (event) =>
      aliases.push(event.alias),
    );
    daemon.event(DOMAIN_EVENTS.deviceRemoved, removed(5, 'a'));
    daemon.event(DOMAIN_EVENTS.deviceRemoved, removed(6, 'not registered'));
    daemon.event(DOMAIN_EVENTS.deviceRemoved, removed(5, 'b'));
    await settle();
    expect(aliases).toEqual(['a', 'b']);
    await subscription.off();
    daemon.event(DOMAIN_EVENTS.deviceRemoved, removed(5, 'late'));
    await settle();
    expect(aliases).toEqual(['a', 'b']);
    expect(daemon.calls(procedures.connectDomainEventCallbackDeregisterAny)[0]?.args).toEqual({
      callbackId: 5,
    });
  });

  test('that follow the registration in the same packet are not lost', async () => {
    const daemon = listeningDaemon();
    const { client } = await opened(daemon);
    daemon.on(procedures.connectDomainEventCallbackRegisterAny, (_args, request) => {
      daemon.reply(procedures.connectDomainEventCallbackRegisterAny, request.serial, { callbackId: 9 });
      daemon.event(DOMAIN_EVENTS.deviceRemoved, removed(9, 'at once'));
      return SILENCE;
    });
    const listener = vi.fn();
    await client.on(DOMAIN_EVENTS.deviceRemoved, null, listener);
    await settle();
    expect(listener).toHaveBeenCalledOnce();
  });

  test('of domains and of devices have callback ids of their own', async () => {
    const { client, daemon } = await opened(listeningDaemon());
    const domain = vi.fn();
    const device = vi.fn();
    await client.on(DOMAIN_EVENTS.deviceRemoved, null, domain);
    await client.on(NODE_DEVICE_EVENTS.lifecycle, null, device);
    daemon.event(NODE_DEVICE_EVENTS.lifecycle, {
      callbackId: 5,
      device: { name: 'net_x' },
      event: 0,
      detail: 0,
    });
    await settle();
    expect(domain).not.toHaveBeenCalled();
    expect(device).toHaveBeenCalledOnce();
  });

  test('whose listener throws disturb neither other listeners nor the connection', async () => {
    const errors: string[] = [];
    const log: Log = { ...silentLog, child: () => log, error: (message) => errors.push(message) };
    const { client, daemon } = await opened(listeningDaemon(), { log });
    const good = vi.fn();
    await client.on(DOMAIN_EVENTS.deviceRemoved, null, () => {
      throw new Error('bad listener');
    });
    await client.on(DOMAIN_EVENTS.deviceRemoved, null, good);
    daemon.event(DOMAIN_EVENTS.deviceRemoved, removed(5, 'a'));
    daemon.event(DOMAIN_EVENTS.deviceRemoved, removed(6, 'a'));
    await settle();
    expect(good).toHaveBeenCalledOnce();
    expect(errors).toHaveLength(1);
    expect(client.isOpen).toBe(true);
  });

  test('nobody asked for are ignored, malformed ones are not', async () => {
    const { client, daemon } = await opened(listeningDaemon());
    daemon.send(frame(2, 376, 0, 0));
    daemon.send(frame(2, 333, 0, 0));
    await settle();
    expect(client.isOpen).toBe(true);
    await client.on(DOMAIN_EVENTS.deviceRemoved, null, () => {});
    daemon.send(frame(2, 333, 0, 0));
    await settle();
    expect(client.isOpen).toBe(false);
  });

  test('may be handled by calls from within a listener', async () => {
    const { client, daemon } = await opened(listeningDaemon());
    daemon.on(procedures.domainGetState, () => ({ state: 1, reason: 2 }));
    const seen = new Promise<number>((resolve) => {
      void client.on(DOMAIN_EVENTS.deviceRemoved, null, (event) => {
        void client
          .call(procedures.domainGetState, { dom: event.dom, flags: 0 })
          .then((ret) => resolve(ret.reason));
      });
    });
    await settle();
    daemon.event(DOMAIN_EVENTS.deviceRemoved, removed(5, 'a'));
    expect(await seen).toBe(2);
  });
});

/** An empty frame of the remote program. */
function frame(type: number, procedure: number, status: number, serial: number): Buffer {
  return encodeFrame(
    { program: PROGRAM.remote, procedure, type, serial, status },
    procedures.authList.args,
    {},
  );
}
