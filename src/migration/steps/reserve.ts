/**
 * Reserve: the target host, one of its VFs for every vNIC, and the source's VFs for the way back, in one
 * transaction.
 * Before: nothing. After: two jobs can not win the same VF. `inspect` looks at what this job already
 * recorded: the reservation and the record are one transaction, so a crash leaves both or neither.
 */
import { defineStep, finished, type StepResult } from '../../saga/definition.ts';
import type { MigrationContext } from '../port.ts';

export const reserve = defineStep<MigrationContext, { done: boolean }>({
  name: 'reserve',
  kind: 'reversible',

  async inspect(context) {
    return { done: context.data.targetHostId !== undefined && context.data.vnics !== undefined };
  },

  async run(context, seen) {
    if (!seen.done) {
      const { jobId, epoch, params } = context;
      const answer = await context.ports.reserve({ jobId, epoch, params });
      if (answer.kind === 'wait') return { state: 'wait', reason: answer.reason, delayMs: answer.delayMs };
      const { targetHostId, protocol, vnics, warnings } = answer;
      await context.save({ targetHostId, protocol, vnics, warnings });
    }
    const { host } = await context.target();
    const job = { jobId: context.jobId, vmId: context.vmId };
    await context.ports.event(job, {
      name: 'MIGRATION_STARTED',
      severity: 'normal',
      message:
        `Migration started (VM: ${context.vmName}, Source: ${context.sourceHost.name}, ` +
        `Destination: ${host.name})`,
      hostId: context.sourceHost.id,
    });
    for (const warning of context.data.warnings ?? []) {
      await context.ports.event(job, {
        name: 'VF_ATTRIBUTES_DIFFER',
        severity: 'warning',
        message: warning,
        hostId: host.id,
      });
    }
    const vfs = (context.data.vnics ?? []).map(
      (vnic) => `${vnic.name}: ${vnic.sourceVf} -> ${vnic.targetVf}`,
    );
    return finished(`${host.name}${vfs.length > 0 ? `; ${vfs.join(', ')}` : ''}`);
  },

  undo: releaseAll,
});

/** The undo of a reserve step. */
export async function releaseAll({ ports, jobId }: MigrationContext): Promise<StepResult> {
  await ports.releaseReservations(jobId, 'target');
  await ports.releaseReservations(jobId, 'source');
  return finished('reservations released');
}
