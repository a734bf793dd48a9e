/** What a migration does to the traffic of a VM, in plain words, and how long it is expected to take. */
import { Alert } from '@patternfly/react-core';
import type { PlanView, VmView } from '../../../../../src/api/types/vm-view.ts';
import { durationText } from '../../../parts/time-texts.ts';
import { isMoving, isStandby, namesText } from '../vnic-words.ts';

/** The code of the warning that the notice takes the place of. */
export const NO_STANDBY = 'no_standby';

/** The notice. */
export function TrafficNotice({ plan, vm }: { readonly plan: PlanView; readonly vm: VmView }) {
  const moving = vm.vnics.filter(isMoving);
  const noStandby = plan.warnings.filter(({ code }) => code === NO_STANDBY);
  const expected = expectedText(plan, moving.length > 0);
  if (noStandby.length > 0) {
    return (
      <Alert
        component="h2"
        variant="warning"
        isInline
        title={`The traffic of ${vm.name} will be interrupted`}
      >
        {noStandby.map(({ message }) => message).join('. ')}. {expected}
      </Alert>
    );
  }
  if (moving.length === 0) {
    return (
      <Alert component="h2" variant="info" isInline title="The traffic goes on">
        {vm.name} has no VF. Its traffic stops only for the moment in which the guest is paused. {expected}
      </Alert>
    );
  }
  const standbys = namesText(vm.vnics.filter(isStandby).map(({ name }) => name));
  return (
    <Alert component="h2" variant="info" isInline title={`The traffic goes on over the standby ${standbys}`}>
      The guest gives its VF back ({namesText(moving.map(({ name }) => name))}), moves while its traffic runs
      over {standbys}, and gets a VF of the target. For that, the guest must have both in one bond. {expected}
    </Alert>
  );
}

/** `Expected: 12 s from start to end, 4.2 s of it on the standby (median of 3 migrations of web-1).` */
function expectedText({ expected, vm }: PlanView, hasVfs: boolean): string {
  if (expected === null) return 'How long it takes is not known yet: nothing was migrated so far.';
  const { durationMs, standbyMs, jobs, ofThisVm } = expected;
  const without = hasVfs && standbyMs !== null ? `, ${durationText(standbyMs)} of it without VF` : '';
  const whose = ofThisVm ? `of ${vm}` : 'of any VM';
  const basis =
    jobs === 1 ? `as the last migration ${whose}` : `median of the last ${jobs} migrations ${whose}`;
  return `Expected: ${durationText(durationMs)} from start to end${without} (${basis}).`;
}
