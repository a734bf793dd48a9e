/**
 * `handover-simhost` as a user has it: a process of its own, over unix sockets and TCP, used by virsh and
 * python3-libvirt as they come from the distribution.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { installPackages } from '../../tools/setup/apt.ts';
import { ensureWirePackages } from '../../tools/setup/wire-packages.ts';
import { consoleLog } from '../support/console-log.ts';
import { eventually } from '../support/eventually.ts';
import { SimhostProcess } from '../support/simhost-process.ts';

await ensureWirePackages(consoleLog);
await installPackages(['python3-libvirt'], { log: consoleLog });

/** Debian's own: the one its packages are for. */
const PYTHON = '/usr/bin/python3';
const LIMIT_MS = 60_000;
const NIC = `<interface type='bridge'>
  <mac address='52:54:00:99:00:02'/><source bridge='prod'/><model type='virtio'/><alias name='ua-virsh'/>
</interface>`;

const run = promisify(execFile);

/** `virsh event` that runs on. */
class EventLog {
  readonly #child: ChildProcess;
  text = '';

  constructor(uri: string) {
    this.#child = spawn('virsh', ['-c', uri, 'event', '--all', '--loop']);
    this.#child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      this.text += chunk;
    });
  }

  stop(): void {
    this.#child.kill();
  }
}

describe.each(['unix', 'tcp'] as const)('simulated hosts over %s', (transport) => {
  let hosts: SimhostProcess;
  let directory: string;

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'simhost-tools-'));
    hosts = await SimhostProcess.start('--directory', join(directory, 'hosts'), '--tcp', '0');
  });
  afterAll(async () => {
    expect(await hosts.stop()).toBe(0);
    expect(existsSync(hosts.host('host-a').channel)).toBe(false);
    rmSync(directory, { recursive: true });
  });

  const uriOf = (name: string): string => {
    const { uri, tcpUri } = hosts.host(name);
    return transport === 'unix' ? uri : (tcpUri ?? '');
  };
  const virsh = async (host: string, ...args: string[]): Promise<string> =>
    (await run('virsh', ['-q', '-c', uriOf(host), ...args], { timeout: LIMIT_MS })).stdout.trim();
  const names = async (host: string): Promise<string[]> =>
    (await virsh(host, 'list', '--all', '--name')).split('\n').sort();

  test('virsh lists, describes, plugs, unplugs, hears of it, and migrates there and back', async () => {
    expect(await names('host-a')).toEqual(['db-1', 'web-1']);
    expect(await virsh('host-a', 'dumpxml', 'web-1')).toContain("<alias name='ua-vf0'/>");
    expect(await virsh('host-a', 'nodedev-list', '--cap', 'pci')).toContain('pci_0000_3b_0a_0');
    const log = new EventLog(uriOf('host-a'));
    try {
      const file = join(directory, 'nic.xml');
      writeFileSync(file, NIC);
      // The log is there when the first event is.
      await eventually('events', async () => {
        await virsh('host-a', 'suspend', 'db-1');
        await virsh('host-a', 'resume', 'db-1');
        return log.text.includes("'db-1': Resumed");
      });
      await virsh('host-a', 'attach-device', 'web-1', file, '--live');
      expect(await virsh('host-a', 'domiflist', 'web-1')).toContain('52:54:00:99:00:02');
      await virsh('host-a', 'detach-device', 'web-1', file, '--live');
      await virsh('host-a', 'detach-device-alias', 'web-1', 'ua-vf0', '--live');
      await eventually('the removals', () =>
        ['ua-virsh', 'ua-vf0'].every((alias) =>
          log.text.includes(`'device-removed' for domain 'web-1': ${alias}`),
        ),
      );
      const moving = ['--live', '--persistent', '--undefinesource', 'web-1'];
      await virsh('host-a', 'migrate', '--p2p', ...moving, uriOf('host-b'));
      expect(await names('host-b')).toEqual(['plain-1', 'web-1']);
      await eventually('the departure', () => log.text.includes("'web-1': Stopped Migrated"));
      // Driven by virsh itself this time.
      await virsh('host-b', 'migrate', ...moving, uriOf('host-a'));
      expect(await virsh('host-a', 'domstate', 'web-1', '--reason')).toBe('running (migrated)');
      expect(await names('host-b')).toEqual(['plain-1']);
    } finally {
      log.stop();
    }
  });

  test('virsh is refused as by the real one', async () => {
    const migrate = virsh('host-a', 'migrate', '--p2p', '--live', 'db-1', uriOf('host-b'));
    await expect(migrate).rejects.toThrow(/0000:3b:0a\.1: VFIO migration is not supported/);
    await expect(virsh('host-a', 'start', 'nobody')).rejects.toThrow(/failed to get domain 'nobody'/);
  });

  test('python3-libvirt does the same', async () => {
    await plugVf();
    const script = new URL('simhost-python.py', import.meta.url).pathname;
    const { stdout } = await run(PYTHON, [script, uriOf('host-a'), uriOf('host-c')], { timeout: LIMIT_MS });
    expect(JSON.parse(stdout)).toEqual({
      before: ['db-1', 'web-1'],
      attached: true,
      after: ['db-1'],
      state: 1,
      downtime: expect.any(Number) as number,
    });
  });

  /** Gives web-1 its VF again. */
  async function plugVf(): Promise<void> {
    const file = join(directory, 'vf.xml');
    const vf = `<address type='pci' domain='0' bus='0x3b' slot='0x0a' function='0'/>`;
    writeFileSync(
      file,
      `<interface type='hostdev' managed='yes'><source>${vf}</source><alias name='ua-vf0'/></interface>`,
    );
    await virsh('host-a', 'attach-device', 'web-1', file, '--live');
  }
});
