/**
 * Recheck: libvirt's own checks again, now that the VFs are out. While a VF is in, QEMU names it as the one
 * blocker and may hide others behind it. A refusal here is undone like a failed transfer. Then the operator's
 * hooks before the transfer: here, because the transfer looks at the source anew after it.
 */
import { HandoverError } from '../../base/errors.ts';
import { defineStep, finished } from '../../saga/definition.ts';
import { runHooks } from '../hooks.ts';
import type { MigrationContext } from '../port.ts';

export const recheck = defineStep<MigrationContext, readonly string[]>({
  name: 'recheck',
  kind: 'reversible',

  async inspect(context) {
    // Once a transfer was begun, libvirt refuses a second begin phase; the transfer step finds out what
    // became of the first.
    if (context.data.transferStartedAt !== undefined) return [];
    return context.source.migrationBlockers(context.vmId, { copyStorage: context.params.copyStorage });
  },

  async run(context, blockers) {
    if (blockers.length > 0) {
      throw new HandoverError(
        'MIGRATION_REFUSED',
        `${context.vmName} cannot leave ${context.sourceHost.name} although its VFs are out: ` +
          `${blockers.join('; ')}`,
        { detail: { blockers } },
      );
    }
    return finished(['libvirt has no objection', ...(await runHooks(context, 'before-transfer'))].join('; '));
  },
});
