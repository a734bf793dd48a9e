/** Migrations between simulated hosts, through the real client. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  type Domain,
  type LibvirtClient,
  libvirtCodeOf,
  MIGRATE,
  migrateDirect,
  param,
  paramNumber,
  procedures,
  type TypedParam,
} from '../libvirt/index.ts';
import { SimWorld } from '../../test/support/sim-fleet.ts';
import { bootHost, crashHost, killLibvirtd, killQemu, startLibvirtd } from './machine.ts';

const P2P = MIGRATE.live | MIGRATE.peerToPeer | MIGRATE.persistDest | MIGRATE.undefineSource;
const STATE = { running: 1, paused: 3, shutoff: 5 };
const NO_COOKIE = Buffer.alloc(0);

describe('migration between simulated hosts', () => {
  let world: SimWorld;
  let a: LibvirtClient;
  let b: LibvirtClient;
  let web: Domain;

  beforeEach(async () => {
    world = new SimWorld();
    a = await world.watch('host-a');
    b = await world.watch('host-b');
    web = await world.domain(a, 'web-1');
  });
  afterEach(() => world.close());

  async function unplug(): Promise<void> {
    await world.run(a.call(procedures.domainDetachDeviceAlias, { dom: web, alias: 'ua-vf0', flags: 1 }));
    await world.until('the removal', () => world.saw('host-a', 'deviceRemoved'));
  }
  const perform = (
    flags = P2P,
    params: TypedParam[] = [],
    destinationUri = 'qemu+ssh://root@host-b/system',
  ) =>
    a.call(
      procedures.domainMigratePerform3Params,
      { dom: web, destinationUri, params, cookie: NO_COOKIE, flags },
      { timeoutMs: 600_000 },
    );
  const stateOn = async (client: LibvirtClient) => {
    const { state, reason } = await world.run(client.call(procedures.domainGetState, { dom: web, flags: 0 }));
    return [state, reason];
  };
  const codeOf = async (call: Promise<unknown>) => libvirtCodeOf(await call.catch((error: unknown) => error));
  const lifecycle = (host: string) =>
    world.events
      .filter((event) => event.host === host && event.type === 'lifecycle' && event.dom === 'web-1')
      .map((event) => event.detail);
  const unknownOn = async (client: LibvirtClient) =>
    expect(await codeOf(world.run(client.call(procedures.domainGetState, { dom: web, flags: 0 })))).toBe(42);
  const simDomain = (host: string) => world.fleet.host(host).byUuid(web.uuid);

  const dirty = (dirtyMiBps: number) => Object.assign(simDomain('host-a').guest ?? {}, { dirtyMiBps });

  test(
    'with a VF in, begin3 refuses with 55 and names every blocker; without protection no job is ' + 'left',
    async () => {
      const begin = a.call(procedures.domainMigrateBegin3Params, {
        dom: web,
        params: [],
        flags: MIGRATE.live,
      });
      await expect(world.run(begin)).rejects.toThrow(
        'cannot migrate domain: 0000:3b:0a.0: VFIO migration is not supported in kernel',
      );
      await unplug();
      await world.run(
        a.call(procedures.domainMigrateBegin3Params, { dom: web, params: [], flags: MIGRATE.live }),
      );
      const { type } = await world.run(a.call(procedures.domainGetJobStats, { dom: web, flags: 0 }));
      expect(type).toBe(0);
    },
  );

  test('peer-to-peer moves the guest: events in libvirt order, RESUMED before the call returns', async () => {
    await unplug();
    const startMs = world.clock.monotonicMs();
    await world.run(perform());
    const tookMs = world.clock.monotonicMs() - startMs;
    expect(tookMs).toBeGreaterThan(1500);
    expect(tookMs).toBeLessThan(5000);
    expect(lifecycle('host-a')).toEqual(['3/1', '5/3', '1/0']);
    expect(lifecycle('host-b')).toEqual(['2/1', '0/0', '4/1']);
    const resumed = world.events.find((event) => event.host === 'host-b' && event.detail === '4/1');
    expect(world.clock.monotonicMs() - (resumed?.atMs ?? 0)).toBeGreaterThan(600);
    expect(await stateOn(b)).toEqual([STATE.running, 2]);
    await unknownOn(a);
  });

  test(
    'a plug asked at RESUMED waits for the incoming job and goes through before the source is ' + 'done',
    async () => {
      await unplug();
      const moving = perform();
      await world.until('the resume on the target', () => lifecycle('host-b').includes('4/1'));
      const xml = `<interface type='hostdev' managed='yes'><mac address='52:54:00:aa:01:01'/><source>
      <address type='pci' domain='0' bus='0x3b' slot='0x0a' function='0'/></source>
      <alias name='ua-vf0'/></interface>`;
      const startMs = world.clock.monotonicMs();
      await world.run(b.call(procedures.domainAttachDeviceFlags, { dom: web, xml, flags: 1 }));
      expect(world.clock.monotonicMs() - startMs).toBeGreaterThan(200);
      await world.run(moving);
      const added = world.events.find((event) => event.type === 'deviceAdded');
      const stopped = world.events.find((event) => event.host === 'host-a' && event.detail === '5/3');
      expect(added?.atMs).toBeLessThan(stopped?.atMs ?? 0);
    },
  );

  test(
    'without persistent_xml the definition arrives with the VF of the source; with it, with the ' +
      'given one',
    async () => {
      await unplug();
      await world.run(perform());
      expect(await world.xml(b, web, true)).toMatch(/bus='0x3b' slot='0x0a' function='0x0'/);
      const other = (await world.xml(b, web, true)).replace("function='0x0' type", "function='0x5' type");
      const back = b.call(procedures.domainMigratePerform3Params, {
        dom: web,
        destinationUri: 'qemu+tcp://host-c/system',
        params: [
          param.string(
            'persistent_xml',
            other.replace("slot='0x0a' function='0x0'", "slot='0x0a' function='0x5'"),
          ),
        ],
        cookie: NO_COOKIE,
        flags: P2P,
      });
      await world.run(back);
      const c = await world.client('host-c');
      expect(await world.xml(c, web, true)).toMatch(/slot='0x0a' function='0x5'/);
    },
  );

  test('undefining on the source loses autostart', async () => {
    await unplug();
    await world.run(perform());
    const { autostart } = await world.run(b.call(procedures.domainGetAutostart, { dom: web }));
    expect(autostart).toBe(false);
  });

  test(
    'statistics: on the source while it runs, 55 on the target, afterwards completed on the ' + 'target',
    async () => {
      await unplug();
      const moving = perform();
      await world.until('memory on its way', () => simDomain('host-a').transfer !== null);
      await world.clock.advance(500);
      const source = await world.run(a.call(procedures.domainGetJobStats, { dom: web, flags: 0 }));
      expect(source.type).toBe(2);
      expect(paramNumber(source.params, 'memory_remaining')).toBeLessThan(900 * 1024 * 1024);
      expect(paramNumber(source.params, 'operation')).toBe(5);
      const target = a.call.bind(b)(procedures.domainGetJobStats, { dom: web, flags: 0 });
      expect(await codeOf(world.run(target))).toBe(55);
      await world.run(moving);
      const done = await world.run(b.call(procedures.domainGetJobStats, { dom: web, flags: 1 }));
      expect(done.type).toBe(3);
      expect(paramNumber(done.params, 'downtime')).toBeGreaterThan(0);
    },
  );

  test('an abort ends with code 78, the guest running on the source and nothing on the target', async () => {
    await unplug();
    const moving = perform();
    await world.until('memory on its way', () => simDomain('host-a').transfer !== null);
    await world.run(a.call(procedures.domainAbortJob, { dom: web }));
    expect(await codeOf(world.run(moving))).toBe(78);
    expect((await stateOn(a))[0]).toBe(STATE.running);
    await unknownOn(b);
    expect(simDomain('host-a').lock.asyncJob).toBeNull();
  });

  test(
    'a guest that dirties faster than the network never arrives, until its limits are ' + 'raised',
    async () => {
      await unplug();
      dirty(2000);
      const moving = perform(P2P);
      await world.clock.advance(30_000);
      expect(lifecycle('host-a')).toEqual([]);
      await world.run(a.call(procedures.domainMigrateSetMaxDowntime, { dom: web, value: 3000n, flags: 0 }));
      await world.run(moving);
      expect((await stateOn(b))[0]).toBe(STATE.running);
    },
  );

  test('auto-converge throttles such a guest until it arrives', async () => {
    await unplug();
    dirty(2000);
    await world.run(perform(P2P | MIGRATE.autoConverge));
    expect((await stateOn(b))[0]).toBe(STATE.running);
  });

  test(
    'what the target refuses leaves the source as it was: no bridge, no memory, unknown ' + 'host',
    async () => {
      await unplug();
      const target = world.fleet.host('host-b');
      const prod = target.hardware.bridges.get('prod');
      target.hardware.bridges.delete('prod');
      await expect(world.run(perform())).rejects.toThrow(
        "Cannot get interface MTU on 'prod': No such device",
      );
      if (prod) target.hardware.bridges.set('prod', prod);
      await expect(world.run(perform(P2P, [], 'qemu+tls://nowhere/system'))).rejects.toThrow(
        'Failed to connect',
      );
      expect((await stateOn(a))[0]).toBe(STATE.running);
      await unknownOn(b);
      await world.run(perform());
      expect((await stateOn(b))[0]).toBe(STATE.running);
    },
  );

  test('driven by the client in five phases it ends the same way', async () => {
    await unplug();
    const direct = migrateDirect({
      source: a,
      target: b,
      domain: web,
      flags: MIGRATE.live | MIGRATE.persistDest | MIGRATE.undefineSource,
      params: [],
      performTimeoutMs: 60_000,
      phaseTimeoutMs: 30_000,
    });
    await world.run(direct);
    expect(await stateOn(b)).toEqual([STATE.running, 2]);
    await unknownOn(a);
  });

  test('a client that leaves after prepare takes the waiting QEMU with it', async () => {
    await unplug();
    const begun = await world.run(
      a.call(procedures.domainMigrateBegin3Params, {
        dom: web,
        params: [],
        flags: MIGRATE.live | MIGRATE.changeProtection,
      }),
    );
    const other = await world.client('host-b');
    const params = [param.string('destination_xml', begun.xml), param.string('destination_name', 'web-1')];
    await world.run(
      other.call(procedures.domainMigratePrepare3Params, {
        params,
        cookie: begun.cookie,
        flags: MIGRATE.live,
      }),
    );
    expect(await stateOn(b)).toEqual([STATE.paused, 2]);
    await world.run(other.close());
    await world.clock.advance(100);
    await unknownOn(b);
  });

  test('a client of a host without power hears nothing, and its end when power is back', async () => {
    crashHost(world.fleet.host('host-b'));
    await world.clock.advance(10_000);
    expect(b.isOpen).toBe(true);
    await world.run(bootHost(world.fleet.host('host-b')));
    await world.until('the end', () => !b.isOpen);
  });

  describe('deaths', () => {
    beforeEach(unplug);

    test(
      'libvirtd of the source killed in mid-transfer: running on the source, gone on the target, ' + 'no job',
      async () => {
        const moving = perform();
        await world.until('memory on its way', () => simDomain('host-a').transfer !== null);
        killLibvirtd(world.fleet.host('host-a'), 3700);
        await expect(world.run(moving)).rejects.toMatchObject({ code: 'REPLY_LOST' });
        await unknownOn(b);
        await world.until('libvirtd again', () => world.fleet.host('host-a').daemonUp);
        a = await world.client('host-a');
        expect((await stateOn(a))[0]).toBe(STATE.running);
        const { type } = await world.run(a.call(procedures.domainGetJobStats, { dom: web, flags: 0 }));
        expect(type).toBe(0);
      },
    );

    test(
      'killed after the guest resumed: it is on both hosts, paused (migrating) on the ' + 'source',
      async () => {
        const moving = perform();
        await world.until('the resume on the target', () => lifecycle('host-b').includes('4/1'));
        killLibvirtd(world.fleet.host('host-a'), null);
        await expect(world.run(moving)).rejects.toMatchObject({ code: 'REPLY_LOST' });
        await world.clock.advance(5000);
        startLibvirtd(world.fleet.host('host-a'));
        a = await world.client('host-a');
        expect(await stateOn(a)).toEqual([STATE.paused, 2]);
        expect(await stateOn(b)).toEqual([STATE.running, 2]);
        const { type } = await world.run(a.call(procedures.domainGetJobStats, { dom: web, flags: 0 }));
        expect(type).toBe(0);
      },
    );

    test(
      'the answer of finish3 lost: the source lets its guest run although it runs on the ' + 'target',
      async () => {
        world.fleet.faults.add({ procedure: 'domainMigrateFinish3Params', effect: { type: 'dropReply' } });
        await expect(world.run(perform())).rejects.toThrow('Connection reset by peer');
        expect((await stateOn(a))[0]).toBe(STATE.running);
        expect((await stateOn(b))[0]).toBe(STATE.running);
      },
    );

    test(
      'the QEMU of the target killed after the guest resumed: success, and the guest is ' + 'nowhere',
      async () => {
        const moving = perform();
        await world.until('the resume on the target', () => lifecycle('host-b').includes('4/1'));
        killQemu(world.fleet.host('host-b'), simDomain('host-b'));
        await world.run(moving);
        await unknownOn(a);
        expect(await stateOn(b)).toEqual([STATE.shutoff, 3]);
      },
    );

    test('the waiting QEMU destroyed: the transfer fails and the guest runs on the source', async () => {
      const moving = perform();
      await world.until('memory on its way', () => simDomain('host-a').transfer !== null);
      await world.run(b.call(procedures.domainDestroyFlags, { dom: web, flags: 0 }));
      expect(await codeOf(world.run(moving))).toBe(9);
      expect((await stateOn(a))[0]).toBe(STATE.running);
    });

    test('power of the target lost: the transfer stands still, then fails; it runs here', async () => {
      const moving = perform();
      await world.until('memory on its way', () => simDomain('host-a').transfer !== null);
      crashHost(world.fleet.host('host-b'));
      const before = world.clock.monotonicMs();
      await world.clock.advance(20_000);
      expect(simDomain('host-a').transfer?.phase).toBe('sending');
      expect(await codeOf(world.run(moving))).toBe(9);
      const tookMs = world.clock.monotonicMs() - before;
      expect([tookMs > 29_000, tookMs < 33_000]).toEqual([true, true]);
      expect((await stateOn(a))[0]).toBe(STATE.running);
    });

    test.each([
      [10_000, STATE.shutoff],
      [60_000, STATE.running],
    ])('the network between them away for %d ms: whether it moves', async (awayMs, onSource) => {
      const moving = perform(P2P & ~MIGRATE.undefineSource).catch(() => undefined);
      await world.until('memory on its way', () => simDomain('host-a').transfer !== null);
      world.fleet.setLink('host-a', 'host-b', false);
      await world.clock.advance(awayMs);
      world.fleet.setLink('host-a', 'host-b', true);
      await world.run(moving);
      await world.clock.advance(60_000);
      expect((await stateOn(a))[0]).toBe(onSource);
      const there = world.fleet.host('host-b').domains.get(web.uuid)?.state;
      expect(there).toBe(onSource === STATE.running ? undefined : STATE.running);
    });

    test('power of the source lost: nothing of the migration stays on the target', async () => {
      const moving = perform();
      await world.until('memory on its way', () => simDomain('host-a').transfer !== null);
      crashHost(world.fleet.host('host-a'));
      const before = world.clock.monotonicMs();
      await expect(world.run(moving)).rejects.toMatchObject({ code: 'REPLY_LOST' });
      // Nobody says so: the client's own keepalive finds out.
      expect(world.clock.monotonicMs() - before).toBeGreaterThan(20_000);
      await world.clock.advance(10_000);
      await unknownOn(b);
      await world.run(bootHost(world.fleet.host('host-a')));
      a = await world.client('host-a');
      expect(await stateOn(a)).toEqual([STATE.running, 1]);
    });
  });
});
