/** What was found in the guest: whether its traffic goes on while a VF is away, and what to do if not. */
import { Button, List, ListItem } from '@patternfly/react-core';
import BanIcon from '@patternfly/react-icons/dist/esm/icons/ban-icon';
import CheckCircleIcon from '@patternfly/react-icons/dist/esm/icons/check-circle-icon';
import ExclamationTriangleIcon from '@patternfly/react-icons/dist/esm/icons/exclamation-triangle-icon';
import QuestionCircleIcon from '@patternfly/react-icons/dist/esm/icons/question-circle-icon';
import { type ReactNode, useState } from 'react';
import type { GuestFindingView, GuestView } from '../../../../src/api/types/guest-view.ts';
import type { VmView } from '../../../../src/api/types/vm-view.ts';
import { announce } from '../../parts/announcer.tsx';
import { QueryState } from '../../parts/query-state.tsx';
import { Time } from '../../parts/time.tsx';
import { messageOf } from '../../server/fault.ts';
import { LastDrill } from './last-drill.tsx';
import { checkGuest, useGuest } from './vm-facts.ts';

const ICONS: Readonly<Record<GuestFindingView['level'], ReactNode>> = {
  ok: <CheckCircleIcon className="icon-possible" />,
  warning: <ExclamationTriangleIcon className="icon-warning" />,
  missing: <BanIcon className="icon-refused" />,
  unknown: <QuestionCircleIcon className="icon-warning" />,
};
const WORDS: Readonly<Record<GuestFindingView['level'], string>> = {
  ok: 'Good: ',
  warning: 'Warning: ',
  missing: 'Missing: ',
  unknown: 'Not known: ',
};

const VERDICTS = {
  ready: 'Its traffic goes over the standby while a VF is away.',
  missing: 'Its traffic stops while a VF is away.',
  unknown: 'Nobody can tell whether its traffic goes on while a VF is away.',
  not_needed: 'It has no VF plugged, so it needs no standby.',
} as const;

/** The part of the page. */
export function GuestFindings({ vm }: { readonly vm: VmView }) {
  const guest = useGuest(vm.id);
  return (
    <QueryState query={guest} what="what is known of its guest" rows={2}>
      {(known) => (
        <>
          <Findings guest={known} />
          <LastDrill vm={vm} drill={known.lastDrill} />
        </>
      )}
    </QueryState>
  );
}

function Findings({ guest: { vmId, standby, checkedAt, findings } }: { readonly guest: GuestView }) {
  return (
    <div role="group" aria-label="In the guest">
      <p>{standby === null ? 'Nobody has looked into its guest yet.' : VERDICTS[standby]}</p>
      <List isPlain className="reasons">
        {findings.map(({ code, level, message, fix, vnicId }) => (
          <ListItem key={`${code} ${vnicId}`} icon={ICONS[level]}>
            <span className="pf-v6-screen-reader">{WORDS[level]}</span>
            {message}
            {fix !== null && <span className="subtle">: {fix}</span>}
          </ListItem>
        ))}
      </List>
      <span className="links">
        <LookAgain vmId={vmId} />
        {checkedAt !== null && (
          <span className="subtle">
            Looked at <Time at={checkedAt} />
          </span>
        )}
      </span>
    </div>
  );
}

function LookAgain({ vmId }: { readonly vmId: string }) {
  const [isLooking, setIsLooking] = useState(false);
  const look = async () => {
    setIsLooking(true);
    await checkGuest(vmId)
      .then(() => announce('The guest was looked at.', 'success'))
      .catch((thrown: unknown) => announce(messageOf(thrown), 'danger'));
    setIsLooking(false);
  };
  return (
    <Button variant="link" isInline isLoading={isLooking} isDisabled={isLooking} onClick={() => void look()}>
      Look at the guest now
    </Button>
  );
}
