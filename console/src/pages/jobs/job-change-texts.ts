/**
 * What is asked before a job is changed: what will happen to the VM, its traffic and what the job holds.
 * Pure.
 */
import type { JobView } from '../../../../src/api/types/job-view.ts';
import { nounOf } from './job-words.ts';

/** What can be done with a job; as in the API. */
export type JobChange = 'cancel' | 'retry' | 'abandon';

/** Of a dialog. */
export interface ChangeTexts {
  readonly title: string;
  readonly button: string;
  readonly isDanger: boolean;
  /** One paragraph each. */
  readonly consequences: readonly string[];
  /** Said when it was done. */
  readonly done: string;
}

const vnicsOf = ({ vnics }: JobView): string => vnics.map(({ name }) => name).join(', ');

/** The texts for a job as it is now. */
export const CHANGE_TEXTS: Readonly<Record<JobChange, (job: JobView) => ChangeTexts>> = {
  cancel: (job) => ({
    title: `Cancel the ${nounOf(job)} of ${job.vm}?`,
    button: `Cancel ${nounOf(job)}`,
    isDanger: true,
    consequences: [
      `${job.vm} stays on ${job.source} and keeps running there.`,
      job.vnics.length === 0
        ? 'It moves no VFs, so its traffic is not touched.'
        : `Its VFs are plugged back there (${vnicsOf(job)}). Until each is in, its traffic stays on the ` +
          'standby.',
      job.kind === 'drill_vm'
        ? 'If they are plugged again before the cancel arrives, the drill goes on, and you are told so.'
        : 'If it arrives on the target before the cancel does, the migration goes on, and you are told so.',
    ],
    done: `The ${nounOf(job)} of ${job.vm} is cancelled; it stays on ${job.source}.`,
  }),
  retry: (job) => ({
    title: `Retry the ${nounOf(job)} of ${job.vm}?`,
    button: 'Retry',
    isDanger: false,
    consequences: [
      job.pivoted && job.kind === 'migrate_vm'
        ? `It goes on forward: ${job.vm} stays on ${job.target ?? 'its target'}, what is missing there is ` +
          `plugged, and ${job.source} is cleared.`
        : `It goes on${job.pivoted ? '' : ' taking back'}: ${job.vm} stays on ${job.source} and its ` +
          'VFs are plugged back there.',
      'Every step looks at the hosts before it acts. If the cause is still there, the job stops again.',
    ],
    done: `The ${nounOf(job)} of ${job.vm} goes on.`,
  }),
  abandon: (job) => ({
    title: `Abandon the ${nounOf(job)} of ${job.vm}?`,
    button: 'Abandon',
    isDanger: true,
    consequences: [
      'The job ends as failed and frees the VFs it holds. Nothing on the hosts is touched: ' +
        `${job.vm} and its VFs stay as they are, and what is left behind is written down for you to clear.`,
      `See first that ${job.vm} runs on one host only. A second copy would write to the same disks.`,
      job.vnics.length === 0
        ? 'Its traffic is not touched.'
        : 'A vNIC that is out of its VF stays on the standby until Handover can plug it again ' +
          `(${vnicsOf(job)}).`,
    ],
    done: `The ${nounOf(job)} of ${job.vm} was given up.`,
  }),
};
