/** The merge rules, one test each. */
import { describe, expect, test } from 'vitest';
import type { Mac, PciAddress, VnicProfileId } from '../base/ids.ts';
import type { Vnic } from '../model/vm.ts';
import { aFoundVnic, aStandby, aVnic, newId, vfAddress } from '../../test/support/builders.ts';
import { mergeVnics, withoutPending } from './merge-vnics.ts';

/** What the next look sees of a vNIC: the same device under a new id and a name made up by position. */
const seenAgain = (known: Vnic, over: Partial<Vnic> = {}): Vnic => ({
  ...known,
  id: newId(),
  name: 'nic9',
  profileId: null,
  ...over,
});

describe('which vNIC is which', () => {
  test('a user alias tells, even when the MAC address changed', () => {
    const known = aFoundVnic(1);
    const [merged] = mergeVnics([known], [seenAgain(known, { mac: '52:54:00:99:99:99' as Mac })], false);
    expect(merged).toMatchObject({ id: known.id, name: known.name, mac: '52:54:00:99:99:99' });
  });

  test('without a user alias the MAC address tells', () => {
    const known = aFoundVnic(1, { alias: null });
    const merged = mergeVnics([known], [seenAgain(known, { alias: 'hostdev0' })], false);
    expect(merged.map((vnic) => vnic.id)).toEqual([known.id]);
  });

  test('a vNIC that gets a user alias later stays the same', () => {
    const known = aFoundVnic(1, { alias: null });
    const [merged] = mergeVnics([known], [seenAgain(known, { alias: 'ua-fast' })], false);
    expect(merged).toMatchObject({ id: known.id, alias: 'ua-fast' });
  });

  test('the two halves of a bond with one MAC address are not mixed up', () => {
    const vf = aFoundVnic(1, { alias: null });
    const standby = aStandby(2, { alias: null, mac: vf.mac });
    const merged = mergeVnics([vf, standby], [seenAgain(standby), seenAgain(vf)], false);
    expect(merged).toMatchObject([
      { id: vf.id, passthrough: true },
      { id: standby.id, passthrough: false },
    ]);
  });

  test('a user alias wins over the MAC address of another vNIC', () => {
    const one = aFoundVnic(1);
    const two = aFoundVnic(2);
    const merged = mergeVnics(
      [one, two],
      [seenAgain(one, { mac: two.mac }), seenAgain(two, { mac: one.mac })],
      false,
    );
    expect(merged).toMatchObject([
      { id: one.id, alias: one.alias },
      { id: two.id, alias: two.alias },
    ]);
  });

  test('a new vNIC keeps what the look says of it, with a name that is free', () => {
    const known = aFoundVnic(1);
    const fresh = aFoundVnic(2, { name: 'nic1' });
    const another = aFoundVnic(3, { name: 'nic1' });
    const merged = mergeVnics([known], [seenAgain(known), fresh, another], false);
    expect(merged.map((vnic) => [vnic.id, vnic.name])).toEqual([
      [known.id, 'nic1'],
      [fresh.id, 'nic2'],
      [another.id, 'nic3'],
    ]);
  });
});

describe('what is kept', () => {
  test('the profile, unless the look names one', () => {
    const known = aVnic(1);
    const named = newId<VnicProfileId>();
    expect(mergeVnics([known], [seenAgain(known)], false)[0]?.profileId).toBe(known.profileId);
    expect(mergeVnics([known], [seenAgain(known, { profileId: named })], false)[0]?.profileId).toBe(named);
  });

  test('the desired plugged state, whatever is seen', () => {
    const wanted = aFoundVnic(1, { plugged: true });
    const unwanted = aFoundVnic(2, { plugged: false, actual: 'unplugged', vf: null });
    const seen = [
      seenAgain(wanted, { plugged: false, actual: 'unplugged', vf: null }),
      seenAgain(unwanted, { plugged: true }),
    ];
    expect(mergeVnics([wanted, unwanted], seen, false)).toMatchObject([
      { plugged: true, actual: 'unplugged' },
      { plugged: false },
    ]);
  });

  test.each(['plugged', 'unplugged', 'unplug_pending', 'degraded'] as const)(
    'the actual state %s and the VF while a job owns them',
    (actual) => {
      const known = aFoundVnic(1, { actual, vf: actual === 'unplugged' ? null : vfAddress(1) });
      const seen = seenAgain(known, { actual: 'plugged', vf: vfAddress(2) });
      expect(mergeVnics([known], [seen], true)).toMatchObject([{ actual, vf: known.vf }]);
      expect(mergeVnics([known], [], true)).toEqual([known]);
    },
  );

  test('a pending unplug, whether the device is still seen or not', () => {
    const known = aFoundVnic(1, { actual: 'unplug_pending', vf: vfAddress(1) });
    expect(mergeVnics([known], [seenAgain(known, { actual: 'plugged' })], false)).toMatchObject([
      { actual: 'unplug_pending', vf: vfAddress(1) },
    ]);
    expect(mergeVnics([known], [], false)).toEqual([known]);
  });

  test('a pending unplug not beyond the end of the guest', () => {
    const known = aFoundVnic(1, { actual: 'unplug_pending', vf: vfAddress(1) });
    const down = seenAgain(known, { actual: 'unplugged', vf: null });
    const [merged] = mergeVnics(withoutPending([known]), [down], false);
    expect(merged).toMatchObject({ id: known.id, plugged: true, actual: 'unplugged', vf: null });
  });

  test('degraded, as long as the same VF is seen attached', () => {
    const known = aFoundVnic(1, { actual: 'degraded', vf: vfAddress(1) });
    const after = (over: Partial<Vnic>) => mergeVnics([known], [seenAgain(known, over)], false)[0]?.actual;
    expect(after({ actual: 'plugged' })).toBe('degraded');
    expect(after({ actual: 'plugged', vf: vfAddress(2) })).toBe('plugged');
    expect(after({ actual: 'unplugged', vf: null })).toBe('unplugged');
  });
});

describe('what is not seen any more', () => {
  test('stays as unplugged while it is desired', () => {
    const known = aFoundVnic(1);
    expect(mergeVnics([known], [], false)).toEqual([{ ...known, actual: 'unplugged', vf: null }]);
  });

  test('stays as unplugged where its user took it out', () => {
    const known = aFoundVnic(1, { plugged: false, kept: true, actual: 'unplugged', vf: null });
    expect(mergeVnics([known], [], false)).toEqual([known]);
    const seen = seenAgain(known, { plugged: true, kept: false });
    expect(mergeVnics([known], [seen], false)[0]).toMatchObject({ plugged: false, kept: true });
  });

  test('is gone when it is not desired', () => {
    expect(mergeVnics([aFoundVnic(1, { plugged: false })], [], false)).toEqual([]);
  });
});

test('everything else is taken from the look', () => {
  const known = aFoundVnic(1);
  const seen = seenAgain(known, {
    vf: vfAddress(7),
    managed: false,
    vlan: 42,
    guestAddress: '0000:05:00.0' as PciAddress,
    traitsXml: "<rom enabled='no'/>",
    pool: 'vf-pool',
    blocker: 'it is a teaming pair',
  });
  expect(mergeVnics([known], [seen], false)).toEqual([{ ...seen, id: known.id, name: known.name }]);
});
