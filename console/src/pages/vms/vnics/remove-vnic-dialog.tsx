/** Asks before a vNIC is taken from a VM for good. */
import { Content } from '@patternfly/react-core';
import { announce } from '../../../parts/announcer.tsx';
import { ConfirmDialog } from '../../../parts/confirm-dialog.tsx';
import { removeVnic, type VnicDialogProps } from '../vm-facts.ts';

/** The dialog of one vNIC. */
export function RemoveVnicDialog({ vm, vnic, onClose }: VnicDialogProps) {
  const isInGuest = vm.status !== 'down' && vnic.actual !== 'unplugged';
  return (
    <ConfirmDialog
      title={`Remove ${vnic.name} of ${vm.name}?`}
      verb="Remove"
      isDanger
      onClose={onClose}
      onConfirm={async () => {
        await removeVnic(vm.id, vnic.id);
        onClose();
        announce(`${vnic.name} was removed from ${vm.name}.`);
      }}
    >
      <Content component="p">
        {isInGuest
          ? `The guest has ${vnic.name}, so the engine refuses to remove it, and its traffic goes on. ` +
            'Unplug it first.'
          : `${vnic.name} is not in the guest, so no traffic is affected. Its MAC address ${vnic.mac} is ` +
            'free, and it is taken out of the definition.'}
      </Content>
    </ConfirmDialog>
  );
}
