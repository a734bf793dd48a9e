/**
 * Writes what a route answered as XML or JSON, both from one description. Called by the API's answers only.
 */
import type { AnyEntity, EntityType } from './fields.ts';
import { entityJson } from './write-json.ts';
import { element, entityXml } from './write-xml.ts';
import type { Writing } from './writing.ts';

/** What a client may ask for. */
export type Format = 'xml' | 'json';

/** A collection that has been read. */
export interface Whole {
  readonly type: EntityType;
  readonly values: readonly AnyEntity[];
}

/** One entity or a collection of them. */
export type Document = { readonly type: EntityType; readonly value: AnyEntity } | Whole;

/** A collection that is read while it is written; at least one part, which may be empty. */
export interface Parts {
  readonly type: EntityType;
  readonly parts: AsyncIterable<readonly AnyEntity[]>;
}

/** The text of a collection in three: what goes before the entities, between them, and after. */
interface Collection {
  readonly open: string;
  readonly between: string;
  readonly close: string;
  /** Without entities. */
  readonly empty: string;
  readonly each: typeof entityXml;
}

const DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>';

const xmlOf = ({ plural }: EntityType): Collection => ({
  open: `${DECLARATION}<${plural}>`,
  between: '',
  close: `</${plural}>`,
  empty: DECLARATION + element(plural, '', ''),
  each: entityXml,
});

/** An object with the singular tag. */
const jsonOf = ({ tag }: EntityType): Collection => ({
  open: `{${JSON.stringify(tag)}:[`,
  between: ',',
  close: ']}',
  empty: '{}',
  each: entityJson,
});

const collectionOf = (type: EntityType, format: Format): Collection =>
  format === 'xml' ? xmlOf(type) : jsonOf(type);

/** Of each entity by itself: one text of all of them is put together several times slower. */
function listed({ between, each }: Collection, { type, values }: Whole, writing: Writing): Buffer[] {
  return values.map((value, at) => Buffer.from((at === 0 ? '' : between) + each(type, value, writing)));
}

/** The text of a document in UTF-8; XML with its declaration. An empty collection is `{}` in JSON. */
export function write(document: Document, format: Format, writing: Writing): Buffer {
  const { type } = document;
  if ('value' in document) {
    return Buffer.from(
      format === 'xml'
        ? DECLARATION + entityXml(type, document.value, writing)
        : entityJson(type, document.value, writing),
    );
  }
  const collection = collectionOf(type, format);
  if (document.values.length === 0) return Buffer.from(collection.empty);
  const { open, close } = collection;
  return Buffer.concat([Buffer.from(open), ...listed(collection, document, writing), Buffer.from(close)]);
}

/** What `write` would write of all parts together, piece by piece. */
export async function* writeParts(
  { type, parts }: Parts,
  format: Format,
  writing: Writing,
): AsyncGenerator<Buffer> {
  const collection = collectionOf(type, format);
  let lead = collection.open;
  for await (const values of parts) {
    if (values.length === 0) continue;
    yield Buffer.concat([Buffer.from(lead), ...listed(collection, { type, values }, writing)]);
    lead = collection.between;
  }
  yield Buffer.from(lead === collection.open ? collection.empty : collection.close);
}
