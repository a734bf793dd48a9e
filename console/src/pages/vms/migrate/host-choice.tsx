/**
 * Every host side by side: whether it fits, the VF each vNIC would get there, and each reason and warning in
 * full. One of those that fit may be chosen, or it is left to Handover.
 */
import { Label, Radio } from '@patternfly/react-core';
import ArrowRightIcon from '@patternfly/react-icons/dist/esm/icons/arrow-right-icon';
import BanIcon from '@patternfly/react-icons/dist/esm/icons/ban-icon';
import CheckCircleIcon from '@patternfly/react-icons/dist/esm/icons/check-circle-icon';
import type { HostVerdictView, PlanView } from '../../../../../src/api/types/vm-view.ts';
import { ReasonList } from './reason-list.tsx';

const PROTOCOL_WORDS: Readonly<Record<HostVerdictView['protocol'], string>> = {
  p2p: 'peer-to-peer: the hosts do it between them',
  direct: 'direct: the engine drives it, since the hosts do not reach each other',
};

/** `value`: the id of the chosen host; empty: Handover chooses. */
export function HostChoice({
  plan,
  value,
  onChange,
}: {
  readonly plan: PlanView;
  readonly value: string;
  readonly onChange: (hostId: string) => void;
}) {
  const best = plan.hosts.find(({ hostId }) => hostId === plan.chosenId);
  const others = plan.hosts.filter(({ hostId }) => hostId !== plan.sourceId).toSorted(byFitAndName);
  return (
    <fieldset className="host-choice">
      <legend>Target host</legend>
      <div className="host-choice-row">
        <Radio
          id="target-any"
          name="target"
          label="Let Handover choose"
          description={best === undefined ? 'None can be chosen now.' : `${best.host}, as things are now.`}
          isChecked={value === ''}
          onChange={() => onChange('')}
        />
      </div>
      {others.length === 0 && <p>There is no other host. Add one on the page Hosts.</p>}
      {others.map((verdict) => (
        <HostRow
          key={verdict.hostId}
          verdict={verdict}
          isChosen={value === verdict.hostId}
          onChoose={() => onChange(verdict.hostId)}
        />
      ))}
    </fieldset>
  );
}

const byFitAndName = (a: HostVerdictView, b: HostVerdictView): number =>
  Number(b.fits) - Number(a.fits) || a.host.localeCompare(b.host, 'en', { numeric: true });

function HostRow({
  verdict,
  isChosen,
  onChoose,
}: {
  readonly verdict: HostVerdictView;
  readonly isChosen: boolean;
  readonly onChoose: () => void;
}) {
  const { hostId, host, fits, reasons, warnings, assignment, protocol } = verdict;
  const id = `target-${hostId}`;
  return (
    <div className="host-choice-row">
      <div className="host-choice-name">
        <Radio
          id={id}
          name="target"
          label={host}
          aria-describedby={`${id}-facts`}
          // What was chosen stays so when it stops fitting, and the dialog says it.
          isDisabled={!fits && !isChosen}
          isChecked={isChosen}
          onChange={onChoose}
        />
        {fits ? (
          <Label isCompact color="green" icon={<CheckCircleIcon />}>
            Fits
          </Label>
        ) : (
          <Label isCompact icon={<BanIcon />}>
            Does not fit
          </Label>
        )}
      </div>
      <div id={`${id}-facts`} className="host-choice-facts">
        {assignment.length > 0 && <Assignments assignment={assignment} />}
        {fits && <div className="subtle">{PROTOCOL_WORDS[protocol]}</div>}
        <ReasonList kind="refusal" reasons={reasons} />
        <ReasonList kind="warning" reasons={warnings} />
      </div>
    </div>
  );
}

function Assignments({ assignment }: Pick<HostVerdictView, 'assignment'>) {
  return (
    <ul className="assignments">
      {assignment.map(({ vnicId, vnic, sourcePf, sourceVf, targetPf, targetVf }) => (
        <li key={vnicId}>
          <strong>{vnic}</strong> <span>{sourceVf === null ? 'no VF' : `${sourcePf} ${sourceVf}`}</span>{' '}
          <ArrowRightIcon aria-hidden="true" />
          <span className="pf-v6-screen-reader">to</span>{' '}
          <span>
            {targetPf} {targetVf}
          </span>
        </li>
      ))}
    </ul>
  );
}
