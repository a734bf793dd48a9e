/** The kernel's description of a bond, as a guest may show it. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseBond } from './guest-network.ts';

const DESCRIPTION = `Ethernet Channel Bonding Driver: v6.12.117+deb13-amd64

Bonding Mode: fault-tolerance (active-backup) (fail_over_mac active)
Primary Slave: enp0s8 (primary_reselect always)
Currently Active Slave: enp0s3
MII Status: up
MII Polling Interval (ms): 100
Up Delay (ms): 0
Down Delay (ms): 0
Peer Notification Delay (ms): 200

Slave Interface: enp0s3
MII Status: up
Speed: Unknown
Duplex: Unknown
Link Failure Count: 0
Permanent HW addr: 52:54:00:00:01:01
Slave queue ID: 0

Slave Interface: enp0s8
MII Status: down
Speed: 1000 Mbps
Duplex: full
Link Failure Count: 1
Permanent HW addr: 52:54:00:00:01:02
Slave queue ID: 0
`;

test('tells mode, primary and active leg, and of each leg its own MAC and link', () => {
  const nothing = { driver: null, onPciFunction: null, rxPackets: null };
  expect(parseBond('bond0', DESCRIPTION)).toEqual({
    name: 'bond0',
    activeBackup: true,
    active: 'enp0s3',
    primary: 'enp0s8',
    miimonMs: 100,
    upDelayMs: 0,
    legs: [
      { name: 'enp0s3', mac: '52:54:00:00:01:01', up: true, ...nothing },
      { name: 'enp0s8', mac: '52:54:00:00:01:02', up: false, ...nothing },
    ],
  });
});

test('tells that there is no primary and no active leg, and of a bond that sends over all', () => {
  const text = DESCRIPTION.replace(/Slave: enp0s8.*/, 'Slave: None').replace('Slave: enp0s3', 'Slave: None');
  expect(parseBond('bond0', text)).toMatchObject({ active: null, primary: null });
  expect(parseBond('b', 'Bonding Mode: load balancing (round-robin)\n')).toMatchObject({
    activeBackup: false,
    legs: [],
  });
});

test('takes no name that is a path, and no more legs than it shows', () => {
  const hostile = `Currently Active Slave: ../x\n${'Slave Interface: a/b\n'.repeat(3)}`;
  expect(parseBond('bond0', hostile)).toMatchObject({ active: null, legs: [] });
  fc.assert(fc.property(fc.string(), (text) => parseBond('bond0', text).legs.length <= 8));
});
