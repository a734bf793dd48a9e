/** Asks before a host is switched to maintenance, and names what still runs there. */
import { Content, List, ListItem } from '@patternfly/react-core';
import type { UseQueryResult } from '@tanstack/react-query';
import type { HostView } from '../../../../src/api/types/host-view.ts';
import type { VmPage, VmView } from '../../../../src/api/types/vm-view.ts';
import { ConfirmDialog } from '../../parts/confirm-dialog.tsx';
import { Link } from '../../parts/link.tsx';
import { QueryState } from '../../parts/query-state.tsx';
import { actOnHost } from './host-list.ts';

const VMS_NAMED = 12;

/** The dialog for one host. */
export function MaintenanceDialog({
  host,
  vms,
  onClose,
}: {
  readonly host: HostView;
  readonly vms: UseQueryResult<VmPage>;
  readonly onClose: () => void;
}) {
  return (
    <ConfirmDialog
      title={`Switch ${host.name} to maintenance?`}
      verb="Switch to maintenance"
      onClose={onClose}
      onConfirm={async () => {
        await actOnHost(host.id, 'deactivate');
        onClose();
      }}
    >
      <Content component="p">
        No VM is placed on {host.name} any more. What runs there goes on, and no traffic is interrupted.
      </Content>
      <QueryState query={vms} what="the VMs of the host" rows={2}>
        {(page) => <StillThere host={host} vms={page.vms.filter(({ status }) => status !== 'down')} />}
      </QueryState>
    </ConfirmDialog>
  );
}

function StillThere({ host, vms }: { readonly host: HostView; readonly vms: readonly VmView[] }) {
  if (vms.length === 0) {
    return <Content component="p">No VM runs there, so it is in maintenance at once.</Content>;
  }
  return (
    <>
      <Content component="p">
        These VMs still run there. They are not moved by themselves:{' '}
        <Link to={`/vms?host=${host.id}`}>migrate them</Link> afterwards. Until none runs there, the host is
        preparing for maintenance.
      </Content>
      <List>
        {vms.slice(0, VMS_NAMED).map(({ id, name }) => (
          <ListItem key={id}>
            <Link to={`/vms/${id}`}>{name}</Link>
          </ListItem>
        ))}
        {vms.length > VMS_NAMED && (
          <ListItem>
            <Link to={`/hosts/${host.id}?tab=vms`}>{`and ${vms.length - VMS_NAMED} more`}</Link>
          </ListItem>
        )}
      </List>
    </>
  );
}
