/** Addresses and the places they are of. */
import { expect, test } from 'vitest';
import { placeOf } from './remote-place.ts';

test.each([
  ['192.0.2.7', '192.0.2.7'],
  ['::ffff:192.0.2.7', '192.0.2.7'],
  ['::1', '0:0:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['2001:db8:0:00a1:ffff::7', '2001:db8:0:a1::/64'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8::', '2001:db8:0:0::/64'],
  [undefined, 'local'],
])('%s is of the place %s', (address, place) => {
  expect(placeOf(address)).toBe(place);
});
