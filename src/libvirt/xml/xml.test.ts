/** XML: kept as it is, limited, looked into and edited. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  append,
  attr,
  child,
  children,
  cloneElement,
  descendants,
  element,
  parseXml,
  removeChild,
  replaceChild,
  setAttr,
  setText,
  textOf,
  writeXml,
  type XmlElement,
  type XmlNode,
} from './index.ts';

const DOMAIN = `<domain type='kvm' id='3' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
  <name>web &amp; co</name>
  <!-- kept -->
  <devices>
    <interface type='hostdev' managed='yes'>
      <mac address='52:54:00:00:00:01'/>
      <future attribute='kept'><deep/></future>
    </interface>
    <interface type='bridge'/>
  </devices>
  <qemu:commandline><qemu:arg value='a&quot;b&apos;c&#10;d'/></qemu:commandline>
</domain>`;

describe('parse and write', () => {
  test('a domain comes out as it went in, unknown elements, comments and order included', () => {
    expect(writeXml(parseXml(DOMAIN))).toBe(DOMAIN);
  });

  test('the declaration is dropped, CDATA becomes text', () => {
    const root = parseXml('<?xml version="1.0"?><a><![CDATA[<x>&]]></a>');
    expect(textOf(root)).toBe('<x>&');
    expect(writeXml(root)).toBe('<a>&lt;x&gt;&amp;</a>');
  });

  const name = fc.constantFrom('a', 'b', 'x:y', 'long-name');
  const words = fc.string({ unit: 'grapheme', maxLength: 20 }).map((s) => s.replace(/[^\P{C}\n\t]/gu, ''));
  const tree = fc.letrec<{ node: XmlNode; element: XmlElement }>((tie) => ({
    node: fc.oneof(
      { maxDepth: 4 },
      words.filter((text) => text !== '').map((text) => ({ kind: 'text', text }) as const),
      tie('element'),
    ),
    element: fc.record({
      kind: fc.constant('element' as const),
      name,
      attributes: fc
        .uniqueArray(fc.tuple(name, words), { selector: ([key]) => key })
        .map((pairs) => new Map(pairs)),
      children: fc.array(tie('node'), { maxLength: 4 }).map(joinTexts),
    }),
  })).element;

  test('any tree comes back from its text', () => {
    fc.assert(
      fc.property(tree, (root) => {
        expect(parseXml(writeXml(root))).toEqual(root);
      }),
    );
  });

  test('random text is refused as invalid input or read, never anything else', () => {
    const parts = fc.constantFrom(
      '<',
      '>',
      '/',
      'a',
      '&',
      ';',
      '"',
      "'",
      '=',
      ' ',
      '<!',
      '[',
      ']',
      '<a>',
      '</a>',
      '-',
    );
    fc.assert(
      fc.property(fc.array(parts, { maxLength: 30 }), (all) => {
        try {
          parseXml(all.join(''));
        } catch (error) {
          expect(error).toMatchObject({ code: 'INVALID_INPUT' });
        }
      }),
    );
  });

  const refused: [string, string][] = [
    ['a DOCTYPE', '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>'],
    ['an entity of its own', '<a>&x;</a>'],
    ['a processing instruction', '<a><?php x?></a>'],
    ['an unclosed element', '<a><b></a>'],
    ['two roots', '<a/><b/>'],
    ['an attribute twice', "<a b='1' b='2'/>"],
    ['nothing', ''],
    ['too deep a nesting', '<a>'.repeat(100) + '</a>'.repeat(100)],
    ['too long a text', `<a>${'x'.repeat(5 * 1024 * 1024)}</a>`],
  ];
  test.each(refused)('%s is refused', (_, text) => {
    expect(() => parseXml(text)).toThrow(expect.objectContaining({ code: 'INVALID_INPUT' }) as Error);
  });
});

describe('looking and editing', () => {
  test('lookups go through what is missing', () => {
    const root = parseXml(DOMAIN);
    expect(textOf(child(root, 'name'))).toBe('web & co');
    expect(attr(child(child(root, 'no'), 'such'), 'thing')).toBeUndefined();
    expect(children(child(root, 'devices'), 'interface').map((one) => attr(one, 'type'))).toEqual([
      'hostdev',
      'bridge',
    ]);
    expect(children(root)).toHaveLength(3);
    expect(textOf(undefined)).toBe('');
  });

  test('descendants come parents first, in document order', () => {
    expect(descendants(parseXml('<r><a><b/><c/></a><d/></r>')).map((one) => one.name)).toEqual([
      'a',
      'b',
      'c',
      'd',
    ]);
  });

  test('edits change what they name and nothing else', () => {
    const root = parseXml('<r><a x="1"/><b/></r>');
    const copy = cloneElement(root);
    const a = child(root, 'a') as XmlElement;
    setAttr(a, 'x', undefined);
    setAttr(a, 'y', '2');
    setText(a, 'text');
    expect(replaceChild(root, child(root, 'b') as XmlElement, element('c', { z: '3' }, ['<']))).toBe(true);
    append(root, element('d'));
    expect(writeXml(root)).toBe("<r><a y='2'>text</a><c z='3'>&lt;</c><d/></r>");
    expect(removeChild(root, a)).toBe(true);
    expect(removeChild(root, a)).toBe(false);
    expect(replaceChild(root, a, a)).toBe(false);
    expect(writeXml(copy)).toBe("<r><a x='1'/><b/></r>");
  });
});

/** Two texts side by side are one after parsing. */
function joinTexts(nodes: XmlNode[]): XmlNode[] {
  const joined: XmlNode[] = [];
  for (const node of nodes) {
    const last = joined.at(-1);
    if (node.kind === 'text' && last?.kind === 'text') {
      joined[joined.length - 1] = { kind: 'text', text: last.text + node.text };
    } else {
      joined.push(node);
    }
  }
  return joined;
}
