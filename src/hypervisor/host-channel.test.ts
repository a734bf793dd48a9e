/** The commands of the host channel, against a shell that answers as told. */
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
