/**
 * What users of other systems suffered from and no other file is about; see docs/internals/field-pains.md,
 * whose numbers are in the comments.
 */
import { afterEach, describe, expect, test } from 'vitest';
import { HandoverError } from '../../src/base/errors.ts';
import type { Job } from '../../src/model/job.ts';
import { resumeDomain, suspendDomain } from '../../src/simhost/lifecycle.ts';
import { takeVfOut } from '../support/take-vf-out.ts';
import { aCaller } from '../support/builders.ts';
import { eventually } from '../support/eventually.ts';
import { failureOf, MigrationWorld, type WorldOptions } from '../support/migration-world.ts';
import { aliasOf, VLAN, vfOf } from '../support/sim-vms.ts';

let world: MigrationWorld;
const start = async (options: Partial<WorldOptions> = {}): Promise<void> => {
  world = await MigrationWorld.start({ vms: [{ name: 'web-1' }], ...options });
};
afterEach(() => world.close());

const PF = 'ens1f0';
const vfNow = (host: string): string | undefined => world.vfs(host, 'web-1')[aliasOf(0)];
const removeVf = (host: string, vf: string): void => {
  const pf = world.host(host).hardware.pf(PF);
  const at = pf?.vfs.findIndex((each) => each.pciAddress === vf) ?? -1;
  if (at < 0) throw new Error(`${host} has no VF ${vf}`);
  pf?.vfs.splice(at, 1);
};

/**
 * Why a move is refused with nothing touched: by the plan when it is asked for, by the plan of the job, or by
 * its preflight. It depends on when the engine last looked at the target.
 */
async function refusedUntouched(): Promise<string> {
  const asked = await world.migrate('web-1').catch((thrown: unknown) => thrown);
  if (asked instanceof HandoverError) return asked.message;
  const job = await world.ended(asked as Job);
  expect(job.state).toBe('failed');
  expect(job.data.unplugAskedAt).toBeUndefined();
  return job.error?.message ?? '';
}

// 5
describe('a guest that was given its VF a moment ago, which QEMU therefore does not ask for it', () => {
  const refuseToAsk = (maxCount?: number) =>
    world.fleet.faults.add({
      procedure: 'domainDetachDeviceAlias',
      ...(maxCount === undefined ? {} : { maxCount }),
      effect: {
        type: 'refuse',
        libvirtCode: 1,
        message:
          "internal error: unable to execute QEMU command 'device_del': Hot-unplug failed: guest is busy " +
          '(power indicator blinking)',
      },
    });

  test('is asked again until it can be, and moves', async () => {
    await start();
    refuseToAsk(3);
    expect(await world.migrated('web-1')).toMatchObject({ state: 'succeeded' });
    expect(vfNow('host-b')).toBeDefined();
  });

  test('is given up at the limit, with its VF and with what QEMU said, and nothing is pending', async () => {
    await start();
    refuseToAsk();
    const job = await world.migrated('web-1', { unplugTimeoutMs: 3_000 });
    expect(job).toMatchObject({ state: 'failed', error: { code: 'LIBVIRT_REFUSED' } });
    expect(job.error?.message).toContain('guest is busy');
    expect((await world.vnics('web-1'))[0]).toMatchObject({ actual: 'plugged', vf: vfOf(0) });
    expect(await world.alerts()).toEqual([]);
  });

  test('can be spared the wait by a cancel', async () => {
    await start();
    refuseToAsk();
    const job = await world.migrate('web-1', { unplugTimeoutMs: 600_000 });
    await eventually('asked', async () => (await world.job(job)).data.unplugAskedAt !== undefined);
    await world.cancel('web-1');
    expect(await world.ended(job)).toMatchObject({ state: 'cancelled' });
    expect(vfNow('host-a')).toBe(vfOf(0));
  });
});

// 7
test('a guest that drops the vNIC it was just given, as one in its boot may, is given it again', async () => {
  await start();
  const host = world.host('host-b');
  const dropped: Promise<void>[] = [];
  const stop = host.listen((event) => {
    if (event.type !== 'deviceAdded') return;
    dropped.push(takeVfOut(world, 'host-b', 'web-1'));
    stop();
  });
  await world.migrated('web-1');
  await eventually('dropped', () => dropped.length > 0);
  await Promise.all(dropped);
  await eventually('plugged again', () => vfNow('host-b') !== undefined);
  await eventually('known', async () => (await world.vnics('web-1'))[0]?.actual === 'plugged');
});

// 12
test('a VF whose driver keeps MAC and VLAN of the VM is cleared before the memory is sent', async () => {
  await start();
  const vf = world.host('host-a').hardware.vf(vfOf(0));
  const [vnic] = await world.vnics('web-1');
  if (!vf || !vnic) throw new Error('the world is not as expected');
  world.host('host-a').listen((event) => {
    if (event.type !== 'deviceRemoved') return;
    vf.mac = vnic.mac;
    vf.vlan = VLAN;
  });
  const { job, letGo } = await world.inTransfer('web-1');
  expect([vf.mac, vf.vlan]).toEqual(['00:00:00:00:00:00', 0]);
  letGo();
  expect(await world.ended(job)).toMatchObject({ state: 'succeeded' });
});

// 16
test('a VF that cannot be given its VLAN, because it is still in reset, is replaced by another', async () => {
  await start();
  world.fleet.faults.add({
    procedure: 'domainAttachDeviceFlags',
    maxCount: 1,
    effect: {
      type: 'refuse',
      libvirtCode: 38,
      message: `Cannot set interface MAC/vlanid for ifname ${PF} vf 0: Resource temporarily unavailable`,
    },
  });
  const job = await world.migrated('web-1');
  expect(job).toMatchObject({ state: 'succeeded', data: { vnics: [{ state: 'plugged' }] } });
  expect(await world.said(job, 'VNIC_PLUGGED')).toEqual([expect.stringContaining('on another VF')]);
});

// 19, 42
test('a PF that lost its carrier since it was looked at is refused before anything is touched', async () => {
  await start();
  const pf = world.host('host-b').hardware.pf(PF);
  if (!pf) throw new Error('the world is not as expected');
  pf.carrier = false;
  expect(await refusedUntouched()).toMatch(/ens1f0 (on host-b )?has no carrier/);
});

// 34
describe('a VF that is gone because somebody changed their number', () => {
  test('before the move is refused before anything is touched', async () => {
    await start();
    for (const number of [0, 1, 2, 3]) removeVf('host-b', vfOf(number));
    expect(await refusedUntouched()).toMatch(/VF 0000:3b:02\.\d is gone from host-b|ens1f0 has no VFs/);
  });

  test('in transfer is replaced by another', async () => {
    await start();
    const { job, letGo } = await world.inTransfer('web-1');
    const planned = (await world.job(job)).data.vnics?.[0]?.targetVf ?? '';
    removeVf('host-b', planned);
    letGo();
    expect(await world.ended(job)).toMatchObject({ state: 'succeeded' });
    expect(vfNow('host-b')).not.toBe(planned);
    expect(vfNow('host-b')).toBeDefined();
  });
});

// 39
test('how long the guest stood still is recorded and said', async () => {
  await start();
  const job = await world.migrated('web-1');
  const { downtimeMs } = (await world.job(job)).data;
  expect(downtimeMs).toBeGreaterThan(0);
  expect(await world.heard(job, 'MIGRATION_DONE')).toEqual([
    expect.stringMatching(new RegExp(`Downtime: ${downtimeMs} ms, Network gap: (\\d+ ms|unknown)\\)$`)),
  ]);
});

// G9 of oVirt's acceptance cases
test('a VM that somebody paused is refused as paused, and moves once it runs', async () => {
  await start();
  const domain = world.domain('host-a', 'web-1');
  if (!domain) throw new Error('the world is not as expected');
  await suspendDomain(world.host('host-a'), domain);
  await eventually('seen', async () => (await world.vm('web-1')).status === 'paused');
  const refused = await failureOf(world.migrate('web-1'));
  expect(refused).toMatchObject({ code: 'VM_NOT_MIGRATABLE' });
  expect(refused.message).toBe('web-1 is paused; only a running VM can be moved live');
  await resumeDomain(world.host('host-a'), domain);
  await eventually('seen', async () => (await world.vm('web-1')).status === 'up');
  expect(await world.migrated('web-1')).toMatchObject({ state: 'succeeded' });
});

const CALLER = aCaller();

// E2
test('a vNIC on a VF takes no ordinary profile, and an ordinary one none for passthrough', async () => {
  await start();
  const { vnics } = await world.vm('web-1');
  const profiles = await world.useCases.listVnicProfiles(CALLER);
  expect(new Set(vnics.map((vnic) => vnic.passthrough))).toEqual(new Set([false, true]));
  for (const vnic of vnics) {
    const other = profiles.find((profile) => profile.passThrough !== vnic.passthrough);
    if (!other) throw new Error('the world is not as expected');
    const given = world.useCases.setVnicProfile(CALLER, world.vmId('web-1'), vnic.id, other.id);
    const { code, message } = await failureOf(given);
    expect(code).toBe('VNIC_PROFILE_MISMATCH');
    expect(message).toContain("type doesn't match the profile");
  }
});

// 31, G10
test('two vNICs of one profile with a failover profile move together', async () => {
  await start({ vms: [{ name: 'web-1', vfs: [0, 1] }] });
  const profiles = await world.useCases.listVnicProfiles(CALLER);
  const failover = profiles.find((profile) => !profile.passThrough);
  const { id } = await world.useCases.addVnicProfile(CALLER, {
    name: 'prod-failover',
    networkId: failover?.networkId ?? ('' as never),
    passThrough: true,
    failoverId: failover?.id ?? null,
  });
  for (const vnic of await world.vnics('web-1'))
    await world.useCases.setVnicProfile(CALLER, world.vmId('web-1'), vnic.id, id);
  expect(await world.migrated('web-1')).toMatchObject({ state: 'succeeded' });
  expect(Object.keys(world.vfs('host-b', 'web-1')).sort()).toEqual([aliasOf(0), aliasOf(1)]);
});
