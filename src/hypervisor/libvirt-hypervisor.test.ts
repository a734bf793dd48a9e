/** Looks, acts on domains and broken connections, against simulated hosts. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { BATCH, NOBODY, plugOf, SimHypervisors, WEB, WEB_VF } from '../../test/support/sim-hypervisors.ts';
import type { HostId, Mac } from '../base/ids.ts';
import type { RxRecording } from './port.ts';

const WEB_MAC = '52:54:00:aa:01:01' as Mac;

let sim: SimHypervisors;
beforeEach(() => {
  sim = new SimHypervisors();
});
afterEach(() => sim.close());

describe('looking at a host', () => {
  test('shows PFs with their VFs and settings, cards, bridges and domains', async () => {
    const seen = await sim.run(sim.a.observe());
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
      pciAddress: WEB_VF,
      driver: 'vfio-pci',
      attributes: { mac: '52:54:00:aa:01:01', vlan: 42 },
    });
    expect(seen.nics.map((nic) => nic.name)).toEqual(['eno1']);
    expect(seen.bridges.map((bridge) => bridge.name).sort()).toEqual(['ovirtmgmt', 'prod']);
    expect(seen.domains.map((domain) => domain.name).sort()).toEqual(['db-1', 'web-1']);
  });

  test('without a host channel shows what libvirt knows and says why not more', async () => {
    await sim.close();
    sim = new SimHypervisors({ channel: false });
    const seen = await sim.run(sim.a.observe());
    expect(seen.channel.works).toBe(false);
    expect(seen.channel.reason).toContain('use qemu+ssh');
    expect(seen.bridges).toEqual([]);
    expect(seen.pfs[0]?.vfs[0]?.attributes).toBeNull();
  });

  test('refuses libvirt older than 9.0, naming the version', async () => {
    await sim.close();
    sim = new SimHypervisors({ libvirtVersion: 8_000_000 });
    const error = await sim.failureOf(sim.a.observe());
    expect(error.code).toBe('LIBVIRT_TOO_OLD');
    expect(error.message).toContain('8.0.0');
  });

  test('a CPU is compared with that of another host', async () => {
    const { cpuXml } = await sim.run(sim.a.observe());
    expect(await sim.run(sim.b.compareCpu(cpuXml))).toMatch(/identical|superset/);
  });

  test('the same endpoint is the same object until it is forgotten', async () => {
    expect(sim.host('host-a')).toBe(sim.a);
    await sim.run(sim.hypervisors.forget('host-a' as HostId));
    expect(sim.host('host-a')).not.toBe(sim.a);
    expect((await sim.failureOf(sim.a.inspect(WEB))).code).toBe('HOST_UNREACHABLE');
  });
});

describe('looking at a domain', () => {
  test('shows live state, definition and the profile in its metadata', async () => {
    const web = await sim.run(sim.a.inspect(WEB));
    expect(web).toMatchObject({ name: 'web-1', state: 'running', persistent: true, autostart: true });
    expect(web?.interfaces.find((each) => each.kind === 'hostdev')).toMatchObject({
      alias: 'ua-vf0',
      vf: WEB_VF,
      vlan: 42,
      profile: 'prod-vf',
    });
    expect(web?.configInterfaces).toHaveLength(2);
  });

  test('that is off shows its definition', async () => {
    const batch = await sim.run(sim.host('host-c').inspect(BATCH));
    expect(batch).toMatchObject({ state: 'shut_off' });
    expect(batch?.interfaces).toEqual(batch?.configInterfaces);
  });

  test('that the host does not know is null for looks and NOT_FOUND for acts', async () => {
    expect(await sim.run(sim.a.inspect(NOBODY))).toBeNull();
    expect(await sim.run(sim.a.migrationProgress(NOBODY))).toBeNull();
    expect(await sim.run(sim.a.migrationDowntimeMs(NOBODY))).toBeNull();
    expect(await sim.run(sim.a.guestVfs(NOBODY, [WEB_MAC]))).toBeNull();
    for (const act of [
      () => sim.a.resume(NOBODY),
      () => sim.a.plug(NOBODY, plugOf()),
      () => sim.a.requestUnplug(NOBODY, 'ua-vf0'),
    ]) {
      expect((await sim.failureOf(act())).code).toBe('NOT_FOUND');
    }
    await sim.run(sim.a.destroy(NOBODY));
    await sim.run(sim.a.undefine(NOBODY));
    await sim.run(sim.a.abortMigration(NOBODY));
  });

  test('whose VF is in names it as the reason that it may not move', async () => {
    expect(await sim.run(sim.a.migrationBlockers(WEB, { copyStorage: false }))).toEqual([
      expect.stringMatching(/^0000:3b:0a\.0: /),
    ]);
    await sim.unplugWeb();
    expect(await sim.run(sim.a.migrationBlockers(WEB, { copyStorage: false }))).toEqual([]);
  });
});

describe('looking for a VF in its guest', () => {
  const look = async () => (await sim.run(sim.a.guestVfs(WEB, [WEB_MAC])))?.get(WEB_MAC);
  const guest = () => {
    const found = sim.world.fleet.host('host-a').byUuid(WEB).guest;
    if (!found) throw new Error('web-1 does not run');
    return found;
  };
  /** As a bond with fail_over_mac=none has it. */
  const shareMac = (): void => {
    guest().nics.splice(0, guest().nics.length, ...guest().nics.map((nic) => ({ ...nic, mac: WEB_MAC })));
  };

  test('tells what it received, which the agent does not, and leaves no file open', async () => {
    await sim.world.clock.advance(1000);
    const { names, rxPackets } = (await look()) ?? {};
    expect(names).toEqual(['ens8']);
    expect(rxPackets).toBeGreaterThan(1000);
    await sim.world.clock.advance(1000);
    expect((await look())?.rxPackets).toBeGreaterThan(Number(rxPackets) + 1000);
    expect(guest().agentFiles.size).toBe(0);
  });

  test('finds it among interfaces that share its MAC, and it is not the standby', async () => {
    shareMac();
    await sim.world.clock.advance(1000);
    const found = await look();
    expect(found?.names).toEqual(['ens8']);
    expect(found?.rxPackets).toBeGreaterThan(1000);
    for (const nic of guest().nics) if (nic.passthrough) nic.upFromMs = Infinity;
    expect(await look(), 'only standby and bond have the MAC').toBeUndefined();
  });

  test('does not tell what it received where the agent refuses to open files', async () => {
    guest().agentRefuses.add('guest-file-open');
    expect(await look()).toEqual({ names: ['ens8'], rxPackets: null });
    shareMac();
    expect(await look()).toEqual({ names: ['ens3', 'ens8'], rxPackets: null });
  });

  test('closes a file that may be opened and not read', async () => {
    guest().agentRefuses.add('guest-file-read');
    expect(await look()).toEqual({ names: ['ens8'], rxPackets: null });
    expect(guest().agentFiles.size).toBe(0);
  });

  test('asks for no file of an interface whose name is a path, and cleans that name', async () => {
    guest().nics.forEach((nic) => Object.assign(nic, { name: `../${nic.name}\u001b[2J` }));
    expect(await look()).toEqual({ names: ['../ens8?[2J'], rxPackets: null });
  });

  test('is null where no agent answers', async () => {
    guest().agentUp = false;
    expect(await sim.run(sim.a.guestVfs(WEB, [WEB_MAC]))).toBeNull();
  });
});

describe('the network in a guest', () => {
  const look = async () => await sim.run(sim.a.guestNetwork(WEB));
  const guest = () => {
    const found = sim.world.fleet.host('host-a').byUuid(WEB).guest;
    if (!found) throw new Error('web-1 does not run');
    return found;
  };

  test('has a bond with its legs, told by driver and own MAC', async () => {
    await sim.world.clock.advance(1000);
    const network = await look();
    expect(network).toMatchObject({ mayRun: true });
    const [bond] = network?.bonds ?? [];
    expect(bond).toMatchObject({ name: 'bond0', activeBackup: true, active: 'ens8', primary: 'ens8' });
    expect(
      bond?.legs.map(({ name, driver, onPciFunction, up }) => [name, driver, onPciFunction, up]),
    ).toEqual([
      ['ens3', 'virtio_net', false, true],
      ['ens8', 'iavf', true, true],
    ]);
    expect(bond?.legs[1]).toMatchObject({ mac: WEB_MAC });
    expect(guest().agentFiles.size).toBe(0);
  });

  test('without the right to read files has interfaces, and nothing is said of bonds', async () => {
    for (const command of ['guest-file-open', 'guest-exec']) guest().agentRefuses.add(command);
    const network = await look();
    expect(network).toMatchObject({ bonds: null, mayRun: false });
    expect(network?.interfaces.map(({ name }) => name)).toEqual(['lo', 'bond0', 'ens3', 'ens8']);
  });

  test('is asked of its kit what would fight over the legs, where it has one', async () => {
    expect((await look())?.conflicts).toBeNull();
    const conflicts = [
      { kind: 'udev', where: '/etc/udev/rules.d/70.rules', text: 'names NICs\u0007 by MAC' },
    ];
    guest().kit = ([verb]) => ({ code: verb === 'status' ? 0 : 2, printed: JSON.stringify({ conflicts }) });
    expect((await look())?.conflicts).toEqual(['/etc/udev/rules.d/70.rules: names NICs  by MAC']);
    guest().kit = () => ({ code: 0, printed: 'no JSON' });
    expect((await look())?.conflicts).toBeNull();
  });

  test('has no bond where there is none', async () => {
    guest().hasBond = false;
    expect((await look())?.bonds).toEqual([]);
  });

  test('is null where no agent answers, and nothing is done there', async () => {
    guest().agentUp = false;
    expect(await look()).toBeNull();
    expect(await sim.run(sim.a.setActiveLeg(WEB, 'bond0', 'ens3'))).toBe(false);
    expect(await sim.run(sim.a.announce(WEB, 'bond0'))).toBe(false);
  });

  test('has a bond whose counter goes on rising when a leg leaves it', async () => {
    await sim.world.clock.advance(1000);
    const counts = async (...names: string[]) => (await sim.run(sim.a.guestRxPackets(WEB, names))) ?? [];
    const count = async () => Number((await counts('bond0'))[0]);
    const before = await count();
    expect(before).toBeGreaterThan(1000);
    await sim.unplugWeb();
    expect(await count()).toBeGreaterThan(before);
    const [missing, there] = await counts('bond1', 'bond0');
    expect(missing).toBeNull();
    expect(there).toBeGreaterThan(before);
  });

  test('counts by itself what a bond receives, until it is ended, if it may run commands', async () => {
    const record = async (...names: string[]) =>
      (await sim.run(sim.a.recordRxPackets(WEB, names))) as RxRecording;
    const recording = await record('bond0', 'ens3');
    const beganAt = sim.world.clock.now();
    expect(recording.lengthMs).toBeGreaterThan(20_000);
    await sim.world.clock.advance(4_000);
    const looks = (await sim.run(sim.a.endRxRecording(WEB, recording))) ?? [];
    expect(looks.length).toBeGreaterThanOrEqual(40);
    expect(looks.length).toBeLessThan(50);
    for (const [index, { at, counts }] of looks.entries()) {
      expect(Math.abs(at - beganAt - index * 100)).toBeLessThanOrEqual(100);
      expect(counts).toHaveLength(2);
      if (index > 0) expect(counts[0]).toBeGreaterThan(looks[index - 1]?.counts[0] ?? Infinity);
    }
    expect(await sim.run(sim.a.recordRxPackets(WEB, ['bond0', '../bond0']))).toBeNull();
    expect(await sim.run(sim.a.endRxRecording(WEB, await record('bond0', 'bond7')))).toEqual([]);
    guest().agentRefuses.add('guest-exec');
    expect(await sim.run(sim.a.recordRxPackets(WEB, ['bond0']))).toBeNull();
  });

  test('uses another leg when it is told to, and says so', async () => {
    expect(await sim.run(sim.a.setActiveLeg(WEB, 'bond0', 'ens3'))).toBe(true);
    expect((await look())?.bonds?.[0]?.active).toBe('ens3');
    expect(await sim.run(sim.a.setActiveLeg(WEB, 'bond0', 'ens4'))).toBe(false);
    expect((await look())?.bonds?.[0]?.active).toBe('ens3');
    guest().agentRefuses.add('guest-file-write');
    expect(await sim.run(sim.a.setActiveLeg(WEB, 'bond0', 'ens8'))).toBe(false);
    expect(guest().agentFiles.size).toBe(0);
  });

  test('is announced by a command, whose argument is a name and nothing else', async () => {
    expect(await sim.run(sim.a.announce(WEB, 'bond0'))).toBe(true);
    expect(guest().executed.map((args) => args.at(-1))).toEqual(['bond0']);
    expect(await sim.run(sim.a.announce(WEB, '../x; reboot'))).toBe(false);
    expect(guest().executed).toHaveLength(1);
    guest().agentRefuses.add('guest-exec');
    expect(await sim.run(sim.a.announce(WEB, 'bond0'))).toBe(false);
  });
});

describe('a connection that broke', () => {
  test('is opened again by the next verb', async () => {
    await sim.run(sim.a.inspect(WEB));
    sim.world.fleet.host('host-a').killDaemon();
    await sim.world.clock.advance(100);
    expect((await sim.failureOf(sim.a.inspect(WEB))).kind).toBe('unreachable');
    sim.world.fleet.host('host-a').startDaemon();
    expect((await sim.run(sim.a.inspect(WEB)))?.name).toBe('web-1');
  });

  test('a daemon that never answers costs no more than the limit', async () => {
    sim.world.fleet.faults.add({ procedure: 'domainGetState', effect: { type: 'hang' } });
    const startMs = sim.world.clock.monotonicMs();
    expect((await sim.failureOf(sim.a.inspect(WEB))).code).toBe('CALL_TIMED_OUT');
    expect(sim.world.clock.monotonicMs() - startMs).toBeLessThanOrEqual(20_000);
  });
});

describe('acts on domains', () => {
  test('destroy leaves the definition; undefine removes it; autostart is kept with it', async () => {
    await sim.run(sim.a.setAutostart(WEB, false));
    await sim.run(sim.a.destroy(WEB));
    expect(await sim.run(sim.a.inspect(WEB))).toMatchObject({ state: 'shut_off', autostart: false });
    await sim.run(sim.a.destroy(WEB));
    await sim.run(sim.a.undefine(WEB));
    expect(await sim.run(sim.a.inspect(WEB))).toBeNull();
  });

  test('the downtime limit is set before and during a transfer', async () => {
    await sim.run(sim.a.setDowntimeMax(WEB, 300));
    await sim.unplugWeb();
    const moving = sim.migrateWeb({ bandwidthMiBps: 100 });
    await sim.world.clock.advance(2000);
    await sim.run(sim.a.setDowntimeMax(WEB, 500.4));
    await sim.run(moving);
  });

  test('disks are created once, seen and removed', async () => {
    await sim.run(sim.b.createDisk('/srv/x.qcow2', 'qcow2', 1 << 20));
    expect((await sim.failureOf(sim.b.createDisk('/srv/x.qcow2', 'qcow2', 1 << 20))).code).toBe(
      'ALREADY_EXISTS',
    );
    expect(await sim.run(sim.b.inspectFile('/srv/x.qcow2'))).toEqual({ exists: true, virtualBytes: 1 << 20 });
    await sim.run(sim.b.removeDisk('/srv/x.qcow2'));
    await sim.run(sim.b.removeDisk('/srv/x.qcow2'));
    expect(await sim.run(sim.b.inspectFile('/srv/x.qcow2'))).toEqual({ exists: false, virtualBytes: null });
  });

  test('a peer that can be dialled is, one that cannot says why', async () => {
    expect(await sim.run(sim.a.testPeer('qemu+ssh://root@host-b/system'))).toMatchObject({ ok: true });
    expect(await sim.run(sim.a.testPeer('qemu+ssh://root@nowhere/system'))).toMatchObject({ ok: false });
  });
});
