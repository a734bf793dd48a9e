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
  const source = await lookAtSource(context);
  const { hypervisor } = await context.target();
  const target = await answered(() => hypervisor.inspect(context.vmId));
  if (target === UNREACHABLE) return { ...source, target: GONE_QUIET, targetDomain: null };
  return { ...source, target: targetSide(target), targetDomain: target };
}

/** Looks at the source alone. */
export async function lookAtSource({
  vmId,
  source,
}: MigrationContext): Promise<Pick<BothSides, 'source' | 'sourceDomain' | 'progress'>> {
  const seen = await answered(async () => {
    const domain = await source.inspect(vmId);
    const progress = domain && isActive(domain) ? await source.migrationProgress(vmId) : null;
    return { domain, progress };
  });
  if (seen === UNREACHABLE) return { source: GONE_QUIET, sourceDomain: null, progress: null };
  const { domain, progress } = seen;
  return { source: sourceSide(domain, progress !== null), sourceDomain: domain, progress };
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
