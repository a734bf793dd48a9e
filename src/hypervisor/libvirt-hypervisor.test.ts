/** The verbs against simulated hosts: the real client and every byte on the wire, on a virtual clock. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SimWorld } from '../../test/support/sim-fleet.ts';
import { type HandoverError, isCode } from '../base/errors.ts';
import type { HostId, Mac, PciAddress, VmId } from '../base/ids.ts';
import { silentLog } from '../base/log.ts';
import { LIBVIRT_CODE, libvirtCodeOf, openClient } from '../libvirt/index.ts';
import { DEMO_FLEET } from '../simhost/demo-inventory.ts';
import type { SimFleetSpec } from '../simhost/inventory.ts';
import { createHypervisors } from './libvirt-hypervisor.ts';
import type { DomainEvent, Hypervisor, Hypervisors, MigrateRequest, VfPlug } from './port.ts';

const WEB = '3b3f1f5e-7a0c-4c1b-9d55-0a5d0c9b1e01' as VmId;
const BATCH = '3b3f1f5e-7a0c-4c1b-9d55-0a5d0c9b1e04' as VmId;
const NOBODY = '3b3f1f5e-7a0c-4c1b-9d55-0a5d0c9b1eff' as VmId;
const SOURCE_VF = '0000:3b:0a.0' as PciAddress;
const FREE_VF = '0000:3b:02.3' as PciAddress;

let world: SimWorld;
let hypervisors: Hypervisors;
let a: Hypervisor;
let b: Hypervisor;

function start(inventory: SimFleetSpec = DEMO_FLEET): void {
  world = new SimWorld({ inventory });
  hypervisors = createHypervisors({
    clock: world.clock,
    log: silentLog,
    connect: (uri, options) => {
      const name = new URL(uri).hostname;
      return openClient(world.fleet.connect(name), 'qemu:///system', { ...options, label: name });
    },
    openShell: ({ name }) => world.fleet.shell(name),
  });
  a = host('host-a');
  b = host('host-b');
}

const host = (name: string): Hypervisor =>
  hypervisors.host({ id: name as HostId, name, uri: `qemu+ssh://root@${name}/system` });
const run = <T>(pending: Promise<T>): Promise<T> => world.run(pending);
const failureOf = async (pending: Promise<unknown>): Promise<HandoverError> =>
  run(
    pending.then(
      () => expect.unreachable('it should have failed'),
      (thrown: unknown) => thrown as HandoverError,
    ),
  );
const plugOf = (change: Partial<VfPlug> = {}): VfPlug => ({
  alias: 'ua-vf0',
  mac: '52:54:00:aa:01:01' as Mac,
  vf: FREE_VF,
  managed: true,
  vlan: 42,
  guestAddress: '0000:00:08.0' as PciAddress,
  ...change,
});
const requestOf = (change: Partial<MigrateRequest> = {}): MigrateRequest => ({
  vmId: WEB,
  target: b,
  protocol: 'p2p',
  peerUri: 'qemu+ssh://root@host-b/system',
  migrationAddress: null,
  persistent: true,
  configVfs: [{ ...plugOf(), pool: null }],
  bandwidthMiBps: null,
  copyDisks: [],
  ...change,
});
const never = new AbortController().signal;

/** Unplugs the VF of web-1 and waits until it is gone. */
async function unplugWeb(): Promise<void> {
  const events: DomainEvent[] = [];
  const stop = await run(a.watch(WEB, (event) => events.push(event)));
  await run(a.requestUnplug(WEB, 'ua-vf0'));
  await world.until('device_removed', () => events.some((event) => event.type === 'device_removed'));
  stop();
}

beforeEach(() => start());
afterEach(async () => {
  await run(hypervisors.close());
  await world.close();
});

describe('looking at a host', () => {
  test('shows PFs with their VFs and settings, cards, bridges and domains', async () => {
    const seen = await run(a.observe());
    expect(seen).toMatchObject({
      libvirtVersion: '11.3.0',
      hostname: 'host-a',
      channel: { works: true, reason: null },
    });
    expect(seen.pfs.map((pf) => [pf.name, pf.vfs.length, pf.carrier])).toEqual([
      ['ens1f0', 8, true],
      ['ens1f1', 8, true],
    ]);
    expect(seen.pfs[1]?.vfs[0]).toMatchObject({
      pciAddress: SOURCE_VF,
      driver: 'vfio-pci',
      attributes: { mac: '52:54:00:aa:01:01', vlan: 42 },
    });
    expect(seen.nics.map((nic) => nic.name)).toEqual(['eno1']);
    expect(seen.bridges.map((bridge) => bridge.name).sort()).toEqual(['ovirtmgmt', 'prod']);
    expect(seen.domains.map((domain) => domain.name).sort()).toEqual(['db-1', 'web-1']);
  });

  test('without a host channel shows what libvirt knows and says why not more', async () => {
    const blind = createHypervisors({
      clock: world.clock,
      log: silentLog,
      connect: (_, options) => openClient(world.fleet.connect('host-a'), 'qemu:///system', options),
    });
    const seen = await run(
      blind.host({ id: 'x' as HostId, name: 'host-a', uri: 'qemu+tls://host-a/system' }).observe(),
    );
    expect(seen.channel).toEqual({ works: false, reason: expect.stringContaining('qemu+ssh') });
    expect(seen.bridges).toEqual([]);
    expect(seen.pfs[0]?.vfs[0]?.attributes).toBeNull();
    await run(blind.close());
  });

  test('refuses libvirt older than 9.0, naming the version', async () => {
    await run(hypervisors.close());
    const hosts = DEMO_FLEET.hosts.map((each) => ({ ...each, libvirtVersion: 8_000_000 }));
    start({ ...DEMO_FLEET, hosts });
    const error = await failureOf(a.observe());
    expect(error.code).toBe('LIBVIRT_TOO_OLD');
    expect(error.message).toContain('8.0.0');
  });

  test('a CPU is compared with that of another host', async () => {
    const { cpuXml } = await run(a.observe());
    expect(await run(b.compareCpu(cpuXml))).toMatch(/identical|superset/);
  });

  test('the same endpoint is the same object until it is forgotten', async () => {
    expect(host('host-a')).toBe(a);
    await run(hypervisors.forget('host-a' as HostId));
    expect(host('host-a')).not.toBe(a);
    expect((await failureOf(a.inspect(WEB))).code).toBe('HOST_UNREACHABLE');
  });
});

describe('looking at a domain', () => {
  test('shows live state, definition and the profile in its metadata', async () => {
    const web = await run(a.inspect(WEB));
    expect(web).toMatchObject({ name: 'web-1', state: 'running', persistent: true, autostart: true });
    expect(web?.interfaces.find((each) => each.kind === 'hostdev')).toMatchObject({
      alias: 'ua-vf0',
      vf: SOURCE_VF,
      vlan: 42,
      profile: 'prod-vf',
    });
    expect(web?.configInterfaces).toHaveLength(2);
  });

  test('that is off shows its definition', async () => {
    const batch = await run(host('host-c').inspect(BATCH));
    expect(batch).toMatchObject({ state: 'shut_off' });
    expect(batch?.interfaces).toEqual(batch?.configInterfaces);
  });

  test('that the host does not know is null for looks and NOT_FOUND for acts', async () => {
    expect(await run(a.inspect(NOBODY))).toBeNull();
    expect(await run(a.migrationProgress(NOBODY))).toBeNull();
    expect(await run(a.migrationDowntimeMs(NOBODY))).toBeNull();
    expect(await run(a.guestInterfaces(NOBODY))).toBeNull();
    for (const act of [a.resume(NOBODY), a.plug(NOBODY, plugOf()), a.requestUnplug(NOBODY, 'ua-vf0')]) {
      expect((await failureOf(act)).code).toBe('NOT_FOUND');
    }
    await run(a.destroy(NOBODY));
    await run(a.undefine(NOBODY));
    await run(a.abortMigration(NOBODY));
  });

  test('whose VF is in names it as the reason that it may not move', async () => {
    expect(await run(a.migrationBlockers(WEB, { copyStorage: false }))).toEqual([
      expect.stringMatching(/^0000:3b:0a\.0: /),
    ]);
    await unplugWeb();
    expect(await run(a.migrationBlockers(WEB, { copyStorage: false }))).toEqual([]);
  });

  test('shows what its agent says of the network', async () => {
    const seen = await run(a.guestInterfaces(WEB));
    expect(seen?.flatMap((each) => each.addresses)).toContain('198.51.100.11');
  });
});

describe('VFs', () => {
  test('one in use names its domain and settings; one that is not there is null', async () => {
    expect(await run(a.inspectVf(SOURCE_VF))).toMatchObject({
      pf: 'ens1f1',
      index: 0,
      attributes: { mac: '52:54:00:aa:01:01' },
      users: [{ vmId: WEB, name: 'web-1', live: true, autostart: true }],
    });
    expect(await run(a.inspectVf('0000:7f:00.0' as PciAddress))).toBeNull();
  });

  test('unplugged is empty again; asking twice, or when it is gone, does no harm', async () => {
    await run(a.requestUnplug(WEB, 'ua-vf0'));
    await run(a.requestUnplug(WEB, 'ua-vf0'));
    await unplugWeb();
    await run(a.requestUnplug(WEB, 'ua-vf0'));
    const vf = await run(a.inspectVf(SOURCE_VF));
    expect(vf?.attributes).toMatchObject({ mac: '00:00:00:00:00:00', vlan: 0 });
    expect(vf?.users).toEqual([expect.objectContaining({ vmId: WEB, live: false })]);
  });

  test('plugged is where it was in the guest', async () => {
    await unplugWeb();
    expect(await run(a.plug(WEB, plugOf()))).toEqual({ guestAddress: '0000:00:08.0' });
    expect(await run(a.inspectVf(FREE_VF))).toMatchObject({
      attributes: { mac: '52:54:00:aa:01:01', vlan: 42 },
    });
  });

  test('gets another place in the guest when its own was taken', async () => {
    await unplugWeb();
    const { guestAddress } = await run(a.plug(WEB, plugOf({ guestAddress: '0000:00:03.0' as PciAddress })));
    expect(guestAddress).not.toBeNull();
    expect(guestAddress).not.toBe('0000:00:03.0');
  });

  test('used by somebody else is refused with libvirt’s code, and nothing changed', async () => {
    await unplugWeb();
    const error = await failureOf(a.plug(WEB, plugOf({ vf: '0000:3b:0a.1' as PciAddress })));
    expect(libvirtCodeOf(error)).toBe(LIBVIRT_CODE.operationInvalid);
    expect(error.message).toMatch(/^host-a refused to plug VF 0000:3b:0a\.1/);
    expect((await run(a.inspect(WEB)))?.interfaces).toHaveLength(1);
  });

  test('managed=no is taken from its driver for the plug and given back after a refusal', async () => {
    const unmanaged = plugOf({ managed: false });
    expect((await run(a.inspectVf(FREE_VF)))?.driver).toBe('iavf');
    expect(libvirtCodeOf(await failureOf(a.plug(WEB, unmanaged)))).toBe(LIBVIRT_CODE.configUnsupported);
    expect((await run(a.inspectVf(FREE_VF)))?.driver).toBe('iavf');
    await unplugWeb();
    await run(a.plug(WEB, unmanaged));
    expect((await run(a.inspectVf(FREE_VF)))?.driver).toBe('vfio-pci');
    await run(a.requestUnplug(WEB, 'ua-vf0'));
    await world.clock.advance(5000);
    expect((await run(a.inspectVf(FREE_VF)))?.driver).toBe('vfio-pci');
    await run(a.reattachVf(FREE_VF));
    expect((await run(a.inspectVf(FREE_VF)))?.driver).toBe('iavf');
  });

  test('a plug whose answer is lost is an unknown outcome, and the VF is not taken from the domain', async () => {
    await unplugWeb();
    world.fleet.faults.add({ procedure: 'domainAttachDeviceFlags', effect: { type: 'dropReply' }, nth: 1 });
    const error = await failureOf(a.plug(WEB, plugOf({ managed: false })));
    expect(error.kind).toBe('outcome_unknown');
    expect((await run(a.inspect(WEB)))?.interfaces.some((each) => each.vf === FREE_VF)).toBe(true);
  });

  test('a daemon that cannot be asked after the plug leaves an unknown outcome too', async () => {
    await unplugWeb();
    await run(a.inspect(WEB));
    world.fleet.faults.add({
      procedure: 'domainAttachDeviceFlags',
      effect: { type: 'delay', delayMs: 1000 },
    });
    const plugging = failureOf(a.plug(WEB, plugOf()));
    world.fleet.faults.add({ procedure: 'domainGetXmlDesc', nth: 1, effect: { type: 'dropRequest' } });
    expect((await plugging).kind).toBe('outcome_unknown');
  });

  test('a reset clears what a stranger left', async () => {
    const vf = world.fleet.host('host-a').hardware.vfs.find((each) => each.pciAddress === FREE_VF);
    if (!vf) expect.unreachable();
    vf.mac = '52:54:00:11:22:33';
    vf.vlan = 7;
    await run(a.resetVf(FREE_VF));
    expect((await run(a.inspectVf(FREE_VF)))?.attributes).toMatchObject({
      mac: '00:00:00:00:00:00',
      vlan: 0,
    });
    expect((await failureOf(a.resetVf('0000:7f:00.0' as PciAddress))).code).toBe('NOT_FOUND');
  });
});

describe('watching', () => {
  test('hears what is asked for afterwards, of its own domain only', async () => {
    const own: string[] = [];
    const all: (VmId | null)[] = [];
    await run(a.watch(BATCH, (event) => own.push(event.type)));
    await run(a.watch(null, (_, vmId) => all.push(vmId)));
    await run(a.requestUnplug(WEB, 'ua-vf0'));
    await world.until('an event', () => all.length > 0);
    expect(own).toEqual([]);
    expect(all).toContain(WEB);
  });

  test('says that it was lost and restored, once each, and hears again', async () => {
    const heard: string[] = [];
    await run(a.watch(null, (event) => heard.push(event.type)));
    world.fleet.host('host-a').killDaemon();
    await world.until('watch_lost', () => heard.length > 0);
    await world.clock.advance(10_000);
    world.fleet.host('host-a').startDaemon();
    await world.until('watch_restored', () => heard.includes('watch_restored'));
    expect(heard.filter((type) => type.startsWith('watch_'))).toEqual(['watch_lost', 'watch_restored']);
    await run(a.requestUnplug(WEB, 'ua-vf0'));
    await world.until('device_removed', () => heard.includes('device_removed'));
  });

  test('stopped while it is lost hears nothing more', async () => {
    const heard: string[] = [];
    const stop = await run(a.watch(null, (event) => heard.push(event.type)));
    world.fleet.host('host-a').killDaemon();
    await world.until('watch_lost', () => heard.length > 0);
    stop();
    world.fleet.host('host-a').startDaemon();
    await world.clock.advance(60_000);
    expect(heard).toEqual(['watch_lost']);
  });

  test('a host that cannot be reached cannot be watched, and forgetting it ends watching', async () => {
    world.fleet.host('host-b').killDaemon();
    expect((await failureOf(b.watch(null, () => {}))).code).toBe('HOST_UNREACHABLE');
    const heard: string[] = [];
    await run(a.watch(null, (event) => heard.push(event.type)));
    await run(hypervisors.forget('host-a' as HostId));
    await world.clock.advance(60_000);
    expect(heard).toEqual([]);
  });

  test('a listener that throws does not keep others from hearing', async () => {
    const heard: string[] = [];
    await run(
      a.watch(null, () => {
        throw new Error('a careless listener');
      }),
    );
    await run(a.watch(null, (event) => heard.push(event.type)));
    await run(a.requestUnplug(WEB, 'ua-vf0'));
    await world.until('an event', () => heard.length > 0);
  });
});

describe('a connection that broke', () => {
  test('is opened again by the next verb', async () => {
    await run(a.inspect(WEB));
    world.fleet.host('host-a').killDaemon();
    await world.clock.advance(100);
    expect((await failureOf(a.inspect(WEB))).kind).toBe('unreachable');
    world.fleet.host('host-a').startDaemon();
    expect((await run(a.inspect(WEB)))?.name).toBe('web-1');
  });

  test('a daemon that never answers costs no more than the limit', async () => {
    world.fleet.faults.add({ procedure: 'domainGetState', effect: { type: 'hang' } });
    const startMs = world.clock.monotonicMs();
    expect((await failureOf(a.inspect(WEB))).code).toBe('CALL_TIMED_OUT');
    expect(world.clock.monotonicMs() - startMs).toBeLessThanOrEqual(20_000);
  });
});

describe('moving a domain', () => {
  for (const protocol of ['p2p', 'direct'] as const) {
    test(`${protocol}: it runs and is defined on the target, with its new VF, and nothing is left behind`, async () => {
      await unplugWeb();
      await run(a.migrate(requestOf({ protocol }), never));
      expect(await run(a.inspect(WEB))).toBeNull();
      const moved = await run(b.inspect(WEB));
      expect(moved).toMatchObject({ state: 'running', stateReason: 'migrated', persistent: true });
      expect(moved?.interfaces).toHaveLength(1);
      expect(moved?.configInterfaces.find((each) => each.kind === 'hostdev')).toMatchObject({
        vf: FREE_VF,
        alias: 'ua-vf0',
        profile: 'prod-vf',
      });
      expect(await run(b.migrationDowntimeMs(WEB))).toBeGreaterThanOrEqual(0);
    });
  }

  test('shows its progress on the source and a job on the target', async () => {
    await unplugWeb();
    const moving = a.migrate(requestOf({ bandwidthMiBps: 100 }), never);
    await world.clock.advance(3000);
    expect(await run(a.migrationProgress(WEB))).toMatchObject({ side: 'source' });
    expect((await run(a.migrationProgress(WEB)))?.bytesTotal).toBeGreaterThan(0);
    expect(await run(b.migrationProgress(WEB))).toMatchObject({ side: 'target' });
    expect(await run(b.inspect(WEB))).toMatchObject({ state: 'paused' });
    await run(moving);
    expect(await run(b.migrationProgress(WEB))).toBeNull();
  });

  test('a VF can be plugged on the target before the source is done', async () => {
    await unplugWeb();
    const events: string[] = [];
    await run(b.watch(WEB, (event) => event.type === 'lifecycle' && events.push(event.name)));
    let moved = false;
    const moving = a.migrate(requestOf(), never).then(() => {
      moved = true;
    });
    await world.until('the guest to run on the target', () => events.includes('resumed'));
    expect(moved).toBe(false);
    expect((await run(b.plug(WEB, plugOf()))).guestAddress).toBe('0000:00:08.0');
    await run(moving);
  });

  test('aborted in the middle stays on the source, running, and leaves nothing on the target', async () => {
    await unplugWeb();
    const stop = new AbortController();
    const moving = failureOf(a.migrate(requestOf({ bandwidthMiBps: 50 }), stop.signal));
    await world.clock.advance(3000);
    stop.abort();
    expect(libvirtCodeOf(await moving)).toBe(LIBVIRT_CODE.operationAborted);
    expect(await run(a.inspect(WEB))).toMatchObject({ state: 'running' });
    expect(await run(b.inspect(WEB))).toBeNull();
  });

  test('aborted before libvirt has opened the job is aborted all the same', async () => {
    await unplugWeb();
    const stop = new AbortController();
    world.fleet.faults.add({
      procedure: 'domainMigratePerform3Params',
      nth: 1,
      effect: { type: 'delay', delayMs: 2000 },
    });
    const moving = failureOf(a.migrate(requestOf({ bandwidthMiBps: 50 }), stop.signal));
    await world.clock.advance(500);
    stop.abort();
    expect(libvirtCodeOf(await moving)).toBe(LIBVIRT_CODE.operationAborted);
    expect(await run(a.inspect(WEB))).toMatchObject({ state: 'running' });
  });

  test('aborted before it was asked is never sent', async () => {
    const stop = new AbortController();
    stop.abort();
    await expect(run(a.migrate(requestOf(), stop.signal))).rejects.toThrow();
    expect(await run(a.migrationProgress(WEB))).toBeNull();
  });

  test('that does not end after an abort is an unknown outcome within the limit', async () => {
    await unplugWeb();
    world.fleet.faults.add({ procedure: 'domainMigratePerform3Params', effect: { type: 'hang' } });
    const stop = new AbortController();
    const moving = failureOf(a.migrate(requestOf(), stop.signal));
    await world.clock.advance(500);
    stop.abort();
    expect((await moving).code).toBe('CALL_TIMED_OUT');
  });

  test('whose source daemon dies is an unknown outcome', async () => {
    await unplugWeb();
    const moving = failureOf(a.migrate(requestOf({ bandwidthMiBps: 50 }), never));
    await world.clock.advance(2000);
    world.fleet.host('host-a').killDaemon();
    expect((await moving).kind).toBe('outcome_unknown');
  });

  test('refused by libvirt says what was refused and keeps its code', async () => {
    const error = await failureOf(a.migrate(requestOf(), never));
    expect(isCode(error, 'LIBVIRT_REFUSED')).toBe(true);
    expect(libvirtCodeOf(error)).toBe(LIBVIRT_CODE.operationInvalid);
    expect(error.message).toMatch(/^host-a refused to move the domain to host-b: .*0000:3b:0a\.0/);
  });

  test('transient: nothing is defined on the target', async () => {
    await run(a.undefine(WEB));
    expect(await run(a.inspect(WEB))).toMatchObject({ state: 'running', persistent: false });
    await unplugWeb();
    await run(a.migrate(requestOf({ persistent: false }), never));
    expect(await run(b.inspect(WEB))).toMatchObject({ state: 'running', persistent: false });
  });
});

describe('acts on domains', () => {
  test('destroy leaves the definition; undefine removes it; autostart is kept with it', async () => {
    await run(a.setAutostart(WEB, false));
    await run(a.destroy(WEB));
    expect(await run(a.inspect(WEB))).toMatchObject({ state: 'shut_off', autostart: false });
    await run(a.destroy(WEB));
    await run(a.undefine(WEB));
    expect(await run(a.inspect(WEB))).toBeNull();
  });

  test('the downtime limit is set before and during a transfer', async () => {
    await run(a.setDowntimeMax(WEB, 300));
    await unplugWeb();
    const moving = a.migrate(requestOf({ bandwidthMiBps: 100 }), never);
    await world.clock.advance(2000);
    await run(a.setDowntimeMax(WEB, 500.4));
    await run(moving);
  });

  test('disks are created once, seen and removed', async () => {
    await run(b.createDisk('/srv/x.qcow2', 'qcow2', 1 << 20));
    expect((await failureOf(b.createDisk('/srv/x.qcow2', 'qcow2', 1 << 20))).code).toBe('ALREADY_EXISTS');
    expect(await run(b.inspectFile('/srv/x.qcow2'))).toEqual({ exists: true, virtualBytes: 1 << 20 });
    await run(b.removeDisk('/srv/x.qcow2'));
    await run(b.removeDisk('/srv/x.qcow2'));
    expect(await run(b.inspectFile('/srv/x.qcow2'))).toEqual({ exists: false, virtualBytes: null });
  });

  test('a peer that can be dialled is, one that cannot says why', async () => {
    expect(await run(a.testPeer('qemu+ssh://root@host-b/system'))).toMatchObject({ ok: true });
    expect(await run(a.testPeer('qemu+ssh://root@nowhere/system'))).toMatchObject({ ok: false });
  });
});
