/** The commands of the host channel, against a shell that answers as told, or a real one. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { isCode } from '../base/errors.ts';
import { absentChannel, ShellChannel } from './host-channel.ts';
import type { HostShell, ShellResult } from './host-shell.ts';

/**
 * Answers by what a command line starts with; the last answer of a list repeats. Everything asked is kept.
 */
function scripted(answers: Readonly<Record<string, readonly Partial<ShellResult>[]>>) {
  const asked: string[] = [];
  const used = new Map<string, number>();
  const shell: HostShell = {
    async run(argv) {
      const line = argv.join(' ');
      asked.push(line);
      const key = Object.keys(answers).find((each) => line.startsWith(each));
      const list = key === undefined ? [] : (answers[key] ?? []);
      const turn = used.get(key ?? '') ?? 0;
      used.set(key ?? '', turn + 1);
      const answer = list[Math.min(turn, list.length - 1)] ?? { exitCode: 127, stderr: 'not found' };
      return { exitCode: 0, stdout: '', stderr: '', ...answer };
    },
    close() {
      asked.push('closed');
    },
  };
  return { asked, channel: new ShellChannel('host-a', () => shell) };
}

const pf = (mac: string, vlan: number): Partial<ShellResult> => ({
  stdout: JSON.stringify([
    {
      ifname: 'pf0',
      flags: [],
      vfinfo_list: [{ vf: 0, address: mac, vlan_list: vlan === 0 ? [{}] : [{ vlan }] }],
    },
  ]),
});
const MAC = '52:54:00:00:01:02';
const NONE = '00:00:00:00:00:00';
const SHOW = 'ip -j -d link show dev pf0';

describe('changing the number of VFs', () => {
  /**
   * The real script in a real `sh`, on a file instead of the kernel's. `refuse`: a number the driver does not
   * take. The kernel's other rule, that only zero may become another number, is checked by looking at what
   * was written.
   */
  async function onFile(before: number, count: number, refuse: number | null = null) {
    const root = mkdtempSync(join(tmpdir(), 'handover-numvfs-'));
    try {
      const file = join(root, 'pf0', 'device', 'sriov_numvfs');
      mkdirSync(join(root, 'pf0', 'device'), { recursive: true });
      writeFileSync(file, `${before}\n`);
      const written = join(root, 'written');
      const echo =
        `echo() { command echo "$1" >> ${written}; ` +
        `if [ "$1" = "${refuse ?? 'none'}" ]; then return 1; fi; command echo "$1"; }; `;
      const shell: HostShell = {
        async run([program = '', ...args]) {
          const words = args.map((word) =>
            word.includes('sriov_numvfs') ? echo + word.replace('/sys/class/net', root) : word,
          );
          const done = spawnSync(program, words, { encoding: 'utf8' });
          return { exitCode: done.status ?? 1, stdout: done.stdout, stderr: done.stderr };
        },
        close() {},
      };
      let failure: unknown = null;
      await new ShellChannel('host-a', () => shell).setVfCount('pf0', count).catch((thrown: unknown) => {
        failure = thrown;
      });
      const lines = (path: string) => {
        try {
          return readFileSync(path, 'utf8').trim().split('\n');
        } catch {
          return [];
        }
      };
      return { failure, now: lines(file), written: lines(written) };
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
  }

  test.each([
    [2, 4, ['0', '4']],
    [0, 3, ['3']],
    [5, 0, ['0']],
    [4, 4, []],
  ])('from %d to %d writes %j', async (before, count, written) => {
    const done = await onFile(before, count);
    expect(done).toEqual({ failure: null, now: [String(count)], written });
  });

  test('that the driver refuses leaves as many as there were', async () => {
    const done = await onFile(2, 7, 7);
    expect(done.written).toEqual(['0', '7', '2']);
    expect(done.now).toEqual(['2']);
    expect(isCode(done.failure, 'HOST_COMMAND_FAILED')).toBe(true);
    expect(String(done.failure)).toContain('set sriov_numvfs of pf0 to 7');
  });

  test.each([
    ['pf0; reboot', 1],
    ['../pf0', 1],
    ['pf0', -1],
    ['pf0', 1.5],
    ['pf0', 70_000],
  ])('of %j to %d never reaches the host', async (name, count) => {
    const { asked, channel } = scripted({});
    await expect(channel.setVfCount(name, count)).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    expect(asked).toEqual([]);
  });

  test('that is not what the host has afterwards is an error', async () => {
    const { channel } = scripted({ sh: [{ stdout: '3\n' }] });
    await expect(channel.setVfCount('pf0', 4)).rejects.toMatchObject({ code: 'HOST_COMMAND_FAILED' });
  });
});

describe('the NICs the kernel serves', () => {
  /** Asks for the domain `name` while its pid file names a process with `queues` open devices. */
  async function counted(queues: number, asked: { name: string; uuid: string }): Promise<number | null> {
    const root = mkdtempSync(join(tmpdir(), 'handover-vhost-'));
    const device = join(root, 'vhost-net');
    writeFileSync(device, '');
    const opened = Array.from({ length: queues }, (_, index) => `${index + 3}<${device}`).join(' ');
    const script = `exec ${opened} && echo open && read -r _`;
    const qemu = spawn('sh', ['-c', queues === 0 ? 'echo open && read -r _' : script, UUID]);
    const shell: HostShell = {
      async run([program = '', ...args]) {
        const words = args.map((word) =>
          word.replace('/run/libvirt/qemu', root).replace('/dev/vhost-net', device),
        );
        const done = spawnSync(program, words, { encoding: 'utf8' });
        return { exitCode: done.status ?? 1, stdout: done.stdout, stderr: done.stderr };
      },
      close() {},
    };
    try {
      await once(qemu.stdout, 'data');
      writeFileSync(join(root, 'web 1.pid'), String(qemu.pid));
      return await new ShellChannel('host-a', () => shell).countVhost(asked);
    } finally {
      qemu.kill();
      rmSync(root, { recursive: true, force: true });
    }
  }
  const UUID = '5d1ab000-0000-4000-8000-000000000001';

  test.each([0, 1, 3])('are counted: %d', async (queues) => {
    expect(await counted(queues, { name: 'web 1', uuid: UUID })).toBe(queues);
  });

  test('are not known where the pid file is missing or names another process', async () => {
    expect(await counted(1, { name: 'web 2', uuid: UUID })).toBeNull();
    expect(await counted(1, { name: 'web 1', uuid: UUID.replace('5d', '6d') })).toBeNull();
  });

  test('are not asked for by a name that leaves the folder', async () => {
    const { asked, channel } = scripted({});
    await expect(channel.countVhost({ name: '../x', uuid: UUID })).rejects.toMatchObject({
      code: 'INVALID_INPUT',
    });
    expect(asked).toEqual([]);
  });
});

describe('resetting a VF', () => {
  test('clears MAC and VLAN and reads them back', async () => {
    const { asked, channel } = scripted({ [SHOW]: [pf(MAC, 42), pf(NONE, 0)], 'ip link set': [{}] });
    await channel.resetVf('pf0', 0);
    expect(asked).toEqual([
      SHOW,
      'ip link set dev pf0 vf 0 vlan 0',
      `ip link set dev pf0 vf 0 mac ${NONE}`,
      SHOW,
    ]);
  });

  test('touches nothing that is empty already', async () => {
    const { asked, channel } = scripted({ [SHOW]: [pf('02:00:00:00:00:00', 0)] });
    await channel.resetVf('pf0', 0);
    expect(asked).toEqual([SHOW, SHOW]);
  });

  test('gives the other empty MAC to a driver that refuses zeros', async () => {
    const refused = { exitCode: 2, stderr: 'RTNETLINK answers: Invalid argument' };
    const { asked, channel } = scripted({
      [SHOW]: [pf(MAC, 0), pf('02:00:00:00:00:00', 0)],
      [`ip link set dev pf0 vf 0 mac ${NONE}`]: [refused],
      'ip link set': [{}],
    });
    await channel.resetVf('pf0', 0);
    expect(asked[2]).toBe('ip link set dev pf0 vf 0 mac 02:00:00:00:00:00');
  });

  test('is an error if the driver said yes and did nothing', async () => {
    const { channel } = scripted({ [SHOW]: [pf(MAC, 0)], 'ip link set': [{}] });
    await expect(channel.resetVf('pf0', 0)).rejects.toThrow(/still has MAC 52:54:00:00:01:02/);
  });

  test('of a VF that is not there is NOT_FOUND', async () => {
    const { channel } = scripted({ [SHOW]: [{ exitCode: 1, stderr: 'Device "pf0" does not exist.' }] });
    expect(isCode(await failure(channel.resetVf('pf0', 0)), 'NOT_FOUND')).toBe(true);
  });
});

describe('the host channel', () => {
  test('refuses names that are none before anything is sent', async () => {
    const { asked, channel } = scripted({});
    await expect(channel.readLink('pf0; reboot')).rejects.toThrow(/network device name/);
    await expect(channel.testPeer('qemu+ssh://x y/system')).rejects.toThrow(/peer URI/);
    await expect(channel.removeDisk('../x')).rejects.toThrow(/disk image/);
    await expect(channel.createDisk('/x', 'vmdk', 1)).rejects.toThrow(/disk format/);
    await expect(channel.createDisk('/x', 'raw', -1)).rejects.toThrow(/-1 bytes/);
    expect(asked).toEqual([]);
  });

  test('a peer that answers shows what it runs; one that does not, why', async () => {
    const said = { exitCode: 1, stderr: 'error: failed to connect\nerror: Host key verification failed.\n' };
    const { channel } = scripted({
      virsh: [{ stdout: 'Using API: QEMU 11.3.0\n\n' }, said, { exitCode: 124 }],
    });
    const uri = 'qemu+ssh://root@host-b/system';
    expect(await channel.testPeer(uri)).toEqual({ ok: true, message: 'Using API: QEMU 11.3.0' });
    expect(await channel.testPeer(uri)).toEqual({
      ok: false,
      message: 'error: failed to connect; error: Host key verification failed.',
    });
    expect((await channel.testPeer(uri)).message).toMatch(/did not answer within 30 s/);
  });

  test('a host without virsh says what to install', async () => {
    const { channel } = scripted({});
    expect(await channel.testPeer('qemu+tls://host-b/system')).toEqual({
      ok: false,
      message: 'virsh is not installed on the host: install libvirt-clients',
    });
  });

  test('a disk is created only where nothing is', async () => {
    const { asked, channel } = scripted({ 'sh -c': [{ exitCode: 2 }], 'test -e': [{}] });
    expect(isCode(await failure(channel.createDisk('/x', 'raw', 512)), 'ALREADY_EXISTS')).toBe(true);
    expect(asked.filter((line) => line.startsWith('qemu-img') || line.startsWith('rm'))).toEqual([]);
  });

  test('a disk that could not be created leaves no file', async () => {
    const full = { exitCode: 1, stderr: 'No space left on device' };
    const { asked, channel } = scripted({ 'sh -c': [{}], 'qemu-img create': [full], rm: [{}] });
    await expect(channel.createDisk('/x', 'raw', 512)).rejects.toThrow(/No space left/);
    expect(asked.at(-1)).toBe('rm -f /x');
  });

  test('a file that is no image has no size', async () => {
    const { channel } = scripted({ 'test -e': [{}], 'qemu-img info': [{ exitCode: 1 }] });
    expect(await channel.inspectFile('/x')).toEqual({ exists: true, virtualBytes: null });
  });

  test('a command that fails names host, command and what it said', async () => {
    const { channel } = scripted({ 'ip -j -d link': [{ exitCode: 1, stderr: 'Operation not permitted\n' }] });
    await expect(channel.readLinks()).rejects.toThrow(
      'host-a: "ip -j -d link show" ended with exit code 1: Operation not permitted',
    );
  });

  test('one that does not exist says so to every verb', async () => {
    const channel = absentChannel('host-a', 'no shell');
    for (const verb of [channel.readLinks(), channel.resetVf('pf0', 0), channel.inspectFile('/x')]) {
      expect(isCode(await failure(verb), 'HOST_CHANNEL_UNAVAILABLE')).toBe(true);
    }
  });
});

const failure = (pending: Promise<unknown>): Promise<unknown> => pending.catch((thrown: unknown) => thrown);
