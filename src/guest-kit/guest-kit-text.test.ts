/** The texts for one VM: what is in them, and that shells take them. */
import { spawnSync } from 'node:child_process';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import type { Mac } from '../base/ids.ts';
import { guestKitText } from './guest-kit-text.ts';
import { dhcpIaid, type GuestPair, ipv6Token } from './guest-pair.ts';
import { kitFiles, kitVersion } from './kit-files.ts';

const pair: GuestPair = {
  bond: 'bond0',
  vfMac: '52:54:00:00:01:02' as Mac,
  standbyMac: '52:54:00:00:01:01' as Mac,
  mtu: null,
};
const oneMac: GuestPair = { ...pair, bond: 'bond1', standbyMac: pair.vfMac, mtu: 9000 };

const SHELL_FORMATS = ['script', 'nmcli', 'networkd', 'ifupdown'] as const;

test.each(SHELL_FORMATS)('%s is a script that shells can read', (format) => {
  const text = guestKitText(format, [pair, oneMac]);
  for (const shell of ['sh', 'bash']) {
    const { status, stderr } = spawnSync(shell, ['-n'], { input: text, encoding: 'utf8' });
    expect([status, stderr]).toEqual([0, '']);
  }
});

test.each(SHELL_FORMATS)('%s has every bond with both its addresses', (format) => {
  const text = guestKitText(format, [pair, oneMac]);
  for (const known of ['bond0', 'bond1', pair.vfMac, pair.standbyMac]) expect(text).toContain(known);
});

describe('nmcli', () => {
  /** The arguments of every call of nmcli, as a shell makes them. */
  const calls = (pairs: readonly GuestPair[]): string[] => {
    const script = guestKitText('nmcli', pairs)
      .replaceAll('/sys/class/net/', '/nowhere/')
      .replace(/^ *>\/etc.*$/gm, '  >/dev/null')
      .replace(/^cat .*$/gm, '');
    const spy = 'nmcli() { for each in "$@"; do printf "%s " "$each"; done; echo; }; udevadm() { :; }\n';
    const { stdout, stderr } = spawnSync('sh', ['-f', '-c', spy + script], { encoding: 'utf8' });
    expect(stderr).toBe('');
    return stdout.trim().split('\n');
  };

  test('tells the legs by address and driver, and names no interface', () => {
    const [bond = '', standby = '', vf = '', up] = calls([pair]);
    expect(bond).toContain('bond.options mode=active-backup,miimon=100,updelay=1000,fail_over_mac=active,');
    expect(standby).toContain(
      'ifname * 802-3-ethernet.mac-address 52:54:00:00:01:01 match.driver virtio_net ',
    );
    expect(vf).toContain('ifname * 802-3-ethernet.mac-address 52:54:00:00:01:02 match.driver !virtio_net ');
    expect([standby, vf].every((call) => call.includes('master bond0 slave-type bond '))).toBe(true);
    expect(up?.trim()).toBe('connection up bond0');
  });

  test('changes no address where both legs have one', () => {
    const [bond] = calls([oneMac]);
    expect(bond).toContain('fail_over_mac=none');
    expect(bond).toContain('802-3-ethernet.cloned-mac-address 52:54:00:00:01:02');
    expect(bond).toContain('802-3-ethernet.mtu 9000');
  });
});

test('cloud-init installs the very script, compressed to what clouds take', () => {
  const text = guestKitText('cloud-init', [pair]);
  expect(text.startsWith('#cloud-config\n')).toBe(true);
  expect(text.length).toBeLessThan(64 * 1024);
  const encoded = /content: \|\n((?: {6}\S+\n)+)/.exec(text)?.[1] ?? '';
  const script = gunzipSync(Buffer.from(encoded, 'base64')).toString();
  expect(script).toBe(guestKitText('script', [pair]));
  expect(text).toContain('runcmd:\n  - [sh, /var/lib/cloud/handover-guest.sh, install]\n');
});

test('the script carries every file of the kit, with the version in it', () => {
  const text = guestKitText('script', [pair]);
  for (const { path, content } of kitFiles()) {
    expect(text).toContain(path);
    expect(text).toContain(content);
  }
  expect(text).toContain(`VERSION=${kitVersion()}\n`);
  expect(text).not.toMatch(/@[A-Z]+@/);
});

test('what DHCP and IPv6 know the bond by is made of the address of the standby', () => {
  expect(ipv6Token(pair)).toBe('::5054:ff:fe00:101');
  expect(ipv6Token({ ...pair, standbyMac: '02:00:00:0a:00:ff' as Mac })).toBe('::0:ff:fe0a:ff');
  expect(dhcpIaid({ ...pair, standbyMac: '52:54:ff:00:01:01' as Mac })).toBe(0xff000101);
});
