/**
 * What can be done with a job: cancel it until the pivot, retry or abandon one that stopped. The address
 * names the dialog that is open, so that an alert can lead to it.
 */
import { Button, Content } from '@patternfly/react-core';
import { useId } from 'react';
import type { JobView } from '../../../../src/api/types/job-view.ts';
import { announce } from '../../parts/announcer.tsx';
import { ConfirmDialog } from '../../parts/confirm-dialog.tsx';
import { useUrlDialog } from '../../parts/use-url-state.ts';
import { CHANGE_TEXTS, type JobChange } from './job-change-texts.ts';
import { useJobChange } from './job-queries.ts';
import { nounOf } from './job-words.ts';

/** Why a job that runs can not be cancelled; null: it can. */
function whyNotCancel(job: JobView): string | null {
  if (job.pivoted && job.kind === 'drill_vm') return 'Too late to cancel: its VFs are plugged again.';
  if (job.pivoted || job.moments.resumedAt !== null)
    return `Too late to cancel: ${job.vm} runs on ${job.target ?? 'the target'}.`;
  if (job.state === 'undoing' || job.cancelRequested)
    return `It is taken back; the VM stays on ${job.source}.`;
  return null;
}

const untilText = ({ kind, vm }: JobView): string =>
  kind === 'drill_vm'
    ? 'Can be cancelled until its VFs are plugged again.'
    : `Can be cancelled until ${vm} runs on the target.`;

/** The buttons and their dialogs. `isUnderAlert`: it waits for what may never come, so it can be given up. */
export function JobActions({ job, isUnderAlert }: { readonly job: JobView; readonly isUnderAlert: boolean }) {
  const dialog = useUrlDialog('dialog');
  const whyId = useId();
  const isStopped = job.state === 'needs_operator';
  const whyNot = whyNotCancel(job);
  const verbs: readonly JobChange[] = job.ended
    ? []
    : isStopped
      ? ['retry', 'abandon']
      : isUnderAlert
        ? ['cancel', 'abandon']
        : ['cancel'];
  // It stays open when the pivot comes meanwhile: the engine then says that it is too late.
  const open = verbs.find((verb) => verb === dialog.value);
  if (verbs.length === 0) return null;
  return (
    <div className="job-actions">
      {verbs.includes('retry') && (
        <Button variant="primary" onClick={() => dialog.open('retry')}>
          Retry
        </Button>
      )}
      {verbs.includes('abandon') && (
        <Button variant="secondary" isDanger onClick={() => dialog.open('abandon')}>
          Abandon
        </Button>
      )}
      {verbs.includes('cancel') && (
        <>
          <span id={whyId} className="job-why">
            {whyNot ?? untilText(job)}
          </span>
          <Button
            variant="secondary"
            isAriaDisabled={whyNot !== null}
            aria-describedby={whyId}
            onClick={() => dialog.open('cancel')}
          >
            Cancel {nounOf(job)}
          </Button>
        </>
      )}
      {open !== undefined && <ChangeDialog job={job} verb={open} onClose={dialog.close} />}
    </div>
  );
}

function ChangeDialog({
  job,
  verb,
  onClose,
}: {
  readonly job: JobView;
  readonly verb: JobChange;
  readonly onClose: () => void;
}) {
  const change = useJobChange(job.id);
  const { title, button, isDanger, consequences, done } = CHANGE_TEXTS[verb](job);
  return (
    <ConfirmDialog
      title={title}
      verb={button}
      dismissal="Leave as it is"
      {...(verb === 'cancel'
        ? { progress: 'Waiting until it is decided where the VM stays; some seconds.' }
        : {})}
      isDanger={isDanger}
      onClose={onClose}
      onConfirm={async () => {
        await change(verb);
        onClose();
        announce(done);
      }}
    >
      {consequences.map((each) => (
        <Content key={each} component="p">
          {each}
        </Content>
      ))}
    </ConfirmDialog>
  );
}
