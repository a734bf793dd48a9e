/** Looking at both hosts of a migration. An answer that did not come is `unreachable`, never a guess. */
import { HandoverError } from '../base/errors.ts';
import type { Domain } from '../model/domain.ts';
import { isActive } from '../model/domain.ts';
import type { MigrationProgress } from '../hypervisor/port.ts';
import { type SourceSide, sourceSide, type TargetSide, targetSide } from './pivot.ts';
import type { MigrationContext } from './port.ts';

/** Both sides at about the same time, the source first (see `pivot.ts` why). */
export interface BothSides {
  readonly source: SourceSide;
  readonly target: TargetSide;
  readonly sourceDomain: Domain | null;
  readonly targetDomain: Domain | null;
  readonly progress: MigrationProgress | null;
}

/** Looks at both hosts. */
export async function lookAtBoth(context: MigrationContext): Promise<BothSides> {
  const { vmId, source } = context;
  const { hypervisor: target } = await context.target();
  const seenSource = await answered(async () => {
    const domain = await source.inspect(vmId);
    const progress = domain && isActive(domain) ? await source.migrationProgress(vmId) : null;
    return { domain, progress };
  });
  const seenTarget = await answered(() => target.inspect(vmId));
  return {
    source:
      seenSource === UNREACHABLE ? GONE_QUIET : sourceSide(seenSource.domain, seenSource.progress !== null),
    target: seenTarget === UNREACHABLE ? GONE_QUIET : targetSide(seenTarget),
    sourceDomain: seenSource === UNREACHABLE ? null : seenSource.domain,
    targetDomain: seenTarget === UNREACHABLE ? null : seenTarget,
    progress: seenSource === UNREACHABLE ? null : seenSource.progress,
  };
}

const UNREACHABLE = Symbol('unreachable');
const GONE_QUIET = { state: 'unreachable', job: false } as const;

async function answered<T>(look: () => Promise<T>): Promise<T | typeof UNREACHABLE> {
  try {
    return await look();
  } catch (thrown) {
    // Whatever went wrong, nothing was seen, and a host that was not seen must not be judged: a refusal
    // thrown on from here would undo a move that may have happened. Only a lost claim and our own mistakes
    // end the looking.
    if (thrown instanceof HandoverError && thrown.code !== 'CLAIM_LOST' && thrown.kind !== 'bug') {
      return UNREACHABLE;
    }
    throw thrown;
  }
}
