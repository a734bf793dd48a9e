/** What both writers share: how to write, what counts as no value, where hrefs lead. */
import { type AnyEntity, ATTRIBUTES, type EntityType, type Fields } from './fields.ts';

/** How to write: where hrefs begin, and what a followed reference or list looks like inside. */
export interface Writing {
  /** `/ovirt-engine/api`, no slash at the end. */
  readonly base: string;
  /** Type by its tag, for references that were followed. */
  readonly types: Readonly<Record<string, EntityType>>;
}

/** A scalar as text. */
export const textOf = (value: unknown): string => String(value as string | number);
/** Empty text counts as absent: libgovirt complains of `<description/>`. */
export const isAbsent = (value: unknown): value is null | undefined | '' =>
  value === null || value === undefined || value === '';
/** An absolute path; the empty href is the base itself. */
export const hrefOf = (href: unknown, { base }: Writing): string =>
  href === '' ? base : `${base}/${String(href)}`;

const NO_FIELDS: Fields = {};
const NAME_ONLY: Fields = { name: { kind: 'text' } };

/**
 * What is written of a reference: a bare one has id, href and at most a name; anything more means it was
 * followed.
 */
export function refFields(type: string, value: AnyEntity, { types }: Writing): Fields {
  let isBare = true;
  for (const name in value) isBare &&= ATTRIBUTES.includes(name);
  return isBare ? NO_FIELDS : (types[type]?.fields ?? NAME_ONLY);
}
