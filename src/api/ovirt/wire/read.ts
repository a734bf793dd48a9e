/**
 * Reads request bodies, XML and JSON, by the same descriptions they are written by. Whatever is wrong with a
 * body is
 * `INVALID_INPUT` with the place named; nothing in a body can make the reader slow, deep or large (limits
 * below). Unknown elements are skipped, as oVirt does: clients send whole entities back where a reference
 * would do.
 */
import { type SaxesAttributePlain, SaxesParser, type SaxesTagPlain } from 'saxes';
import { HandoverError, messageOf } from '../../../base/errors.ts';
import { ATTRIBUTES, type Entity, type EntityType, type Field, type Fields } from './fields.ts';

const DEPTH_MAX = 40;
const ELEMENTS_MAX = 20_000;

interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: Element[];
  text: string;
}

/** A request that can not be understood. `faultReason` becomes the fault's reason. */
export function badRequest(message: string, faultReason = 'Invalid value'): HandoverError {
  return new HandoverError('INVALID_INPUT', message, { detail: { faultReason } });
}

/**
 * Reads `body` as an entity of `type`. An empty body is an empty entity. `format` is what the content type
 * said; a body that begins with `{` is JSON even if the client forgot to say so.
 */
export function readEntity<T extends EntityType>(
  type: T,
  body: string,
  format: 'xml' | 'json' | 'unknown',
): Entity<T> {
  const trimmed = body.trim();
  if (trimmed === '') return {} as Entity<T>;
  const isJson = format === 'json' || (format === 'unknown' && trimmed.startsWith('{'));
  return (isJson ? readJson(type, trimmed) : readXml(type, trimmed)) as Entity<T>;
}

function readXml(type: EntityType, body: string): unknown {
  const root = parseXml(body);
  if (root.name !== type.tag) {
    throw badRequest(`the body is <${root.name}>, this request takes <${type.tag}>`);
  }
  return structFromXml(type.fields, root, type.tag);
}

/** The element tree of an XML text. No DOCTYPE, hence no entities but XML's own five. */
function parseXml(body: string): Element {
  const parser = new SaxesParser({ xmlns: false, position: false });
  const stack: Element[] = [];
  let root: Element | null = null;
  let count = 0;
  parser.on('doctype', () => {
    throw badRequest('a DOCTYPE is not accepted');
  });
  parser.on('error', (error) => {
    throw badRequest(`the XML is not well-formed: ${error.message}`);
  });
  parser.on('opentag', (tag: SaxesTagPlain) => {
    count += 1;
    if (stack.length >= DEPTH_MAX) throw badRequest(`the XML is nested deeper than ${DEPTH_MAX} levels`);
    if (count > ELEMENTS_MAX) throw badRequest(`the XML has more than ${ELEMENTS_MAX} elements`);
    const made: Element = {
      name: tag.name,
      attributes: tag.attributes as Record<string, SaxesAttributePlain['value']>,
      children: [],
      text: '',
    };
    const parent = stack.at(-1);
    if (parent) parent.children.push(made);
    else root = made;
    stack.push(made);
  });
  parser.on('closetag', () => void stack.pop());
  const onText = (text: string) => {
    const open = stack.at(-1);
    if (open) open.text += text;
  };
  parser.on('text', onText);
  parser.on('cdata', onText);
  parser.write(body).close();
  if (root === null) throw badRequest('the XML has no element');
  return root;
}

function structFromXml(fields: Fields, element: Element, path: string): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const name of ATTRIBUTES) {
    const value = element.attributes[name];
    if (value !== undefined && Object.hasOwn(element.attributes, name)) {
      const field = fields[name];
      out[name] = field ? scalar(field, value, `${path}.${name}`) : value;
    }
  }
  for (const child of element.children) {
    const field = Object.hasOwn(fields, child.name) ? fields[child.name] : undefined;
    if (field) out[child.name] = fieldFromXml(field, child, `${path}.${child.name}`);
    // <host><id>..</id></host> is accepted beside the attribute.
    else if (child.name === 'id' && out['id'] === undefined) out['id'] = child.text.trim();
  }
  return out;
}

function fieldFromXml(field: Field, element: Element, path: string): unknown {
  switch (field.kind) {
    case 'struct':
      return structFromXml(field.fields, element, path);
    case 'ref':
      return structFromXml(REF_FIELDS, element, path);
    case 'list':
      return element.children
        .filter((each) => each.name === field.tag)
        .map((each) => fieldFromXml(field.of, each, `${path}.${field.tag}`));
    default:
      return scalar(field, field.kind === 'text' ? element.text : element.text.trim(), path);
  }
}

function readJson(type: EntityType, body: string): unknown {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch (thrown) {
    throw badRequest(`the JSON is not well-formed: ${messageOf(thrown)}`);
  }
  return structFromJson(type.fields, parsed, type.tag);
}

function structFromJson(fields: Fields, value: unknown, path: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw badRequest(`${path} must be an object`);
  }
  const out: Record<string, unknown> = {};
  const known = { ...ID_AND_HREF, ...fields };
  for (const [name, field] of Object.entries(known)) {
    const found = Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;
    if (found !== undefined && found !== null) out[name] = fieldFromJson(field, found, `${path}.${name}`);
  }
  return out;
}

function fieldFromJson(field: Field, value: unknown, path: string): unknown {
  switch (field.kind) {
    case 'struct':
      return structFromJson(field.fields, value, path);
    case 'ref':
      return structFromJson(REF_FIELDS, value, path);
    case 'list': {
      const inner =
        typeof value === 'object' && value !== null && !Array.isArray(value)
          ? ((value as Record<string, unknown>)[field.tag] ?? [])
          : value;
      if (!Array.isArray(inner)) throw badRequest(`${path} must be a list of ${field.tag}`);
      if (inner.length > ELEMENTS_MAX) throw badRequest(`${path} has more than ${ELEMENTS_MAX} items`);
      return inner.map((each) => fieldFromJson(field.of, each, `${path}.${field.tag}`));
    }
    default:
      if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') {
        throw badRequest(`${path} must be a single value`);
      }
      return scalar(field, String(value), path);
  }
}

const ID_AND_HREF: Fields = { id: { kind: 'text' }, href: { kind: 'text' } };
const REF_FIELDS: Fields = { ...ID_AND_HREF, name: { kind: 'text' } };

function scalar(field: Field, value: string, path: string): string | number | boolean {
  switch (field.kind) {
    case 'bool':
      if (/^(true|1)$/i.test(value)) return true;
      if (/^(false|0)$/i.test(value)) return false;
      throw badRequest(`${path} must be true or false, not ${quote(value)}`);
    case 'int':
      if (/^[+-]?\d{1,15}$/.test(value)) return Number(value);
      throw badRequest(`${path} must be a whole number, not ${quote(value)}`);
    case 'decimal':
      if (/^[+-]?\d{1,15}(\.\d{1,15})?$/.test(value)) return Number(value);
      throw badRequest(`${path} must be a number, not ${quote(value)}`);
    case 'date': {
      const time = /^\d{1,15}$/.test(value) ? Number(value) : Date.parse(value);
      if (Number.isFinite(time)) return time;
      throw badRequest(`${path} must be a date such as 2026-11-23T20:00:00Z, not ${quote(value)}`);
    }
    case 'word':
      if (field.allowed.includes(value.toLowerCase())) return value.toLowerCase();
      throw badRequest(`${path} must be one of ${field.allowed.join(', ')}, not ${quote(value)}`);
    default:
      return value;
  }
}

const quote = (value: string): string =>
  JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}...` : value);
