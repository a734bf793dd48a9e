/** `handover-guest setup` and `remove`, run as they are, over a folder with the parts of sysfs they read. */
import { afterEach, describe, expect, test } from 'vitest';
import type { Mac } from '../src/base/ids.ts';
import { networkdFiles } from '../src/guest-kit/networkd-text.ts';
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

  describe('setup', () => {
    test.each([
      ['different addresses', STANDBY, null],
      ['one address and an MTU', VF, 9000],
    ])('writes for networkd what the text for a VM says, with %s', (_, standbyMac, mtu) => {
      prepare(`bond0 ${VF} ${standbyMac}${mtu === null ? '' : ` mtu=${mtu}`}`);
      expect(guest.run('setup', '--manager', 'networkd')).toMatchObject({ status: 0 });
      const wanted = networkdFiles({
        bond: 'bond0',
        vfMac: VF as Mac,
        standbyMac: standbyMac as Mac,
        mtu,
      });
      for (const { path, content } of wanted) expect(guest.read(path)).toBe(content);
      expect(guest.list('etc/systemd/network')).toHaveLength(wanted.length);
    });

    test('tells NetworkManager the legs by driver and address, in files for root alone', () => {
      prepare(`bond0 ${VF} ${VF} mtu=1400 address=10.0.0.5/24 gateway=10.0.0.1 dns=10.0.0.2,10.0.0.3`);
      expect(guest.run('setup', '--manager', 'networkmanager')).toMatchObject({ status: 0 });
      const folder = 'etc/NetworkManager/system-connections';
      expect(guest.list(folder)).toEqual([
        'handover-bond0-standby.nmconnection',
        'handover-bond0-vf.nmconnection',
        'handover-bond0.nmconnection',
      ]);
      const standby = guest.read(`${folder}/handover-bond0-standby.nmconnection`);
      expect(standby).toContain(`mac-address=${VF}\n`);
      expect(standby).toContain('driver=virtio_net;\n');
      expect(guest.read(`${folder}/handover-bond0-vf.nmconnection`)).toContain('driver=!virtio_net;\n');
      const bond = guest.read(`${folder}/handover-bond0.nmconnection`) ?? '';
      for (const line of [
        'updelay=1000',
        'fail_over_mac=none',
        `cloned-mac-address=${VF}`,
        'mtu=1400',
        'address1=10.0.0.5/24',
        'gateway=10.0.0.1',
        'dns=10.0.0.2;10.0.0.3;',
        'token=::5054:ff:fe00:102',
      ])
        expect(bond.split('\n')).toContain(line);
      expect(guest.mode(`${folder}/handover-bond0.nmconnection`)).toBe('600');
    });

    test('makes every pair its bond', () => {
      prepare(`${PAIR}\n# the second network\n  bond1 52:54:00:00:02:02 52:54:00:00:02:01 # storage\n`);
      expect(guest.run('setup', '--manager', 'networkd')).toMatchObject({ status: 0 });
      expect(guest.list('etc/systemd/network')).toHaveLength(8);
      expect(guest.status().pairs.map(({ bond }) => bond)).toEqual(['bond0', 'bond1']);
    });

    test.each([
      ['bond0', 'a line is BOND VF_MAC STANDBY_MAC'],
      [`bond0 ${VF} 52:54:00:00:01`, '"52:54:00:00:01" is no MAC address'],
      [`bond0 01:00:5e:00:00:01 ${STANDBY}`, '"01:00:5e:00:00:01" is no MAC address'],
      [`a/b ${VF} ${STANDBY}`, '"a/b" can not be the name of a bond'],
      [`${PAIR} mtu=20`, 'mtu is 68 to 65535'],
      [`${PAIR} address=10.0.0.5`, '"10.0.0.5" can not be used'],
      [`${PAIR} address=10.0.0.256/24`, '"10.0.0.256/24" can not be used'],
      [`${PAIR} gateway=10.0.0.1`, 'a gateway goes with an address='],
      [`${PAIR} speed=10`, '"speed=10" is unknown'],
      [`${PAIR}\nbond1 ${VF} 52:54:00:00:02:01`, `line 2: ${VF} is in two pairs`],
      ['# nothing', 'names no pair'],
    ])('refuses %j, says what is wrong and touches nothing', (pairs, said) => {
      prepare(pairs);
      const before = guest.files();
      const { status: ended, stderr } = guest.run('setup', '--manager', 'ifupdown');
      expect([ended, stderr]).toEqual([2, expect.stringContaining(said)]);
      expect(guest.files()).toEqual(before);
    });

    test('finds the pair of a guest with one VF and one virtio NIC, and keeps a static address', () => {
      live(null);
      guest.write('addresses-ens4', '2: ens4    inet 10.0.0.5/24 brd 10.0.0.255 scope global ens4\n');
      expect(guest.run('setup', '--manager', 'ifupdown')).toMatchObject({ status: 0 });
      expect(guest.read('etc/handover-guest/pairs')).toContain(
        `${PAIR} address=10.0.0.5/24 gateway=10.0.0.1\n`,
      );
      expect(guest.read('etc/network/interfaces.d/handover-bond0')).toContain('    address 10.0.0.5/24\n');
    });

    test('keeps static addresses of both families, and leaves those of a router to it', () => {
      live(null);
      guest.write(
        'addresses-ens4',
        '2: ens4    inet 10.0.0.5/24 brd 10.0.0.255 scope global ens4\n' +
          '2: ens4    inet6 2001:db8::5/64 scope global \\       valid_lft forever preferred_lft forever\n' +
          '2: ens4    inet6 2001:db8:1::9/64 scope global dynamic mngtmpaddr \\       valid_lft 86000sec\n',
      );
      expect(guest.run('setup', '--manager', 'ifupdown')).toMatchObject({ status: 0 });
      expect(guest.read('etc/handover-guest/pairs')).toContain(
        `${PAIR} address=10.0.0.5/24,2001:db8::5/64 gateway=10.0.0.1,2001:db8::1\n`,
      );
    });

    test('pairs NICs with one address, however many others there are', () => {
      live(null, [
        { name: 'ens3', driver: 'virtio_net', mac: '52:54:00:00:09:09' },
        { name: 'ens4', driver: 'virtio_net', mac: VF },
        VF_NIC,
      ]);
      expect(guest.run('setup', '--manager', 'ifupdown')).toMatchObject({ status: 0 });
      expect(guest.status().pairs[0]?.legs.map(({ name }) => name)).toEqual(['ens8', 'ens4']);
      expect(guest.read('sys/class/net/bond0/address')).toBe(`${VF}\n`);
    });

    test('does not guess which of several NICs belong together', () => {
      live(null, [STANDBY_NIC, VF_NIC, { ...VF_NIC, name: 'ens9', mac: '52:54:00:00:01:03' }]);
      const { status: ended, stderr } = guest.run('setup', '--manager', 'ifupdown');
      expect([ended, stderr]).toEqual([2, expect.stringContaining(`ens9 52:54:00:00:01:03`)]);
    });

    test.each([
      ['inet', '10.0.0.5/24'],
      ['inet6', '2001:db8::5/64'],
    ])('refuses a static address that the bond would not have (%s)', (kind, address) => {
      live(PAIR);
      guest.write('addresses-ens4', `2: ens4    ${kind} ${address} scope global ens4\n`);
      const { status: ended, stderr } = guest.run('setup', '--manager', 'ifupdown');
      expect([ended, stderr]).toEqual([2, expect.stringContaining(`address=${address}`)]);
    });

    test('makes no second pairing of what net_failover pairs', () => {
      live(PAIR, [{ ...STANDBY_NIC, failover: true }, VF_NIC]);
      const { status: ended, stderr } = guest.run('setup', '--manager', 'ifupdown');
      expect([ended, stderr]).toEqual([2, expect.stringContaining('by itself')]);
      expect(guest.status().conflicts.map(({ kind }) => kind)).toEqual(['net_failover']);
    });

    test('leaves a bond alone that somebody else made', () => {
      live(PAIR, [STANDBY_NIC]);
      guest.write('sys/class/net/bond0/bonding/slaves', 'eth5\n');
      expect(guest.run('setup', '--manager', 'ifupdown')).toMatchObject({ status: 2 });
    });

    test('stops cloud-init from configuring the network, where it is', () => {
      prepare(PAIR);
      guest.write('etc/cloud/cloud.cfg', 'users: []\n');
      expect(guest.status().conflicts.map(({ kind }) => kind)).toEqual(['cloud-init']);
      guest.run('setup', '--manager', 'networkd');
      expect(guest.read('etc/cloud/cloud.cfg.d/99-handover.cfg')).toContain('network: {config: disabled}');
      expect(guest.status().conflicts).toEqual([]);
    });

    test('run twice changes nothing the second time', () => {
      live(PAIR);
      expect(guest.run('setup', '--manager', 'ifupdown')).toMatchObject({ status: 0 });
      const [files, calls] = [guest.files(), guest.calls().length];
      const { stderr } = guest.run('setup');
      expect(stderr).toContain('set up already');
      expect(guest.files()).toEqual(files);
      expect(
        guest
          .calls()
          .slice(calls)
          .filter((call) => /link|ifup|ifdown/.test(call)),
      ).toEqual([]);
    });

    test('cut off in the middle is finished by the next one, or taken back', () => {
      live(PAIR);
      const before = guest.files();
      // ifup ends whoever called it, as a dying ssh connection would.
      guest.program('ifup', '#!/bin/sh\nkill -9 $PPID\n');
      expect(guest.run('setup', '--manager', 'ifupdown').status).not.toBe(0);
      expect(guest.read('sys/class/net/bond0/address')).toBeNull();
      guest.program(
        'ifup',
        '#!/bin/sh\nexec "$HANDOVER_GUEST_SHELL" "$HANDOVER_GUEST_PROGRAM" arrived "$1"\n',
      );
      // The owner of the lock is dead.
      if (shell[0] === 'dash') expect(guest.run('setup')).toMatchObject({ status: 0 });
      expect(guest.run('remove')).toMatchObject({ status: 0 });
      expect(guest.files()).toEqual(before);
    });
  });

  describe('remove', () => {
    const INTERFACES = `# by hand
source /etc/network/interfaces.d/*
auto lo ens4
iface lo inet loopback

allow-hotplug ens8
iface ens4 inet static
    address 10.0.0.5/24

  # our network
iface ens8 inet dhcp
iface eth9 inet dhcp
    up ip route add 10.1.0.0/16 dev eth9`;

    test('gives ifupdown its stanzas back as they were', () => {
      live(PAIR);
      guest.write('etc/network/interfaces', INTERFACES);
      const before = guest.files();
      expect(guest.run('setup', '--manager', 'ifupdown')).toMatchObject({ status: 0 });
      const marked = (guest.read('etc/network/interfaces') ?? '').split('\n');
      const kept = marked.filter((line) => !line.startsWith('#'));
      expect(kept.filter((line) => line !== '')).toEqual([
        'source /etc/network/interfaces.d/*',
        'auto lo',
        'iface lo inet loopback',
        'iface eth9 inet dhcp',
        '    up ip route add 10.1.0.0/16 dev eth9',
      ]);
      expect(guest.run('remove')).toMatchObject({ status: 0 });
      const after = guest.files();
      after['etc/network/interfaces'] = (after['etc/network/interfaces'] ?? '').replace(/\n$/, '');
      expect(after).toEqual(before);
      expect(guest.status().pairs[0]).toMatchObject({ present: false });
    });

    test.each(['networkd', 'networkmanager', 'ifupdown'])('leaves nothing of %s', (manager) => {
      prepare(PAIR);
      guest.write('etc/cloud/cloud.cfg', 'users: []\n');
      const before = guest.files();
      guest.run('setup', '--manager', manager);
      expect(guest.files()).not.toEqual(before);
      expect(guest.run('remove')).toMatchObject({ status: 0 });
      expect(guest.files()).toEqual(before);
      expect(guest.run('remove')).toMatchObject({ status: 0 });
    });

    test('goes by what was set up, whatever the pairs file says now', () => {
      prepare(PAIR);
      guest.run('setup', '--manager', 'networkd');
      guest.write('etc/handover-guest/pairs', 'nonsense\n');
      expect(guest.run('remove')).toMatchObject({ status: 0 });
      expect(guest.list('etc/systemd/network')).toEqual([]);
    });
  });
});
