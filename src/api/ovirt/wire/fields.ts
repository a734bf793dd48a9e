/**
 * The vocabulary in which every oVirt resource is described once; XML and JSON, reading and writing, are
 * driven by it. Pure data: no resource is named here, see `../schema/` for those. Used by the readers and
 * writers beside this file.
 *
 * Two rules of oVirt's representation hold for every type and are therefore not part of a description:
 * `id`, `href` and `rel` are attributes in XML; every entity may carry `link` elements and an `actions` list.
 */

/**
 * Scalars. JSON: `bool` and `int` are strings as oVirt's clients expect, `decimal` and `date` (epoch ms) are
 * numbers.
 */
export type ScalarKind = 'text' | 'bool' | 'int' | 'decimal' | 'date';

/** A field with a single value. */
export interface ScalarField {
  readonly kind: ScalarKind;
}
/** One word of a closed list; anything else in a request is refused. */
export interface WordField {
  readonly kind: 'word';
  readonly allowed: readonly string[];
}
export interface StructField {
  readonly kind: 'struct';
  readonly fields: Fields;
}
/**
 * Another entity: id and href, or the whole of it when it was followed. `type` is a key of the schema's
 * table.
 */
export interface RefField {
  readonly kind: 'ref';
  readonly type: string;
}
/** A list in its own element: XML `<nics><nic/></nics>`, JSON `"nics":{"nic":[]}`. */
export interface ListField {
  readonly kind: 'list';
  readonly tag: string;
  readonly of: Field;
}
export type Field = ScalarField | WordField | StructField | RefField | ListField;
export type Fields = Readonly<Record<string, Field>>;

/** An entity type: its tag, its collection's tag and its fields in the order they are written. */
export interface EntityType<F extends Fields = Fields> {
  readonly tag: string;
  readonly plural: string;
  readonly fields: F;
}

/** A reference as it is written and read; a followed one carries the other entity's fields too. */
export interface Ref {
  readonly id?: string | undefined;
  readonly href?: string | undefined;
  readonly name?: string | null | undefined;
}

/**
 * A `link` element: a sub-collection or an action. `rel` is a word of the code, neither is empty; without an
 * href it leads to `rel` below its entity.
 */
export interface Link {
  readonly rel: string;
  readonly href?: string;
}

/** The value that goes with a field. Dates are wall-clock ms. */
export type Value<F> = F extends { readonly kind: 'bool' }
  ? boolean
  : F extends { readonly kind: 'int' | 'decimal' | 'date' }
    ? number
    : F extends { readonly kind: 'text' }
      ? string
      : F extends { readonly kind: 'word'; readonly allowed: readonly (infer W)[] }
        ? W
        : F extends { readonly kind: 'struct'; readonly fields: infer S }
          ? Values<S>
          : F extends { readonly kind: 'ref' }
            ? Ref
            : F extends { readonly kind: 'list'; readonly of: infer Item }
              ? readonly Value<Item>[]
              : never;

/** null and undefined are left out of what is written; absent in a request reads as undefined. */
export type Values<F> = { readonly [K in keyof F]?: Value<F[K]> | null | undefined };

/**
 * An entity's value. `href`s are relative to the API's base (`vms/ID`), the writers put the base in front.
 */
export type Entity<T extends EntityType> = Values<T['fields']> & {
  readonly id?: string | undefined;
  readonly href?: string | undefined;
  readonly link?: readonly Link[] | undefined;
  readonly actions?: readonly Link[] | undefined;
};

/** An entity whose type is known at run time only. */
export type AnyEntity = Readonly<Record<string, unknown>>;

/** The scalar fields. */
export const text = { kind: 'text' } as const;
export const bool = { kind: 'bool' } as const;
export const int = { kind: 'int' } as const;
export const decimal = { kind: 'decimal' } as const;
export const date = { kind: 'date' } as const;

/** A field that takes one of `allowed`. */
export const word = <const W extends readonly string[]>(...allowed: W) =>
  ({ kind: 'word', allowed }) as const;
/** A group of fields that is no entity. */
export const struct = <const F extends Fields>(fields: F) => ({ kind: 'struct', fields }) as const;
/** A reference to an entity of the schema's table. */
export const ref = (type: string) => ({ kind: 'ref', type }) as const;
/** A wrapped list whose items have the tag `tag`. */
export const list = <const F extends Field>(tag: string, of: F) => ({ kind: 'list', tag, of }) as const;
/** An entity type. */
export const entity = <const F extends Fields>(tag: string, plural: string, fields: F): EntityType<F> => ({
  tag,
  plural,
  fields,
});

/** Written as attributes in XML, wherever they occur. */
export const ATTRIBUTES: readonly string[] = ['id', 'href', 'rel'];
