/** What several native routes read of a request, or look up for an answer. Callers: the routes beside it. */
import { isoTime } from '../../base/clock.ts';
import { isUuid } from '../../base/ids.ts';
import { notFound } from '../ovirt/look.ts';
import { badRequest } from '../ovirt/wire/read.ts';
import type { AlertView } from '../types/job-view.ts';
import type { NativeCall } from './operation.ts';

/** Names of hosts by id. */
export async function hostNames({ useCases, caller }: NativeCall): Promise<Map<string, string>> {
  return new Map((await useCases.listHosts(caller)).map((host): [string, string] => [host.id, host.name]));
}

/** Names of networks by id. */
export async function networkNames({ useCases, caller }: NativeCall): Promise<Map<string, string>> {
  return new Map((await useCases.listNetworks(caller)).map(({ id, name }): [string, string] => [id, name]));
}

/** The `:id` of the path; `NOT_FOUND` naming `what` if it is none. */
export function idOf<Id extends string>({ id }: NativeCall, what: string): Id {
  if (!isUuid(id)) throw notFound(what, id);
  return id as Id;
}

/** An id from the query. */
export function queriedId<Id extends string>(name: string, given: string): Id {
  if (!isUuid(given)) throw badRequest(`${name}=${given.slice(0, 60)} is no id`);
  return given as Id;
}

/** A whole number from the query, at least `min`. */
export function queriedInteger(
  { query }: NativeCall,
  name: string,
  { min, max, otherwise }: { readonly min: number; readonly max: number; readonly otherwise: number },
): number {
  const given = query.get(name);
  if (given === null || given === '') return otherwise;
  const value = Number(given);
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw badRequest(`${name}=${given.slice(0, 60)} is no whole number from ${min} to ${max}`);
}

/** The alerts that stand. */
export async function listAlerts({ useCases, caller }: NativeCall): Promise<AlertView[]> {
  return (await useCases.listAlerts(caller)).map((alert) => ({
    ...alert,
    raisedAt: isoTime(alert.raisedAt),
  }));
}
