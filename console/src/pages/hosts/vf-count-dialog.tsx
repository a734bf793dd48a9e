/** Changes how many VFs a PF has; says first what that does to the card. */
import { Alert } from '@patternfly/react-core';
import { useState } from 'react';
import { announce } from '../../parts/announcer.tsx';
import { FormDialog } from '../../parts/form-dialog.tsx';
import { TextField } from '../../parts/form-field.tsx';
import { countFieldOf, type PfDialogProps, saveVfCount } from './pf-list.ts';
import { vfUseText } from './vf-words.ts';

const USERS_NAMED = 4;

/** The dialog. */
export function VfCountDialog({ hostId, pf, onClose }: PfDialogProps) {
  const [count, setCount] = useState(String(pf.vfs.length));
  // The engine's rule: only what makes it unfit for guests does not keep it from being made anew.
  const used = pf.vfs.filter(({ state }) => ['attached', 'reserved', 'host'].includes(state));
  return (
    <FormDialog
      title={`Number of VFs of ${pf.name}`}
      verb="Change"
      fieldOf={countFieldOf}
      onClose={onClose}
      onSubmit={async () => {
        await saveVfCount(hostId, pf, count);
        onClose();
        announce(`${pf.name} has ${count.trim()} VFs now.`);
      }}
    >
      <Alert
        component="p"
        variant="warning"
        isInline
        title={`The link of ${pf.name} goes down for some seconds`}
      >
        All VFs of the card are made anew. Whatever else uses {pf.name} on the host, such as a bridge, has no
        network until the link is up again.
      </Alert>
      <Alert
        component="p"
        variant={used.length === 0 ? 'success' : 'danger'}
        isInline
        title={
          used.length === 0
            ? 'No VF of it is in use, as it has to be'
            : `All its VFs have to be unused; ${used.length} of them ${used.length === 1 ? 'is' : 'are'} not`
        }
      >
        {used.length > 0 && (
          <>
            {used
              .slice(0, USERS_NAMED)
              .map((vf) => `VF ${vf.index}: ${vfUseText(vf)}`)
              .join('. ')}
            {used.length > USERS_NAMED && `, and ${used.length - USERS_NAMED} more`}. The engine refuses the
            change until none is in use.
          </>
        )}
      </Alert>
      <TextField
        name="count"
        label="Number of VFs"
        inputMode="numeric"
        isRequired
        isFirst
        help={`0 to ${pf.vfCountMax}; ${pf.vfs.length} now.`}
        value={count}
        onChange={setCount}
      />
    </FormDialog>
  );
}
