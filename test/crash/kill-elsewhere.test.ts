/**
 * SIGKILL of an engine where not every migration comes by: while memory moves, with VFs that libvirt does not
 * manage, with disks that are copied, and while a missing vNIC is plugged.
 */
import { afterAll, describe, expect, test } from 'vitest';
import { CrashWorld } from '../support/crash/crash-world.ts';
import { endSpareEngine } from '../support/crash/engine-process.ts';
import { eventually } from '../support/eventually.ts';
import { freshDatabase } from '../support/postgres.ts';
import { aliasOf, type SimVmSpec } from '../support/sim-vms.ts';
import { takeVfOut } from '../support/take-vf-out.ts';

const LEASE_MS = 1_500;
const DISK = '/var/lib/libvirt/images/web-1.qcow2';
const REFUSED = {
  procedure: 'domainMigratePerform3Params',
  effect: { type: 'refuse', libvirtCode: 9, message: 'operation failed' },
} as const;

afterAll(endSpareEngine);

const start = async (vm: Partial<SimVmSpec> = {}): Promise<CrashWorld> => {
  const vms = [{ name: 'web-1', ...vm }];
  return CrashWorld.start({ connection: await freshDatabase(), vms, leaseMs: LEASE_MS });
};
const expectOn = (world: CrashWorld, host: string): void => {
  expect(world.runsOn('web-1')).toEqual([host]);
  expect(Object.keys(world.vfs(host, 'web-1'))).toEqual([aliasOf(0)]);
};

describe.concurrent('killed', () => {
  test('while memory moves, an engine leaves a transfer that goes on, and another takes it up', async () => {
    const world = await start();
    const letGo = world.holdTransfer('web-1');
    const killed = await world.engine();
    const job = await world.migrate('web-1');
    await world.sending('web-1');
    await killed.kill();
    await world.engine();
    letGo();
    expect(await world.ended(job)).toMatchObject({ state: 'succeeded' });
    expectOn(world, 'host-b');
    await world.close();
  });

  test('while memory moves and it cancels, an engine leaves a job that another undoes', async () => {
    const world = await start();
    world.holdTransfer('web-1');
    const killed = await world.engine({ point: 'abortMigration:before', then: 'SIGKILL' });
    const job = await world.migrate('web-1');
    await world.sending('web-1');
    const cancelled = world.cancel('web-1');
    await eventually('an engine dead', () => killed.ended);
    await world.engine();
    await cancelled;
    expect(await world.ended(job)).toMatchObject({ state: 'cancelled' });
    expectOn(world, 'host-a');
    await world.close();
  });

  test.each(['unplug:after-run', 'reattachVf:before', 'reattachVf:after', 'plug:before', 'plug:after'])(
    'at %s with a VF that libvirt does not manage, it is followed by one that ends the job',
    async (point) => {
      const world = await start({ managed: false });
      const killed = await world.engine({ point, then: 'SIGKILL' });
      const job = await world.migrate('web-1');
      await eventually(`an engine dead at ${point}`, () => killed.ended);
      await world.engine();
      expect(await world.ended(job)).toMatchObject({ state: 'succeeded' });
      expectOn(world, 'host-b');
      await world.close();
    },
  );

  test.each(['createDisk:before', 'createDisk:after', 'disks:after-run', 'transfer:after-run'])(
    'at %s with a disk that is copied, it is followed by one that ends the job',
    async (point) => {
      const world = await start({ disk: DISK });
      const killed = await world.engine({ point, then: 'SIGKILL' });
      const job = await world.migrate('web-1', { copyStorage: true });
      await eventually(`an engine dead at ${point}`, () => killed.ended);
      await world.engine();
      expect(await world.ended(job)).toMatchObject({ state: 'succeeded' });
      expect(world.fleet.host('host-b').files.has(DISK)).toBe(true);
      await world.close();
    },
  );

  test.each(['removeDisk:before', 'removeDisk:after', 'disks:after-undo'])(
    'at %s while a copied disk is taken back, it is followed by one that takes it back',
    async (point) => {
      const world = await start({ disk: DISK });
      world.fleet.faults.add(REFUSED);
      const killed = await world.engine({ point, then: 'SIGKILL' });
      const job = await world.migrate('web-1', { copyStorage: true });
      await eventually(`an engine dead at ${point}`, () => killed.ended);
      await world.engine();
      expect(await world.ended(job)).toMatchObject({ state: 'failed' });
      expect(world.fleet.host('host-b').files.has(DISK)).toBe(false);
      expect(world.fleet.host('host-a').files.has(DISK)).toBe(true);
      await world.close();
    },
  );

  test.each(['hold:taken', 'plug:before', 'plug:after', 'hold:ended'])(
    'at %s while it plugs a missing vNIC, it is followed by one that has it plugged once',
    async (point) => {
      const world = await start();
      const killed = await world.engine({ point, then: 'SIGKILL' });
      await eventually('the hosts watched', () =>
        world.calls.some((call) => call.procedure === 'nodeGetMemoryStats'),
      );
      let added = 0;
      world.fleet.host('host-a').listen((event) => {
        if (event.type === 'deviceAdded') added += 1;
      });
      await takeVfOut(world, 'host-a', 'web-1');
      await eventually(`an engine dead at ${point}`, () => killed.ended);
      await world.engine();
      await eventually('known as plugged', async () => {
        const vnics = (await world.store.vms.get(world.vmId('web-1')))?.vnics ?? [];
        return added > 0 && vnics.every((vnic) => vnic.actual === 'plugged');
      });
      expectOn(world, 'host-a');
      expect(added).toBe(1);
      await world.close();
    },
  );
});
