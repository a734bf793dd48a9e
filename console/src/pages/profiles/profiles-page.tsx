/** All vNIC profiles: add, edit and remove them. The dialog that is open is in the address. */
import { Button, Label } from '@patternfly/react-core';
import { Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table';
import { useState } from 'react';
import type { ProfileView } from '../../../../src/api/types/fleet-view.ts';
import { DataTable } from '../../parts/data-table.tsx';
import { Link } from '../../parts/link.tsx';
import { PageLayout } from '../../parts/page-layout.tsx';
import { QueryState } from '../../parts/query-state.tsx';
import { RowActions } from '../../parts/row-actions.tsx';
import { EmptyState } from '../../parts/states.tsx';
import { useUrlState } from '../../parts/use-url-state.ts';
import { ProfileDialog } from './profile-dialog.tsx';
import { useProfiles } from './profile-list.ts';
import { RemoveProfileDialog } from './remove-profile-dialog.tsx';

/** In the address instead of an id. */
const NEW = 'new';

/** The page. */
export default function ProfilesPage() {
  const profiles = useProfiles();
  const [edited, setEdited] = useUrlState('edit');
  const [removed, setRemoved] = useState<ProfileView | null>(null);
  const addButton = (
    <Button variant="primary" onClick={() => setEdited(NEW)}>
      New profile
    </Button>
  );
  return (
    <PageLayout
      title="vNIC profiles"
      about="How vNICs are connected to networks, and which VMs with virtual functions may be migrated."
      actions={addButton}
    >
      <QueryState query={profiles} what="the vNIC profiles">
        {(all) => (
          <>
            {all.length === 0 ? (
              <EmptyState title="There are no vNIC profiles" actions={addButton}>
                Add one for each network: with Passthrough for VFs, without it for standbys and ordinary
                vNICs.
              </EmptyState>
            ) : (
              <ProfileTable profiles={all} onEdit={setEdited} onRemove={setRemoved} />
            )}
            {(edited === NEW || all.some(({ id }) => id === edited)) && (
              <ProfileDialog
                key={edited}
                profile={all.find(({ id }) => id === edited) ?? null}
                all={all}
                onClose={() => setEdited('')}
              />
            )}
          </>
        )}
      </QueryState>
      {removed !== null && <RemoveProfileDialog profile={removed} onClose={() => setRemoved(null)} />}
    </PageLayout>
  );
}

function ProfileTable({
  profiles,
  onEdit,
  onRemove,
}: {
  readonly profiles: readonly ProfileView[];
  readonly onEdit: (id: string) => void;
  readonly onRemove: (profile: ProfileView) => void;
}) {
  return (
    <DataTable label="vNIC profiles">
      <Thead>
        <Tr>
          <Th>Name</Th>
          <Th>Network</Th>
          <Th modifier="nowrap">Passthrough</Th>
          <Th>Migratable</Th>
          <Th>Failover</Th>
          <Th>VMs</Th>
          <Th modifier="nowrap">Description</Th>
          <Th screenReaderText="Actions" />
        </Tr>
      </Thead>
      <Tbody>
        {profiles.map((profile) => (
          <Tr key={profile.id}>
            <Td dataLabel="Name" modifier="breakWord">
              {profile.name}
            </Td>
            <Td dataLabel="Network">{profile.network}</Td>
            <Td dataLabel="Passthrough">{profile.passThrough ? 'Yes, a VF' : 'No'}</Td>
            <Td dataLabel="Migratable">
              <Migratable profile={profile} />
            </Td>
            <Td dataLabel="Failover">{profile.failover ?? '-'}</Td>
            <Td dataLabel="VMs">
              <Users profile={profile} />
            </Td>
            <Td dataLabel="Description" modifier="breakWord">
              {profile.description || '-'}
            </Td>
            <Td isActionCell>
              <RowActions
                of={profile.name}
                items={[
                  { title: 'Edit', onClick: () => onEdit(profile.id) },
                  { title: 'Remove', onClick: () => onRemove(profile) },
                ]}
              />
            </Td>
          </Tr>
        ))}
      </Tbody>
    </DataTable>
  );
}

function Migratable({ profile: { passThrough, migratable } }: { readonly profile: ProfileView }) {
  if (!passThrough) return 'Always';
  return (
    <Label isCompact color={migratable ? 'green' : 'orange'}>
      {migratable ? 'Yes' : 'No, pins its VMs'}
    </Label>
  );
}

const USERS_SHOWN = 3;

function Users({ profile: { vms, vmCount } }: { readonly profile: ProfileView }) {
  if (vmCount === 0) return 'None';
  return (
    <span className="links wrapping">
      {vms.slice(0, USERS_SHOWN).map(({ id, name }) => (
        <Link key={id} to={`/vms/${id}`}>
          {name}
        </Link>
      ))}
      {vmCount > USERS_SHOWN && <span>and {vmCount - USERS_SHOWN} more</span>}
    </span>
  );
}
