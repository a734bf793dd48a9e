/** vNICs in words. */
import { expect, test } from 'vitest';
import type { VnicView } from '../../../../src/api/types/vm-view.ts';
import { fullText, isMoving, isStandby, namesText, needsAttention, shortText } from './vnic-words.ts';

const vnic = (over: Partial<VnicView>): VnicView => ({
  id: 'id',
  name: 'nic1',
  mac: '52:54:00:00:00:01',
  passthrough: false,
  model: 'virtio',
  bridge: 'prod',
  profileId: null,
  profile: null,
  network: null,
  vlan: null,
  plugged: true,
  actual: 'plugged',
  vf: null,
  pf: null,
  blocker: null,
  ...over,
});
const onVf = (over: Partial<VnicView> = {}) =>
  vnic({ name: 'nic2', passthrough: true, vf: '0000:3b:02.1', ...over });
const running = (...vnics: VnicView[]) => ({ vnics, status: 'up' as const });

test('a vNIC on a VF is told by its address', () => {
  const vm = running(vnic({}), onVf());
  expect(vm.vnics.map((each) => fullText(each, vm))).toEqual([
    'nic1: standby, plugged',
    'nic2: VF 0000:3b:02.1, plugged',
  ]);
  expect(vm.vnics.map((each) => shortText(each, vm))).toEqual(['nic1 standby', 'nic2 VF 3b:02.1']);
});

test('an ordinary one is a standby only beside a VF', () => {
  expect(shortText(vnic({}), running(vnic({})))).toBe('nic1 ordinary');
});

test('what is otherwise than wanted, or does not work, needs attention and is said', () => {
  const out = onVf({ vf: null, actual: 'unplugged' });
  expect(fullText(out, running(out))).toBe('nic2: VF, unplugged (wanted: plugged)');
  expect(
    [out, onVf({ actual: 'degraded' }), onVf({ actual: 'unplug_pending' })].map((each) =>
      needsAttention(each, running(each)),
    ),
  ).toEqual([true, true, true]);
  const asWanted = onVf({ vf: null, actual: 'unplugged', plugged: false });
  expect([onVf(), asWanted].map((each) => needsAttention(each, running(each)))).toEqual([false, false]);
  expect(fullText(asWanted, running(asWanted))).toBe('nic2: VF, unplugged');
});

test('of a VM that is down nothing is plugged, and nothing is missing', () => {
  const out = vnic({ actual: 'unplugged' });
  const vm = { vnics: [out], status: 'down' as const };
  expect([needsAttention(out, vm), shortText(out, vm), fullText(out, vm)]).toEqual([
    false,
    'nic1 ordinary',
    'nic1: ordinary, unplugged',
  ]);
});

test('only a VF that is wanted or still in moves; only what is plugged stands by', () => {
  const outAndNotWanted = onVf({ vf: null, plugged: false, actual: 'unplugged' });
  expect([onVf(), onVf({ vf: null }), outAndNotWanted, vnic({})].map(isMoving)).toEqual([
    true,
    true,
    false,
    false,
  ]);
  expect([vnic({}), vnic({ actual: 'unplugged' }), onVf()].map(isStandby)).toEqual([true, false, false]);
});

test('names are listed as people do', () => {
  expect([[], ['a'], ['a', 'b'], ['a', 'b', 'c']].map(namesText)).toEqual(['', 'a', 'a and b', 'a, b and c']);
});
