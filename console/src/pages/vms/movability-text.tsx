/**
 * Whether a VM can move, or the job that moves it, in as many words as there is place for; the rest under the
 * mouse or focus. The place is kept while it is not known, so that nothing jumps.
 */
import { Skeleton, Tooltip } from '@patternfly/react-core';
import BanIcon from '@patternfly/react-icons/dist/esm/icons/ban-icon';
import CheckCircleIcon from '@patternfly/react-icons/dist/esm/icons/check-circle-icon';
import ExclamationTriangleIcon from '@patternfly/react-icons/dist/esm/icons/exclamation-triangle-icon';
import type { ReactNode } from 'react';
import type { JobView } from '../../../../src/api/types/job-view.ts';
import type { MovabilityView, VmView } from '../../../../src/api/types/vm-view.ts';
import { Link } from '../../parts/link.tsx';
import { StateLabel } from '../../parts/state-label.tsx';

interface MovabilityProps {
  readonly vm: VmView;
  readonly movability: MovabilityView | undefined;
  /** It could not be had, and will be asked for again. */
  readonly isUnknown: boolean;
  /** Its live job, as far as it is known. */
  readonly job: JobView | undefined;
}

/** The text. */
export function MovabilityText(props: MovabilityProps) {
  return <div className="movability">{contentOf(props)}</div>;
}

function contentOf({ vm, movability, isUnknown, job }: MovabilityProps): ReactNode {
  if (vm.jobId !== null) return <JobLink id={vm.jobId} vm={vm.name} job={job} />;
  if (movability === undefined) {
    return isUnknown ? 'Not known: the engine did not answer.' : <Skeleton screenreaderText="Loading" />;
  }
  const { possible, chosen, why, warnings } = movability;
  if (!possible) return <CutText icon={<BanIcon className="icon-refused" />} text={`No: ${why}`} />;
  const yes = `Yes, to ${chosen}`;
  if (warnings.length === 0) {
    return (
      <>
        <CheckCircleIcon className="icon-possible" /> {yes}
      </>
    );
  }
  return (
    <CutText
      icon={<ExclamationTriangleIcon className="icon-warning" />}
      text={`${yes}. Warning: ${warnings.join('; ')}`}
    />
  );
}

function JobLink({
  id,
  vm,
  job,
}: {
  readonly id: string;
  readonly vm: string;
  readonly job: JobView | undefined;
}) {
  return (
    <Link to={`/jobs/${id}`}>
      <StateLabel kind="job" state={job?.state ?? 'running'} />
      {job?.kind === 'drill_vm' ? ' drill' : job !== undefined && job.target !== null && ` to ${job.target}`}
      <span className="pf-v6-screen-reader">
        , {job?.kind === 'drill_vm' ? 'drill' : 'migration'} of {vm}
      </span>
    </Link>
  );
}

/** A text that may be longer than its place. */
function CutText({ icon, text }: { readonly icon: ReactNode; readonly text: string }) {
  return (
    <Tooltip content={text} aria="none" maxWidth="28rem">
      <span tabIndex={0} className="cut-text">
        {icon} {text}
      </span>
    </Tooltip>
  );
}
