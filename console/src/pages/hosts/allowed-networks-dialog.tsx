/** Says which networks the VFs of a PF may serve: all, or some by name and by label. */
import { Checkbox, FormFieldGroup, FormGroup, Radio } from '@patternfly/react-core';
import { useState } from 'react';
import { announce } from '../../parts/announcer.tsx';
import { FormDialog } from '../../parts/form-dialog.tsx';
import { TextField } from '../../parts/form-field.tsx';
import { QueryState } from '../../parts/query-state.tsx';
import { type Network, useNetworks } from '../networks/network-list.ts';
import { labelsOf, type PfDialogProps, saveAllowed } from './pf-list.ts';

/** The dialog. */
export function AllowedNetworksDialog({ hostId, pf, onClose }: PfDialogProps) {
  const networks = useNetworks();
  const [isAll, setIsAll] = useState(pf.allNetworksAllowed);
  const [networkIds, setNetworkIds] = useState(pf.networkIds);
  const [labels, setLabels] = useState(pf.labels.join(', '));
  const isNone = !isAll && networkIds.length === 0 && labelsOf(labels).length === 0;
  return (
    <FormDialog
      title={`Networks of ${pf.name}`}
      about={
        'Which networks the VFs of this PF may serve. VMs that have one of its VFs now keep it; the next ' +
        'start, plug or migration goes by what is said here.'
      }
      verb="Save"
      fieldOf={({ message }) => (/label/.test(message) ? 'labels' : null)}
      onClose={onClose}
      onSubmit={async () => {
        await saveAllowed(hostId, pf, { all: isAll, networkIds, labels: labelsOf(labels) });
        onClose();
        announce(`What ${pf.name} may serve was changed.`);
      }}
    >
      <FormGroup role="radiogroup" fieldId="allowed" label="May serve">
        <Radio
          id="allowed-all"
          name="allowed"
          label="All networks"
          isChecked={isAll}
          onChange={() => setIsAll(true)}
        />
        <Radio
          id="allowed-some"
          name="allowed"
          label="Only these"
          description={isNone ? 'None is chosen: no VM could use a VF of this PF.' : undefined}
          isChecked={!isAll}
          onChange={() => setIsAll(false)}
        />
      </FormGroup>
      {!isAll && (
        <FormFieldGroup>
          <QueryState query={networks} what="the networks" rows={3}>
            {(all) => <NetworkChoice networks={all} chosen={networkIds} onChange={setNetworkIds} />}
          </QueryState>
          <TextField
            name="labels"
            label="Labels"
            help="Networks with one of these labels are allowed too. With commas between them."
            value={labels}
            onChange={setLabels}
          />
        </FormFieldGroup>
      )}
    </FormDialog>
  );
}

function NetworkChoice({
  networks,
  chosen,
  onChange,
}: {
  readonly networks: readonly Network[];
  readonly chosen: readonly string[];
  readonly onChange: (chosen: readonly string[]) => void;
}) {
  return (
    <FormGroup role="group" fieldId="networks" label="Networks">
      {networks.map(({ id, name, vlan }) => (
        <Checkbox
          key={id}
          id={`network-${id}`}
          label={vlan === null ? name : `${name} (VLAN ${vlan})`}
          isChecked={chosen.includes(id)}
          onChange={(_event, isChosen) =>
            onChange(isChosen ? [...chosen, id] : chosen.filter((each) => each !== id))
          }
        />
      ))}
    </FormGroup>
  );
}
