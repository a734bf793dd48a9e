/** Events: registered, delivered in order, never from within the packet reader. */
import { describe, expect, test, vi } from 'vitest';
import { ScriptedDaemon, SILENCE } from '../../test/support/scripted-daemon.ts';
import { DOMAIN, frame, opened } from '../../test/support/opened-client.ts';
import { settle } from '../../test/support/virtual-clock.ts';
import { type Log, silentLog } from '../base/log.ts';
import { DOMAIN_EVENTS, NODE_DEVICE_EVENTS, procedures } from './index.ts';

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
