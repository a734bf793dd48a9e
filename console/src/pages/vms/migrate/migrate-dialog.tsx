/**
 * Migrates one VM: shows the plan before anything happens, and keeps it fresh while it is looked at. What was
 * chosen stays chosen; if it does not hold any more, that is said.
 */
import { Alert } from '@patternfly/react-core';
import { useState } from 'react';
import { useLocation } from 'wouter';
import type { PlanView, VmView } from '../../../../../src/api/types/vm-view.ts';
import { announce } from '../../../parts/announcer.tsx';
import { FormDialog } from '../../../parts/form-dialog.tsx';
import { QueryState } from '../../../parts/query-state.tsx';
import { ServerFault } from '../../../server/fault.ts';
import { useVm } from '../vm-facts.ts';
import { HostChoice } from './host-choice.tsx';
import { MigrateOptions } from './migrate-options.tsx';
import { FIELDS_UNTOUCHED, fieldOf, type MigrateFields, startMigration, usePlan } from './plan.ts';
import { ReasonList } from './reason-list.tsx';
import { NO_STANDBY, TrafficNotice } from './traffic-notice.tsx';

/** The dialog, open as long as it is there. */
export function MigrateDialog({
  vmId,
  onClose,
  onStarted,
}: {
  readonly vmId: string;
  readonly onClose: () => void;
  readonly onStarted: () => void;
}) {
  const [, navigate] = useLocation();
  const [fields, setFields] = useState(FIELDS_UNTOUCHED);
  const [isMoreShown, setIsMoreShown] = useState(false);
  const vm = useVm(vmId);
  const plan = usePlan(vmId, fields);
  const name = vm.data?.name ?? plan.data?.vm ?? 'the VM';
  const change = (changes: Partial<MigrateFields>) => setFields((before) => ({ ...before, ...changes }));
  return (
    <FormDialog
      title={`Migrate ${name}`}
      about={`${plan.data?.source ? `From ${plan.data.source}. ` : ''}Nothing happens before you start it.`}
      verb="Start migration"
      size="large"
      isVerbDisabled={plan.data === undefined || whyNot(plan.data, fields.hostId) !== null}
      fieldOf={fieldOf}
      onClose={onClose}
      onSubmit={async () => {
        const jobId = await startMigration(vmId, fields).catch((thrown: unknown) => {
          // A fault at a field that is not shown would be said to nobody.
          if (thrown instanceof ServerFault && fieldOf(thrown) !== null) setIsMoreShown(true);
          throw thrown;
        });
        onStarted();
        announce(`The migration of ${name} was started.`);
        navigate(`/jobs/${jobId}`, { replace: true });
      }}
    >
      <QueryState query={vm} what="the VM" rows={2}>
        {(known) => (
          <QueryState query={plan} what="the plan">
            {(planned) => <PlanBody plan={planned} vm={known} fields={fields} onChange={change} />}
          </QueryState>
        )}
      </QueryState>
      <MigrateOptions fields={fields} onChange={change} isShown={isMoreShown} onToggle={setIsMoreShown} />
    </FormDialog>
  );
}

function PlanBody({
  plan,
  vm,
  fields,
  onChange,
}: {
  readonly plan: PlanView;
  readonly vm: VmView;
  readonly fields: MigrateFields;
  readonly onChange: (changes: Partial<MigrateFields>) => void;
}) {
  const reason = whyNot(plan, fields.hostId);
  return (
    <>
      {reason !== null && (
        <div role="alert">
          <Alert component="h2" variant="danger" isInline title={reason}>
            <ReasonList kind="refusal" reasons={plan.refusals} />
          </Alert>
        </div>
      )}
      <TrafficNotice plan={plan} vm={vm} />
      <ReasonList kind="warning" reasons={plan.warnings.filter(({ code }) => code !== NO_STANDBY)} />
      <HostChoice plan={plan} value={fields.hostId} onChange={(hostId) => onChange({ hostId })} />
    </>
  );
}

/** Why it can not be started as it is chosen; null: it can. */
function whyNot(plan: PlanView, hostId: string): string | null {
  if (plan.refusals.length > 0) return `${plan.vm} can not be moved now`;
  if (hostId === '') return plan.possible ? null : `No host fits ${plan.vm} now; each says why`;
  const chosen = plan.hosts.find((each) => each.hostId === hostId);
  if (chosen === undefined) return 'The chosen host is not there any more; choose another';
  return chosen.fits ? null : `${chosen.host} does not fit any more; choose another host`;
}
