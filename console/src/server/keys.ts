/**
 * The keys of all queries, so that what keeps them fresh finds them. A list is `[KIND, 'list', ...]`, one
 * thing and all that belongs to it `[KIND, 'one', ID, ...]`.
 */

/** What there is. `movability` is no part of `vms`, because it is asked for less often. */
export type Kind = 'vms' | 'movability' | 'hosts' | 'jobs' | 'networks' | 'profiles' | 'events' | 'alerts';

/** The key of a list; `more` tells lists of the same kind apart. */
export const listKey = (kind: Kind, ...more: readonly unknown[]) => [kind, 'list', ...more] as const;

/** The key of one thing, or of a part of it. */
export const oneKey = (kind: Kind, id: string, ...more: readonly unknown[]) =>
  [kind, 'one', id, ...more] as const;
