/** Which ordinary vNIC is the standby of which VF. */
import { expect, test } from 'vitest';
import { aProfile, aStandby, aVm, aVnic, mac, networkId, profileId } from '../../test/support/builders.ts';
import type { VnicProfile } from './network.ts';
import { standbyPairs } from './standby-pair.ts';
import type { Vnic } from './vm.ts';

const names = (vnics: readonly Vnic[], profiles: readonly VnicProfile[] = []): string[] =>
  standbyPairs(aVm({ vnics }), new Map(profiles.map((profile) => [profile.id, profile]))).map(
    ({ vf, standby }) => `${vf.name}+${standby.name}`,
  );

test('the one ordinary vNIC is the standby of the one VF', () => {
  expect(names([aStandby(1), aVnic(2)])).toEqual(['nic2+nic1']);
});

test('a VM without a VF, or without an ordinary vNIC, has no pair', () => {
  expect(names([aStandby(1)])).toEqual([]);
  expect(names([aVnic(1)])).toEqual([]);
});

test('only virtio can be a standby', () => {
  expect(names([aStandby(1, { model: 'e1000e' }), aVnic(2)])).toEqual([]);
});

test('what is certain of one VF is not given to another: address, then failover, then network', () => {
  const profiles = [
    aProfile(1, { networkId: networkId(1) }),
    aProfile(2, { networkId: networkId(2), failoverId: profileId(4) }),
    aProfile(3, { networkId: networkId(1), passThrough: false }),
    aProfile(4, { networkId: networkId(3), passThrough: false }),
  ];
  const vnics = [
    aVnic(1, { profileId: profileId(1) }),
    aVnic(2, { profileId: profileId(2) }),
    aVnic(3, { profileId: null }),
    aVnic(4, { profileId: null, mac: mac(8) }),
    aStandby(5),
    aStandby(6, { profileId: profileId(4) }),
    aStandby(7, { profileId: profileId(3) }),
    aStandby(8),
  ];
  expect(names(vnics, profiles)).toEqual(['nic1+nic7', 'nic2+nic6', 'nic3+nic5', 'nic4+nic8']);
});

test('a standby stands by for one VF only', () => {
  expect(names([aVnic(1), aVnic(2), aStandby(3)])).toEqual(['nic1+nic3']);
});
