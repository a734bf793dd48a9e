/**
 * Writes one entity as XML. The description of a type is turned into functions once, which is what makes
 * lists of thousands cheap. Called by `write.ts` only.
 * Wire truths kept here: elements without content are self-closed (the SDK's reader derails otherwise), what
 * has no value is left out, hrefs are absolute paths below the base the client used.
 */
import { isoTime } from '../../../base/clock.ts';
import { type AnyEntity, ATTRIBUTES, type EntityType, type Field, type Fields, type Link } from './fields.ts';
import { hrefOf, isAbsent, refFields, textOf, type Writing } from './writing.ts';

/** Text of one value whose place is known. */
type Write<T = unknown> = (value: T, writing: Writing) => string;

/** Writers of the fields that are elements, in their order. */
const contents = new WeakMap<Fields, readonly (readonly [name: string, write: Write])[]>();
/** What ends a link: after its href, or after the href of the entity it is below. */
interface Tails {
  readonly tail: string;
  readonly below: string;
}
/** By rel: words of this code, hence few. */
const tails = new Map<string, Tails>();

/** The element of an entity. */
export function entityXml(type: EntityType, value: AnyEntity, writing: Writing): string {
  return groupXml(type.tag, type.fields, value, writing);
}

/** `body` in the element `tag`, self-closed without one. */
export const element = (tag: string, attributes: string, body: string): string =>
  body === '' ? `<${tag}${attributes}/>` : `<${tag}${attributes}>${body}</${tag}>`;

/** Any group: attributes first, then the fields in their order, then links and actions. */
function groupXml(tag: string, fields: Fields, value: AnyEntity, writing: Writing): string {
  let body = '';
  for (const [name, write] of contentOf(fields)) {
    const given = value[name];
    if (!isAbsent(given)) body += write(given, writing);
  }
  const { actions, link } = value;
  if (!isAbsent(actions)) body += element('actions', '', linksXml(actions, value, writing));
  if (!isAbsent(link)) body += linksXml(link, value, writing);
  return element(tag, attributesXml(value, writing), body);
}

function attributesXml({ href, id, rel }: AnyEntity, writing: Writing): string {
  let attributes = isAbsent(href) ? '' : ` href="${escapeXml(hrefOf(href, writing))}"`;
  if (!isAbsent(id)) attributes += ` id="${escapeXml(textOf(id))}"`;
  if (!isAbsent(rel)) attributes += ` rel="${escapeXml(textOf(rel))}"`;
  return attributes;
}

function linksXml(links: unknown, { href: own }: AnyEntity, { base }: Writing): string {
  let all = '';
  const open = `<link href="${base}/`;
  const openBelow = `${open}${escapeXml(textOf(own))}/`;
  for (const { href, rel } of links as readonly Link[]) {
    const { tail, below } = tailsOf(rel);
    all += href === undefined ? openBelow + below : open + escapeXml(href) + tail;
  }
  return all;
}

function tailsOf(rel: string): Tails {
  let known = tails.get(rel);
  if (!known) {
    const tail = `" rel="${escapeXml(rel)}"/>`;
    known = { tail, below: escapeXml(rel) + tail };
    tails.set(rel, known);
  }
  return known;
}

function contentOf(fields: Fields): readonly (readonly [name: string, write: Write])[] {
  let known = contents.get(fields);
  if (!known) {
    const elements = Object.entries(fields).filter(([name]) => !ATTRIBUTES.includes(name));
    known = elements.map(([name, field]) => [name, writerOf(name, field)] as const);
    contents.set(fields, known);
  }
  return known;
}

function writerOf(tag: string, field: Field): Write {
  const [open, close, empty] = [`<${tag}>`, `</${tag}>`, `<${tag}/>`];
  const inElement = (body: string) => (body === '' ? empty : open + body + close);
  switch (field.kind) {
    case 'struct':
      return ((value: AnyEntity, writing) => groupXml(tag, field.fields, value, writing)) as Write;
    case 'ref':
      return ((value: AnyEntity, writing) =>
        groupXml(tag, refFields(field.type, value, writing), value, writing)) as Write;
    case 'list': {
      const each = writerOf(field.tag, field.of);
      return ((values: readonly unknown[], writing) =>
        inElement(values.map((value) => each(value, writing)).join(''))) as Write;
    }
    case 'date':
      return (value) => inElement(isoTime(value as number));
    default:
      return (value) => inElement(typeof value === 'string' ? escapeXml(value) : escapeXml(String(value)));
  }
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '\t': '&#9;',
  '\n': '&#10;',
  '\r': '&#13;',
};
/** Whatever may have to be changed: hardly any text has it. */
const UNUSUAL = /[&<>"'\u0000-\u001f\ud800-\udfff\ufffe\uffff]/;

/** Escapes text and attribute values alike. Characters XML 1.0 has no place for become U+FFFD. */
export function escapeXml(value: string): string {
  if (!UNUSUAL.test(value)) return value;
  return value
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd')
    .replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, '\ufffd')
    .replace(/[&<>"'\t\n\r]/g, (found) => ESCAPES[found] ?? found);
}
