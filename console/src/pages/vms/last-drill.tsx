/**
 * What the last drill of a VM found, and the button that begins another: its VFs leave the guest and come
 * back, so it asks first.
 */
import { Button, Content } from '@patternfly/react-core';
import { useState } from 'react';
import { useLocation } from 'wouter';
import type { DrillView } from '../../../../src/api/types/guest-view.ts';
import type { VmView } from '../../../../src/api/types/vm-view.ts';
import { announce } from '../../parts/announcer.tsx';
import { ConfirmDialog } from '../../parts/confirm-dialog.tsx';
import { Link } from '../../parts/link.tsx';
import { durationText } from '../../parts/time-texts.ts';
import { Time } from '../../parts/time.tsx';
import { beginDrill } from './vm-facts.ts';

/** The part of the page. */
export function LastDrill({ vm, drill }: { readonly vm: VmView; readonly drill: DrillView | null }) {
  const [isAsking, setIsAsking] = useState(false);
  return (
    <div role="group" aria-label="Last drill" className="last-drill">
      <span className="links wrapping">
        {vm.status === 'up' && vm.jobId === null && (
          <Button variant="link" isInline aria-haspopup="dialog" onClick={() => setIsAsking(true)}>
            Rehearse...
          </Button>
        )}
        {drill === null ? <span className="subtle">It was never rehearsed.</span> : <Found drill={drill} />}
      </span>
      {isAsking && <RehearseDialog vm={vm} onClose={() => setIsAsking(false)} />}
    </div>
  );
}

function Found({ drill }: { readonly drill: DrillView }) {
  const { jobId, endedAt, ok, reason, doubts, networkGaps } = drill;
  const unknown = [...networkGaps.flatMap(({ doubt }) => doubt ?? []), ...doubts];
  return (
    <span>
      <Link to={`/jobs/${jobId}`}>Rehearsed</Link> <Time at={endedAt} />:{' '}
      {ok ? `all went well, ${gapText(drill)}.` : `it failed: ${reason}`}
      {unknown.length > 0 && <span className="subtle"> Not known: {unknown.join('; ')}.</span>}
    </span>
  );
}

function gapText({ networkGapMs }: DrillView): string {
  const longest = networkGapMs?.longest ?? null;
  return longest === null ? 'the network gap is not known' : `longest network gap ${durationText(longest)}`;
}

function RehearseDialog({ vm, onClose }: { readonly vm: VmView; readonly onClose: () => void }) {
  const [, navigate] = useLocation();
  return (
    <ConfirmDialog
      title={`Rehearse a migration of ${vm.name}?`}
      verb="Rehearse"
      onClose={onClose}
      onConfirm={async () => {
        const job = await beginDrill(vm.id);
        onClose();
        announce(`The drill of ${vm.name} has begun.`);
        navigate(`/jobs/${job.id}`);
      }}
    >
      <Content component="p">
        {vm.name} stays on {vm.host}. Its traffic goes to the standby, its VFs leave the guest and are plugged
        again, and the traffic returns to them: some seconds, and up to a minute if the guest is slow.
      </Content>
      <Content component="p">
        Packets may be lost for a moment, as in a migration; how long is measured. Without a standby that
        works it is not begun. If the guest keeps a VF, all of it is undone.
      </Content>
    </ConfirmDialog>
  );
}
