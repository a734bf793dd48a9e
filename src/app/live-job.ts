/** The live job of a VM: where it stands, and whether it is in the way of what a user wants. */
import { until } from '../base/clock.ts';
import { HandoverError, isCode } from '../base/errors.ts';
import type { VmId } from '../base/ids.ts';
import { STEPS_OF } from '../migration/sagas.ts';
import { isLive, type Job } from '../model/job.ts';
import type { AppParts } from './parts.ts';

/** What is left to do once a VM is shown as up again takes a second; longer with a source that is away. */
const TIDY_LIMIT_MS = 30_000;
const LOOK_EVERY_MS = 100;

/** The name of the step a job does, waits in or takes back; null if it has ended. */
export function currentStep({ kind, state, pivoted, stepIndex }: Job): string | null {
  if (!isLive(state)) return null;
  // Before the pivot a job is parked only while it is taken back, and then counts what is still to be.
  const isTakenBack = state === 'undoing' || (state === 'needs_operator' && !pivoted);
  return STEPS_OF[kind][isTakenBack ? stepIndex - 1 : stepIndex]?.name ?? null;
}

/**
 * Shown as migrating from before the answer until plug was tried once for every vNIC. A parked job shows the
 * VM as it is.
 */
export function showsMigrating(job: Job): boolean {
  return job.kind === 'migrate_vm' && isUnderWay(job);
}

/** A drill under way does not move the VM, but nobody else may change it meanwhile. */
const isUnderWay = (job: Job): boolean =>
  isLive(job.state) && job.state !== 'needs_operator' && job.data.plugTried !== true;

/**
 * The VM's live job; null if it has none. One that has plugged and only tidies up is waited for: a client
 * that saw the VM up goes on with it at once, and should not be told that it is migrating.
 */
export async function jobInTheWay(parts: AppParts, vmId: VmId): Promise<Job | null> {
  const live = async () => (await parts.store.jobs.list({ vmId, live: true }))[0] ?? null;
  const isTidying = (job: Job | null) => job?.state === 'running' && !isUnderWay(job);
  let job = await live();
  if (!isTidying(job)) return job;
  try {
    await until(
      parts.clock,
      'a job to tidy up',
      { limitMs: TIDY_LIMIT_MS, everyMs: LOOK_EVERY_MS },
      async () => {
        job = await live();
        return isTidying(job) ? undefined : true;
      },
    );
  } catch (thrown) {
    if (!isCode(thrown, 'WAIT_TIMED_OUT')) throw thrown;
  }
  return job;
}

/** Throws `VM_ALREADY_MIGRATING` if there is such a job. */
export function refuseWhileMoving(job: Job | null): void {
  if (job === null) return;
  const now = `${job.vmName} can not be changed now:`;
  throw new HandoverError(
    'VM_ALREADY_MIGRATING',
    job.kind === 'drill_vm'
      ? `${now} a drill is in progress (job ${job.id}); wait for its end: handover job watch ${job.id}`
      : `${now} VM migration is in progress (job ${job.id}). Cancel it first: ` +
          `handover vm cancel ${job.vmName}`,
  );
}
