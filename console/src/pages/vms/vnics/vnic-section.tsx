/** The vNICs of a VM: what each is, is wanted to be and is, and what can be done with it. */
import { Button, Label } from '@patternfly/react-core';
import { Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table';
import { useState } from 'react';
import type { VmView, VnicView } from '../../../../../src/api/types/vm-view.ts';
import { Link } from '../../../parts/link.tsx';
import { EmptyState } from '../../../parts/states.tsx';
import { Section } from '../../../parts/section.tsx';
import { actualWord, kindWord, needsAttention } from '../vnic-words.ts';
import { vnicIcon } from '../vnic-badge.tsx';
import { AddVnicDialog } from './add-vnic-dialog.tsx';
import { PlugDialog } from './plug-dialog.tsx';
import { ProfileDialog } from './profile-dialog.tsx';
import { RemoveVnicDialog } from './remove-vnic-dialog.tsx';
import { DataTable } from '../../../parts/data-table.tsx';
import { RowActions } from '../../../parts/row-actions.tsx';

type Open =
  | { readonly kind: 'add' }
  | { readonly kind: 'plug' | 'unplug' | 'profile' | 'remove'; readonly vnic: VnicView };

/** The part of the page. */
export function VnicSection({ vm }: { readonly vm: VmView }) {
  const [open, setOpen] = useState<Open | null>(null);
  const close = () => setOpen(null);
  const addButton = (
    <Button variant="secondary" aria-haspopup="dialog" onClick={() => setOpen({ kind: 'add' })}>
      Add vNIC
    </Button>
  );
  return (
    <Section title="vNICs" actions={addButton}>
      {vm.vnics.length === 0 ? (
        <EmptyState title={`${vm.name} has no vNICs`}>Add one to connect it to a network.</EmptyState>
      ) : (
        <VnicTable vm={vm} onOpen={setOpen} />
      )}
      {open?.kind === 'add' && <AddVnicDialog vm={vm} onClose={close} />}
      {(open?.kind === 'plug' || open?.kind === 'unplug') && (
        <PlugDialog vm={vm} vnic={open.vnic} isPlug={open.kind === 'plug'} onClose={close} />
      )}
      {open?.kind === 'profile' && <ProfileDialog vm={vm} vnic={open.vnic} onClose={close} />}
      {open?.kind === 'remove' && <RemoveVnicDialog vm={vm} vnic={open.vnic} onClose={close} />}
    </Section>
  );
}

function VnicTable({ vm, onOpen }: { readonly vm: VmView; readonly onOpen: (open: Open) => void }) {
  return (
    <DataTable label={`vNICs of ${vm.name}`} gridBreakPoint="grid-lg">
      <Thead>
        <Tr>
          <Th>Name</Th>
          <Th>Kind</Th>
          <Th modifier="wrap">Profile and network</Th>
          <Th>MAC and VLAN</Th>
          <Th>On the host</Th>
          <Th>Wanted</Th>
          <Th>Is</Th>
          <Th screenReaderText="Actions" />
        </Tr>
      </Thead>
      <Tbody>
        {vm.vnics.map((vnic) => (
          <VnicRow key={vnic.id} vm={vm} vnic={vnic} onOpen={onOpen} />
        ))}
      </Tbody>
    </DataTable>
  );
}

function VnicRow({
  vm,
  vnic,
  onOpen,
}: {
  readonly vm: VmView;
  readonly vnic: VnicView;
  readonly onOpen: (open: Open) => void;
}) {
  const Icon = vnicIcon(vnic);
  const isIn = vnic.plugged || vnic.actual !== 'unplugged';
  return (
    <Tr>
      <Td dataLabel="Name">{vnic.name}</Td>
      <Td dataLabel="Kind" modifier="breakWord">
        <div className="stacked">
          {kindWord(vnic, vm)}
          {vnic.model !== null && <div className="subtle">{vnic.model}</div>}
          {vnic.blocker !== null && <div>Can not be moved: {vnic.blocker}</div>}
        </div>
      </Td>
      <Td dataLabel="Profile and network" modifier="breakWord">
        <div className="stacked">
          {vnic.profile === null ? 'no profile' : <Link to="/vnic-profiles">{vnic.profile}</Link>}
          {vnic.network !== null && (
            <div>
              on <Link to="/networks">{vnic.network}</Link>
            </div>
          )}
        </div>
      </Td>
      <Td dataLabel="MAC and VLAN">
        <div className="stacked">
          <span className="figure">{vnic.mac}</span>
          <div className="subtle">{vnic.vlan === null ? 'untagged' : `VLAN ${vnic.vlan}`}</div>
        </div>
      </Td>
      <Td dataLabel="On the host" modifier="breakWord">
        <Attachment vnic={vnic} vm={vm} />
      </Td>
      <Td dataLabel="Wanted">{vnic.plugged ? 'plugged' : 'unplugged'}</Td>
      <Td dataLabel="Is">
        <div>
          <Label isCompact icon={<Icon />} color={needsAttention(vnic, vm) ? 'orange' : 'grey'}>
            {actualWord(vnic)}
          </Label>
        </div>
      </Td>
      <Td isActionCell>
        <RowActions
          of={vnic.name}
          items={[
            isIn
              ? { title: 'Unplug', onClick: () => onOpen({ kind: 'unplug', vnic }) }
              : { title: 'Plug', onClick: () => onOpen({ kind: 'plug', vnic }) },
            { title: 'Change profile', onClick: () => onOpen({ kind: 'profile', vnic }) },
            { title: 'Remove', onClick: () => onOpen({ kind: 'remove', vnic }) },
          ]}
        />
      </Td>
    </Tr>
  );
}

function Attachment({ vnic, vm }: { readonly vnic: VnicView; readonly vm: VmView }) {
  if (!vnic.passthrough) return vnic.bridge === null ? '-' : `bridge ${vnic.bridge}`;
  if (vnic.vf === null) return 'no VF';
  return (
    <div className="stacked">
      <span className="figure">{vnic.vf}</span>
      <div className="subtle">
        {vnic.pf === null ? '' : `of ${vnic.pf} `}on {vm.host}
      </div>
    </div>
  );
}
