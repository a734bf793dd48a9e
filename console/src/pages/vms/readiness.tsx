/** Whether the VM could be moved now, and what its owner should know before: the plan in short. */
import { List, ListItem } from '@patternfly/react-core';
import BanIcon from '@patternfly/react-icons/dist/esm/icons/ban-icon';
import CheckCircleIcon from '@patternfly/react-icons/dist/esm/icons/check-circle-icon';
import type { PlanView, VmView } from '../../../../src/api/types/vm-view.ts';
import { QueryState } from '../../parts/query-state.tsx';
import { usePlan } from './migrate/plan.ts';
import { ReasonList } from './migrate/reason-list.tsx';
import { Section } from '../../parts/section.tsx';
import { GuestFindings } from './guest-findings.tsx';
import { NO_STANDBY } from './migrate/traffic-notice.tsx';
import { isMoving } from './vnic-words.ts';

/** The part of the page. */
export function Readiness({ vm }: { readonly vm: VmView }) {
  const plan = usePlan(vm.id);
  return (
    <Section title="Ready to migrate?">
      <QueryState query={plan} what="whether it can be moved" rows={2}>
        {(known) => (
          <>
            <List isPlain>
              <ListItem icon={known.possible ? POSSIBLE : NOT_POSSIBLE}>{verdictOf(known)}</ListItem>
            </List>
            <ReasonList kind="refusal" reasons={known.refusals} />
            <ReasonList kind="warning" reasons={known.warnings.filter(({ code }) => code !== NO_STANDBY)} />
            {vm.vnics.some(isMoving) && <GuestFindings vm={vm} />}
          </>
        )}
      </QueryState>
    </Section>
  );
}

const POSSIBLE = <CheckCircleIcon className="icon-possible" />;
const NOT_POSSIBLE = <BanIcon className="icon-refused" />;

function verdictOf({ possible, chosenId, hosts, vm, refusals }: PlanView): string {
  const fitting = hosts.filter(({ fits }) => fits);
  const best = hosts.find(({ hostId }) => hostId === chosenId)?.host;
  if (possible)
    return fitting.length === 1
      ? `${vm} can be moved to ${best}.`
      : `${vm} can be moved: ${fitting.length} hosts fit, ${best} best.`;
  return refusals.length > 0
    ? `${vm} can not be moved now.`
    : `${vm} can not be moved now: no host fits. "Migrate..." says why of each.`;
}
