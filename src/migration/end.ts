/**
 * What is said when a job ended: the events an operator (and an oVirt client) looks for, and the alert of a
 * parked job.
 */
import { explain, HandoverError } from '../base/errors.ts';
import type { JobKind } from '../model/job.ts';
import type { SagaState } from '../saga/port.ts';
import { alertsOfJob, parkedAlert } from './alerts.ts';
import type { MigrationSaga } from './migrate-vm.ts';
import type { MigrationContext } from './port.ts';
import { vnicsOf } from './vnics.ts';

/** Runbook every parked job points to. */
const RUNBOOK = 'docs/operate/needs-operator.md';

/** What one kind of job says of its end; `why`: it did not succeed. */
interface Ending {
  readonly kind: JobKind;
  readonly noun: 'Migration' | 'Drill';
  said(context: MigrationContext, state: SagaState, error: HandoverError | null): Promise<void>;
}

/**
 * Called by the runner once a migration ended, was parked, or was lost to another replica (null). Never
 * throws.
 */
export const announceEnd: Ended = (...end) =>
  atEnd({ kind: 'migrate_vm', noun: 'Migration', said: sayMigration }, ...end);

/** The same of a drill. */
export const announceDrillEnd: Ended = (...end) =>
  atEnd({ kind: 'drill_vm', noun: 'Drill', said: sayDrill }, ...end);

type Ended = NonNullable<MigrationSaga['ended']>;

async function atEnd(
  ending: Ending,
  context: MigrationContext,
  state: SagaState | null,
  error: HandoverError | null,
): Promise<void> {
  await context.runtime.traffic?.stop(0);
  try {
    if (state !== null) await announce(ending, context, state, error);
  } catch (thrown) {
    context.log.warn('the end of a job could not be announced', { error: explain(thrown) });
  }
  // Looks at the hosts leave a VM to its live job, so whoever ended the VM meanwhile, or took a vNIC out of
  // it, was not noticed yet.
  if (state === 'succeeded' || state === 'failed' || state === 'cancelled') {
    const { sourceHost, data } = context;
    const hostIds = new Set([state === 'succeeded' ? undefined : sourceHost.id, data.targetHostId]);
    for (const hostId of hostIds) {
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
  ending: Ending,
  context: MigrationContext,
  state: SagaState,
  error: HandoverError | null,
): Promise<void> {
  const job = { jobId: context.jobId, vmId: context.vmId };
  const { vmName, sourceHost, ports } = context;
  await ending.said(context, state, error);
  if (state !== 'needs_operator') {
    const { networkGapMs = null, downtimeMs = null } = context.data;
    ports.jobEnded({ kind: ending.kind, state, networkGapMs, downtimeMs });
  }
  if (state === 'needs_operator') {
    const message =
      `${ending.noun} of ${vmName} stopped and needs you: ${whyOf(error)}. Look at its hosts, ` +
      `then: handover job retry ${context.jobId}, or handover job abandon ${context.jobId} (${RUNBOOK})`;
    await ports.raiseAlert(parkedAlert(context.jobId), context.vmId, message);
    await ports.event(job, { name: 'NEEDS_OPERATOR', severity: 'alert', message, hostId: sourceHost.id });
  } else for (const key of alertsOfJob(context.jobId)) await ports.clearAlert(key);
}

const whyOf = (error: HandoverError | null): string => (error ? explain(error) : 'no reason recorded');

async function sayMigration(
  context: MigrationContext,
  state: SagaState,
  error: HandoverError | null,
): Promise<void> {
  const job = { jobId: context.jobId, vmId: context.vmId };
  const { vmName, sourceHost, ports, data } = context;
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
      message: `Migration failed (VM: ${vmName}, Source: ${sourceHost.name}): ${whyOf(error)}`,
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
}

async function sayDrill(
  context: MigrationContext,
  state: SagaState,
  error: HandoverError | null,
): Promise<void> {
  const { jobId, vmId, vmName, sourceHost, ports, data } = context;
  const what = `(VM: ${vmName}, Host: ${sourceHost.name})`;
  const longest = data.networkGapMs?.longest;
  const gap = longest == null ? 'not known' : `${longest} ms`;
  const said = {
    succeeded: ['DRILL_DONE', 'normal', `Drill done ${what}; longest network gap: ${gap}`],
    failed: ['DRILL_FAILED', 'error', `Drill failed ${what}: ${whyOf(error)}`],
    cancelled: ['DRILL_FAILED', 'normal', `Drill cancelled ${what}`],
  } as const;
  if (state !== 'succeeded' && state !== 'failed' && state !== 'cancelled') return;
  const [name, severity, message] = said[state];
  await ports.event({ jobId, vmId }, { name, severity, message, hostId: sourceHost.id });
}

const msOf = (figure: number | null | undefined): string =>
  figure === null || figure === undefined ? 'unknown' : `${figure} ms`;
