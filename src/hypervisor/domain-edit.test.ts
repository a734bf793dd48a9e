/** The XML Handover writes: what to plug, and the definition for a target. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Mac, PciAddress } from '../base/ids.ts';
import { definedInterfaceXml, definitionWithVfs, interfaceXml } from './domain-edit.ts';
import { readDomainXml } from './domain-xml.ts';
import type { VfPlug } from './port.ts';
import { PC_DEFINITION, Q35_DEFINITION } from './samples.ts';

const plug: VfPlug = {
  alias: 'ua-vf0',
  mac: '52:54:00:01:01:02' as Mac,
  vf: '0000:3b:0a.7' as PciAddress,
  managed: true,
  vlan: 42,
  guestAddress: '0000:00:08.0' as PciAddress,
  traitsXml: '',
};

describe('the interface to plug', () => {
  test('names all the guest can see, and the VF', () => {
    expect(interfaceXml(plug)).toBe(
      "<interface type='hostdev' managed='yes'><mac address='52:54:00:01:01:02'/>" +
        "<source><address type='pci' domain='0x0000' bus='0x3b' slot='0x0a' function='0x7'/></source>" +
        "<vlan><tag id='42'/></vlan><alias name='ua-vf0'/>" +
        "<address type='pci' domain='0x0000' bus='0x00' slot='0x08' function='0x0'/></interface>",
    );
  });

  test('without VLAN and address leaves both to libvirt', () => {
    const xml = interfaceXml({ ...plug, vlan: null, guestAddress: null, managed: false });
    expect(xml).toContain("managed='no'");
    expect(xml).not.toMatch(/<vlan>|bus='0x00'/);
  });

  test('has the option ROM and ACPI index the vNIC had, nothing else', () => {
    const had = readDomainXml(PC_DEFINITION).interfaces.find((each) => each.mac === plug.mac);
    const xml = interfaceXml({ ...plug, traitsXml: had?.traitsXml ?? '' });
    expect(xml).toContain("<rom enabled='no'/><acpi index='7'/>");
    expect(xml).not.toContain('future');
    expect(xml.match(/<alias /g)).toHaveLength(1);
  });
});

describe('the definition for the target', () => {
  test('differs from the source in the address of the VF alone', () => {
    const edited = definitionWithVfs(PC_DEFINITION, [{ ...plug, pool: null, definedPool: null }]);
    expect(edited).toBe(
      PC_DEFINITION.replace(
        "domain='0x0000' bus='0x01' slot='0x10' function='0x2'",
        "domain='0x0000' bus='0x3b' slot='0x0a' function='0x7'",
      ),
    );
  });

  test('of a domain without vNICs to name is the same, byte for byte', () => {
    expect(definitionWithVfs(PC_DEFINITION, [])).toBe(PC_DEFINITION);
    expect(definitionWithVfs(Q35_DEFINITION, [])).toBe(Q35_DEFINITION);
  });

  test('keeps the pool when asked', () => {
    const vnic = {
      ...plug,
      mac: '52:54:00:01:01:04' as Mac,
      alias: 'ua-vf1',
      pool: 'vf-pool',
      definedPool: 'vf-pool',
    };
    expect(definitionWithVfs(PC_DEFINITION, [vnic])).toBe(PC_DEFINITION);
  });

  test('names a VF where the target has no such pool', () => {
    const vnic = {
      ...plug,
      mac: '52:54:00:01:01:04' as Mac,
      alias: 'ua-vf1',
      pool: null,
      definedPool: 'vf-pool',
    };
    const { interfaces } = readDomainXml(definitionWithVfs(PC_DEFINITION, [vnic]));
    expect(interfaces.map((each) => [each.kind, each.vf])).toEqual([
      ['bridge', null],
      ['hostdev', '0000:01:10.2'],
      ['hostdev', '0000:3b:0a.7'],
    ]);
  });

  test('gets a desired vNIC it lacks, once, however often it is asked', () => {
    const vnic = { ...plug, mac: '52:54:00:0f:0f:0f' as Mac, alias: 'ua-vf9', pool: null, definedPool: null };
    const once = definitionWithVfs(PC_DEFINITION, [vnic]);
    expect(readDomainXml(once).interfaces.at(-1)).toMatchObject({
      mac: vnic.mac,
      vf: vnic.vf,
      alias: 'ua-vf9',
    });
    expect(definitionWithVfs(once, [vnic])).toBe(once);
  });

  test('never takes a standby on another network, with the same MAC, for the VF that is not there', () => {
    const mac = `<mac address='${plug.mac}'/>`;
    const standby = `<interface type='network'>${mac}<source network='default'/></interface>`;
    const definition = `<domain type='kvm'><devices>${standby}</devices></domain>`;
    for (const definedPool of [null, 'vf-pool']) {
      expect(definedInterfaceXml(definition, { mac: plug.mac, definedPool })).toBeNull();
      const edited = definitionWithVfs(definition, [{ ...plug, pool: null, definedPool }]);
      expect(edited).toContain(`<source network='default'/>`);
      expect(edited).toContain("type='hostdev'");
    }
    const onDefault = { mac: plug.mac, definedPool: 'default' };
    expect(definedInterfaceXml(definition, onDefault)).toContain('default');
  });

  test('never turns an ordinary interface with the same MAC into a VF', () => {
    const sameMac = PC_DEFINITION.replaceAll('52:54:00:01:01:01', '52:54:00:01:01:02');
    const { interfaces } = readDomainXml(
      definitionWithVfs(sameMac, [{ ...plug, pool: null, definedPool: null }]),
    );
    expect(interfaces.map((each) => each.kind)).toEqual(['bridge', 'hostdev', 'network']);
    expect(interfaces[1]?.vf).toBe(plug.vf);
  });

  test('changes nothing else, whatever else is in the document', () => {
    const name = fc.stringMatching(/^[a-z][a-z0-9:-]{0,8}$/).filter((text) => !/:$|::|^xmlns/.test(text));
    const value = fc.string({ unit: fc.constantFrom('a', ' ', '<', '&', "'", '"', 'ü', '\n') });
    const escape = (text: string) => text.replace(/[&<>'"\n]/g, (char) => ESCAPES[char] ?? char);
    const foreign = fc
      .tuple(name, name, value, value)
      .map(([tag, key, attribute, text]) => {
        const inner = text.replace(/[&<>]/g, (char) => ESCAPES[char] ?? char);
        return inner === ''
          ? `<${tag} ${key}='${escape(attribute)}'/>`
          : `<${tag} ${key}='${escape(attribute)}'>${inner}</${tag}>`;
      })
      .filter((xml) => !/^<(interface|devices)\b/.test(xml));
    const vf = fc
      .tuple(
        fc.integer({ min: 0, max: 255 }),
        fc.integer({ min: 0, max: 31 }),
        fc.integer({ min: 0, max: 7 }),
      )
      .map(([bus, slot, fn]) => `0000:${hex(bus)}:${hex(slot)}.${fn}` as PciAddress);
    fc.assert(
      fc.property(foreign, foreign, vf, (inDevices, inInterface, address) => {
        const source = PC_DEFINITION.replace('<!-- kept -->', () => inDevices).replace(
          "<future attribute='1'>text</future>",
          () => inInterface,
        );
        const edited = definitionWithVfs(source, [{ ...plug, vf: address, pool: null, definedPool: null }]);
        const [bus, slot] = [address.slice(5, 7), address.slice(8, 10)];
        expect(edited).toBe(
          source.replace(
            "bus='0x01' slot='0x10' function='0x2'",
            `bus='0x${bus}' slot='0x${slot}' function='0x${address.slice(11)}'`,
          ),
        );
      }),
    );
  });
});

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  "'": '&apos;',
  '"': '&quot;',
  '\n': '&#10;',
};
const hex = (value: number) => value.toString(16).padStart(2, '0');
