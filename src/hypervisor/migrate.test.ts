/** Moving a domain, against simulated hosts. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FREE_VF, NOBODY, plugOf, SimHypervisors, WEB } from '../../test/support/sim-hypervisors.ts';
import { isCode } from '../base/errors.ts';
import { LIBVIRT_CODE, libvirtCodeOf } from '../libvirt/index.ts';

let sim: SimHypervisors;
beforeEach(() => {
  sim = new SimHypervisors();
});
afterEach(() => sim.close());

describe('moving a domain', () => {
  for (const protocol of ['p2p', 'direct'] as const) {
    test(`${protocol}: runs and is defined on the target with its new VF, and nowhere else`, async () => {
      await sim.unplugWeb();
      await sim.run(sim.migrateWeb({ protocol }));
      expect(await sim.run(sim.a.inspect(WEB))).toBeNull();
      const moved = await sim.run(sim.b.inspect(WEB));
      expect(moved).toMatchObject({ state: 'running', stateReason: 'migrated', persistent: true });
      expect(moved?.interfaces).toHaveLength(1);
      expect(moved?.configInterfaces.find((each) => each.kind === 'hostdev')).toMatchObject({
        vf: FREE_VF,
        alias: 'ua-vf0',
        profile: 'prod-vf',
      });
      expect(await sim.run(sim.b.migrationDowntimeMs(WEB))).toBeGreaterThanOrEqual(0);
    });
  }

  test('shows its progress on the source and a job on the target', async () => {
    await sim.unplugWeb();
    const moving = sim.migrateWeb({ bandwidthMiBps: 100 });
    await sim.world.clock.advance(3000);
    expect(await sim.run(sim.a.migrationProgress(WEB))).toMatchObject({ side: 'source' });
    expect((await sim.run(sim.a.migrationProgress(WEB)))?.bytesTotal).toBeGreaterThan(0);
    expect(await sim.run(sim.b.migrationProgress(WEB))).toMatchObject({ side: 'target' });
    expect(await sim.run(sim.b.inspect(WEB))).toMatchObject({ state: 'paused' });
    await sim.run(moving);
    expect(await sim.run(sim.b.migrationProgress(WEB))).toBeNull();
  });

  test('a domain that arrives is seen quickly even where libvirt cannot describe it yet', async () => {
    await sim.unplugWeb();
    await sim.run(sim.b.observe());
    const describable = sim.world.fleet.faults.add({
      procedure: 'domainGetXmlDesc',
      host: 'host-b',
      effect: { type: 'hang' },
    });
    const moving = sim.migrateWeb({ bandwidthMiBps: 100 });
    await sim.world.clock.advance(3000);
    for (let look = 0; look < 10; look++) {
      const startMs = sim.world.clock.monotonicMs();
      expect(await sim.run(sim.b.inspect(WEB))).toMatchObject({
        name: 'web-1',
        state: 'paused',
        interfaces: [],
      });
      expect(sim.world.clock.monotonicMs() - startMs).toBeLessThan(2000);
    }
    expect(await sim.run(sim.b.inspect(NOBODY))).toBeNull();
    describable();
    await sim.run(moving);
    expect((await sim.run(sim.b.inspect(WEB)))?.interfaces).toHaveLength(1);
  });

  test('a VF can be plugged on the target before the source is done', async () => {
    await sim.unplugWeb();
    const events: string[] = [];
    await sim.run(sim.b.watch(WEB, (event) => event.type === 'lifecycle' && events.push(event.name)));
    let moved = false;
    const moving = sim.migrateWeb().then(() => {
      moved = true;
    });
    await sim.world.until('the guest to run on the target', () => events.includes('resumed'));
    expect(moved).toBe(false);
    expect((await sim.run(sim.b.plug(WEB, plugOf()))).guestAddress).toBe('0000:00:08.0');
    await sim.run(moving);
  });

  test('aborted in the middle stays on the source, running, and leaves nothing on the target', async () => {
    await sim.unplugWeb();
    const stop = new AbortController();
    const moving = sim.failureOf(sim.migrateWeb({ bandwidthMiBps: 50 }, stop.signal));
    await sim.world.clock.advance(3000);
    stop.abort();
    expect(libvirtCodeOf(await moving)).toBe(LIBVIRT_CODE.operationAborted);
    expect(await sim.run(sim.a.inspect(WEB))).toMatchObject({ state: 'running' });
    expect(await sim.run(sim.b.inspect(WEB))).toBeNull();
  });

  test('aborted before libvirt has opened the job is aborted all the same', async () => {
    await sim.unplugWeb();
    const stop = new AbortController();
    sim.world.fleet.faults.add({
      procedure: 'domainMigratePerform3Params',
      nth: 1,
      delayMs: 2000,
    });
    const moving = sim.failureOf(sim.migrateWeb({ bandwidthMiBps: 50 }, stop.signal));
    await sim.world.clock.advance(500);
    stop.abort();
    expect(libvirtCodeOf(await moving)).toBe(LIBVIRT_CODE.operationAborted);
    expect(await sim.run(sim.a.inspect(WEB))).toMatchObject({ state: 'running' });
  });

  test('aborted before it was asked is never sent', async () => {
    const stop = new AbortController();
    stop.abort();
    await expect(sim.run(sim.migrateWeb({}, stop.signal))).rejects.toThrow();
    expect(await sim.run(sim.a.migrationProgress(WEB))).toBeNull();
  });

  test('that does not end after an abort is an unknown outcome within the limit', async () => {
    await sim.unplugWeb();
    sim.world.fleet.faults.add({ procedure: 'domainMigratePerform3Params', effect: { type: 'hang' } });
    const stop = new AbortController();
    const moving = sim.failureOf(sim.migrateWeb({}, stop.signal));
    await sim.world.clock.advance(500);
    stop.abort();
    expect((await moving).code).toBe('CALL_TIMED_OUT');
  });

  test('whose source daemon dies is an unknown outcome', async () => {
    await sim.unplugWeb();
    const moving = sim.failureOf(sim.migrateWeb({ bandwidthMiBps: 50 }));
    await sim.world.clock.advance(2000);
    sim.world.fleet.host('host-a').killDaemon();
    expect((await moving).kind).toBe('outcome_unknown');
  });

  test('refused by libvirt says what was refused and keeps its code', async () => {
    const error = await sim.failureOf(sim.migrateWeb());
    expect(isCode(error, 'LIBVIRT_REFUSED')).toBe(true);
    expect(libvirtCodeOf(error)).toBe(LIBVIRT_CODE.operationInvalid);
    expect(error.message).toMatch(/^host-a refused to move the domain to host-b: .*0000:3b:0a\.0/);
  });

  test('transient: nothing is defined on the target', async () => {
    await sim.run(sim.a.undefine(WEB));
    expect(await sim.run(sim.a.inspect(WEB))).toMatchObject({ state: 'running', persistent: false });
    await sim.unplugWeb();
    await sim.run(sim.migrateWeb({ persistent: false }));
    expect(await sim.run(sim.b.inspect(WEB))).toMatchObject({ state: 'running', persistent: false });
  });
});
