/** Groups that several entities have in common. */
import { int, struct, text } from '../wire/fields.ts';

/** oVirt's `version`. */
export const version = struct({
  major: int,
  minor: int,
  build: int,
  revision: int,
  full_version: text,
});
/** What every oVirt entity may carry. */
export const named = { name: text, description: text, comment: text } as const;
/** A MAC address in its element. */
export const mac = struct({ address: text });
/** How many there are, and how many of them are up. */
export const counts = struct({ active: int, total: int });
