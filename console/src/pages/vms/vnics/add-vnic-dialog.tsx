/** Adds a vNIC to a VM: on a VF or an ordinary one, as its profile says. */
import { Checkbox, FormSelect, FormSelectOption } from '@patternfly/react-core';
import { useState } from 'react';
import type { VmView } from '../../../../../src/api/types/vm-view.ts';
import { announce } from '../../../parts/announcer.tsx';
import { FormDialog } from '../../../parts/form-dialog.tsx';
import { FormField, TextField } from '../../../parts/form-field.tsx';
import { QueryState } from '../../../parts/query-state.tsx';
import type { ServerFault } from '../../../server/fault.ts';
import { useProfiles } from '../../profiles/profile-list.ts';
import { addVnic } from '../vm-facts.ts';
import { ProfileSelect } from './profile-select.tsx';

const MODELS = ['virtio', 'e1000', 'e1000e', 'rtl8139'];
const PASSTHROUGH = 'pci_passthrough';

/** The dialog of one VM. */
export function AddVnicDialog({ vm, onClose }: { readonly vm: VmView; readonly onClose: () => void }) {
  const profiles = useProfiles();
  const [name, setName] = useState(() => freeName(vm));
  const [profileId, setProfileId] = useState('');
  const [model, setModel] = useState('virtio');
  const [mac, setMac] = useState('');
  const [plugged, setPlugged] = useState(true);
  const isOnVf = profiles.data?.find(({ id }) => id === profileId)?.passThrough === true;
  return (
    <FormDialog
      title={`Add a vNIC to ${vm.name}`}
      about="The traffic of its other vNICs is not affected. One that can not be plugged is not added."
      verb="Add"
      isVerbDisabled={profileId === ''}
      fieldOf={fieldOf}
      onClose={onClose}
      onSubmit={async () => {
        await addVnic(vm.id, { name, profileId, model: isOnVf ? PASSTHROUGH : model, mac, plugged });
        onClose();
        announce(`${name.trim()} was added to ${vm.name}.`);
      }}
    >
      <TextField
        name="name"
        label="Name"
        isRequired
        isFirst
        help="Letters, digits, dots, dashes and underscores, 50 at most."
        value={name}
        onChange={setName}
      />
      <QueryState query={profiles} what="the vNIC profiles" rows={1}>
        {(all) => (
          <ProfileSelect
            profiles={all}
            value={profileId}
            onChange={setProfileId}
            help="Decides the network, and whether it is on a VF."
          />
        )}
      </QueryState>
      {!isOnVf && (
        <FormField name="model" label="Model" help="The device the guest sees.">
          {(control) => (
            <FormSelect {...control} value={model} onChange={(_event, value) => setModel(value)}>
              {MODELS.map((each) => (
                <FormSelectOption key={each} value={each} label={each} />
              ))}
            </FormSelect>
          )}
        </FormField>
      )}
      <TextField
        name="mac"
        label="MAC address"
        help="Empty: Handover makes one."
        value={mac}
        onChange={setMac}
      />
      <Checkbox
        id="field-plugged"
        label="Plug it"
        description="It takes some seconds; while the VM is down it is in the next start."
        isChecked={plugged}
        onChange={(_event, isNow) => setPlugged(isNow)}
      />
    </FormDialog>
  );
}

/** `nicN`, as nobody is named yet. */
function freeName(vm: VmView): string {
  const taken = new Set(vm.vnics.map(({ name }) => name));
  let number = 1;
  while (taken.has(`nic${number}`)) number += 1;
  return `nic${number}`;
}

function fieldOf({ code, message }: ServerFault): string | null {
  if (/\bMAC\b/.test(message)) return 'mac';
  if (code === 'VNIC_PROFILE_MISMATCH' || /virtual function|\bVF\b|bridge/.test(message)) return 'profile';
  return code === 'ALREADY_EXISTS' || /\bnamed\b/.test(message) ? 'name' : null;
}
