/**
 * oVirt's JSON as plain values: its scalars are strings, its lists objects with one key, its references may
 * be followed ones. The shapes below hold what the commands read and nothing else.
 */

/** A reference; `name` is there if it was followed. */
export interface Reference {
  readonly id: string;
  readonly name?: string;
}

/** Reads `{"nics":{"nic":[..]}}` and `{"nic":[..]}`; a list without items may be `{}`, or absent. */
export function itemsOf<T>(list: Readonly<Record<string, unknown>> | undefined, tag: string): T[] {
  const items = list?.[tag];
  return Array.isArray(items) ? (items as T[]) : [];
}

/** `"true"` as a boolean; absent is false. */
export const flagOf = (text: string | undefined): boolean => text === 'true';

/** `"42"` as a number; absent is null. */
export const numberOf = (text: string | undefined): number | null =>
  text === undefined ? null : Number(text);
