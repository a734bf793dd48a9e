/** What to do about the error of a job, by its code; docs/reference/errors.md is the long form. Pure. */
import type { JobView } from '../../../../src/api/types/job-view.ts';

const BY_CODE: Readonly<Record<string, string>> = {
  NO_HOST_FITS: 'Look at the plan of the VM for the reason of each host, mend one, then migrate again.',
  VF_TAKEN: 'Migrate again: another VF is chosen.',
  CHOICE_OUTDATED: 'Migrate again: the choice is made anew.',
  UNPLUG_TIMED_OUT:
    'See that the kernel of the guest handles PCI hot-unplug and that nothing in it holds the VF. Then ' +
    'migrate again, with a longer unplug timeout if the guest is only slow.',
  MIGRATION_REFUSED: 'Mend what the message names, then migrate again.',
  MIGRATION_FAILED: 'Look at the log of libvirt on both hosts, then migrate again.',
  CONVERGENCE_FAILED:
    'The guest changes its memory faster than it can be sent. Migrate again when it is less busy, or allow ' +
    'a longer downtime or more bandwidth.',
  PEER_UNREACHABLE: 'See that the hosts reach each other: the page of the source tests it.',
  HOST_UNREACHABLE: 'See that the host runs and can be reached, then migrate again.',
  LIBVIRT_REFUSED: 'Mend what libvirt says, then migrate again.',
  DRILL_REFUSED: 'Mend what the message names, then rehearse again.',
  DRILL_FAILED:
    'Mend what the message names, then rehearse again. What is not plugged has an alert, and Handover goes ' +
    'on trying.',
  HOST_COMMAND_FAILED: 'Mend what the host says, then migrate again.',
};

/** Where the VM is after a job that did not succeed, as far as that is known, and what was taken back. */
export function whereText(job: JobView): string {
  const { kind, pivoted, vm, source, target, ended, leftBehind, error } = job;
  if (kind === 'drill_vm' && pivoted) return `${vm} stays on ${source}; it was not moved.`;
  if (pivoted) return `${vm} had arrived on ${target ?? 'its target'}: it does not go back.`;
  if (!ended) return `${vm} should be on ${source}; not all that was done could be taken back.`;
  if (leftBehind.length > 0) return 'Not all that was done was taken back; what is left is named below.';
  // Its message says itself where the VM is; it may have gone down.
  if (error?.code === 'MIGRATION_FAILED') return 'What was done has been taken back.';
  return `${vm} stays on ${source}; what was done has been taken back.`;
}

/** What to do, in sentences; empty: what the message says. */
export function adviceOf(job: JobView): readonly string[] {
  if (job.state === 'needs_operator') {
    return [
      `Look where ${job.vm} is, on both hosts; it must run on one only. Never start or resume a second ` +
        'copy.',
      'Mend what the message names: a host that does not answer, a VF that somebody else took, a full disk.',
      `Then retry: the job ${job.pivoted ? 'goes on forward' : 'goes on taking back'} from where it ` +
        'stopped. Or abandon it, and clear by hand what it names as left behind.',
    ];
  }
  if (!job.pivoted && job.leftBehind.length > 0) {
    return [`See that ${job.vm} runs on one host only, and clear what is left behind.`];
  }
  const advice = job.error === null ? undefined : BY_CODE[job.error.code];
  return advice === undefined ? [] : [advice];
}
