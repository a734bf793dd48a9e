/** All networks: add, edit and remove them. */
import { Button } from '@patternfly/react-core';
import { Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table';
import { useState } from 'react';
import { DataTable } from '../../parts/data-table.tsx';
import { PageLayout } from '../../parts/page-layout.tsx';
import { QueryState } from '../../parts/query-state.tsx';
import { RowActions } from '../../parts/row-actions.tsx';
import { EmptyState } from '../../parts/states.tsx';
import { NetworkDialog } from './network-dialog.tsx';
import { type Network, useNetworks } from './network-list.ts';
import { RemoveNetworkDialog } from './remove-network-dialog.tsx';

type Open = { readonly kind: 'add' } | { readonly kind: 'edit' | 'remove'; readonly network: Network };

/** The page. */
export default function NetworksPage() {
  const networks = useNetworks();
  const [open, setOpen] = useState<Open | null>(null);
  const close = () => setOpen(null);
  const addButton = (
    <Button variant="primary" onClick={() => setOpen({ kind: 'add' })}>
      Add network
    </Button>
  );
  return (
    <PageLayout title="Networks" about="What VMs are connected to, by vNIC profiles." actions={addButton}>
      <QueryState query={networks} what="the networks">
        {(all) =>
          all.length === 0 ? (
            <EmptyState title="There are no networks" actions={addButton}>
              Add the one your VMs are connected to, then a vNIC profile for it.
            </EmptyState>
          ) : (
            <NetworkTable networks={all} onOpen={setOpen} />
          )
        }
      </QueryState>
      {open?.kind === 'add' && <NetworkDialog network={null} onClose={close} />}
      {open?.kind === 'edit' && <NetworkDialog network={open.network} onClose={close} />}
      {open?.kind === 'remove' && <RemoveNetworkDialog network={open.network} onClose={close} />}
    </PageLayout>
  );
}

function NetworkTable({
  networks,
  onOpen,
}: {
  readonly networks: readonly Network[];
  readonly onOpen: (open: Open) => void;
}) {
  return (
    <DataTable label="Networks">
      <Thead>
        <Tr>
          <Th>Name</Th>
          <Th>VLAN</Th>
          <Th>MTU</Th>
          <Th>Label</Th>
          <Th>Description</Th>
          <Th screenReaderText="Actions" />
        </Tr>
      </Thead>
      <Tbody>
        {networks.map((network) => (
          <Tr key={network.id}>
            <Td dataLabel="Name" modifier="breakWord">
              {network.name}
            </Td>
            <Td dataLabel="VLAN">{network.vlan ?? 'untagged'}</Td>
            <Td dataLabel="MTU">{network.mtu ?? 'default'}</Td>
            <Td dataLabel="Label">{network.label || '-'}</Td>
            <Td dataLabel="Description" modifier="breakWord">
              {network.description || '-'}
            </Td>
            <Td isActionCell>
              <RowActions
                of={network.name}
                items={[
                  { title: 'Edit', onClick: () => onOpen({ kind: 'edit', network }) },
                  { title: 'Remove', onClick: () => onOpen({ kind: 'remove', network }) },
                ]}
              />
            </Td>
          </Tr>
        ))}
      </Tbody>
    </DataTable>
  );
}
