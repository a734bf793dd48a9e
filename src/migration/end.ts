/**
 * What is said when a migration ended: the events an operator (and an oVirt client) looks for, and the alert
 * of a parked job.
 */
import { explain, HandoverError } from '../base/errors.ts';
import type { SagaState } from '../saga/port.ts';
import { alertsOfJob, parkedAlert } from './alerts.ts';
import type { MigrationContext } from './port.ts';
import { vnicsOf } from './vnics.ts';

/** Runbook every parked job points to. */
const RUNBOOK = 'docs/operate/needs-operator.md';

/**
 * Called by the runner once the job ended, was parked, or was lost to another replica (null). Never throws.
 */
export async function announceEnd(
  context: MigrationContext,
  state: SagaState | null,
  error: HandoverError | null,
): Promise<void> {
  await context.runtime.traffic?.stop(0);
  try {
    if (state !== null) await announce(context, state, error);
  } catch (thrown) {
    context.log.warn('the end of a job could not be announced', { error: explain(thrown) });
  }
  // Looks at the hosts leave a VM to its live job, so whoever ended the VM meanwhile, or took a vNIC out of
  // it, was not noticed yet.
  if (state === 'succeeded' || state === 'failed' || state === 'cancelled') {
    const { sourceHost, data } = context;
    for (const hostId of [state === 'succeeded' ? undefined : sourceHost.id, data.targetHostId]) {
      if (hostId === undefined) continue;
      await context.ports.observeHost(hostId).catch((thrown: unknown) => {
        context.log.warn('host not looked at after the job; its next resync will', {
          hostId,
          error: explain(thrown),
        });
      });
    }
  }
}

async function announce(
  context: MigrationContext,
  state: SagaState,
  error: HandoverError | null,
): Promise<void> {
  const job = { jobId: context.jobId, vmId: context.vmId };
  const { vmName, sourceHost, ports, data } = context;
  const why = error ? explain(error) : 'no reason recorded';
  if (state === 'succeeded') {
    const { host } = await context.target();
    const out = vnicsOf(context).filter((vnic) => vnic.state === 'unplugged' || vnic.state === 'degraded');
    if (out.length > 0) {
      await ports.event(job, {
        name: 'NOT_ALL_VNICS_PLUGGED',
        severity: 'error',
        message:
          `After migration of VM ${vmName} to ${host.name}, following vm nics failed to be ` +
          `plugged back: ${out.map((vnic) => vnic.name).join(', ')}. Handover goes on trying; see ` +
          `the alerts.`,
        hostId: host.id,
      });
    }
    await ports.event(job, {
      name: 'MIGRATION_DONE',
      severity: 'normal',
      message:
        `Migration completed (VM: ${vmName}, Source: ${sourceHost.name}, Destination: ` +
        `${host.name}, Downtime: ${msOf(data.downtimeMs)}, ` +
        `Network gap: ${msOf(data.networkGapMs?.longest)})`,
      hostId: host.id,
    });
  }
  for (const left of data.leftBehind ?? [])
    await ports.event(job, { name: 'LEFT_BEHIND', severity: 'warning', message: left });
  if (state === 'failed') {
    const name = error?.code === 'NO_HOST_FITS' ? 'NO_HOST' : 'MIGRATION_FAILED';
    await ports.event(job, {
      name,
      severity: 'error',
      message: `Migration failed (VM: ${vmName}, Source: ${sourceHost.name}): ${why}`,
      hostId: sourceHost.id,
    });
  }
  if (state === 'cancelled') {
    await ports.event(job, {
      name: 'MIGRATION_CANCELLED',
      severity: 'normal',
      message: `Migration cancelled (VM: ${vmName}); it runs on ${sourceHost.name}`,
      hostId: sourceHost.id,
    });
  }
  if (state === 'needs_operator') {
    const message =
      `Migration of ${vmName} stopped and needs you: ${why}. Look at both hosts, ` +
      `then: handover job retry ${context.jobId}, or handover job abandon ${context.jobId} (${RUNBOOK})`;
    await ports.raiseAlert(parkedAlert(context.jobId), context.vmId, message);
    await ports.event(job, { name: 'NEEDS_OPERATOR', severity: 'alert', message, hostId: sourceHost.id });
  } else for (const key of alertsOfJob(context.jobId)) await ports.clearAlert(key);
}

const msOf = (figure: number | null | undefined): string =>
  figure === null || figure === undefined ? 'unknown' : `${figure} ms`;
