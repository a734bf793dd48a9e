/**
 * Reserve, of a drill: the VFs that the VM has, so that nobody takes them while they are out. `inspect` looks
 * at what this job already recorded, as that of a migration does.
 */
import { defineStep, finished } from '../../saga/definition.ts';
import type { MigrationContext } from '../port.ts';
import { vnicsOf } from '../vnics.ts';
import { releaseAll } from './reserve.ts';

export const reserveOwn = defineStep<MigrationContext, { done: boolean }>({
  name: 'reserve',
  kind: 'reversible',

  async inspect(context) {
    return { done: context.data.vnics !== undefined };
  },

  async run(context, seen) {
    if (!seen.done) {
      const { jobId, epoch, params } = context;
      const answer = await context.ports.reserveOwn({ jobId, epoch, params });
      if (answer.kind === 'wait') return { state: 'wait', reason: answer.reason, delayMs: answer.delayMs };
      await context.save({ targetHostId: context.sourceHost.id, vnics: answer.vnics });
    }
    return finished(
      vnicsOf(context)
        .map((vnic) => `${vnic.name}: ${vnic.sourceVf}`)
        .join(', '),
    );
  },

  undo: releaseAll,
});
