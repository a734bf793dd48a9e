/** Opening a connection, and calls on it. */
import { describe, expect, test } from 'vitest';
import { Refusal, ScriptedDaemon, SILENCE } from '../../test/support/scripted-daemon.ts';
import { DOMAIN, failure, opened, STATE } from '../../test/support/opened-client.ts';
import { settle, VirtualClock } from '../../test/support/virtual-clock.ts';
import { HandoverError } from '../base/errors.ts';
import { isLibvirtCode, libvirtCodeOf, procedures } from './index.ts';

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

  test('past their limit are an unknown outcome and keep their place until the late reply', async () => {
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

  test('behind calls that were all given up end the connection, so that a new one is dialled', async () => {
    const { client, clock, daemon } = await opened(undefined, { maxInFlight: 1 });
    daemon.on(procedures.domainGetState, () => SILENCE);
    const stuck = failure(client.call(procedures.domainGetState, STATE, { timeoutMs: 100 }));
    await clock.advance(100);
    expect(await stuck).toMatchObject({ code: 'CALL_TIMED_OUT' });
    const ended = new Promise((resolve) => client.onClose(resolve));
    const waiting = failure(client.call(procedures.connectGetUri, {}, { timeoutMs: 100 }));
    await clock.advance(100);
    expect(await waiting).toMatchObject({ code: 'HOST_UNREACHABLE', retry: 'safe' });
    expect(await ended).toMatchObject({ code: 'HOST_UNREACHABLE' });
    expect(daemon.closed).toBe(true);
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
