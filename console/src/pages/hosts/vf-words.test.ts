/** VFs in words, and the way through their map. */
import { expect, test } from 'vitest';
import type { PfUseView, VfUseView } from '../../../../src/api/types/fleet-view.ts';
import { allowedText, countStates, countsText, movedBy, vfName } from './vf-words.ts';

const vf = (changes: Partial<VfUseView> = {}): VfUseView => ({
  pciAddress: '0000:3b:02.3',
  index: 3,
  state: 'free',
  reason: null,
  vmId: null,
  vm: null,
  jobId: null,
  driver: 'iavf',
  netdev: null,
  numaNode: 0,
  mac: null,
  vlan: null,
  ...changes,
});

test('a VF is named with its place, its address and whom it belongs to', () => {
  const names = [
    vf(),
    vf({ state: 'attached', vm: 'web-1', reason: 'attached to web-1' }),
    vf({ state: 'reserved', vm: 'web-1', jobId: 'j', reason: 'reserved by job j' }),
    vf({ state: 'reserved', reason: 'reserved for a vNIC being plugged' }),
    vf({ state: 'host', reason: 'the host uses its netdev ens1f0v3: it is in the bridge br0' }),
    vf({ state: 'unusable' }),
  ].map(vfName);
  expect(names).toEqual([
    'VF 3, 0000:3b:02.3, free',
    'VF 3, 0000:3b:02.3, attached to web-1',
    'VF 3, 0000:3b:02.3, reserved for web-1, which is being moved',
    'VF 3, 0000:3b:02.3, reserved for a VM, whose vNIC is being plugged',
    'VF 3, 0000:3b:02.3, the host uses its netdev ens1f0v3: it is in the bridge br0',
    'VF 3, 0000:3b:02.3, unusable',
  ]);
});

test('only states there are VFs of are counted out', () => {
  const counts = countStates([vf(), vf(), vf({ state: 'host' })]);
  expect(countsText(counts)).toBe('2 free, 1 used by the host');
  expect(countsText(countStates([]))).toBe('none');
});

test('what a PF may serve is said by the names of networks and by labels', () => {
  const names = new Map([
    ['1', 'prod'],
    ['2', 'backup'],
  ]);
  const text = (changes: Partial<PfUseView>) =>
    allowedText(
      { allNetworksAllowed: false, networkIds: [], labels: [], ...changes } as unknown as PfUseView,
      names,
    );
  expect(text({ allNetworksAllowed: true })).toBe('all networks');
  expect(text({})).toBeNull();
  expect(text({ networkIds: ['1', '2'], labels: ['blue'] })).toBe(
    'backup, prod and networks with the label blue',
  );
  expect(text({ labels: ['blue', 'red'] })).toBe('networks with the labels blue, red');
});

test('arrows go through the map as it is drawn and stop at its edges', () => {
  const from = (key: string, index: number) => movedBy(key, index, 20, 16);
  expect(from('ArrowRight', 3)).toBe(4);
  expect(from('ArrowDown', 3)).toBe(19);
  expect(from('ArrowDown', 4)).toBe(4);
  expect(from('ArrowUp', 19)).toBe(3);
  expect(from('ArrowLeft', 0)).toBe(0);
  expect([from('Home', 9), from('End', 9)]).toEqual([0, 19]);
  expect(from('a', 3)).toBeNull();
});
