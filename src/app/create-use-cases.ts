/** All use cases over one set of parts, each for those only who may. */
import { EventFeed } from './event-feed.ts';
import { guestCases } from './guest-cases.ts';
import { guestKit } from './guest-kit.ts';
import { hostCases } from './hosts.ts';
import { jobCases } from './jobs.ts';
import { networkCases } from './networks.ts';
import type { AppParts } from './parts.ts';
import { guarded } from './permissions.ts';
import { signOnCases } from './sign-on.ts';
import type { UseCases } from './use-cases.ts';
import { userCases } from './users.ts';
import { vmCases } from './vms.ts';

/** Wires them. */
export function createUseCases(parts: AppParts): UseCases {
  const feed = new EventFeed(parts.store.events, parts.clock, parts.log);
  return guarded({
    ...signOnCases(parts),
    ...userCases(parts),
    ...hostCases(parts),
    ...networkCases(parts),
    ...vmCases(parts),
    ...guestCases(parts),
    ...jobCases(parts),
    readMetrics: async () => (await parts.metrics?.text()) ?? '',
    guestKit: (_caller, id, format) => guestKit(parts, id, format),
    followEvents: (_caller, after, listener) => feed.follow(after, listener),
  });
}
