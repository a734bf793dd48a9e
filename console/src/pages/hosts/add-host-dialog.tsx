/** Adds a host by its name and where its libvirtd is. */
import { useState } from 'react';
import { announce } from '../../parts/announcer.tsx';
import { FormDialog } from '../../parts/form-dialog.tsx';
import { TextField } from '../../parts/form-field.tsx';
import { addHost, type NewHostFields, newHostFieldOf } from './host-list.ts';

/** The dialog. */
export function AddHostDialog({ onClose }: { readonly onClose: () => void }) {
  const [fields, setFields] = useState<NewHostFields>({ name: '', place: '' });
  const field = (name: keyof NewHostFields) => ({
    name,
    value: fields[name],
    onChange: (value: string) => setFields((before) => ({ ...before, [name]: value })),
  });
  return (
    <FormDialog
      title="Add a host"
      about={
        'The engine looks at the host before it adds it, which may take some seconds. Nothing is changed ' +
        'there.'
      }
      verb="Add"
      fieldOf={newHostFieldOf}
      onClose={onClose}
      onSubmit={async () => {
        await addHost(fields);
        onClose();
        announce(`The host ${fields.name.trim()} was added.`);
      }}
    >
      <TextField
        {...field('name')}
        label="Name"
        isRequired
        isFirst
        help="Letters, digits, dots, dashes and underscores."
      />
      <TextField
        {...field('place')}
        label="Address or libvirt URI"
        isRequired
        help={
          "An address such as 10.77.0.11 is reached by ssh as root, with the engine's own key. For " +
          'anything else give a URI, such as qemu+tls://host-a/system.'
        }
      />
    </FormDialog>
  );
}
