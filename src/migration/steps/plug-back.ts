/**
 * Plug, of a drill: every vNIC on the VF it had, which was reserved meanwhile. The pivot of a drill, since
 * nothing is left to be taken back once it was tried.
 */
import type { Domain } from '../../model/domain.ts';
import { defineStep } from '../../saga/definition.ts';
import { runHooks } from '../hooks.ts';
import { plugEach } from '../plug-each.ts';
import type { MigrationContext } from '../port.ts';

export const plugBack = defineStep<MigrationContext, Domain | null>({
  name: 'plug',
  kind: 'pivot',
  inspect: (context) => context.source.inspect(context.vmId),
  run: async (context, domain) => plugEach(context, domain, await runHooks(context, 'before-plug')),
});
