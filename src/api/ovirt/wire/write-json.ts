/**
 * Writes one entity as JSON. As in `write-xml.ts`, the description of a type is turned into functions once.
 * Called by `write.ts` only.
 * Wire truths kept here: scalars are strings, but dates and decimals; what has no value is left out; hrefs
 * are absolute paths below the base the client used.
 */
import type { AnyEntity, EntityType, Field, Fields, Link } from './fields.ts';
import { hrefOf, isAbsent, refFields, textOf, type Writing } from './writing.ts';

/** What goes before a value, and the value. */
type Write<T = unknown> = (value: T, writing: Writing) => string;

/** Writers of the members, in their order; each begins with a comma. */
const members = new WeakMap<Fields, readonly (readonly [name: string, write: Write])[]>();
/** What ends a link: after its href, or after the href of the entity it is below. */
interface Tails {
  readonly tail: string;
  readonly below: string;
}
/** By rel: words of this code, hence few. */
const tails = new Map<string, Tails>();

/** The object of an entity. */
export function entityJson(type: EntityType, value: AnyEntity, writing: Writing): string {
  return groupJson(type.fields, value, writing);
}

/** Any group: the fields in their order, then links and actions, then what is an attribute in XML. */
function groupJson(fields: Fields, value: AnyEntity, writing: Writing): string {
  let all = '';
  for (const [name, write] of membersOf(fields)) {
    const given = value[name];
    if (!isAbsent(given)) all += write(given, writing);
  }
  const { actions, link, href, id } = value;
  if (!isAbsent(actions)) all += `,"actions":{"link":${linksJson(actions, value, writing)}}`;
  if (!isAbsent(link)) all += `,"link":${linksJson(link, value, writing)}`;
  if (!isAbsent(href)) all += `,"href":"${escapeJson(hrefOf(href, writing))}"`;
  // Of a group that describes its id as a field it has been written.
  if (!isAbsent(id) && fields['id'] === undefined) all += `,"id":"${escapeJson(textOf(id))}"`;
  return `{${all.slice(1)}}`;
}

function linksJson(links: unknown, { href: own }: AnyEntity, { base }: Writing): string {
  let all = '';
  const open = `,{"href":"${base}/`;
  const openBelow = `${open}${escapeJson(textOf(own))}/`;
  for (const { href, rel } of links as readonly Link[]) {
    const { tail, below } = tailsOf(rel);
    all += href === undefined ? openBelow + below : open + escapeJson(href) + tail;
  }
  return `[${all.slice(1)}]`;
}

function tailsOf(rel: string): Tails {
  let known = tails.get(rel);
  if (!known) {
    const tail = `","rel":"${escapeJson(rel)}"}`;
    known = { tail, below: escapeJson(rel) + tail };
    tails.set(rel, known);
  }
  return known;
}

function membersOf(fields: Fields): readonly (readonly [name: string, write: Write])[] {
  let known = members.get(fields);
  if (!known) {
    const all = Object.entries(fields);
    known = all.map(([name, field]) => [name, writerOf(`,${JSON.stringify(name)}:`, field)] as const);
    members.set(fields, known);
  }
  return known;
}

function writerOf(lead: string, field: Field): Write {
  switch (field.kind) {
    case 'struct':
      return ((value: AnyEntity, writing) => lead + groupJson(field.fields, value, writing)) as Write;
    case 'ref':
      return ((value: AnyEntity, writing) =>
        lead + groupJson(refFields(field.type, value, writing), value, writing)) as Write;
    case 'list': {
      const each = writerOf(',', field.of);
      const open = `${lead}{${JSON.stringify(field.tag)}:[`;
      return ((values: readonly unknown[], writing) => {
        if (values.length === 0) return `${lead}{}`;
        const all = values.map((value) => each(value, writing)).join('');
        return `${open}${all.slice(1)}]}`;
      }) as Write;
    }
    case 'decimal':
    case 'date':
      return (value) => lead + JSON.stringify(value);
    default: {
      const open = `${lead}"`;
      return (value) => `${open}${escapeJson(textOf(value))}"`;
    }
  }
}

/** Whatever JSON has to escape: hardly any text has it. */
const UNUSUAL = /["\\\u0000-\u001f\ud800-\udfff]/;
const escapeJson = (value: string): string =>
  UNUSUAL.test(value) ? JSON.stringify(value).slice(1, -1) : value;
