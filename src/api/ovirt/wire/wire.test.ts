/** Reading and writing by one description: what clients rely on, and what must never get through. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HandoverError } from '../../../base/errors.ts';
import { actionType, nicType, networkType, TYPES, vmType, vnicProfileType } from '../schema/index.ts';
import type { AnyEntity, EntityType } from './fields.ts';
import { readEntity } from './read.ts';
import { type Document, write, writeParts } from './write.ts';
import { escapeXml } from './write-xml.ts';

const writing = { base: '/ovirt-engine/api', types: TYPES };
const writeXml = (document: Document, how = writing) => write(document, 'xml', how).toString();
const writeJson = (document: Document) => write(document, 'json', writing).toString();
const xmlOf = (type: EntityType, value: AnyEntity) =>
  writeXml({ type, value }).replace(/^<\?xml[^>]*\?>/, '');
const jsonOf = (type: EntityType, value: AnyEntity): unknown => JSON.parse(writeJson({ type, value }));

/** Reads it and returns the refusal's message. */
function refusalOf(type: EntityType, body: string, format: 'xml' | 'json' | 'unknown'): string {
  try {
    readEntity(type, body, format);
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(HandoverError);
    expect((thrown as HandoverError).kind).toBe('invalid');
    return (thrown as HandoverError).message;
  }
  throw new Error('nothing was refused');
}

describe('written XML', () => {
  test('closes elements without content in themselves, since the SDK loses its place otherwise', () => {
    expect(xmlOf(networkType, { name: 'prod', vlan: { id: 42 } })).toBe(
      '<network><name>prod</name><vlan id="42"/></network>',
    );
    expect(writeXml({ type: vmType, values: [] })).toContain('<vms/>');
  });

  test('leaves out what has no value, empty text included', () => {
    expect(xmlOf(networkType, { name: 'prod', description: '', comment: null })).toBe(
      '<network><name>prod</name></network>',
    );
  });

  test('gives hrefs below the base the client used', () => {
    const document = { type: nicType, value: { vm: { id: 'V', href: 'vms/V' } } };
    const written = writeXml(document, { ...writing, base: '/ovirt-engine/api/v4' });
    expect(written).toContain('<vm href="/ovirt-engine/api/v4/vms/V" id="V"/>');
  });

  test('shows a followed reference whole', () => {
    const value = { vnic_profile: { id: 'P', href: 'vnicprofiles/P', name: 'fast', migratable: true } };
    expect(xmlOf(nicType, value)).toBe(
      '<nic><vnic_profile href="/ovirt-engine/api/vnicprofiles/P" id="P"><name>fast</name>' +
        '<migratable>true</migratable></vnic_profile></nic>',
    );
  });

  test('holds no character XML has no place for', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const read = readEntity(networkType, xmlOf(networkType, { name: `x${text}x` }), 'xml');
        expect(escapeXml(read.name ?? '')).toBe(escapeXml(`x${text}x`));
      }),
    );
    expect(escapeXml('\u0000\u001b\ud800')).toBe('\ufffd\ufffd\ufffd');
  });
});

describe('written JSON', () => {
  test('has strings for booleans and numbers, and numbers for dates', () => {
    expect(jsonOf(TYPES['event'] as EntityType, { id: '7', code: 62, time: 1_700_000_000_000 })).toEqual({
      id: '7',
      code: '62',
      time: 1_700_000_000_000,
    });
    expect(jsonOf(vnicProfileType, { migratable: true })).toEqual({ migratable: 'true' });
  });

  test('names a collection by the singular, and an empty one is an empty object', () => {
    expect(writeJson({ type: vmType, values: [{ name: 'a' }] })).toBe('{"vm":[{"name":"a"}]}');
    expect(writeJson({ type: vmType, values: [] })).toBe('{}');
  });

  test('wraps embedded lists, actions included', () => {
    const value = { nics: [{ name: 'nic1' }], actions: [{ rel: 'migrate', href: 'vms/V/migrate' }] };
    expect(jsonOf(vmType, value)).toEqual({
      nics: { nic: [{ name: 'nic1' }] },
      actions: { link: [{ rel: 'migrate', href: '/ovirt-engine/api/vms/V/migrate' }] },
    });
  });
});

test.each(['xml', 'json'] as const)('a collection in parts is written as in one, in %s', async (format) => {
  const values = ['a', 'b', 'c', 'd'].map((name) => ({ name, href: `vms/${name}` }));
  for (const sizes of [[], [0], [4], [1, 3], [2, 0, 2], [0, 4, 0]]) {
    const parts = async function* () {
      let from = 0;
      for (const size of sizes) yield values.slice(from, (from += size));
    };
    let text = '';
    for await (const piece of writeParts({ type: vmType, parts: parts() }, format, writing))
      text += String(piece);
    const whole = sizes.includes(4) || sizes.length > 1 ? values : [];
    expect(text).toBe(write({ type: vmType, values: whole }, format, writing).toString());
  }
});

test('a link without an href leads below its entity', () => {
  const value = {
    href: 'vms/V',
    link: [{ rel: 'nics' }, { rel: 'up', href: 'vms' }],
    actions: [{ rel: 'stop' }],
  };
  const [below, up] = ['/ovirt-engine/api/vms/V', '/ovirt-engine/api/vms'];
  expect(xmlOf(vmType, value)).toBe(
    `<vm href="${below}"><actions><link href="${below}/stop" rel="stop"/></actions>` +
      `<link href="${below}/nics" rel="nics"/><link href="${up}" rel="up"/></vm>`,
  );
  expect(jsonOf(vmType, value)).toEqual({
    href: below,
    link: [
      { rel: 'nics', href: `${below}/nics` },
      { rel: 'up', href: up },
    ],
    actions: { link: [{ rel: 'stop', href: `${below}/stop` }] },
  });
});

describe('a request', () => {
  const profile = {
    name: 'fast',
    migratable: false,
    pass_through: { mode: 'enabled' },
    network: { id: 'N' },
  };

  test('says the same in both formats', () => {
    const xml =
      '<?xml version="1.0"?><vnic_profile><name>fast</name><network id="N"></network>' +
      '<pass_through><mode>enabled</mode></pass_through><migratable> false </migratable></vnic_profile>';
    const json =
      '{"name":"fast","network":{"id":"N"},"pass_through":{"mode":"ENABLED"},"migratable":"false"}';
    expect(readEntity(vnicProfileType, xml, 'xml')).toEqual(profile);
    expect(readEntity(vnicProfileType, json, 'json')).toEqual(profile);
    expect(readEntity(vnicProfileType, json.replace('"false"', 'false'), 'unknown')).toEqual(profile);
  });

  test('may hold whole entities where a reference would do, and elements nobody knows', () => {
    const body =
      '<action><cluster href="/x" id="C"><name>Default</name><cpu><type>a</type></cpu><networks href="/y"/>' +
      '</cluster><host><name>h1</name></host><grace_period><expiry>1</expiry></grace_period></action>';
    expect(readEntity(actionType, body, 'xml')).toEqual({
      cluster: { href: '/x', id: 'C', name: 'Default' },
      host: { name: 'h1' },
    });
  });

  test('without a body is an empty entity', () => {
    expect(readEntity(actionType, '', 'xml')).toEqual({});
    expect(readEntity(actionType, '<action/>', 'xml')).toEqual({});
    expect(readEntity(actionType, '{}', 'json')).toEqual({});
  });

  test('names an empty element, so that a reference can be taken away', () => {
    expect(readEntity(nicType, '<nic><vnic_profile/></nic>', 'xml')).toEqual({ vnic_profile: {} });
  });

  test.each([
    ['<vm/>', 'xml', 'this request takes <action>'],
    ['<action>', 'xml', 'not well-formed'],
    ['<action><force>yes</force></action>', 'xml', 'action.force must be true or false'],
    ['{"force":"maybe"}', 'json', 'action.force must be true or false'],
    ['{"unplug_timeout_ms":"1e9"}', 'json', 'must be a whole number'],
    ['{"host":"h1"}', 'json', 'action.host must be an object'],
    ['{"reason":{"a":1}}', 'json', 'action.reason must be a single value'],
    ['[]', 'json', 'action must be an object'],
    ['nonsense', 'unknown', 'not well-formed'],
    ['{"a":', 'json', 'not well-formed'],
  ] as const)('is refused with the place named: %s', (body, format, message) => {
    expect(refusalOf(actionType, body, format)).toContain(message);
  });

  test('is refused if its mode is no word of oVirt', () => {
    expect(refusalOf(vnicProfileType, '{"pass_through":{"mode":"maybe"}}', 'json')).toContain(
      'must be one of enabled, disabled',
    );
  });
});

describe('a hostile body', () => {
  test('can not bring entities of its own', () => {
    const bomb = '<!DOCTYPE a [<!ENTITY b "bbbbbbbbbb">]><action><reason>&b;</reason></action>';
    expect(refusalOf(actionType, bomb, 'xml')).toContain('DOCTYPE');
    expect(refusalOf(actionType, '<action><reason>&b;</reason></action>', 'xml')).toContain(
      'not well-formed',
    );
  });

  test('can not be deep', () => {
    expect(refusalOf(actionType, '<action>'.repeat(100_000), 'xml')).toContain('nested deeper');
    expect(refusalOf(actionType, `{"host":${'['.repeat(100_000)}`, 'json')).toContain('not well-formed');
  });

  test('can not have elements without end', () => {
    const many = `<action>${'<a/>'.repeat(50_000)}</action>`;
    expect(refusalOf(actionType, many, 'xml')).toContain('more than');
  });

  test('can not reach the prototype', () => {
    const read = readEntity(actionType, '{"__proto__":{"force":true},"constructor":{"force":true}}', 'json');
    expect(read.force).toBeUndefined();
    expect(({} as { force?: boolean }).force).toBeUndefined();
  });

  test('of any kind is read or refused, never anything else', () => {
    const parts = [
      '<action>',
      '</action>',
      '<host',
      ' id="',
      '">',
      '&amp;',
      ']]>',
      '<![CDATA[',
      '<?',
      '{',
      '"',
    ];
    const body = fc.array(fc.oneof(fc.constantFrom(...parts), fc.string())).map((pieces) => pieces.join(''));
    fc.assert(
      fc.property(
        body,
        fc.constantFrom('xml' as const, 'json' as const, 'unknown' as const),
        (text, format) => {
          try {
            readEntity(actionType, text, format);
          } catch (thrown) {
            expect((thrown as HandoverError).code).toBe('INVALID_INPUT');
          }
        },
      ),
    );
  });
});
