/** XML as the simulated daemon takes it from clients. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HandoverError } from '../base/errors.ts';
import { element, formatXml, parseXml, type XmlElement } from './xml.ts';

const name = fc.constantFrom('a', 'b', 'handover:vnic', 'mac');
const text = fc.string({ minLength: 1 }).map((given) => `x${given.replace(/[^\x20-\x7e]/g, '')}x`);
const { tree } = fc.letrec<{ tree: XmlElement }>((tie) => ({
  tree: fc
    .record({
      name,
      attributes: fc.dictionary(fc.constantFrom('id', 'type', 'xmlns:q'), text, { maxKeys: 2 }),
      nodes: fc.oneof(
        { depthSize: 'small' },
        fc.constant([] as (XmlElement | string)[]),
        text.map((one) => [one]),
        fc.array(tie('tree'), { minLength: 1, maxLength: 3 }),
      ),
    })
    .map(({ name: tag, attributes, nodes }) => element(tag, attributes, nodes)),
}));

function codeOf(act: () => unknown): unknown {
  try {
    return act();
  } catch (error) {
    return error instanceof HandoverError ? error.detail['libvirtCode'] : error;
  }
}

describe('XML', () => {
  test('what is printed reads back the same', () => {
    fc.assert(
      fc.property(tree, (given) => {
        expect(parseXml(formatXml(given))).toEqual(given);
      }),
    );
  });

  test(
    'a document type, a cut-off document and an empty one are refused with code 35, as libvirt ' + 'does',
    () => {
      for (const bad of ['<!DOCTYPE a><a/>', '<a><b></a>', '<a', '', 'text']) {
        expect(codeOf(() => parseXml(bad))).toBe(35);
      }
    },
  );
});
