/**
 * What campaigns found, each as a test of its own. On a virtual clock, since most of it is about long waits.
 */
import { afterEach, expect, test } from 'vitest';
import type { Job } from '../../src/model/job.ts';
import { EMPTY_MAC } from '../../src/simhost/hardware.ts';
import { simVmFleet, vfOf } from '../support/sim-vms.ts';
import { CALLER, VirtualWorld } from '../support/virtual-world.ts';

let world: VirtualWorld;
afterEach(() => world.close());

async function begin(): Promise<void> {
  const inventory = simVmFleet({ vms: [{ name: 'web-1' }], hostCount: 2, vfCount: 2 });
  world = await VirtualWorld.begin({ seed: 1, inventory });
  world.startEngine();
}

async function moved(): Promise<Job> {
  const asked = await world.run('asked', world.useCases.migrateVm(CALLER, world.vmId('web-1'), {}));
  return ended(asked);
}

async function ended(asked: Pick<Job, 'id'>): Promise<Job> {
  for (;;) {
    const job = await world.store.jobs.get(asked.id);
    if (job?.endedAt != null) return job;
    await world.clock.advance(1_000);
  }
}

const onHost = (host: string) => world.fleet.host(host).domains.get(world.vmId('web-1'));

test('a migrate call that libvirt never answers is given up, and the VM has its VF again', async () => {
  await begin();
  const hang = { type: 'hang' } as const;
  world.fleet.faults.add({ procedure: 'domainMigratePerform3Params', maxCount: 1, effect: hang });
  const job = await moved();
  expect(job).toMatchObject({ state: 'failed', error: { code: 'CALL_TIMED_OUT' } });
  expect((job.endedAt ?? 0) - (job.startedAt ?? 0)).toBeLessThan(5 * 60_000);
  expect([...(onHost('host-a')?.vfs.values() ?? [])]).toEqual([vfOf(0)]);
  expect(await world.brokenAtRest()).toEqual([]);
  // Nothing of it is left that the next move could trip over.
  expect(await moved()).toMatchObject({ state: 'succeeded' });
});

test('a copy that stands still on the source is ended when the VM was shut down on the target', async () => {
  await begin();
  // Its libvirtd is away while the VM goes down on the target.
  const killed = { do: 'killLibvirtd', host: 'host-a', restartAfterMs: 20_000 } as const;
  const off = { do: 'shutdown', host: 'host-b', domain: 'web-1' } as const;
  world.fleet.faults.add({ moment: 'guestResumed', delayMs: 300, effect: { type: 'act', act: killed } });
  const asked = await world.run('asked', world.useCases.migrateVm(CALLER, world.vmId('web-1'), {}));
  await world.until('it resumed there', () => onHost('host-b')?.guest?.running === true);
  await world.clock.advance(3_000);
  await world.fleet.act(off).catch(() => undefined);
  await ended(asked);
  expect(onHost('host-a')).toBeUndefined();
  expect(onHost('host-b')?.active).toBe(false);
  expect(world.fleet.host('host-a').hardware.vfs.map((vf) => vf.mac)).toEqual([EMPTY_MAC, EMPTY_MAC]);
  expect(await world.store.alerts.list()).toEqual([]);
});

test('a VM that others move while a VF of it is out gets a VF on its new host', async () => {
  await begin();
  world.allowed.persistence.add('web-1');
  const refuse = { type: 'refuse', libvirtCode: 1, message: 'no' } as const;
  const faults = [
    world.fleet.faults.add({ procedure: 'domainMigratePrepare3Params', maxCount: 1, effect: refuse }),
    world.fleet.faults.add({ procedure: 'domainAttachDeviceFlags', effect: refuse }),
  ];
  await moved();
  expect(onHost('host-a')?.vfs.size).toBe(0);
  await world.run(
    'moved by hand',
    world.fleet.act({ do: 'migrate', host: 'host-a', domain: 'web-1', to: 'host-b' }),
  );
  for (const allow of faults) allow();
  expect(await world.brokenAtRest()).toEqual([]);
  expect(onHost('host-b')?.vfs.size).toBe(1);
});
