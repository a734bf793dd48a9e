/** Part of the wire suite: the life of a domain, its devices and its metadata. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemRandom } from '../../src/base/random.ts';
import {
  AFFECT,
  attr,
  child,
  children,
  descendants,
  type Domain,
  DOMAIN_EVENTS,
  DOMAIN_STATE,
  DOMAIN_STATS,
  DOMAIN_XML,
  isLibvirtCode,
  JOB_TYPE,
  type LibvirtClient,
  LIBVIRT_CODE,
  LIFECYCLE_DETAIL,
  LIFECYCLE_EVENT,
  METADATA_TYPE,
  parseXml,
  paramsObject,
  PAUSED_REASON,
  procedures,
  RUNNING_REASON,
} from '../../src/libvirt/index.ts';
import { eventually } from '../support/eventually.ts';
import { failureOf, PATIENCE_MS, removeDomain, tinyDomain, watch } from './suite-tools.ts';
import type { SuiteContext } from './wire-suite.ts';

const NAMESPACE = 'https://handover.test/wire';
const TABLET = "<input type='tablet' bus='usb'><alias name='ua-tablet'/></input>";

/** Declares the tests of this part. */
export function domainTests(context: SuiteContext): void {
  describe('a domain', () => {
    const uuid = systemRandom.uuid();
    const name = `wire-${uuid.slice(0, 8)}`;
    let client: LibvirtClient;
    let dom: Domain;

    beforeAll(async () => {
      client = await context.open(context.a, { callTimeoutMs: PATIENCE_MS });
      dom = (
        await client.call(procedures.domainDefineXmlFlags, { xml: tinyDomain(name, 32, uuid), flags: 0 })
      ).dom;
    });
    afterAll(() => removeDomain(client, uuid));

    const xmlOf = async (flags = 0) =>
      parseXml((await client.call(procedures.domainGetXmlDesc, { dom, flags })).xml);
    const stateOf = () => client.call(procedures.domainGetState, { dom, flags: 0 });

    test('is defined, found by name and UUID, and listed as inactive', async () => {
      expect(dom).toEqual({ name, uuid, id: -1 });
      expect((await client.call(procedures.domainLookupByName, { name })).dom).toEqual(dom);
      expect((await client.call(procedures.domainLookupByUuid, { uuid })).dom).toEqual(dom);
      const { domains } = await client.call(procedures.connectListAllDomains, {
        needResults: true,
        flags: 2,
      });
      expect(domains).toContainEqual(dom);
      expect((await stateOf()).state).toBe(DOMAIN_STATE.shutoff);
    });

    test('keeps autostart until it is changed', async () => {
      for (const autostart of [true, false]) {
        await client.call(procedures.domainSetAutostart, { dom, autostart });
        expect(await client.call(procedures.domainGetAutostart, { dom })).toEqual({ autostart });
      }
    });

    test('starts, pauses and resumes, each with its event and reason', async () => {
      const { find, subscription } = await watch(client, DOMAIN_EVENTS.lifecycle, dom);
      dom = (await client.call(procedures.domainCreateWithFlags, { dom, flags: 0 })).dom;
      expect(dom.id).toBeGreaterThan(0);
      const came = (event: number, detail: number) =>
        eventually(`event ${event}/${detail}`, () =>
          find((one) => one.event === event && one.detail === detail),
        );
      await came(LIFECYCLE_EVENT.started, LIFECYCLE_DETAIL.started.booted);
      expect(await stateOf()).toEqual({ state: DOMAIN_STATE.running, reason: RUNNING_REASON.booted });
      await client.call(procedures.domainSuspend, { dom });
      await came(LIFECYCLE_EVENT.suspended, LIFECYCLE_DETAIL.suspended.paused);
      expect(await stateOf()).toEqual({ state: DOMAIN_STATE.paused, reason: PAUSED_REASON.user });
      await client.call(procedures.domainResume, { dom });
      await came(LIFECYCLE_EVENT.resumed, LIFECYCLE_DETAIL.resumed.unpaused);
      expect(await stateOf()).toEqual({ state: DOMAIN_STATE.running, reason: RUNNING_REASON.unpaused });
      expect((await client.call(procedures.domainLookupById, { id: dom.id })).dom).toEqual(dom);
      await subscription.off();
    });

    test('is described live and as defined', async () => {
      expect(attr(await xmlOf(), 'id')).toBe(String(dom.id));
      expect(attr(await xmlOf(DOMAIN_XML.inactive), 'id')).toBeUndefined();
      const info = await client.call(procedures.domainGetInfo, { dom });
      expect(info).toMatchObject({ state: DOMAIN_STATE.running, memoryKiB: 32n * 1024n, vcpus: 1 });
      expect(await client.call(procedures.domainIsPersistent, { dom })).toEqual({ persistent: true });
      expect(await client.call(procedures.domainIsActive, { dom })).toEqual({ active: true });
      const { records } = await client.call(procedures.connectGetAllDomainStats, {
        doms: [dom],
        stats: DOMAIN_STATS.state,
        flags: 0,
      });
      expect(paramsObject(records[0]?.params ?? [])).toMatchObject({ 'state.state': DOMAIN_STATE.running });
    });

    test('takes a device and gives it back by its alias; only the event says that it is gone', async () => {
      const added = await watch(client, DOMAIN_EVENTS.deviceAdded, dom);
      const removed = await watch(client, DOMAIN_EVENTS.deviceRemoved, null);
      await client.call(procedures.domainAttachDeviceFlags, { dom, xml: TABLET, flags: AFFECT.live });
      await eventually('device added', () => added.find((event) => event.alias === 'ua-tablet'));
      const hasTablet = async () =>
        descendants(await xmlOf()).some((one) => one.name === 'alias' && attr(one, 'name') === 'ua-tablet');
      expect(await hasTablet()).toBe(true);
      const again = client.call(procedures.domainAttachDeviceFlags, { dom, xml: TABLET, flags: AFFECT.live });
      expect(await failureOf(again)).toMatchObject({ code: 'LIBVIRT_REFUSED' });
      await client.call(procedures.domainDetachDeviceAlias, { dom, alias: 'ua-tablet', flags: AFFECT.live });
      await eventually('device removed', () => removed.find((event) => event.alias === 'ua-tablet'));
      expect(await hasTablet()).toBe(false);
      const gone = client.call(procedures.domainDetachDeviceAlias, {
        dom,
        alias: 'ua-tablet',
        flags: AFFECT.live,
      });
      expect(await failureOf(gone)).toMatchObject({ code: 'LIBVIRT_REFUSED' });
      await added.subscription.off();
      await removed.subscription.off();
    });

    test('keeps metadata of ours, live and in its definition, until it is deleted', async () => {
      const args = { dom, type: METADATA_TYPE.element, uri: NAMESPACE };
      const both = AFFECT.live | AFFECT.config;
      await client.call(procedures.domainSetMetadata, {
        ...args,
        metadata: '<mark by="us"/>',
        key: 'w',
        flags: both,
      });
      const { metadata } = await client.call(procedures.domainGetMetadata, { ...args, flags: AFFECT.live });
      expect(attr(parseXml(metadata), 'by')).toBe('us');
      const inDefinition = children(child(await xmlOf(DOMAIN_XML.inactive), 'metadata'));
      expect(inDefinition.map((one) => attr(one, 'xmlns:w'))).toEqual([NAMESPACE]);
      await client.call(procedures.domainSetMetadata, { ...args, metadata: null, key: null, flags: both });
      const gone = await failureOf(
        client.call(procedures.domainGetMetadata, { ...args, flags: AFFECT.live }),
      );
      expect(isLibvirtCode(gone, LIBVIRT_CODE.noDomainMetadata)).toBe(true);
    });

    test('has no job, no messages and takes migration limits', async () => {
      expect(await client.call(procedures.domainGetJobStats, { dom, flags: 0 })).toEqual({
        type: JOB_TYPE.none,
        params: [],
      });
      await client.call(procedures.domainMigrateSetMaxSpeed, { dom, value: 77n, flags: 0 });
      expect(await client.call(procedures.domainMigrateGetMaxSpeed, { dom, flags: 0 })).toEqual({
        value: 77n,
      });
      const noJob = await failureOf(client.call(procedures.domainAbortJob, { dom }));
      expect(isLibvirtCode(noJob, LIBVIRT_CODE.operationInvalid)).toBe(true);
      const { messages } = await client.call(procedures.domainGetMessages, { dom, flags: 0 });
      expect(Array.isArray(messages)).toBe(true);
    });

    test('without an agent says so', async () => {
      const ping = { dom, cmd: '{"execute":"guest-ping"}', timeoutS: 1, flags: 0 };
      expect(await failureOf(client.call(procedures.qemuAgentCommand, ping))).toMatchObject({
        code: 'LIBVIRT_REFUSED',
      });
    });

    test('is refused a second time under its name, and as nonsense', async () => {
      const twin = client.call(procedures.domainDefineXmlFlags, { xml: tinyDomain(name), flags: 0 });
      expect(await failureOf(twin)).toMatchObject({ code: 'LIBVIRT_REFUSED' });
      const nonsense = client.call(procedures.domainDefineXmlFlags, { xml: '<domain', flags: 0 });
      expect(isLibvirtCode(await failureOf(nonsense), LIBVIRT_CODE.xmlDetail)).toBe(true);
    });

    test('is destroyed with its event, then undefined and unknown', async () => {
      const { find, subscription } = await watch(client, DOMAIN_EVENTS.lifecycle, null);
      await client.call(procedures.domainDestroyFlags, { dom, flags: 0 });
      await eventually('stopped event', () =>
        find(
          (one) =>
            one.dom.uuid === uuid &&
            one.event === LIFECYCLE_EVENT.stopped &&
            one.detail === LIFECYCLE_DETAIL.stopped.destroyed,
        ),
      );
      await client.call(procedures.domainUndefineFlags, { dom, flags: 0 });
      await eventually('undefined event', () => find((one) => one.event === LIFECYCLE_EVENT.undefined));
      const gone = await failureOf(client.call(procedures.domainLookupByUuid, { uuid }));
      expect(isLibvirtCode(gone, LIBVIRT_CODE.noDomain)).toBe(true);
      await subscription.off();
    });

    test('may be transient: created from XML, gone when destroyed', async () => {
      const transient = tinyDomain(`wire-transient-${uuid.slice(0, 8)}`);
      const created = (await client.call(procedures.domainCreateXml, { xml: transient, flags: 0 })).dom;
      expect(await client.call(procedures.domainIsPersistent, { dom: created })).toEqual({
        persistent: false,
      });
      await client.call(procedures.domainDestroyFlags, { dom: created, flags: 0 });
      const gone = await failureOf(client.call(procedures.domainLookupByUuid, { uuid: created.uuid }));
      expect(isLibvirtCode(gone, LIBVIRT_CODE.noDomain)).toBe(true);
    });
  });
}
