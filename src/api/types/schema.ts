/**
 * The part of JSON Schema (2020-12, as OpenAPI 3.1 has it) that the native API's answers are written in, and
 * the TypeScript type a schema stands for: written once, so that neither can say anything the other does not.
 * Imports nothing. Draft-07 knows all of it too, in the same meaning.
 */

declare const shape: unique symbol;

/** A schema of values of type `T`. */
export interface Schema<out T = unknown> {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly format?: 'date-time' | 'uuid';
  readonly enum?: readonly (string | null)[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly default?: unknown;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  /** Of an object whose keys are data. */
  readonly additionalProperties?: Schema;
  readonly anyOf?: readonly Schema[];
  /** Only in a written document, see `openapi.ts`. */
  readonly $ref?: string;
  /** Never there: carries the type. */
  readonly [shape]?: T;
}

/** The type of the values of a schema. */
export type Shape<S> = S extends Schema<infer T> ? T : never;

const described = (description: string | undefined) => (description === undefined ? {} : { description });

/** A string. */
export const text = (description?: string): Schema<string> => ({
  type: 'string',
  ...described(description),
});

/** A UUID. */
export const uuid = (description?: string): Schema<string> => ({ ...text(description), format: 'uuid' });

/** A moment: ISO 8601, UTC. */
export const time = (description?: string): Schema<string> => ({
  ...text(description),
  format: 'date-time',
});

/** A number that may have a fraction. */
export const number = (description?: string): Schema<number> => ({
  type: 'number',
  ...described(description),
});

/** A whole number. */
export const integer = (description?: string): Schema<number> => ({
  type: 'integer',
  ...described(description),
});

/** True or false. */
export const flag = (description?: string): Schema<boolean> => ({
  type: 'boolean',
  ...described(description),
});

/** One of a closed set of texts. */
export function choice<const T extends string>(all: readonly T[], description?: string): Schema<T> {
  return { type: 'string', enum: all, ...described(description) };
}

/** Any number of them. */
export const list = <T>(items: Schema<T>, description?: string): Schema<readonly T[]> => ({
  type: 'array',
  items,
  ...described(description),
});

type Properties = Readonly<Record<string, Schema>>;
type ObjectOf<P extends Properties> = { readonly [K in keyof P]: Shape<P[K]> };

/** An object that always has all of the properties; later versions may add others. */
export function object<P extends Properties>(properties: P, description?: string): Schema<ObjectOf<P>> {
  return { type: 'object', ...described(description), properties, required: Object.keys(properties) };
}

/** An object whose keys are data, such as ids. */
export const byKey = <T>(values: Schema<T>, description?: string): Schema<{ readonly [key: string]: T }> => ({
  type: 'object',
  additionalProperties: values,
  ...described(description),
});

/** The same or null: not known, or not there. */
export function orNull<T>(schema: Schema<T>, description?: string): Schema<T | null> {
  const { type, enum: all } = schema;
  if (typeof type !== 'string' || type === 'object') {
    return { anyOf: [schema, { type: 'null' }], ...described(description) };
  }
  return {
    ...schema,
    type: [type, 'null'],
    ...(all === undefined ? {} : { enum: [...all, null] }),
    ...described(description),
  };
}
