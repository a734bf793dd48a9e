/**
 * SIGKILL of the engine that owns a host at every named point of what a user wishes of a VM there: a vNIC
 * unplugged, plugged, a VM started. Whoever asked waits on; the next owner of the host brings it about. What
 * is named: `crash-points.ts`.
 */
import { afterAll, describe, expect, test } from 'vitest';
import type { VnicId } from '../../src/base/ids.ts';
import { formatXml } from '../../src/simhost/xml.ts';
import { aCaller } from '../support/builders.ts';
import { CrashWorld } from '../support/crash/crash-world.ts';
import { type EngineProcess, endSpareEngine } from '../support/crash/engine-process.ts';
import { eventually } from '../support/eventually.ts';
import { freshDatabase } from '../support/postgres.ts';
import { aliasOf } from '../support/sim-vms.ts';

const LEASE_MS = 1_500;
const CALLER = aCaller();

const around = (...acts: string[]): string[] => acts.flatMap((act) => [`${act}:before`, `${act}:after`]);
const UNPLUG = [...around('requestUnplug', 'undefineVnic'), 'hold:taken', 'hold:ended'];
const PLUG = [...around('plug', 'defineVnic'), 'hold:taken', 'hold:ended'];
const START = [...around('setDefinedVfs', 'start'), 'hold:taken', 'hold:ended'];

afterAll(endSpareEngine);

const startWorld = async (): Promise<CrashWorld> =>
  CrashWorld.start({ connection: await freshDatabase(), vms: [{ name: 'web-1' }], leaseMs: LEASE_MS });

/** What a user asks for, and what is so once the answer comes. */
async function setPlugged(world: CrashWorld, plugged: boolean): Promise<void> {
  const vm = await world.useCases.getVm(CALLER, world.vmId('web-1'));
  const vnic = vm.vnics.find((each) => each.passthrough);
  await world.useCases.setVnicPlugged(CALLER, vm.id, vnic?.id as VnicId, plugged);
  expect(Object.keys(world.vfs('host-a', 'web-1'))).toEqual(plugged ? [aliasOf(0)] : []);
  const config = () => formatXml(world.fleet.host('host-a').byUuid(vm.id).config as never);
  await eventually('the definition to follow', () => config().includes("type='hostdev'") === plugged);
  if (plugged) world.allowed.unplugged.delete('web-1');
  else world.allowed.unplugged.add('web-1');
}

async function startVm(world: CrashWorld): Promise<void> {
  await world.useCases.startVm(CALLER, world.vmId('web-1'));
  expect(world.runsOn('web-1')).toEqual(['host-a']);
  expect(Object.keys(world.vfs('host-a', 'web-1'))).toEqual([aliasOf(0)]);
  world.allowed.down.delete('web-1');
}

async function stopVm(world: CrashWorld): Promise<void> {
  await world.useCases.stopVm(CALLER, world.vmId('web-1'));
  world.allowed.down.add('web-1');
}

/** With an engine that does not die. */
async function prepared(world: CrashWorld, prepare: () => Promise<void>): Promise<void> {
  const engine = await world.engine();
  await prepare();
  await engine.stop();
}

/** The wish, with the owner of the host dead at `point` and another coming. */
async function diesAt(world: CrashWorld, point: string, wish: () => Promise<void>): Promise<void> {
  const killed = await world.engine({ point, then: 'SIGKILL' });
  const [, ended] = await Promise.allSettled([
    eventually(`an engine dead at ${point}`, () => killed.ended).then(() => world.engine()),
    wish(),
  ]);
  if (ended.status === 'rejected') throw ended.reason;
  expect(killed.ended).toBe(true);
}

test('every point of such a wish is named here', async () => {
  const world = await startWorld();
  const reachedBy = async (wish: () => Promise<void>): Promise<Set<string>> => {
    const engine: EngineProcess = await world.engine();
    await wish();
    await engine.stop();
    return new Set(engine.reached);
  };
  expect(await reachedBy(() => setPlugged(world, false))).toEqual(new Set(UNPLUG));
  expect(await reachedBy(() => setPlugged(world, true))).toEqual(new Set(PLUG));
  await stopVm(world);
  expect(await reachedBy(() => startVm(world))).toEqual(new Set(START));
  await world.close();
});

describe.concurrent('killed at', () => {
  test.each(UNPLUG)('%s, an engine leaves a vNIC that another takes out', async (point) => {
    const world = await startWorld();
    await diesAt(world, point, () => setPlugged(world, false));
    await world.close();
  });

  test.each(PLUG)('%s, an engine leaves a vNIC that another plugs', async (point) => {
    const world = await startWorld();
    await prepared(world, () => setPlugged(world, false));
    await diesAt(world, point, () => setPlugged(world, true));
    await world.close();
  });

  test.each(START)('%s, an engine leaves a VM that another starts', async (point) => {
    const world = await startWorld();
    await stopVm(world);
    await diesAt(world, point, () => startVm(world));
    await world.close();
  });
});
