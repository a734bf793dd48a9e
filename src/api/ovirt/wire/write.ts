/**
 * Writes entities as XML and JSON, both from one description. Called by the API's answers only.
 * Wire truths kept here: elements without content are self-closed (the SDK's reader derails otherwise), what
 * has no value is left out, JSON scalars are strings, hrefs are absolute paths below the base the client
 * used.
 */
import { isoTime } from '../../../base/clock.ts';
import { type AnyEntity, ATTRIBUTES, type EntityType, type Field, type Fields, type Link } from './fields.ts';

/** How to write: where hrefs begin, and what a followed reference or list looks like inside. */
export interface Writing {
  /** `/ovirt-engine/api`, no slash at the end. */
  readonly base: string;
  /** Type by its tag, for references that were followed. */
  readonly types: Readonly<Record<string, EntityType>>;
}

/** One entity or a collection of them. */
export type Document =
  | { readonly type: EntityType; readonly value: AnyEntity }
  | { readonly type: EntityType; readonly values: readonly AnyEntity[] };

/** The XML text of a document, with its declaration. */
export function writeXml(document: Document, writing: Writing): string {
  const body =
    'values' in document
      ? element(
          document.type.plural,
          '',
          document.values.map((each) => entityXml(document.type, each, writing)).join(''),
        )
      : entityXml(document.type, document.value, writing);
  return `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>${body}`;
}

/** The JSON text of a document. A collection is an object with the singular tag; an empty one is `{}`. */
export function writeJson(document: Document, writing: Writing): string {
  if ('value' in document) return JSON.stringify(entityJson(document.type, document.value, writing));
  if (document.values.length === 0) return '{}';
  return JSON.stringify({
    [document.type.tag]: document.values.map((each) => entityJson(document.type, each, writing)),
  });
}

const textOf = (value: unknown): string => String(value as string | number);
/** Empty text counts as absent: libgovirt complains of `<description/>`. */
const isAbsent = (value: unknown): boolean => value === null || value === undefined || value === '';

function entityXml(type: EntityType, value: AnyEntity, writing: Writing): string {
  return structXml(type.tag, type.fields, value, writing);
}

/** Any group: attributes first, then the fields in their order, then links and actions. */
function structXml(tag: string, fields: Fields, value: AnyEntity, writing: Writing): string {
  let attributes = '';
  if (!isAbsent(value['href'])) attributes += attribute('href', hrefOf(value['href'], writing));
  for (const name of ATTRIBUTES) {
    if (name !== 'href' && !isAbsent(value[name])) attributes += attribute(name, textOf(value[name]));
  }
  let content = '';
  for (const [name, field] of Object.entries(fields)) {
    if (!ATTRIBUTES.includes(name) && !isAbsent(value[name])) {
      content += fieldXml(name, field, value[name], writing);
    }
  }
  if (!isAbsent(value['actions'])) {
    content += element('actions', '', linksXml(value['actions'] as readonly Link[], writing));
  }
  if (!isAbsent(value['link'])) content += linksXml(value['link'] as readonly Link[], writing);
  return element(tag, attributes, content);
}

function fieldXml(name: string, field: Field, value: unknown, writing: Writing): string {
  switch (field.kind) {
    case 'struct':
      return structXml(name, field.fields, value as AnyEntity, writing);
    case 'ref':
      return structXml(name, refFields(field.type, value as AnyEntity, writing), value as AnyEntity, writing);
    case 'list':
      return element(
        name,
        '',
        (value as readonly unknown[]).map((each) => fieldXml(field.tag, field.of, each, writing)).join(''),
      );
    case 'date':
      return element(name, '', isoTime(value as number));
    default:
      return element(name, '', escapeXml(String(value)));
  }
}

function linksXml(links: readonly Link[], writing: Writing): string {
  return links
    .map((each) =>
      element('link', attribute('href', hrefOf(each.href, writing)) + attribute('rel', each.rel), ''),
    )
    .join('');
}

const attribute = (name: string, value: string): string => ` ${name}="${escapeXml(value)}"`;
const element = (tag: string, attributes: string, content: string): string =>
  content === '' ? `<${tag}${attributes}/>` : `<${tag}${attributes}>${content}</${tag}>`;

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

/** Escapes text and attribute values alike. Characters XML 1.0 has no place for become U+FFFD. */
export function escapeXml(value: string): string {
  return value
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd')
    .replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, '\ufffd')
    .replace(/[&<>"'\t\n\r]/g, (found) => ESCAPES[found] ?? found);
}

function entityJson(type: EntityType, value: AnyEntity, writing: Writing): Record<string, unknown> {
  return structJson(type.fields, value, writing);
}

function structJson(fields: Fields, value: AnyEntity, writing: Writing): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(fields)) {
    if (!isAbsent(value[name])) out[name] = fieldJson(field, value[name], writing);
  }
  if (!isAbsent(value['actions'])) {
    out['actions'] = { link: linksJson(value['actions'] as readonly Link[], writing) };
  }
  if (!isAbsent(value['link'])) out['link'] = linksJson(value['link'] as readonly Link[], writing);
  if (!isAbsent(value['href'])) out['href'] = hrefOf(value['href'], writing);
  if (!isAbsent(value['id'])) out['id'] = textOf(value['id']);
  return out;
}

function fieldJson(field: Field, value: unknown, writing: Writing): unknown {
  switch (field.kind) {
    case 'struct':
      return structJson(field.fields, value as AnyEntity, writing);
    case 'ref':
      return structJson(refFields(field.type, value as AnyEntity, writing), value as AnyEntity, writing);
    case 'list': {
      const items = value as readonly unknown[];
      return items.length === 0
        ? {}
        : { [field.tag]: items.map((each) => fieldJson(field.of, each, writing)) };
    }
    case 'decimal':
    case 'date':
      return value;
    default:
      return String(value);
  }
}

const linksJson = (links: readonly Link[], writing: Writing) =>
  links.map((each) => ({ href: hrefOf(each.href, writing), rel: each.rel }));

/** A bare reference has id, href and at most a name; anything more means it was followed. */
function refFields(type: string, value: AnyEntity, writing: Writing): Fields {
  const target = writing.types[type];
  if (target) return target.fields;
  return isAbsent(value['name']) ? {} : { name: { kind: 'text' } };
}

const hrefOf = (href: unknown, writing: Writing): string =>
  href === '' ? writing.base : `${writing.base}/${String(href)}`;
