/**
 * The one data center and the one cluster, as everything refers to them, and what a request may call them.
 */
import { HandoverError } from '../../base/errors.ts';
import { CLUSTER_ID, DATA_CENTER_ID } from './stable-id.ts';

/** The reference every network and cluster carries. */
export const dataCenterRef = { id: DATA_CENTER_ID, href: `datacenters/${DATA_CENTER_ID}` } as const;
/** The reference every host and VM carries. */
export const clusterRef = { id: CLUSTER_ID, href: `clusters/${CLUSTER_ID}` } as const;

/** Throws `NOT_FOUND` for any other id. */
export function requireDefault(what: string, given: string, id: string): void {
  if (given !== id) {
    throw new HandoverError('NOT_FOUND', `there is no ${what} ${given}; the only one is Default (${id})`);
  }
}

/**
 * A request may name the data center or cluster by id or name; only `Default` exists. Else `INVALID_INPUT`.
 */
export function checkDefault(
  what: 'data center' | 'cluster',
  given: { readonly id?: string | undefined; readonly name?: string | null | undefined } | null | undefined,
): void {
  const id = what === 'cluster' ? CLUSTER_ID : DATA_CENTER_ID;
  if (!given || (given.id ? given.id === id : (given.name || 'Default') === 'Default')) return;
  throw new HandoverError(
    'INVALID_INPUT',
    `there is no ${what} ${given.id || given.name}; the only one is Default (${id})`,
  );
}
