/** Names and patterns that guard commands. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { PciAddress } from '../base/ids.ts';
import {
  checkImageFormat,
  checkImagePath,
  checkNetdevName,
  checkPciAddress,
  checkPeerUri,
  nodeDeviceName,
  pciAddressOfNodeDevice,
} from './names.ts';

describe('names that go into commands', () => {
  test('a PCI address and its node device name give each other', () => {
    const address = '0000:3b:02.1' as PciAddress;
    expect(nodeDeviceName(address)).toBe('pci_0000_3b_02_1');
    expect(pciAddressOfNodeDevice('pci_0000_3b_02_1')).toBe(address);
    expect(pciAddressOfNodeDevice('net_eth0_00_00_00_00_00_00')).toBeNull();
    expect(pciAddressOfNodeDevice('computer')).toBeNull();
  });

  test.each(['ens1f0', 'eth0.42', 'enp1s0np0', 'br-ex', 'v42@x'])('%s is a netdev name', (name) => {
    expect(checkNetdevName(name)).toBe(name);
  });

  test.each(['', '-r', 'a b', 'a;b', '$(id)', 'a/b', 'sixteencharacter', 'a\n'])('%j is none', (name) => {
    expect(() => checkNetdevName(name)).toThrow(/not a usable network device name/);
  });

  test.each([
    'qemu+ssh://root@10.77.0.12/system',
    'qemu+tls://host-b/system',
    'qemu+tcp://[fd00::1]:16509/system',
  ])('%s is a peer URI', (uri) => {
    expect(checkPeerUri(uri)).toBe(uri);
  });

  test.each([
    'qemu:///system',
    'qemu+ssh://a b/system',
    "qemu+ssh://a'/system",
    'qemu+ext://a/system?command=x',
  ])('%s is none', (uri) => {
    expect(() => checkPeerUri(uri)).toThrow(/not a usable peer URI/);
  });

  test.each(['relative', '', '/a/../b', '/a\nb', '/a\0b'])('%j is no image path', (path) => {
    expect(() => checkImagePath(path)).toThrow(/disk image/);
  });

  test('image paths may contain blanks and quotes, since every word is quoted', () => {
    expect(checkImagePath("/srv/it's a disk.qcow2")).toBe("/srv/it's a disk.qcow2");
    expect(() => checkImageFormat('vmdk')).toThrow(/qcow2 and raw/);
  });

  test('only PCI addresses pass for one', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        fc.pre(!/^[0-9a-f]{4}:[0-9a-f]{2}:[01][0-9a-f]\.[0-7]$/i.test(text));
        expect(() => checkPciAddress(text)).toThrow(/PCI address/);
      }),
    );
  });
});
