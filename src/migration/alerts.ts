/** Keys of the alerts that migrations raise: one each for what stands, so that who mends it can clear it. */
import type { JobId, PciAddress, VmId, VnicId } from '../base/ids.ts';

/** What a job may stand under: parked, its VM not to be seen, the source's copy not to be ended. */
const KINDS_OF_JOB = ['job', 'hold', 'source'] as const;
const keyOf = (kind: (typeof KINDS_OF_JOB)[number], jobId: string): string => `${kind}:${jobId}`;

/** The job needs an operator. */
export const parkedAlert = (jobId: string): string => keyOf('job', jobId);
/** A transfer waits until it can be seen where the VM is. */
export const holdAlert = (jobId: string): string => keyOf('hold', jobId);
/** The source's copy is waited for. */
export const sourceAlert = (jobId: string): string => keyOf('source', jobId);
/** One vNIC is not where it should be. */
export const vnicAlert = (vnicId: VnicId): string => `vnic:${vnicId}`;

/** A VM that its user wants to run does not start. */
export const startAlert = (vmId: VmId): string => `start:${vmId}`;

/** Those that end with their job. */
export const alertsOfJob = (jobId: string): string[] => KINDS_OF_JOB.map((kind) => keyOf(kind, jobId));

/** The job of such a key; null for any other alert. */
export function jobOfAlert(key: string): JobId | null {
  const [kind, jobId] = key.split(':', 2);
  return KINDS_OF_JOB.some((each) => each === kind) ? (jobId as JobId) : null;
}

/** What stands while a guest that was asked for a VF, and is not to lose it any more, has not answered. */
export const stillAttached = (
  vnic: { readonly name: string },
  vmName: string,
  vf: PciAddress | null,
  hostName: string,
): string =>
  `vNIC ${vnic.name} of ${vmName} is still attached to ${vf ?? 'its VF'}; if the guest gives it back ` +
  `later, it is plugged again on ${hostName}`;
