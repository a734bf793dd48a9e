/** Watching domain events, against simulated hosts. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { BATCH, SimHypervisors, WEB } from '../../test/support/sim-hypervisors.ts';
import type { HostId, VmId } from '../base/ids.ts';

let sim: SimHypervisors;
beforeEach(() => {
  sim = new SimHypervisors();
});
afterEach(() => sim.close());

describe('watching', () => {
  test('hears what is asked for afterwards, of its own domain only', async () => {
    const own: string[] = [];
    const all: (VmId | null)[] = [];
    await sim.run(sim.a.watch(BATCH, (event) => own.push(event.type)));
    await sim.run(sim.a.watch(null, (_, vmId) => all.push(vmId)));
    await sim.run(sim.a.requestUnplug(WEB, 'ua-vf0'));
    await sim.world.until('an event', () => all.length > 0);
    expect(own).toEqual([]);
    expect(all).toContain(WEB);
  });

  test('says that it was lost and restored, once each, and hears again', async () => {
    const heard: string[] = [];
    await sim.run(sim.a.watch(null, (event) => heard.push(event.type)));
    sim.world.fleet.host('host-a').killDaemon();
    await sim.world.until('watch_lost', () => heard.length > 0);
    await sim.world.clock.advance(10_000);
    sim.world.fleet.host('host-a').startDaemon();
    await sim.world.until('watch_restored', () => heard.includes('watch_restored'));
    expect(heard.filter((type) => type.startsWith('watch_'))).toEqual(['watch_lost', 'watch_restored']);
    await sim.run(sim.a.requestUnplug(WEB, 'ua-vf0'));
    await sim.world.until('device_removed', () => heard.includes('device_removed'));
  });

  test('stopped while it is lost hears nothing more', async () => {
    const heard: string[] = [];
    const stop = await sim.run(sim.a.watch(null, (event) => heard.push(event.type)));
    sim.world.fleet.host('host-a').killDaemon();
    await sim.world.until('watch_lost', () => heard.length > 0);
    stop();
    sim.world.fleet.host('host-a').startDaemon();
    await sim.world.clock.advance(60_000);
    expect(heard).toEqual(['watch_lost']);
  });

  test('a host that cannot be reached cannot be watched, and forgetting it ends watching', async () => {
    sim.world.fleet.host('host-b').killDaemon();
    expect((await sim.failureOf(sim.b.watch(null, () => {}))).code).toBe('HOST_UNREACHABLE');
    const heard: string[] = [];
    await sim.run(sim.a.watch(null, (event) => heard.push(event.type)));
    await sim.run(sim.hypervisors.forget('host-a' as HostId));
    await sim.world.clock.advance(60_000);
    expect(heard).toEqual([]);
  });

  test('a listener that throws does not keep others from hearing', async () => {
    const heard: string[] = [];
    await sim.run(
      sim.a.watch(null, () => {
        throw new Error('a careless listener');
      }),
    );
    await sim.run(sim.a.watch(null, (event) => heard.push(event.type)));
    await sim.run(sim.a.requestUnplug(WEB, 'ua-vf0'));
    await sim.world.until('an event', () => heard.length > 0);
  });
});
