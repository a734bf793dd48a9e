/** Fault rules: when they apply, and what they do to calls, events, bytes and migrations. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { seededRandom } from '../base/random.ts';
import { type Domain, type LibvirtClient, MIGRATE, param, procedures } from '../libvirt/index.ts';
import { SimWorld } from '../../test/support/sim-fleet.ts';
import { FaultTable } from './faults.ts';

const RUNNING = 1;
const PAUSED = 3;

describe('a rule', () => {
  const table = () => new FaultTable(seededRandom(7));
  const hits = (faults: FaultTable, count: number, host = 'host-a') =>
    Array.from({ length: count }, () => faults.ofCall('domainGetState', host) !== null);
  const procedure = 'domainGetState';

  test('applies to its procedure on its host, every time', () => {
    const faults = table();
    faults.add({ procedure, host: 'host-a', effect: { type: 'hang' } });
    expect(hits(faults, 2)).toEqual([true, true]);
    expect(hits(faults, 1, 'host-b')).toEqual([false]);
    expect(faults.ofCall('domainCreate', 'host-a')).toBeNull();
    expect(faults.ofEvent(procedure, 'host-a')).toBeNull();
  });

  test('with nth applies then and at no other time, whatever rules there are beside it', () => {
    const faults = table();
    faults.add({ procedure, nth: 2, effect: { type: 'dropReply' } });
    faults.add({ procedure, nth: 3, effect: { type: 'hang' } });
    expect(Array.from({ length: 4 }, () => faults.ofCall(procedure, 'a')?.effect?.type)).toEqual([
      undefined,
      'dropReply',
      'hang',
      undefined,
    ]);
  });

  test('with maxCount applies so often; how often is told', () => {
    const faults = table();
    faults.add({ procedure, maxCount: 2 });
    expect(hits(faults, 3)).toEqual([true, true, false]);
    expect(faults.list()).toEqual([{ rule: { procedure, maxCount: 2 }, applied: 2 }]);
  });

  test('with a probability is decided by the seed', () => {
    const drawn = () => {
      const faults = table();
      faults.add({ procedure, probability: 0.5 });
      return hits(faults, 40);
    };
    expect(drawn()).toEqual(drawn());
    const applied = drawn().filter(Boolean).length;
    expect(applied).toBeGreaterThan(5);
    expect(applied).toBeLessThan(35);
  });

  test('can be taken back, alone or with all others', () => {
    const faults = table();
    const takeBack = faults.add({ procedure });
    takeBack();
    expect(hits(faults, 1)).toEqual([false]);
    faults.add({ procedure });
    faults.clear();
    expect(hits(faults, 1)).toEqual([false]);
  });
});

describe('on simulated hosts', () => {
  let world: SimWorld;
  let a: LibvirtClient;
  let dom: Domain;

  beforeEach(async () => {
    world = new SimWorld();
    a = await world.watch('host-a');
    dom = await world.domain(a, 'web-1');
  });
  afterEach(() => world.close());

  const stateOn = (host: string) => world.fleet.host(host).domains.get(dom.uuid)?.state;
  const suspend = () => world.run(a.call(procedures.domainSuspend, { dom }));
  const hostname = (client: LibvirtClient) => world.run(client.call(procedures.connectGetHostname, {}));

  test('a call is late, and done', async () => {
    world.fleet.faults.add({ procedure: 'domainSuspend', delayMs: 1000 });
    const before = world.clock.monotonicMs();
    await suspend();
    expect(world.clock.monotonicMs() - before).toBeGreaterThanOrEqual(1000);
    expect(stateOn('host-a')).toBe(PAUSED);
  });

  test('closeConnection ends the connection while the call goes on', async () => {
    world.fleet.faults.add({ procedure: 'domainSuspend', effect: { type: 'closeConnection' } });
    await expect(suspend()).rejects.toMatchObject({ code: 'REPLY_LOST' });
    await world.until('the call done', () => stateOn('host-a') === PAUSED);
  });

  test('an act comes before the call, or in the midst of it', async () => {
    const act = { do: 'destroy', host: 'host-a', domain: 'web-1' } as const;
    world.fleet.faults.add({ procedure: 'domainSuspend', nth: 1, effect: { type: 'act', act } });
    await expect(suspend()).rejects.toMatchObject({ detail: { libvirtCode: 55 } });
    const delayMs = 100;
    const blow = { type: 'restartLibvirtd', restartAfterMs: null } as const;
    world.fleet.faults.add({ procedure: 'connectGetHostname', delayMs, effect: blow });
    await hostname(a);
    await world.until('libvirtd gone', () => !world.fleet.host('host-a').daemonUp);
  });

  test('a blow that is yet to come does not once its rule is taken back', async () => {
    const effect = { type: 'crashHost' } as const;
    world.fleet.faults.add({ procedure: 'connectGetHostname', delayMs: 100, effect });
    await hostname(a);
    world.fleet.faults.clear();
    await world.clock.advance(1000);
    expect(world.fleet.host('host-a').powered).toBe(true);
  });

  test('an event may be repeated', async () => {
    world.fleet.faults.add({ event: 'lifecycle', maxCount: 1, effect: { type: 'repeatEvent' } });
    await suspend();
    expect(world.events.filter(({ type }) => type === 'lifecycle').map(({ detail }) => detail)).toEqual([
      '3/0',
      '3/0',
    ]);
  });

  describe('bytes', () => {
    test('that are late keep their order', async () => {
      const b = await world.client('host-b');
      world.fleet.faults.add({ bytes: 'sent', host: 'host-b', nth: 1, delayMs: 500 });
      const answered: string[] = [];
      const ask = async (name: string, call: Promise<unknown>) => {
        await call;
        answered.push(name);
      };
      const before = world.clock.monotonicMs();
      await world.run(
        Promise.all([
          ask('first', b.call(procedures.connectGetHostname, {})),
          ask('second', b.call(procedures.connectGetUri, {})),
        ]),
      );
      expect(answered).toEqual(['first', 'second']);
      expect(world.clock.monotonicMs() - before).toBeGreaterThanOrEqual(500);
    });

    test('that are stuck leave a connection that only keepalive can end', async () => {
      const b = await world.client('host-b');
      world.fleet.faults.add({ bytes: 'received', host: 'host-b', effect: { type: 'hang' } });
      const call = b.call(procedures.connectGetHostname, {}, { timeoutMs: 60_000 });
      await expect(world.run(call)).rejects.toMatchObject({ kind: 'outcome_unknown' });
      expect(b.isOpen).toBe(false);
    });

    test('that end the connection do so before they are heard', async () => {
      world.fleet.faults.add({ bytes: 'received', host: 'host-a', effect: { type: 'closeConnection' } });
      await expect(suspend()).rejects.toMatchObject({ code: 'REPLY_LOST' });
      expect(stateOn('host-a')).toBe(RUNNING);
    });
  });

  describe('at the moments of a migration', () => {
    const migrate = async () => {
      await world.run(a.call(procedures.domainDetachDeviceAlias, { dom, alias: 'ua-vf0', flags: 1 }));
      await world.until('the removal', () => world.saw('host-a', 'deviceRemoved'));
      const args = {
        dom,
        destinationUri: 'qemu+ssh://root@host-b/system',
        params: [],
        cookie: Buffer.alloc(0),
        flags: MIGRATE.live | MIGRATE.peerToPeer | MIGRATE.persistDest | MIGRATE.undefineSource,
      };
      const done = a.call(procedures.domainMigratePerform3Params, args, { timeoutMs: 100_000 });
      const outcome = await world.run(
        done.then(
          () => 'ok',
          () => 'failed',
        ),
      );
      // Longer than anybody needs to notice a silence.
      await world.clock.advance(60_000);
      return outcome;
    };

    test.each([
      ['transferBegins', [undefined, undefined]],
      ['switchover', [undefined, undefined]],
      // The last phase had been asked for by then.
      ['transferDone', [undefined, RUNNING]],
      ['guestResumed', [undefined, RUNNING]],
      ['sourceEnds', [undefined, RUNNING]],
    ] as const)('the source loses power at %s: where it still runs', async (moment, [onA, onB]) => {
      const crash = { do: 'crashHost', host: 'host-a' } as const;
      world.fleet.faults.add({ moment, effect: { type: 'act', act: crash } });
      expect(await migrate()).toBe('failed');
      // The definition stays on its disk.
      expect(world.fleet.host('host-a').domains.get(dom.uuid)?.live ?? undefined).toBe(onA);
      expect(stateOn('host-b')).toBe(onB);
    });

    test('the target loses power when the guest has just come: the source lets its copy run', async () => {
      world.fleet.faults.add({ moment: 'guestResumed', host: 'host-b', effect: { type: 'crashHost' } });
      expect(await migrate()).toBe('failed');
      expect(stateOn('host-a')).toBe(RUNNING);
    });

    test('the answer to the last phase is lost: it runs on both', async () => {
      const procedure = 'domainMigrateFinish3Params';
      world.fleet.faults.add({ procedure, effect: { type: 'dropReply' } });
      expect(await migrate()).toBe('failed');
      expect([stateOn('host-a'), stateOn('host-b')]).toEqual([RUNNING, RUNNING]);
    });

    test('a client that leaves while the target prepares takes the waiting QEMU with it', async () => {
      const effect = { type: 'closeConnection' } as const;
      world.fleet.faults.add({ procedure: 'domainMigratePrepare3Params', delayMs: 10, effect });
      await world.run(a.call(procedures.domainDetachDeviceAlias, { dom, alias: 'ua-vf0', flags: 1 }));
      await world.until('the removal', () => world.saw('host-a', 'deviceRemoved'));
      const begin = { dom, params: [], flags: MIGRATE.live };
      const { cookie, xml } = await world.run(a.call(procedures.domainMigrateBegin3Params, begin));
      const b = await world.client('host-b');
      const params = [param.string('destination_xml', xml), param.string('destination_name', 'web-1')];
      const prepare = { params, cookie, flags: MIGRATE.live };
      const prepared = b.call(procedures.domainMigratePrepare3Params, prepare);
      await expect(world.run(prepared)).rejects.toMatchObject({ code: 'REPLY_LOST' });
      await world.clock.advance(2000);
      expect(stateOn('host-b')).toBeUndefined();
    });

    test.each(['dropReply', 'closeConnection'] as const)(
      'the answer to prepare is lost (%s): nothing waits on the target',
      async (type) => {
        world.fleet.faults.add({ procedure: 'domainMigratePrepare3Params', effect: { type } });
        expect(await migrate()).toBe('failed');
        expect(stateOn('host-a')).toBe(RUNNING);
        expect(stateOn('host-b')).toBeUndefined();
      },
    );
  });
});
