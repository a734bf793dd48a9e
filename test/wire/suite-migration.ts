/**
 * Part of the wire suite: a domain moves between two servers, peer-to-peer, driven by us, and not when
 * aborted.
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemRandom } from '../../src/base/random.ts';
import {
  type Domain,
  DOMAIN_EVENTS,
  DOMAIN_STATE,
  isLibvirtCode,
  JOB_OPERATION,
  JOB_STATS,
  JOB_TYPE,
  type LibvirtClient,
  LIBVIRT_CODE,
  LIFECYCLE_DETAIL,
  LIFECYCLE_EVENT,
  MIGRATE,
  MIGRATE_PARAM,
  migrateDirect,
  migratePeerToPeer,
  param,
  paramNumber,
  paramsObject,
  procedures,
} from '../../src/libvirt/index.ts';
import { eventually } from '../support/eventually.ts';
import { failureOf, PATIENCE_MS, removeDomain, tinyDomain, watch } from './suite-tools.ts';
import type { SuiteContext } from './wire-suite.ts';

const TRANSFER_LIMIT_MS = 150_000;
/** Even pages of zeros cost bandwidth, so much memory at 1 MiB/s takes ten seconds; little costs nothing. */
const SLOW_MEMORY_MIB = 4096;
const SLOW = [param.ullong(MIGRATE_PARAM.bandwidth, 1n)];

/** Declares the tests of this part. */
export function migrationTests(context: SuiteContext): void {
  describe('a migration', () => {
    let source: LibvirtClient;
    let target: LibvirtClient;
    let uuid: string;

    beforeEach(async () => {
      source = await context.open(context.a, { callTimeoutMs: PATIENCE_MS });
      target = await context.open(context.b, { callTimeoutMs: PATIENCE_MS });
      uuid = systemRandom.uuid();
    });
    afterEach(async () => {
      await removeDomain(source, uuid);
      await removeDomain(target, uuid);
    });

    async function running(memoryMiB = 32): Promise<Domain> {
      const xml = tinyDomain(`wire-${uuid.slice(0, 8)}`, memoryMiB, uuid);
      const { dom } = await source.call(procedures.domainDefineXmlFlags, { xml, flags: 0 });
      return (await source.call(procedures.domainCreateWithFlags, { dom, flags: 0 })).dom;
    }
    const stateOn = async (client: LibvirtClient) => {
      const found = await client.call(procedures.domainLookupByUuid, { uuid }).catch(() => null);
      return found && (await client.call(procedures.domainGetState, { dom: found.dom, flags: 0 })).state;
    };

    test(
      'peer-to-peer ends with the domain running and defined on the target, and nothing on the source',
      async () => {
        const dom = await running();
        const arrivals = await watch(target, DOMAIN_EVENTS.lifecycle);
        const departures = await watch(source, DOMAIN_EVENTS.lifecycle, dom);
        const completed = await watch(source, DOMAIN_EVENTS.jobCompleted);
        await migratePeerToPeer({
          source: await context.open(context.a),
          domain: dom,
          peerUri: context.b.peerUri,
          flags: MIGRATE.live | MIGRATE.persistDest | MIGRATE.undefineSource,
          params: [],
          timeoutMs: TRANSFER_LIMIT_MS,
        });
        expect(await stateOn(target)).toBe(DOMAIN_STATE.running);
        expect(await stateOn(source)).toBeNull();
        const arrived = (await target.call(procedures.domainLookupByUuid, { uuid })).dom;
        expect(await target.call(procedures.domainIsPersistent, { dom: arrived })).toEqual({
          persistent: true,
        });
        await eventually('resumed event on the target', () =>
          arrivals.find(
            (one) =>
              one.dom.uuid === uuid &&
              one.event === LIFECYCLE_EVENT.resumed &&
              one.detail === LIFECYCLE_DETAIL.resumed.migrated,
          ),
        );
        await eventually('stopped event on the source', () =>
          departures.find(
            (one) =>
              one.event === LIFECYCLE_EVENT.stopped && one.detail === LIFECYCLE_DETAIL.stopped.migrated,
          ),
        );
        const job = await eventually('job completed', () => completed.find((one) => one.dom.uuid === uuid));
        expect(paramNumber(job.params, 'downtime')).toBeGreaterThanOrEqual(0);
      },
      TRANSFER_LIMIT_MS,
    );

    test(
      'driven by us, without a connection between the daemons, ends the same',
      async () => {
        const dom = await running();
        const arrived = await migrateDirect({
          source: await context.open(context.a),
          target,
          domain: dom,
          flags: MIGRATE.live | MIGRATE.persistDest | MIGRATE.undefineSource,
          params: [],
          performTimeoutMs: TRANSFER_LIMIT_MS,
          phaseTimeoutMs: PATIENCE_MS,
        });
        expect(arrived.uuid).toBe(uuid);
        expect(await stateOn(target)).toBe(DOMAIN_STATE.running);
        expect(await stateOn(source)).toBeNull();
        const { type, params } = await target.call(procedures.domainGetJobStats, {
          dom: arrived,
          flags: JOB_STATS.completed,
        });
        expect(type).toBe(JOB_TYPE.completed);
        expect(paramsObject(params)).toMatchObject({ operation: JOB_OPERATION.migrationIn });
      },
      TRANSFER_LIMIT_MS,
    );

    const ways = {
      'peer-to-peer': async (domain: Domain) =>
        migratePeerToPeer({
          source: await context.open(context.a),
          domain,
          peerUri: context.b.peerUri,
          flags: MIGRATE.live,
          params: SLOW,
          timeoutMs: TRANSFER_LIMIT_MS,
        }),
      'driven by us': async (domain: Domain) => {
        await migrateDirect({
          source: await context.open(context.a),
          target,
          domain,
          flags: MIGRATE.live,
          params: SLOW,
          performTimeoutMs: TRANSFER_LIMIT_MS,
          phaseTimeoutMs: PATIENCE_MS,
        });
      },
    };
    for (const [way, migrate] of Object.entries(ways)) {
      test(
        `${way} and aborted fails with code 78 and leaves the domain running on the source only`,
        async () => {
          const dom = await running(SLOW_MEMORY_MIB);
          const outcome = failureOf(migrate(dom));
          await eventually('transfer under way', async () => {
            const { type, params } = await source.call(procedures.domainGetJobStats, { dom, flags: 0 });
            return type === JOB_TYPE.unbounded && (paramNumber(params, 'memory_processed') ?? 0) > 0;
          });
          await source.call(procedures.domainAbortJob, { dom });
          expect(isLibvirtCode(await outcome, LIBVIRT_CODE.operationAborted)).toBe(true);
          expect(await stateOn(source)).toBe(DOMAIN_STATE.running);
          await eventually('nothing on the target', async () => (await stateOn(target)) === null);
          const { type } = await source.call(procedures.domainGetJobStats, { dom, flags: 0 });
          expect(type).toBe(JOB_TYPE.none);
        },
        TRANSFER_LIMIT_MS,
      );
    }

    test('is checked beforehand without starting anything', async () => {
      const dom = await running();
      const { xml } = await source.call(procedures.domainMigrateBegin3Params, {
        dom,
        params: [],
        flags: MIGRATE.live,
      });
      expect(xml).toContain(uuid);
      const { type } = await source.call(procedures.domainGetJobStats, { dom, flags: 0 });
      expect(type).toBe(JOB_TYPE.none);
    });

    test('of a domain that is not there is refused', async () => {
      const dom = { name: 'nobody', uuid, id: -1 };
      const error = await failureOf(
        source.call(procedures.domainMigrateBegin3Params, { dom, params: [], flags: MIGRATE.live }),
      );
      expect(isLibvirtCode(error, LIBVIRT_CODE.noDomain)).toBe(true);
    });
  });
}
