/** The shape of guests that scenarios rely on. Run by the unit tier; touches nothing. */
import { expect, test } from 'vitest';
import { guestXml, standbyInterfaceName, VF_ALIAS, vfInterfaceName, vfXml } from './guest-xml.ts';
import { guestPlace, vfPciAddress } from './topology.ts';

const place = guestPlace(1);

/** How often `part` is in `text`. */
const count = (text: string, part: string): number => text.split(part).length - 1;

test('a q35 guest has exactly one root port that no device of the definition but the VF uses', () => {
  const xml = guestXml({ place, machine: 'q35', memoryMiB: 160 });
  expect(count(xml, "model='pcie-root-port'")).toBe(3);
  for (const bus of [1, 2]) expect(count(xml, `bus='${bus}' slot='0'`)).toBe(1);
  expect(count(xml, "bus='3'")).toBe(0);
  expect(vfXml({ place, machine: 'q35' }, vfPciAddress(0))).toContain("bus='3' slot='0'");
});

test('the VF is named by its PCI address on the host, with the MAC and alias of the guest', () => {
  const xml = vfXml({ place, machine: 'pc' }, '0000:01:10.2');
  expect(xml).toContain("domain='0x0000' bus='0x01' slot='0x10' function='0x2'");
  expect(xml).toContain(place.vfMac);
  expect(xml).toContain(VF_ALIAS);
});

test('standby and VF have different interface names in the guest', () => {
  for (const machine of ['pc', 'q35'] as const) {
    expect(vfInterfaceName(machine)).not.toBe(standbyInterfaceName(machine));
  }
});

test('the VFs of an 82576 lie two functions apart', () => {
  expect([0, 1, 4, 6].map(vfPciAddress)).toEqual([
    '0000:01:10.0',
    '0000:01:10.2',
    '0000:01:11.0',
    '0000:01:11.4',
  ]);
});

test('a guest with a network manager is told which, and its NICs are named by udev as everywhere', () => {
  const disk = { path: '/srv/shared/g1.qcow2', format: 'qcow2' } as const;
  const shape = { place, machine: 'pc', memoryMiB: 320, disk } as const;
  const xml = guestXml({ ...shape, manager: 'networkd' });
  expect(xml).toContain('lab.manager=networkd lab.prefix=24');
  expect(xml).not.toContain('net.ifnames');
  expect(guestXml(shape)).toContain('net.ifnames=0');
});
