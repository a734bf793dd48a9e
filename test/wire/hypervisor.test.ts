/**
 * The hypervisor port against real daemons of the installed libvirt: what simulated hosts cannot prove.
 * Guests are emulated and stay in their firmware; VFs are the lab's matter.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import type { HandoverError } from '../../src/base/errors.ts';
import type { HostId, Mac, PciAddress, VmId } from '../../src/base/ids.ts';
import { silentLog } from '../../src/base/log.ts';
import { systemRandom } from '../../src/base/random.ts';
import { createHypervisors } from '../../src/hypervisor/libvirt-hypervisor.ts';
import type { DomainEvent, Hypervisor, MigrateRequest } from '../../src/hypervisor/port.ts';
import {
  connect,
  LIBVIRT_CODE,
  type LibvirtClient,
  libvirtCodeOf,
  procedures,
  UNDEFINE,
} from '../../src/libvirt/index.ts';
import { isActive } from '../../src/model/domain.ts';
import { ensureWirePackages } from '../../tools/setup/wire-packages.ts';
import { consoleLog } from '../support/console-log.ts';
import { eventually } from '../support/eventually.ts';
import { type Libvirtd, startLibvirtd } from '../support/libvirtd.ts';
import { failureOf, removeDomain, tinyDomain } from './suite-tools.ts';

const START_LIMIT_MS = 300_000;
const MOVE_LIMIT_MS = 150_000;
/** At 1 MiB/s even pages of zeros take ten seconds. */
const SLOW_MEMORY_MIB = 4096;

const run = promisify(execFile);

await ensureWirePackages(consoleLog);

describe('the hypervisor port on real daemons', () => {
  const hypervisors = createHypervisors({ clock: systemClock, log: silentLog });
  const daemons: Libvirtd[] = [];
  let client: LibvirtClient;
  let a: Hypervisor;
  let b: Hypervisor;
  let vmId: VmId;

  beforeAll(async () => {
    for (const index of [0, 1]) {
      daemons.push(await startLibvirtd({ name: `port-${index}` }));
    }
    const [first, second] = daemons.map((daemon) => {
      const { name } = daemon;
      return hypervisors.host({ id: name as HostId, name, uri: daemon.unixUri() });
    });
    a = first as Hypervisor;
    b = second as Hypervisor;
    client = await connect(daemonOf('port-0').unixUri(), { clock: systemClock, log: silentLog });
    // The first look makes the daemon probe QEMU.
    await Promise.all([a.observe(), b.observe()]);
  }, START_LIMIT_MS);
  afterAll(async () => {
    await hypervisors.close();
    await client.close();
    for (const daemon of daemons) await daemon.stop();
  }, START_LIMIT_MS);

  beforeEach(() => {
    vmId = systemRandom.uuid() as VmId;
  });
  afterEach(async () => {
    await removeDomain(client, vmId);
    await b.destroy(vmId);
    await b.undefine(vmId);
  });

  const daemonOf = (name: string) => daemons.find((each) => each.name === name) as Libvirtd;
  const define = async (xml: string) => {
    await client.call(procedures.domainDefineXmlFlags, { xml, flags: 0 });
  };
  const start = async () => {
    const { dom } = await client.call(procedures.domainLookupByUuid, { uuid: vmId });
    await client.call(procedures.domainCreateWithFlags, { dom, flags: 0 });
  };
  const request = (change: Partial<MigrateRequest> = {}): MigrateRequest => ({
    vmId,
    target: b,
    protocol: 'p2p',
    peerUri: daemonOf('port-1').tcpUri(),
    migrationAddress: daemonOf('port-1').ip,
    persistent: true,
    configVfs: [],
    bandwidthMiBps: null,
    copyDisks: [],
    ...change,
  });
  const wanted = {
    alias: 'ua-vf0',
    mac: '52:54:00:00:00:09' as Mac,
    vf: '0000:7f:1f.7' as PciAddress,
    managed: true,
    vlan: null,
    guestAddress: null,
    traitsXml: '',
  };

  test('a host is observed with its versions, CPU and memory, links over the local channel', async () => {
    const seen = await a.observe();
    expect(seen).toMatchObject({ hostname: 'port-0', arch: 'x86_64', channel: { works: true } });
    expect(seen.libvirtVersion).toMatch(/^\d+\.\d+\.\d+$/);
    expect(seen.hypervisorVersion).toMatch(/^\d+\.\d+\.\d+$/);
    expect(seen.memoryFreeKiB).toBeLessThan(seen.memoryKiB);
    expect(seen.memoryFreeKiB).toBeGreaterThan(0);
    expect(seen.hostUuid).not.toBe((await b.observe()).hostUuid);
    expect(seen.cpuXml).toMatch(/^<cpu>/);
  });

  test('CPUs are compared with what the host can give a guest', async () => {
    // Neither this machine's own CPU nor any 64-bit model: software emulation may lack some of its features.
    const cpu = (inner: string) => `<cpu><arch>x86_64</arch><model>pentium3</model>${inner}</cpu>`;
    expect(await b.compareCpu(cpu(''))).toMatch(/identical|superset/);
    expect(await b.compareCpu(cpu("<feature name='intel-pt'/>"))).toBe('incompatible');
  });

  test('a domain is off, runs, is paused, and gone, as it is', async () => {
    expect(await a.inspect(vmId)).toBeNull();
    await define(tinyDomain('port-states', 32, vmId));
    expect(await a.inspect(vmId)).toMatchObject({ state: 'shut_off', persistent: true, autostart: false });
    await a.setAutostart(vmId, true);
    await start();
    expect(await a.inspect(vmId)).toMatchObject({
      state: 'running',
      stateReason: 'booted',
      autostart: true,
      memoryKiB: 32 * 1024,
      machine: 'pc-i440fx-7.2',
    });
    await a.undefine(vmId);
    expect(await a.inspect(vmId)).toMatchObject({ persistent: false, configInterfaces: [] });
    await a.destroy(vmId);
    expect(await a.inspect(vmId)).toBeNull();
  });

  test('a VM is defined from what a user wrote, and removed only when it is down', async () => {
    const given = { xml: tinyDomain('port-given', 32, systemRandom.uuid()), name: 'port-named', id: vmId };
    const definition = hypervisors.readDefinition({
      ...given,
      xml: given.xml.replace(/<uuid>.*<\/uuid>/, ''),
    });
    await a.define(definition);
    expect(await a.inspect(vmId)).toMatchObject({ name: 'port-named', state: 'shut_off', persistent: true });
    const other = { ...definition, ...hypervisors.readDefinition({ ...given, name: 'port-named' }) };
    expect(await failureOf(a.define(other))).toMatchObject({ code: 'LIBVIRT_REFUSED' });
    await start();
    expect(await failureOf(a.removeDown(vmId))).toMatchObject({ code: 'VM_STATUS_WRONG' });
    expect(await a.inspect(vmId)).toMatchObject({ state: 'running', persistent: true });
    await a.destroy(vmId);
    await a.removeDown(vmId);
    await a.removeDown(vmId);
    expect(await a.inspect(vmId)).toBeNull();
  });

  test('a VM with a saved state is not removed', async () => {
    await define(tinyDomain('port-saved', 32, vmId));
    await start();
    const dom = { name: 'port-saved', uuid: vmId, id: -1 };
    await run('virsh', ['-c', daemonOf('port-0').unixUri(), 'managedsave', 'port-saved']);
    expect(await failureOf(a.removeDown(vmId))).toMatchObject({
      code: 'LIBVIRT_REFUSED',
      message: expect.stringContaining('managed save') as string,
    });
    expect(await a.inspect(vmId)).toMatchObject({ state: 'shut_off' });
    await client.call(procedures.domainUndefineFlags, { dom, flags: UNDEFINE.managedSave });
  });

  test('a domain that starts and ends meanwhile is never seen half', async () => {
    await define(tinyDomain('port-flapping', 32, vmId));
    let flapping = true;
    let looks = 0;
    const looking = (async () => {
      while (flapping) {
        const seen = await a.inspect(vmId);
        if (!seen) throw new Error('a defined domain was not there');
        // While QEMU is being ended it is `shutdown` for a moment.
        expect(['running', 'paused', 'shutdown', 'shut_off']).toContain(seen.state);
        // Live interfaces have aliases; only a definition's may lack one.
        expect(isActive(seen) ? seen.agentConnected : false).toBe(false);
        looks++;
      }
    })().finally(() => {
      flapping = false;
    });
    looking.catch(() => undefined);
    for (let round = 0; flapping && (round < 3 || looks < 4); round++) {
      await start();
      await a.destroy(vmId);
    }
    flapping = false;
    await looking;
  });

  test('a VF that is not there is refused, an alias that is not there is given back already', async () => {
    await define(tinyDomain('port-vf', 32, vmId));
    await start();
    expect((await failureOf(a.plug(vmId, wanted))) as HandoverError).toMatchObject({
      code: 'LIBVIRT_REFUSED',
    });
    await a.requestUnplug(vmId, 'ua-vf0');
    expect(await a.vfAttributes(wanted.vf)).toBeNull();
    expect(await a.guestVfs(vmId, [wanted.mac])).toBeNull();
  });

  test('what keeps a domain from moving is named', async () => {
    const shmem = "<shmem name='x' role='peer'><model type='ivshmem-plain'/><size unit='M'>4</size></shmem>";
    await define(tinyDomain('port-shmem', 32, vmId).replace('</devices>', `${shmem}</devices>`));
    await start();
    const blockers = await a.migrationBlockers(vmId, { copyStorage: false });
    expect(blockers).toEqual([expect.stringContaining('ivshmem')]);
    expect(await a.migrationProgress(vmId)).toBeNull();
    expect(libvirtCodeOf(await failureOf(a.migrate(request(), new AbortController().signal)))).toBe(
      LIBVIRT_CODE.operationInvalid,
    );
  });

  test.each(['p2p', 'direct'] as const)(
    '%s: a domain moves and its definition names the VF of the target',
    async (protocol) => {
      await define(tinyDomain('port-move', 32, vmId));
      await start();
      const events: DomainEvent[] = [];
      const stop = await b.watch(vmId, (event) => events.push(event));
      const request_ = request({ protocol, configVfs: [{ ...wanted, pool: null, definedPool: null }] });
      await a.migrate(request_, new AbortController().signal);
      expect(await a.inspect(vmId)).toBeNull();
      const moved = await b.inspect(vmId);
      expect(moved).toMatchObject({ state: 'running', stateReason: 'migrated', persistent: true });
      expect(moved?.configInterfaces).toEqual([
        expect.objectContaining({ kind: 'hostdev', vf: wanted.vf, alias: 'ua-vf0' }),
      ]);
      expect(moved?.interfaces).toEqual([]);
      expect(await b.migrationDowntimeMs(vmId)).toBeGreaterThanOrEqual(0);
      await eventually('the resumed event', () =>
        events.some((event) => event.type === 'lifecycle' && event.name === 'resumed'),
      );
      stop();
    },
    MOVE_LIMIT_MS,
  );

  test(
    'a transfer shows its progress on both sides and ends on the source when aborted',
    async () => {
      await define(tinyDomain('port-abort', SLOW_MEMORY_MIB, vmId));
      await start();
      await a.setDowntimeMax(vmId, 1);
      const stop = new AbortController();
      const moving = failureOf(a.migrate(request({ bandwidthMiBps: 1 }), stop.signal));
      const progress = await eventually('progress', async () => {
        const seen = await a.migrationProgress(vmId);
        return seen !== null && seen.bytesTotal > 0 ? seen : null;
      });
      expect(progress).toMatchObject({ side: 'source' });
      // Some versions describe it only when it has arrived; how it is doing they always tell.
      for (let look = 0; look < 5; look++) {
        expect(await b.inspect(vmId)).toMatchObject({ name: 'port-abort', state: 'paused' });
      }
      expect((await b.observe()).libvirtVersion).toMatch(/^\d/);
      expect(await b.migrationProgress(vmId)).toMatchObject({ side: 'target' });
      stop.abort();
      expect(libvirtCodeOf(await moving)).toBe(LIBVIRT_CODE.operationAborted);
      expect(await a.inspect(vmId)).toMatchObject({ state: 'running' });
      await eventually('nothing on the target', async () => (await b.inspect(vmId)) === null);
      await a.abortMigration(vmId);
    },
    MOVE_LIMIT_MS,
  );

  test('disks are made with qemu-img, never over a file', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'handover-port-'));
    try {
      const path = join(directory, "it's a disk.qcow2");
      await a.createDisk(path, 'qcow2', 1 << 20);
      expect(await a.inspectFile(path)).toEqual({ exists: true, virtualBytes: 1 << 20 });
      expect(await failureOf(a.createDisk(path, 'raw', 512))).toMatchObject({ code: 'ALREADY_EXISTS' });
      const text = join(directory, 'text');
      writeFileSync(text, 'x'.repeat(1024));
      expect(await a.inspectFile(text)).toEqual({ exists: true, virtualBytes: 1024 });
      await a.removeDisk(path);
      expect(await a.inspectFile(path)).toEqual({ exists: false, virtualBytes: null });
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  test('a daemon that was killed is unreachable, not lost with what runs there', async () => {
    const third = await startLibvirtd({ name: 'port-2' });
    try {
      const c = hypervisors.host({ id: 'port-2' as HostId, name: 'port-2', uri: third.unixUri() });
      const events: DomainEvent[] = [];
      await c.watch(null, (event) => events.push(event));
      expect(await c.inspect(vmId)).toBeNull();
      await third.kill();
      await eventually('watch_lost', () => events.some((event) => event.type === 'watch_lost'));
      expect(await failureOf(c.inspect(vmId))).toMatchObject({ code: 'HOST_UNREACHABLE' });
      await hypervisors.forget('port-2' as HostId);
    } finally {
      await third.stop();
    }
  });
});
