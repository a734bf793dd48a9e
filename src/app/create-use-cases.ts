/** All use cases over one set of parts. */
import { hostCases } from './hosts.ts';
import { jobCases } from './jobs.ts';
import { networkCases } from './networks.ts';
import type { AppParts } from './parts.ts';
import { sessionOf, signOn, signOut } from './sign-on.ts';
import type { UseCases } from './use-cases.ts';
import { vmCases } from './vms.ts';

/** Wires them. */
export function createUseCases(parts: AppParts): UseCases {
  return {
    signOn: (user, password) => signOn(parts, user, password),
    signOut: (token) => signOut(parts, token),
    session: (token) => sessionOf(parts, token),
    ...hostCases(parts),
    ...networkCases(parts),
    ...vmCases(parts),
    ...jobCases(parts),
  };
}
