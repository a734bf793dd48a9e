/** Adds a network or changes one. */
import { useState } from 'react';
import { announce } from '../../parts/announcer.tsx';
import { FormDialog } from '../../parts/form-dialog.tsx';
import { TextField } from '../../parts/form-field.tsx';
import { fieldOf, type Network, type NetworkFields, saveNetwork } from './network-list.ts';

/** `network`: the one to change; null: a new one. */
export function NetworkDialog({
  network,
  onClose,
}: {
  readonly network: Network | null;
  readonly onClose: () => void;
}) {
  const [fields, setFields] = useState<NetworkFields>({
    name: network?.name ?? '',
    description: network?.description ?? '',
    vlan: String(network?.vlan ?? ''),
    mtu: String(network?.mtu ?? ''),
    label: network?.label ?? '',
  });
  const field = (name: keyof NetworkFields) => ({
    name,
    value: fields[name],
    onChange: (value: string) => setFields((before) => ({ ...before, [name]: value })),
  });
  return (
    <FormDialog
      title={network === null ? 'Add a network' : `Edit the network ${network.name}`}
      about="A network says what VMs are connected to. Handover makes no bridges and no VLANs on hosts."
      verb={network === null ? 'Add' : 'Save'}
      fieldOf={fieldOf}
      onClose={onClose}
      onSubmit={async () => {
        await saveNetwork(network?.id ?? null, fields);
        onClose();
        announce(`The network ${fields.name.trim()} was ${network === null ? 'added' : 'changed'}.`);
      }}
    >
      <TextField
        {...field('name')}
        label="Name"
        isRequired
        isFirst
        help="Without blanks, slashes and quotes."
      />
      <TextField {...field('description')} label="Description" />
      <TextField {...field('vlan')} label="VLAN" inputMode="numeric" help="1 to 4094; empty: untagged." />
      <TextField
        {...field('mtu')}
        label="MTU"
        inputMode="numeric"
        help="68 to 65535 bytes; empty: the default."
      />
      <TextField {...field('label')} label="Label" help="PFs that have this label serve the network." />
    </FormDialog>
  );
}
