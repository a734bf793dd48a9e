/** Asks before a host is removed, and says what that means for what runs there. */
import { Content } from '@patternfly/react-core';
import { announce } from '../../parts/announcer.tsx';
import { ConfirmDialog } from '../../parts/confirm-dialog.tsx';
import { removeHost } from './host-list.ts';

/** The dialog for one host. `vmCount`: of all VMs there; null: not known. */
export function RemoveHostDialog({
  host,
  vmCount,
  onClose,
  onRemoved,
}: {
  readonly host: { readonly id: string; readonly name: string };
  readonly vmCount: number | null;
  readonly onClose: () => void;
  readonly onRemoved: () => void;
}) {
  return (
    <ConfirmDialog
      title={`Remove the host ${host.name}?`}
      verb="Remove"
      isDanger
      onClose={onClose}
      onConfirm={async () => {
        await removeHost(host.id);
        announce(`The host ${host.name} was removed.`);
        onRemoved();
      }}
    >
      <Content component="p">
        Handover looks after {host.name} no more: no VM is moved to it or from it. Which networks its PFs may
        serve is forgotten.
      </Content>
      <Content component="p">{vmsText(vmCount)}</Content>
    </ConfirmDialog>
  );
}

function vmsText(count: number | null): string {
  if (count === 0) return 'No VM is on it.';
  if (count === 1) {
    return (
      'The VM on it stays as it is, and no traffic is interrupted, but Handover shows it no more until the ' +
      'host is added again.'
    );
  }
  const those = count === null ? 'The VMs' : `The ${count} VMs`;
  return (
    `${those} on it stay as they are, and no traffic is interrupted, but ` +
    'Handover shows them no more until the host is added again.'
  );
}
