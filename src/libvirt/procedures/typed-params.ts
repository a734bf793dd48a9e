/**
 * Typed parameters: libvirt's list of named values, used for migration parameters, job statistics and domain
 * statistics. Sizes and times come as 64-bit values, hence `bigint`.
 */
import { HandoverError } from '../../base/errors.ts';
import { array, double, flag, hyper, int, uhyper, uint } from '../xdr/codec.ts';
import type { Codec } from '../xdr/codec.ts';
import { violation } from '../xdr/reader.ts';
import { text } from './types.ts';

/** A value with its wire type. */
export type TypedValue =
  | { readonly type: 'int' | 'uint' | 'double'; readonly value: number }
  | { readonly type: 'llong' | 'ullong'; readonly value: bigint }
  | { readonly type: 'boolean'; readonly value: boolean }
  | { readonly type: 'string'; readonly value: string };

/** A named value; a list may hold a name more than once (`migrate_disks`). */
export type TypedParam = { readonly field: string } & TypedValue;

/** Wire number and codec of each type (virTypedParameterType). */
const KINDS: Readonly<Record<TypedValue['type'], readonly [wire: number, codec: Codec<unknown>]>> = {
  int: [1, int],
  uint: [2, uint],
  llong: [3, hyper],
  ullong: [4, uhyper],
  double: [5, double],
  boolean: [6, flag],
  string: [7, text],
};
const BY_WIRE = new Map(
  Object.entries(KINDS).map(([type, [wire, codec]]) => [wire, { type: type as TypedValue['type'], codec }]),
);

/** One typed parameter. */
export const typedParam: Codec<TypedParam> = {
  minBytes: 12,
  write(writer, param) {
    text.write(writer, param.field);
    const [wire, codec] = KINDS[param.type];
    writer.int32(wire);
    codec.write(writer, param.value);
  },
  read(reader) {
    const field = text.read(reader);
    const wire = reader.int32();
    const kind = BY_WIRE.get(wire);
    if (!kind) throw violation(`typed parameter "${field}" has the unknown type ${wire}`);
    return { field, type: kind.type, value: kind.codec.read(reader) } as TypedParam;
  },
};

/** At most `max` typed parameters. */
export const typedParams = (max: number) => array(typedParam, max);

/** Makes a parameter of each type libvirt's migration takes. */
export const param = {
  string: (field: string, value: string): TypedParam => ({ field, type: 'string', value }),
  int: (field: string, value: number): TypedParam => ({ field, type: 'int', value }),
  uint: (field: string, value: number): TypedParam => ({ field, type: 'uint', value }),
  ullong: (field: string, value: bigint): TypedParam => ({ field, type: 'ullong', value }),
};

/** `params` with every parameter of that name replaced by this one, at the end. */
export function withParam(params: readonly TypedParam[], replacement: TypedParam): TypedParam[] {
  return [...params.filter((one) => one.field !== replacement.field), replacement];
}

/** The text of `field`; undefined if it is absent. Throws `PROTOCOL_VIOLATION` if it is not a string. */
export function paramText(params: readonly TypedParam[], field: string): string | undefined {
  const found = params.find((one) => one.field === field);
  if (found === undefined || found.type === 'string') return found?.value;
  throw wrongType(found, 'a string');
}

/**
 * The number in `field`, whatever its width; undefined if absent. Throws `PROTOCOL_VIOLATION` if it is none.
 */
export function paramNumber(params: readonly TypedParam[], field: string): number | undefined {
  const found = params.find((one) => one.field === field);
  if (found === undefined) return undefined;
  if (found.type === 'string' || found.type === 'boolean') throw wrongType(found, 'a number');
  return Number(found.value);
}

/**
 * Names and values as an object without prototype, numbers as `number` (exact up to 2^53); for logs and
 * tests.
 */
export function paramsObject(params: readonly TypedParam[]): Record<string, string | number | boolean> {
  const object = Object.create(null) as Record<string, string | number | boolean>;
  for (const { field, value } of params) object[field] = typeof value === 'bigint' ? Number(value) : value;
  return object;
}

function wrongType(param: TypedParam, wanted: string): HandoverError {
  return violation(`parameter "${param.field}" is of type ${param.type}, not ${wanted}`);
}
