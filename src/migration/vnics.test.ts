/** Which interface of a domain is a vNIC's. */
import { expect, test } from 'vitest';
import { anInterface } from '../../test/support/builders.ts';
import type { Mac } from '../base/ids.ts';
import { interfaceOf } from './vnics.ts';

const [first, second] = ['52:54:00:00:00:01', '52:54:00:00:00:02'] as Mac[] as [Mac, Mac];

test("an alias of libvirt's own is nobody's name: the next device that is plugged has it", () => {
  const there = anInterface({ alias: 'hostdev0', mac: second });
  const domain = { interfaces: [there] };
  expect(interfaceOf(domain, { alias: 'hostdev0', mac: first })).toBeNull();
  expect(interfaceOf(domain, { alias: 'hostdev1', mac: second })).toBe(there);
});

test("a user's alias is the vNIC's, whatever its MAC", () => {
  const there = anInterface({ alias: 'ua-fast', mac: second });
  expect(interfaceOf({ interfaces: [there] }, { alias: 'ua-fast', mac: first })).toBe(there);
});

test('a standby with the MAC of the VF is not the VF', () => {
  const standby = anInterface({ alias: 'net0', mac: first, vf: null });
  expect(interfaceOf({ interfaces: [standby] }, { alias: 'hostdev0', mac: first })).toBeNull();
});
