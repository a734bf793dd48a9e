/** Asks before a vNIC profile is removed, and says who is in the way. */
import { Content } from '@patternfly/react-core';
import type { ProfileView } from '../../../../src/api/types/fleet-view.ts';
import { announce } from '../../parts/announcer.tsx';
import { ConfirmDialog } from '../../parts/confirm-dialog.tsx';
import { removeProfile } from './profile-list.ts';
import { usersOf } from './profile-rules.ts';

/** The dialog for one profile. */
export function RemoveProfileDialog({
  profile,
  onClose,
}: {
  readonly profile: ProfileView;
  readonly onClose: () => void;
}) {
  return (
    <ConfirmDialog
      title={`Remove the vNIC profile ${profile.name}?`}
      verb="Remove"
      isDanger
      onClose={onClose}
      onConfirm={async () => {
        await removeProfile(profile.id);
        onClose();
        announce(`The vNIC profile ${profile.name} was removed.`);
      }}
    >
      <Content component="p">
        {profile.vmCount === 0
          ? 'No VM uses it. Traffic of VMs is not touched.'
          : `The engine will refuse: ${usersOf(profile)} ${profile.vmCount === 1 ? 'uses' : 'use'} it. ` +
            'Give those vNICs another profile first.'}
      </Content>
    </ConfirmDialog>
  );
}
