/** What iproute2's JSON says, as facts. */
import { describe, expect, test } from 'vitest';
import { bridgesOf, type LinkTable, netdevUseOf, parseAddresses, parseLinks } from './link-facts.ts';

/** As iproute2 6.15 prints an igb PF with two VFs, shortened to what matters and a bit of what does not. */
const LINKS = JSON.stringify([
  {
    ifindex: 1,
    ifname: 'lo',
    flags: ['LOOPBACK', 'UP', 'LOWER_UP'],
    mtu: 65536,
    address: '00:00:00:00:00:00',
  },
  {
    ifname: 'ens1f0',
    flags: ['BROADCAST', 'MULTICAST', 'UP', 'LOWER_UP'],
    mtu: 9000,
    operstate: 'UP',
    address: '52:54:00:aa:00:01',
    vfinfo_list: [
      {
        vf: 0,
        link_type: 'ether',
        address: '52:54:00:00:01:02',
        broadcast: 'ff:ff:ff:ff:ff:ff',
        vlan_list: [{ vlan: 42 }],
        rate: { max_tx: 1000, min_tx: 0 },
        spoofchk: true,
        link_state: 'enable',
        trust: true,
        query_rss_en: false,
      },
      { vf: 1, mac: '00:00:00:00:00:00', vlan_list: [{}], spoofchk: false, link_state: 'auto', trust: false },
    ],
  },
  { ifname: 'ens1f1', flags: ['NO-CARRIER', 'BROADCAST', 'MULTICAST', 'UP'], mtu: 1500 },
  { ifname: 'ens1f0v1', flags: ['BROADCAST'], mtu: 1500, master: 'bond0' },
  { ifname: 'bond0', flags: ['UP', 'LOWER_UP'], mtu: 1500, linkinfo: { info_kind: 'bond' } },
  { ifname: 'ens1f0v2', flags: ['BROADCAST'], mtu: 1500 },
  { ifname: 'v42', link: 'ens1f0v2', flags: ['UP'], linkinfo: { info_kind: 'vlan', info_data: { id: 42 } } },
  { ifname: 'ens1f0v3', flags: ['UP', 'LOWER_UP'], mtu: 1500 },
  { ifname: 'br0', flags: ['UP', 'LOWER_UP'], mtu: 1500, linkinfo: { info_kind: 'bridge' } },
  { ifname: 'eno1', flags: ['UP', 'LOWER_UP'], mtu: 1500, master: 'br0' },
  { ifname: 'vnet0', flags: ['UP', 'LOWER_UP'], mtu: 1500, master: 'br0', linkinfo: { info_kind: 'tun' } },
]);
const ADDRESSES = JSON.stringify([
  { ifname: 'eno1', addr_info: [{ family: 'inet6', local: 'fe80::1', scope: 'link' }] },
  { ifname: 'ens1f0v3', addr_info: [{ family: 'inet', local: '10.0.0.5', prefixlen: 24, scope: 'global' }] },
  {},
]);

const table: LinkTable = {
  links: new Map(parseLinks(LINKS).map((link) => [link.name, link])),
  addresses: parseAddresses(ADDRESSES),
};

describe('links of a host', () => {
  test('a VF has the settings its PF holds for it', () => {
    expect(table.links.get('ens1f0')?.vfs.get(0)).toEqual({
      mac: '52:54:00:00:01:02',
      vlan: 42,
      trust: true,
      spoofCheck: true,
      linkState: 'enable',
      rateMbitMin: 0,
      rateMbitMax: 1000,
    });
  });

  test('an older iproute2 names the MAC of a VF differently', () => {
    expect(table.links.get('ens1f0')?.vfs.get(1)).toMatchObject({ mac: '00:00:00:00:00:00', vlan: 0 });
  });

  test('carrier needs a device that is up and has a link', () => {
    expect(table.links.get('ens1f0')?.carrier).toBe(true);
    expect(table.links.get('ens1f1')?.carrier).toBe(false);
    expect(table.links.get('ens1f0v1')?.carrier).toBe(false);
  });

  test('a bridge has its uplinks, without the taps of VMs', () => {
    expect(bridgesOf(table)).toEqual([{ name: 'br0', up: true, uplinks: ['eno1'], mtu: 1500 }]);
  });

  test.each([
    ['ens1f0v1', 'is a port of the bond bond0'],
    ['ens1f0v2', 'carries the vlan v42'],
    ['ens1f0v3', 'has the address 10.0.0.5'],
    ['ens1f0', null],
  ])('%s: the host %s', (name, use) => {
    expect(netdevUseOf(table, name)).toBe(use);
  });

  test('output that is not JSON is an error that says what is needed', () => {
    expect(() => parseLinks('1: lo: <LOOPBACK>')).toThrow(/iproute2 4.18 or newer/);
    expect(() => parseLinks('{}')).toThrow(/did not print a list/);
  });

  test('a link with fields of unexpected types is read without guessing', () => {
    const [link] = parseLinks('[{"ifname":"x","flags":"UP","mtu":"big","vfinfo_list":[null,{"vf":"0"}]}]');
    expect(link).toMatchObject({ name: 'x', carrier: false, mtu: null, mac: null });
    expect(link?.vfs.size).toBe(0);
  });
});
