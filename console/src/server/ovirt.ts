/**
 * oVirt's JSON: numbers and flags are texts, what has no value is left out, and an empty list is an object
 * without its key. Types here name only what the console reads.
 */
import { ask } from './ask.ts';

/** A number that came as text; null: it has no value. */
export function numberOf(text: string | number | undefined): number | null {
  if (text === undefined || text === '') return null;
  const value = Number(text);
  return Number.isFinite(value) ? value : null;
}

/** A flag that came as text. */
export const flagOf = (text: string | boolean | undefined): boolean => text === true || text === 'true';

/** All of a collection: `askList<Network>('networks', 'network')`. */
export async function askList<T>(path: string, tag: string, signal?: AbortSignal): Promise<readonly T[]> {
  const answer = await ask<Readonly<Record<string, readonly T[] | undefined>>>(
    path,
    signal === undefined ? {} : { signal },
  );
  return answer[tag] ?? [];
}

/** Another entity, by its id. */
export interface Ref {
  readonly id: string;
}
