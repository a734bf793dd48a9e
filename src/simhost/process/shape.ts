/**
 * Reading JSON that people write: a shape says what a value must be, and a value that is not is refused with
 * the place in the file (`hosts[1].pfs[0].vfCount`). Fields nobody knows are refused too: they are typing
 * errors.
 */
import { HandoverError } from '../../base/errors.ts';

/** Reads one value found at `place`. Throws `INVALID_INPUT` naming the place and what is wanted. */
export type Shape<T> = (value: unknown, place: string) => T;

/** What a shape reads. */
export type ShapeOf<S> = S extends Shape<infer T> ? T : never;

/** Reads a document. Throws `INVALID_INPUT` that begins with `what`. */
export function readJson<T>(what: string, text: string, shape: Shape<T>): T {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw new HandoverError('INVALID_INPUT', `${what} is no JSON: ${(error as Error).message}`);
  }
  try {
    return shape(parsed, '');
  } catch (error) {
    if (error instanceof HandoverError)
      throw new HandoverError('INVALID_INPUT', `${what}: ${error.message}`, { detail: error.detail });
    throw error;
  }
}

/** Says what is wrong at a place. */
export function wrong(place: string, wanted: string, value: unknown): HandoverError {
  const is = value === undefined ? 'it is missing' : `it is ${JSON.stringify(value)?.slice(0, 80)}`;
  return new HandoverError('INVALID_INPUT', `${place === '' ? 'the document' : place}: ${wanted}; ${is}`, {
    detail: { place },
  });
}

/** A text that matches; `wanted` says in words what does. */
export function text(pattern = /^.+$/s, wanted = 'a text is wanted'): Shape<string> {
  return (value, place) => {
    if (typeof value === 'string' && pattern.test(value)) return value;
    throw wrong(place, wanted, value);
  };
}

/** A number from `min` to `max`. */
export function number(min = 0, max = Number.MAX_SAFE_INTEGER): Shape<number> {
  return (value, place) => {
    if (typeof value === 'number' && value >= min && value <= max) return value;
    const upTo = max === Number.MAX_SAFE_INTEGER ? '' : ` and at most ${max}`;
    throw wrong(place, `a number of at least ${min}${upTo} is wanted`, value);
  };
}

/** A whole number from `min` to `max`. */
export function whole(min = 0, max = Number.MAX_SAFE_INTEGER): Shape<number> {
  const any = number(min, max);
  return (value, place) => {
    if (Number.isInteger(any(value, place))) return value as number;
    throw wrong(place, 'a whole number is wanted', value);
  };
}

/** True or false. */
export const yesNo: Shape<boolean> = (value, place) => {
  if (typeof value === 'boolean') return value;
  throw wrong(place, 'true or false is wanted', value);
};

/** One of some words. */
export function oneOf<const Word extends string>(words: readonly Word[]): Shape<Word> {
  return (value, place) => {
    const found = words.find((word) => word === value);
    if (found !== undefined) return found;
    throw wrong(place, `one of ${words.join(', ')} is wanted`, value);
  };
}

/** The value or null. */
export function orNull<T>(shape: Shape<T>): Shape<T | null> {
  return (value, place) => (value === null ? null : shape(value, place));
}

/** The value, or `fallback` where there is none. */
export function orElse<T>(shape: Shape<T>, fallback: T): Shape<T> {
  return (value, place) => (value === undefined ? fallback : shape(value, place));
}

/** A list of such values. */
export function list<T>(shape: Shape<T>): Shape<readonly T[]> {
  return (value, place) => {
    if (!Array.isArray(value)) throw wrong(place, 'a list is wanted', value);
    return value.map((each, index) => shape(each, `${place}[${index}]`));
  };
}

/** A shape whose field may be missing and then is not there at all. */
export interface MaybeMissing<T> {
  readonly maybe: Shape<T>;
}

/** For `record`: the field may be missing. */
export const maybe = <T>(shape: Shape<T>): MaybeMissing<T> => ({ maybe: shape });

type Fields = Readonly<Record<string, Shape<unknown> | MaybeMissing<unknown>>>;
type Present<F extends Fields> = {
  readonly [K in keyof F as F[K] extends MaybeMissing<unknown> ? never : K]: ShapeOf<F[K]>;
};
type Optional<F extends Fields> = {
  readonly [K in keyof F as F[K] extends MaybeMissing<unknown> ? K : never]?: F[K] extends MaybeMissing<
    infer T
  >
    ? T
    : never;
};

/** An object with these fields and no others. */
export function record<F extends Fields>(fields: F): Shape<Present<F> & Optional<F>> {
  return (value, place) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw wrong(place, 'an object is wanted', value);
    const at = (name: string): string => (place === '' ? name : `${place}.${name}`);
    const given = value as Record<string, unknown>;
    const unknown = Object.keys(given).find((name) => !Object.hasOwn(fields, name));
    if (unknown !== undefined)
      throw wrong(at(unknown), `no such field; known are ${Object.keys(fields).join(', ')}`, given[unknown]);
    const read: Record<string, unknown> = {};
    for (const [name, field] of Object.entries(fields)) {
      if (typeof field === 'function') read[name] = field(given[name], at(name));
      else if (given[name] !== undefined) read[name] = field.maybe(given[name], at(name));
    }
    return read as Present<F> & Optional<F>;
  };
}

/** An object whose field `key` says which of several it is. */
export function variant<const Key extends string, V extends Readonly<Record<string, Shape<unknown>>>>(
  key: Key,
  variants: V,
): Shape<{ [K in keyof V & string]: ShapeOf<V[K]> & { readonly [P in Key]: K } }[keyof V & string]> {
  const which = oneOf(Object.keys(variants));
  return (value, place) => {
    if (typeof value !== 'object' || value === null) throw wrong(place, 'an object is wanted', value);
    const { [key]: given, ...rest } = value as Record<string, unknown>;
    const chosen = which(given, place === '' ? key : `${place}.${key}`);
    const read = variants[chosen]?.(rest, place);
    return { [key]: chosen, ...(read as object) } as never;
  };
}
