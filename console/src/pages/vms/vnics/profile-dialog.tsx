/** Gives a vNIC another profile. */
import { useState } from 'react';
import { announce } from '../../../parts/announcer.tsx';
import { FormDialog } from '../../../parts/form-dialog.tsx';
import { QueryState } from '../../../parts/query-state.tsx';
import { useProfiles } from '../../profiles/profile-list.ts';
import { setProfile, type VnicDialogProps } from '../vm-facts.ts';
import { ProfileSelect } from './profile-select.tsx';

/** The dialog of one vNIC. Profiles of the other kind are not offered. */
export function ProfileDialog({ vm, vnic, onClose }: VnicDialogProps) {
  const profiles = useProfiles();
  const [profileId, setProfileId] = useState(vnic.profileId ?? '');
  return (
    <FormDialog
      title={`Change the profile of ${vnic.name} of ${vm.name}`}
      about="No traffic is interrupted: what is plugged keeps its VLAN."
      verb="Save"
      isVerbDisabled={profileId === ''}
      fieldOf={() => 'profile'}
      onClose={onClose}
      onSubmit={async () => {
        await setProfile(vm.id, vnic.id, profileId);
        onClose();
        announce(`The profile of ${vnic.name} of ${vm.name} was changed.`);
      }}
    >
      <QueryState query={profiles} what="the vNIC profiles" rows={1}>
        {(all) => (
          <ProfileSelect
            profiles={all.filter(({ passThrough }) => passThrough === vnic.passthrough)}
            value={profileId}
            onChange={setProfileId}
            help={
              vnic.passthrough
                ? 'While it is plugged, the network must have the same VLAN; unplug it first for another.'
                : ''
            }
          />
        )}
      </QueryState>
    </FormDialog>
  );
}
