/** All hosts: how they are, what is free on them; add one, remove one. */
import { Button } from '@patternfly/react-core';
import type { HostSummaryView } from '../../../../src/api/types/fleet-view.ts';
import { useState } from 'react';
import { PageLayout } from '../../parts/page-layout.tsx';
import { QueryState } from '../../parts/query-state.tsx';
import { EmptyState } from '../../parts/states.tsx';
import { useUrlDialog } from '../../parts/use-url-state.ts';
import { AddHostDialog } from './add-host-dialog.tsx';
import { useHosts } from './host-list.ts';
import { HostTable } from './host-table.tsx';
import { RemoveHostDialog } from './remove-host-dialog.tsx';

/** The page; `?dialog=add` opens it with the dialog to add one. */
export default function HostsPage() {
  const hosts = useHosts();
  const dialog = useUrlDialog('dialog');
  const [removed, setRemoved] = useState<HostSummaryView | null>(null);
  const addButton = (
    <Button variant="primary" onClick={() => dialog.open('add')}>
      Add host
    </Button>
  );
  return (
    <PageLayout
      title="Hosts"
      about="The machines VMs run on, and the VFs that are free there."
      actions={addButton}
    >
      <QueryState query={hosts} what="the hosts">
        {(all) =>
          all.length === 0 ? (
            <EmptyState title="There are no hosts" actions={addButton}>
              Add a machine that runs libvirtd: its name and its address are all that is needed, if the engine
              may sign on there with its ssh key. Its network cards, VFs and VMs are found by themselves.
            </EmptyState>
          ) : (
            <HostTable hosts={all} onRemove={setRemoved} />
          )
        }
      </QueryState>
      {dialog.value === 'add' && <AddHostDialog onClose={dialog.close} />}
      {removed !== null && (
        <RemoveHostDialog
          host={removed}
          vmCount={removed.vmCount}
          onClose={() => setRemoved(null)}
          onRemoved={() => setRemoved(null)}
        />
      )}
    </PageLayout>
  );
}
