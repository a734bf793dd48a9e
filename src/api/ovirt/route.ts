/**
 * What a collection file hands to the server: routes, each a verb, a path and a function from a call to an
 * answer. No HTTP library is named here; `server.ts` does the transport, `document.ts` the query parameters
 * every answer knows.
 */
import type { Caller, UseCases } from '../../app/use-cases.ts';
import { HandoverError } from '../../base/errors.ts';
import type { Permission } from '../../model/access.ts';
import type { Operation } from './fault.ts';
import type { Look } from './look.ts';
import { type Action, actionType } from './schema/index.ts';
import type { ListPart, SearchFields } from './search.ts';
import type { AnyEntity, Entity, EntityType } from './wire/fields.ts';
import { badRequest } from './wire/read.ts';
import type { Document } from './wire/write.ts';

/** One request, understood as far as every route needs it. */
export interface Call {
  readonly useCases: UseCases;
  readonly caller: Caller;
  /** Where the request came from, for what counts attempts. */
  readonly place: string;
  /** `Filter: true`: only what a plain user would see, whoever asks. */
  readonly isFiltered: boolean;
  readonly look: Look;
  /** Path parameters, percent-decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** The request's body as an entity of `type`; `INVALID_INPUT` if it is none. */
  body<T extends EntityType>(type: T): Entity<T>;
}

/**
 * A collection that may be long, and has not been read: whole, where a search needs it, or a part after
 * another.
 */
export interface LongList {
  readonly type: EntityType;
  readonly whole: () => Promise<readonly AnyEntity[]>;
  /** In the order `whole` has, by parts that are small enough to be held. */
  readonly parts: (wanted: ListPart) => AsyncIterable<readonly AnyEntity[]>;
}

/** What a route answers; transport and format are not its business. */
export interface Answer {
  readonly status: number;
  /** A long list is answered to a GET only. */
  readonly document: Document | LongList;
  /** Relative href of what was made, for `Location`. */
  readonly location?: string;
  /** Fields `search` knows beside the common ones. */
  readonly searchFields?: SearchFields;
  /** False: nothing is ever in it, so a search finds nothing, whatever it names. */
  readonly isSearchable?: boolean;
}

interface RouteParts {
  /** Below the base, with `:name` parameters: `vms/:vmId/nics`. */
  readonly path: string;
  /** Names the request in faults: "Cannot migrate VM.". */
  readonly operation?: Operation;
  /** Refusals are answered as a failed `<action>`. */
  readonly isAction?: boolean;
  readonly run: (call: Call) => Promise<Answer>;
}

/**
 * A route. `needs` is what the use cases it calls demand (`src/app/permissions.ts`), of somebody who asks for
 * what is not their own; it is told to readers, and enforced there. Whoever may look may GET, unless it says
 * otherwise. The path's differences from oVirt are in `differences.ts`.
 */
export type Route =
  | (RouteParts & {
      readonly method: 'GET';
      readonly needs?: Permission;
      /** A collection that nothing is ever in. */
      readonly isEmpty?: true;
    })
  | (RouteParts & { readonly method: 'POST' | 'PUT' | 'DELETE'; readonly needs: Permission });

/** What a route needs, said or not. */
export const needsOf = ({ needs }: Route): Permission => needs ?? 'look';

/** A single entity. */
export function one<T extends EntityType>(type: T, value: Entity<T>): Answer {
  return { status: 200, document: { type, value: value as AnyEntity } };
}

/** A collection; `search`, `max` and `follow` are applied by the caller of the route. */
export function many<T extends EntityType>(
  type: T,
  values: readonly Entity<T>[],
  searchFields: SearchFields = {},
): Answer {
  return { status: 200, document: { type, values: values as readonly AnyEntity[] }, searchFields };
}

/** As `many`, of what has not been read yet. */
export function long<T extends EntityType>(
  type: T,
  whole: () => Promise<readonly Entity<T>[]>,
  parts: (wanted: ListPart) => AsyncIterable<readonly Entity<T>[]>,
  searchFields: SearchFields,
): Answer {
  return { status: 200, document: { type, whole, parts } as LongList, searchFields };
}

/** A new entity: 201 and its `Location`. */
export function created<T extends EntityType>(type: T, value: Entity<T>): Answer {
  return { ...one(type, value), status: 201, ...(value.href === undefined ? {} : { location: value.href }) };
}

/** An action that was carried out, or begun. Also oVirt's answer to DELETE. */
export function done(action: Action = {}): Answer {
  return one(actionType, { ...action, status: 'complete' });
}

/** Reads parameter `name` of the path; the router made sure that it is there. */
export function param(call: Call, name: string): string {
  return call.params[name] ?? '';
}

/**
 * Refuses a request that lacks something, in oVirt's words: "VnicProfile [name, network.id] required for
 * add".
 */
export function requireFields(noun: string, verb: string, fields: Readonly<Record<string, unknown>>): void {
  const missing = Object.keys(fields).filter((name) => fields[name] === undefined || fields[name] === '');
  if (missing.length > 0) {
    throw badRequest(`${noun} [${missing.join(', ')}] required for ${verb}`, 'Incomplete parameters');
  }
}

/** Refuses to give a thing another id, in oVirt's words. */
export function refuseNewId(id: string, body: { readonly id?: string | undefined }): void {
  if (body.id === undefined || body.id === '' || body.id.toLowerCase() === id) return;
  throw new HandoverError('IN_USE', 'The following fields have been changed: [id]', {
    detail: { faultReason: 'Broken immutability constraint' },
  });
}

/** A whole number from the query, null if it is not given. */
export function intQuery(call: Pick<Call, 'query'>, name: string): number | null {
  const given = call.query.get(name);
  if (given === null || given === '') return null;
  if (!/^-?\d{1,15}$/.test(given)) throw badRequest(`${name}=${given} is not a whole number`);
  return Number(given);
}

/** A flag from the query: `plan`, `plan=true`; absent is false. */
export function flagQuery(call: Pick<Call, 'query'>, name: string): boolean {
  const given = call.query.get(name);
  return given !== null && given.toLowerCase() !== 'false';
}

/** `{ [key]: value }`, or nothing where the request does not say: so that absent stays "no change". */
export function given<K extends string, V>(key: K, value: V | null | undefined): { readonly [P in K]?: V } {
  return value === null || value === undefined ? {} : ({ [key]: value } as { readonly [P in K]?: V });
}
