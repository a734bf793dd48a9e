/** What can be done with a host, as buttons; what fails without a dialog of its own is said below them. */
import { Alert, AlertActionCloseButton, Button } from '@patternfly/react-core';
import type { UseQueryResult } from '@tanstack/react-query';
import { useState } from 'react';
import { useLocation } from 'wouter';
import type { HostView } from '../../../../src/api/types/host-view.ts';
import type { VmPage } from '../../../../src/api/types/vm-view.ts';
import { announce } from '../../parts/announcer.tsx';
import { useUrlDialog } from '../../parts/use-url-state.ts';
import { messageOf } from '../../server/fault.ts';
import { actOnHost } from './host-list.ts';
import { HostSettingsDialog } from './host-settings-dialog.tsx';
import { MaintenanceDialog } from './maintenance-dialog.tsx';
import { RemoveHostDialog } from './remove-host-dialog.tsx';

/** The buttons and their dialogs, of which `?dialog=` names the open one. */
export function HostActions({
  host,
  vms,
}: {
  readonly host: HostView;
  readonly vms: UseQueryResult<VmPage>;
}) {
  const { value: dialog, open, close } = useUrlDialog('dialog');
  const [, goTo] = useLocation();
  const { waiting, failure, act, forgive } = useActions(host);
  const isInMaintenance = host.status === 'maintenance';
  return (
    <>
      <Button
        variant="secondary"
        isLoading={waiting === 'refresh'}
        onClick={() => void act('refresh', `${host.name} was looked at again.`)}
      >
        Refresh
      </Button>
      {isInMaintenance ? (
        <Button variant="secondary" isLoading={waiting === 'activate'} onClick={() => void act('activate')}>
          Activate
        </Button>
      ) : (
        <Button variant="secondary" onClick={() => open('maintenance')}>
          Maintenance
        </Button>
      )}
      <Button variant="secondary" onClick={() => open('edit')}>
        Edit
      </Button>
      <Button variant="secondary" isDanger onClick={() => open('remove')}>
        Remove
      </Button>
      {failure !== null && (
        <div role="alert" className="host-failure">
          <Alert
            component="p"
            variant="danger"
            isInline
            title={failure}
            actionClose={<AlertActionCloseButton onClose={forgive} />}
          />
        </div>
      )}
      {dialog === 'maintenance' && !isInMaintenance && (
        <MaintenanceDialog host={host} vms={vms} onClose={close} />
      )}
      {dialog === 'edit' && <HostSettingsDialog host={host} onClose={close} />}
      {dialog === 'remove' && (
        <RemoveHostDialog
          host={host}
          vmCount={vms.data?.total ?? null}
          onClose={close}
          onRemoved={() => goTo('/hosts', { replace: true })}
        />
      )}
    </>
  );
}

/** Acts without a dialog. A change of the state is read out by the page. */
function useActions({ id }: HostView) {
  const [waiting, setWaiting] = useState<string | null>(null);
  const [failure, setFailure] = useState<string | null>(null);
  const act = async (verb: 'activate' | 'refresh', done?: string) => {
    if (waiting !== null) return;
    setWaiting(verb);
    setFailure(null);
    try {
      await actOnHost(id, verb);
      if (done !== undefined) announce(done);
    } catch (thrown) {
      setFailure(messageOf(thrown));
    } finally {
      setWaiting(null);
    }
  };
  return { waiting, failure, act, forgive: () => setFailure(null) };
}
