/**
 * The guest kit's verbs but `setup` and `remove`, run as they are, over a folder with the parts of sysfs they
 * read.
 */
import { afterEach, describe, expect, test } from 'vitest';
import {
  type FakeGuest,
  type FakeNic,
  guestWith,
  PAIR,
  shells,
  STANDBY,
  STANDBY_NIC,
  VF,
  VF_NIC,
  type Status,
} from '../test/support/fake-guest.ts';

let guest: FakeGuest;
afterEach(() => guest.remove());

describe.each(shells)('under %s', (...shell) => {
  const prepare = (pairs: string, nics: readonly FakeNic[] = []): void => {
    guest = guestWith(shell, pairs, { live: false, nics });
  };
  const live = (pairs: string | null, nics: readonly FakeNic[] = [STANDBY_NIC, VF_NIC]): void => {
    guest = guestWith(shell, pairs, { live: true, nics });
  };

  describe('arrived', () => {
    test('puts a VF that comes back under another name into its bond, as the primary', () => {
      live(PAIR, [STANDBY_NIC]);
      guest.run('setup', '--manager', 'ifupdown');
      expect(guest.read('sys/class/net/bond0/bonding/slaves')).toBe('ens4\n');
      guest.plug({ ...VF_NIC, name: 'eth7' });
      expect(guest.run('arrived', 'eth7')).toMatchObject({ status: 0 });
      expect(guest.read('sys/class/net/bond0/bonding/slaves')).toBe('ens4 eth7\n');
      expect(guest.read('sys/class/net/bond0/bonding/primary')).toBe('eth7\n');
    });

    test('takes neither a bond, a VLAN nor a stranger for a leg', () => {
      live(`bond0 ${VF} ${VF}`, [{ ...STANDBY_NIC, mac: VF }]);
      guest.run('setup', '--manager', 'ifupdown');
      guest.write('sys/class/net/bond0.42/address', `${VF}\n`);
      guest.plug({ name: 'ens9', driver: 'igbvf', mac: '52:54:00:00:09:09' });
      for (const name of ['bond0', 'bond0.42', 'ens9', 'lo']) guest.run('arrived', name);
      expect(guest.read('sys/class/net/bond0/bonding/slaves')).toBe('ens4\n');
    });

    test('leaves the joining to networkd, and sets what that does not', () => {
      prepare(PAIR, [STANDBY_NIC, VF_NIC]);
      guest.run('setup', '--manager', 'networkd');
      for (const option of ['peer_notif_delay', 'num_grat_arp', 'primary', 'slaves'])
        guest.write(`sys/class/net/bond0/bonding/${option}`, '\n');
      guest.write('proc/sys/net/ipv4/conf/bond0/arp_notify', '0\n');
      guest.run('arrived', 'bond0');
      expect(guest.calls()).toEqual([]);
      expect(guest.read('sys/class/net/bond0/bonding/peer_notif_delay')).toBe('200\n');
      expect(guest.read('sys/class/net/bond0/bonding/primary')).toBe('ens8\n');
      expect(guest.read('proc/sys/net/ipv4/conf/bond0/arp_notify')).toBe('1\n');
    });

    test('does nothing before setup', () => {
      live(PAIR);
      expect(guest.run('arrived', 'ens8')).toMatchObject({ status: 0, stderr: '' });
      expect(guest.calls()).toEqual([]);
    });
  });

  describe('announce', () => {
    const SYSFS = 'sys/class/net/bond0/bonding';
    const moved = (active: string) => {
      live(PAIR);
      guest.run('setup', '--manager', 'ifupdown');
      guest.write(`${SYSFS}/active_slave`, `${active}\n`);
      guest.write('sys/class/net/bond0/address', `${STANDBY}\n`);
      guest.write('sys/class/net/bond0/upper_bond0.42/x', '');
      guest.write('neighbours-bond0.42', '10.1.0.9 lladdr 52:54:00:00:0a:0a STALE\nfe80::9 FAILED\n');
    };

    test('has the kernel choose the same leg anew', () => {
      moved('ens8');
      const calls = guest.calls().length;
      expect(guest.run('announce')).toMatchObject({ status: 0 });
      expect(guest.read(`${SYSFS}/active_slave`)).toBe('\n');
      expect(guest.calls().slice(calls)).toEqual([]);
    });

    test('does not move traffic back that was moved to the standby: five rounds over both ways', () => {
      moved('ens4');
      const calls = guest.calls().length;
      expect(guest.run('announce', 'bond0')).toMatchObject({ status: 0 });
      expect(guest.read(`${SYSFS}/active_slave`)).toBe('ens4\n');
      const made = guest.calls().slice(calls);
      const times = (call: string) => made.filter((each) => each === call).length;
      expect(times(`ip link set dev bond0 address ${STANDBY}`)).toBe(5);
      expect(times('ip neigh change 10.1.0.9 lladdr 52:54:00:00:0a:0a dev bond0.42 nud probe')).toBe(5);
      expect(made.filter((call) => call.includes('link set dev bond0.42'))).toEqual([]);
    });

    test('refuses what is no bond', () => {
      live(PAIR);
      expect(guest.run('announce', 'ens4')).toMatchObject({ status: 2 });
    });
  });

  describe('status', () => {
    test('names bond, legs, primary and active leg', () => {
      live(PAIR);
      guest.run('setup', '--manager', 'ifupdown');
      expect(guest.status()).toMatchObject({
        manager: 'ifupdown',
        conflicts: [],
        pairs: [
          {
            bond: 'bond0',
            present: true,
            failOverMac: 'active',
            active: 'ens8',
            legs: [
              {
                role: 'vf',
                name: 'ens8',
                driver: 'igbvf',
                inBond: true,
                link: true,
                active: true,
                primary: true,
              },
              { role: 'standby', name: 'ens4', driver: 'virtio_net', inBond: true, active: false },
            ],
          },
        ],
      });
      guest.unplug('ens8');
      expect(guest.status().pairs[0]?.legs[0]).toMatchObject({ name: null, inBond: false, active: false });
    });

    test('names what would fight over the legs', () => {
      live(PAIR);
      guest.write('etc/udev/rules.d/70-net.rules', `SUBSYSTEM=="net", ATTR{address}=="${VF}", NAME="lan"\n`);
      guest.write('etc/systemd/network/10-lan.link', `[Match]\nMACAddress=${VF.toUpperCase()}\n`);
      guest.run('setup', '--manager', 'ifupdown');
      guest.write('etc/network/interfaces.d/lan', 'allow-hotplug "ens8"\nauto eth0 ens8\n');
      expect(guest.status().conflicts.map(({ kind, where }) => [kind, where])).toEqual([
        ['udev', '/etc/udev/rules.d/70-net.rules'],
        ['link-file', '/etc/systemd/network/10-lan.link'],
        ['stanza', '/etc/network/interfaces.d/lan'],
      ]);
    });
  });

  describe('hook', () => {
    const hook = (name: string, text: string, mode = 0o755) =>
      guest.write(`etc/handover-guest/hooks.d/${name}`, `#!/bin/sh\n${text}\n`, mode);
    const LOG =
      'cat >>"$HANDOVER_GUEST_ROOT/log"; echo "${0##*/} $HANDOVER_EVENT" >>"$HANDOVER_GUEST_ROOT/log"';

    test('runs what is executable, in order, with the state of the guest as its input', () => {
      live(PAIR);
      hook('20-second', LOG);
      hook('10-first', 'echo "${0##*/} $HANDOVER_EVENT" >>"$HANDOVER_GUEST_ROOT/log"');
      hook('15-note', LOG, 0o644);
      hook('30-old.dpkg-old', LOG);
      expect(guest.run('hook', 'before-unplug')).toMatchObject({ status: 0 });
      const [first, input = '', second] = (guest.read('log') ?? '').split('\n');
      expect([first, second]).toEqual(['10-first before-unplug', '20-second before-unplug']);
      expect((JSON.parse(input) as Status).event).toBe('before-unplug');
    });

    test('ends what takes too long, tells of what fails, and goes on', () => {
      live(PAIR);
      hook('10-hangs', 'sleep 60');
      hook('20-fails', 'exit 3');
      hook('30-works', LOG);
      const { status: ended, stderr } = guest.run('hook', 'after-plug', '--limit', '1');
      expect(ended).toBe(1);
      expect(stderr).toContain('10-hangs: ended after its 1 s');
      expect(stderr).toContain('20-fails: failed with status 3');
      expect(guest.read('log')).toContain('30-works after-plug');
    });

    test('knows no other event', () => {
      live(PAIR);
      expect(guest.run('hook', 'before-lunch')).toMatchObject({ status: 2 });
    });
  });
});
