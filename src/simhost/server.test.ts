/** The simulated daemon on the wire. */
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { connect as connectSocket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SimWorld } from '../../test/support/sim-fleet.ts';
import { seededRandom } from '../base/random.ts';
import { systemClock } from '../base/clock.ts';
import { silentLog } from '../base/log.ts';
import {
  connect,
  encodeFrame,
  FRAME_STATUS,
  FRAME_TYPE,
  FrameReader,
  type Procedure,
  type LibvirtClient,
  libvirtCodeOf,
  procedures,
} from '../libvirt/index.ts';
import { PROGRAM, remote } from '../libvirt/procedures/procedure.ts';
import { nothing } from '../libvirt/xdr/codec.ts';
import { DEMO_FLEET } from './demo-inventory.ts';
import { createSimFleet } from './fleet.ts';
import { killLibvirtd, startLibvirtd } from './machine.ts';

const codeOf = async (call: Promise<unknown>) => libvirtCodeOf(await call.catch((error: unknown) => error));

describe('a simulated libvirtd', () => {
  let world: SimWorld;
  let a: LibvirtClient;

  beforeEach(async () => {
    world = new SimWorld();
    a = await world.watch('host-a');
  });
  afterEach(() => world.close());

  test('answers an unknown procedure with the error of the RPC layer and goes on', async () => {
    const unknown = remote(9999, 'no_such_procedure', 'low', nothing, nothing);
    expect(await codeOf(world.run(a.call(unknown, {})))).toBe(39);
    const { hostname } = await world.run(a.call(procedures.connectGetHostname, {}));
    expect(hostname).toBe('host-a');
  });

  test('knows no domain it was not told of (42)', async () => {
    expect(await codeOf(world.run(a.call(procedures.domainLookupByName, { name: 'nobody' })))).toBe(42);
  });

  test('serves five calls of a connection at once; the sixth waits, other connections do not', async () => {
    world.fleet.faults.add({ procedure: 'connectGetUri', effect: { type: 'hang' } });
    const answered: number[] = [];
    const frames = new FrameReader((frame) => answered.push(frame.serial));
    const stream = world.fleet.connect('host-a');
    stream.start({ data: (bytes) => frames.push(bytes), drain() {}, closed() {} });
    const call = <Args>(procedure: Procedure<Args, unknown>, serial: number, args: Args) => {
      const { program, number } = procedure;
      const header = { program, procedure: number, type: FRAME_TYPE.call, serial, status: FRAME_STATUS.ok };
      stream.write(encodeFrame(header, procedure.args, args));
    };
    call(procedures.connectOpen, 1, { name: 'qemu:///system', flags: 0 });
    for (let serial = 2; serial <= 5; serial++) call(procedures.connectGetUri, serial, {});
    call(procedures.connectGetHostname, 6, {});
    await world.clock.advance(1000);
    expect(answered).toEqual([1, 6]);
    call(procedures.connectGetUri, 7, {});
    call(procedures.connectGetHostname, 8, {});
    await world.clock.advance(1000);
    expect(answered).toEqual([1, 6]);
    await world.run(a.call(procedures.connectGetHostname, {}));
  });

  test('changes of one domain run one after the other', async () => {
    const web = await world.domain(a, 'web-1');
    const guest = world.fleet.host('host-a').byUuid(web.uuid).guest;
    if (guest) guest.unplug = { type: 'never' };
    const xml = `<interface type='hostdev'><mac address='52:54:00:aa:01:01'/><source>
      <address type='pci' bus='0x3b' slot='0x0a'/></source></interface>`;
    const startMs = world.clock.monotonicMs();
    const detach = () => a.call(procedures.domainDetachDeviceFlags, { dom: web, xml, flags: 1 });
    await world.run(Promise.all([detach(), detach()]));
    expect(world.clock.monotonicMs() - startMs).toBeGreaterThanOrEqual(10_000);
  });

  test('pings its clients and drops one that says nothing for 30 s', async () => {
    await world.clock.advance(60_000);
    expect(a.isOpen).toBe(true);
    expect(a.pingsAnswered).toBeGreaterThan(5);
  });

  test('events come to those who registered, for one domain or all, until they deregister', async () => {
    const web = await world.domain(a, 'web-1');
    const db = await world.domain(a, 'db-1');
    await world.run(a.call(procedures.domainSuspend, { dom: web }));
    await world.run(a.call(procedures.domainSuspend, { dom: db }));
    expect(world.events.filter(({ type }) => type === 'lifecycle').map(({ dom }) => dom)).toEqual([
      'web-1',
      'db-1',
    ]);
  });

  test('defines, starts, shuts down and undefines', async () => {
    const xml =
      "<domain type='kvm'><name>t</name><memory unit='MiB'>64</memory><os><type>hvm</type></os></domain>";
    const { dom } = await world.run(a.call(procedures.domainDefineXmlFlags, { xml, flags: 0 }));
    await world.run(a.call(procedures.domainCreateWithFlags, { dom, flags: 0 }));
    expect(await codeOf(world.run(a.call(procedures.domainCreateWithFlags, { dom, flags: 0 })))).toBe(55);
    await world.run(a.call(procedures.domainShutdownFlags, { dom, flags: 0 }));
    await world.until('the end of the guest', () => world.saw('host-a', 'lifecycle', '5/0'));
    await world.run(a.call(procedures.domainUndefineFlags, { dom, flags: 0 }));
    expect(await codeOf(world.run(a.call(procedures.domainGetState, { dom, flags: 0 })))).toBe(42);
    const seen = world.events.filter((event) => event.dom === 't').map(({ detail }) => detail);
    expect(seen).toEqual(['0/0', '4/0', '2/0', '6/1', '5/0', '1/0']);
  });

  test('a transient domain is gone when it ends, and cannot start by itself', async () => {
    const xml =
      "<domain type='kvm'><name>t</name><memory unit='MiB'>64</memory><os><type>hvm</type></os></domain>";
    const { dom } = await world.run(a.call(procedures.domainCreateXml, { xml, flags: 0 }));
    expect(await codeOf(world.run(a.call(procedures.domainSetAutostart, { dom, autostart: true })))).toBe(55);
    await world.run(a.call(procedures.domainDestroyFlags, { dom, flags: 0 }));
    expect(await codeOf(world.run(a.call(procedures.domainGetState, { dom, flags: 0 })))).toBe(42);
  });

  test('a VF of a domain that ends is free again', async () => {
    const web = await world.domain(a, 'web-1');
    await world.run(a.call(procedures.domainDestroyFlags, { dom: web, flags: 0 }));
    expect(world.fleet.host('host-a').hardware.vf('0000:3b:0a.0')).toMatchObject({
      holder: null,
      driver: 'iavf',
    });
    await world.run(a.call(procedures.domainCreateWithFlags, { dom: web, flags: 0 }));
    expect(world.fleet.host('host-a').hardware.vf('0000:3b:0a.0')?.holder?.domain).toBe('web-1');
  });

  test('metadata of another namespace is set, read and deleted', async () => {
    const dom = await world.domain(a, 'web-1');
    const uri = 'https://example.org/x';
    const set = (metadata: string | null) =>
      world.run(a.call(procedures.domainSetMetadata, { dom, type: 2, metadata, key: 'x', uri, flags: 3 }));
    const get = () => world.run(a.call(procedures.domainGetMetadata, { dom, type: 2, uri, flags: 1 }));
    expect(await codeOf(get())).toBe(80);
    await set("<job id='7'/>");
    expect((await get()).metadata).toContain("<x:job id='7'");
    expect(await world.xml(a, dom, true)).toContain("<x:job id='7'");
    await set(null);
    expect(await codeOf(get())).toBe(80);
  });

  describe('the guest agent', () => {
    /** VIR_ERR_AGENT_COMMAND_FAILED, as libvirt 11.3 answers. */
    const SAID_NO = 113;
    const ask = async (execute: string, args: object = {}): Promise<unknown> => {
      const dom = await world.domain(a, 'web-1');
      const cmd = JSON.stringify({ execute, arguments: args });
      const call = { dom, cmd, timeoutS: -1, flags: 0 };
      const { result } = await world.run(a.call(procedures.qemuAgentCommand, call));
      return (JSON.parse(result ?? '{}') as { return: unknown }).return;
    };
    const read = async (path: string): Promise<string> => {
      const handle = await ask('guest-file-open', { path, mode: 'r' });
      const file = (await ask('guest-file-read', { handle, count: 4096 })) as { 'buf-b64': string };
      await ask('guest-file-close', { handle });
      expect(await codeOf(ask('guest-file-read', { handle }))).toBe(SAID_NO);
      return Buffer.from(file['buf-b64'], 'base64').toString();
    };
    const received = async (name: string): Promise<number> =>
      Number(await read(`/sys/class/net/${name}/statistics/rx_packets`));

    test('tells no counters of interfaces without an address, which those in a bond are', async () => {
      const list = (await ask('guest-network-get-interfaces')) as { name: string; statistics?: object }[];
      expect(list.map(({ name, statistics }) => [name, statistics !== undefined])).toEqual([
        ['lo', true],
        ['bond0', true],
        ['ens3', false],
        ['ens8', false],
      ]);
    });

    test('reads counters, which move on the path in use', async () => {
      const before = [await received('ens8'), await received('ens3')] as const;
      await world.clock.advance(1000);
      expect((await received('ens8')) - before[0]).toBeGreaterThan(1000);
      expect((await received('ens3')) - before[1]).toBeLessThan(100);
    });

    test('reads what an interface is of, and no other file', async () => {
      expect(await read('/sys/class/net/ens8/device/uevent')).toContain('PCI_SLOT_NAME=0000:00:08.0\n');
      expect(await read('/sys/class/net/ens3/device/uevent')).toContain('DRIVER=virtio_net\n');
      for (const path of ['/sys/class/net/bond0/device/uevent', '/etc/passwd'])
        expect(await codeOf(ask('guest-file-open', { path, mode: 'r' }))).toBe(SAID_NO);
    });
  });

  test('the agent of a guest that stands still is unresponsive (86)', async () => {
    const dom = await world.domain(a, 'web-1');
    await world.run(a.call(procedures.domainSuspend, { dom }));
    const cmd = '{"execute":"guest-ping"}';
    const call = a.call(procedures.qemuAgentCommand, { dom, cmd, timeoutS: -1, flags: 0 });
    expect(await codeOf(world.run(call))).toBe(86);
  });

  test('a CPU that wants a feature the host lacks is incompatible; its own is identical', async () => {
    const compare = async (cpuXml: string) => {
      const args = { emulator: null, arch: null, machine: null, virtType: null, cpuXml, flags: 0 };
      return (await world.run(a.call(procedures.connectCompareHypervisorCpu, args))).result;
    };
    const { xml } = await world.run(a.call(procedures.connectGetCapabilities, {}));
    const own = /<cpu>[\s\S]*?<\/cpu>/.exec(xml)?.[0] ?? '';
    expect(await compare(own)).toBe(1);
    expect(await compare(own.replace("<feature name='vme'/>", ''))).toBe(2);
    expect(await compare(own.replace('</cpu>', "<feature name='amx-int8'/></cpu>"))).toBe(0);
  });

  describe('faults', () => {
    test('refuse answers the given code, so often as the rule says', async () => {
      const effect = { type: 'refuse', libvirtCode: 38, message: 'out of luck' } as const;
      world.fleet.faults.add({ procedure: 'connectGetHostname', host: 'host-a', maxCount: 1, effect });
      expect(await codeOf(world.run(a.call(procedures.connectGetHostname, {})))).toBe(38);
      await world.run(a.call(procedures.connectGetHostname, {}));
    });

    test('dropReply: it happened, and the client cannot know', async () => {
      const dom = await world.domain(a, 'web-1');
      world.fleet.faults.add({ procedure: 'domainSuspend', effect: { type: 'dropReply' } });
      await expect(world.run(a.call(procedures.domainSuspend, { dom }))).rejects.toMatchObject({
        code: 'REPLY_LOST',
      });
      expect(world.fleet.host('host-a').byUuid(dom.uuid).state).toBe(3);
    });

    test('dropRequest: it did not happen', async () => {
      const dom = await world.domain(a, 'web-1');
      world.fleet.faults.add({ procedure: 'domainSuspend', effect: { type: 'dropRequest' } });
      await expect(world.run(a.call(procedures.domainSuspend, { dom }))).rejects.toMatchObject({
        code: 'REPLY_LOST',
      });
      expect(world.fleet.host('host-a').byUuid(dom.uuid).state).toBe(1);
    });

    test('hang: the limit of the call ends it, the connection lives', async () => {
      world.fleet.faults.add({ procedure: 'connectGetHostname', nth: 1, effect: { type: 'hang' } });
      const call = a.call(procedures.connectGetHostname, {}, { timeoutMs: 2000 });
      await expect(world.run(call)).rejects.toMatchObject({ code: 'CALL_TIMED_OUT' });
      await world.run(a.call(procedures.connectGetHostname, {}));
    });

    test('a lost event is lost for everybody', async () => {
      const dom = await world.domain(a, 'web-1');
      world.fleet.faults.add({ event: 'lifecycle', maxCount: 1, effect: { type: 'loseEvent' } });
      await world.run(a.call(procedures.domainSuspend, { dom }));
      await world.run(a.call(procedures.domainResume, { dom }));
      expect(world.events.filter(({ type }) => type === 'lifecycle').map(({ detail }) => detail)).toEqual([
        '4/0',
      ]);
    });

    test('a device that goes while libvirtd is dead is seen gone when it is back', async () => {
      const dom = await world.domain(a, 'web-1');
      await world.run(a.call(procedures.domainDetachDeviceAlias, { dom, alias: 'ua-vf0', flags: 1 }));
      const host = world.fleet.host('host-a');
      killLibvirtd(host, null);
      await world.clock.advance(5000);
      expect(() => world.fleet.connect('host-a')).toThrow('does not run');
      expect(host.hardware.vf('0000:3b:0a.0')?.holder).not.toBeNull();
      startLibvirtd(host);
      expect(host.hardware.vf('0000:3b:0a.0')?.holder).toBeNull();
      const again = await world.client('host-a');
      expect(await world.xml(again, dom)).not.toContain('ua-vf0');
    });
  });

  test('the same seed gives the same run, another seed another one', async () => {
    const trace = async (seed: number) => {
      const run = new SimWorld({ seed });
      const [source, target] = [await run.watch('host-a'), await run.watch('host-b')];
      const dom = await run.domain(source, 'web-1');
      await run.run(source.call(procedures.domainDetachDeviceAlias, { dom, alias: 'ua-vf0', flags: 1 }));
      await run.until('the removal', () => run.saw('host-a', 'deviceRemoved'));
      const cookie = Buffer.alloc(0);
      const args = { dom, destinationUri: 'qemu+tls://host-b/system', params: [], cookie, flags: 3 };
      await run.run(source.call(procedures.domainMigratePerform3Params, args));
      expect(target.isOpen).toBe(true);
      await run.close();
      return JSON.stringify(run.events);
    };
    const first = await trace(7);
    expect(await trace(7)).toBe(first);
    expect(await trace(8)).not.toBe(first);
  });
});

describe('on a unix socket', () => {
  let directory: string;
  const fleet = () =>
    createSimFleet({ clock: systemClock, random: seededRandom(1), log: silentLog, inventory: DEMO_FLEET });

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'simhost-'));
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  test('the real client connects by URI; after close nothing is left, not even the socket', async () => {
    const sim = fleet();
    const path = join(directory, 'a.sock');
    await sim.serve('host-a', { path });
    const client = await connect(`qemu+unix:///system?socket=${path}`, {
      clock: systemClock,
      log: silentLog,
    });
    const { domains } = await client.call(procedures.connectListAllDomains, { needResults: true, flags: 0 });
    expect(domains.map(({ name }) => name)).toEqual(['web-1', 'db-1']);
    const ended = new Promise((resolve) => client.onClose(resolve));
    await sim.close();
    await ended;
    await expect(stat(path)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('a stale socket file is replaced, one that is served is not', async () => {
    const path = join(directory, 'a.sock');
    await writeFile(path, '');
    const sim = fleet();
    await sim.serve('host-b', { path });
    await expect(sim.serve('host-a', { path })).rejects.toMatchObject({ code: 'IN_USE' });
    const client = await connect(`qemu+unix:///system?socket=${path}`, {
      clock: systemClock,
      log: silentLog,
    });
    const { hostname } = await client.call(procedures.connectGetHostname, {});
    expect(hostname).toBe('host-b');
    await client.close();
    await sim.close();
  });

  test('a client that breaks the protocol is cut off, others are not', async () => {
    const sim = fleet();
    const path = join(directory, 'a.sock');
    await sim.serve('host-a', { path });
    const good = await connect(`qemu+unix:///system?socket=${path}`, { clock: systemClock, log: silentLog });
    const frames = [
      Buffer.from('ffffffff', 'hex'),
      Buffer.alloc(28),
      encodeFrame({ program: PROGRAM.remote, procedure: 1, type: 1, serial: 1, status: 0 }, nothing, {}),
    ];
    for (const bytes of frames) {
      const socket = connectSocket({ path });
      const closed = new Promise((resolve) => socket.once('close', resolve));
      socket.on('error', () => {});
      socket.resume();
      socket.write(bytes);
      await closed;
    }
    await good.call(procedures.connectGetHostname, {});
    await good.close();
    await sim.close();
  });
});
