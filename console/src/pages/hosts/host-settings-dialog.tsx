/** Changes how a host is reached by others and how many migrations it takes. */
import { useState } from 'react';
import type { HostView } from '../../../../src/api/types/host-view.ts';
import { announce } from '../../parts/announcer.tsx';
import { FormDialog } from '../../parts/form-dialog.tsx';
import { TextField } from '../../parts/form-field.tsx';
import { type HostSettings, saveHostSettings, settingsFieldOf } from './host-list.ts';

/** The dialog. */
export function HostSettingsDialog({
  host,
  onClose,
}: {
  readonly host: HostView;
  readonly onClose: () => void;
}) {
  const [settings, setSettings] = useState<HostSettings>({
    peerUri: host.peerUri ?? '',
    migrationAddress: host.migrationAddress ?? '',
    outgoingMax: String(host.outgoingMax),
    incomingMax: String(host.incomingMax),
  });
  const field = (name: keyof HostSettings) => ({
    name,
    value: settings[name],
    onChange: (value: string) => setSettings((before) => ({ ...before, [name]: value })),
  });
  return (
    <FormDialog
      title={`Edit the host ${host.name}`}
      about="This holds for migrations that begin from now on; those under way go on as they are."
      verb="Save"
      fieldOf={settingsFieldOf}
      onClose={onClose}
      onSubmit={async () => {
        await saveHostSettings(host.id, settings);
        onClose();
        announce(`The host ${host.name} was changed.`);
      }}
    >
      <TextField
        {...field('peerUri')}
        label="Peer URI"
        isFirst
        help={`How the libvirtd of another host reaches this one; empty: as ${host.uri} says.`}
      />
      <TextField
        {...field('migrationAddress')}
        label="Migration address"
        help="Where the memory of VMs that come here is sent to; empty: libvirt chooses."
      />
      <TextField
        {...field('outgoingMax')}
        label="Outgoing migrations, at most"
        inputMode="numeric"
        isRequired
        help="At the same time: 1 to 100. Others wait."
      />
      <TextField
        {...field('incomingMax')}
        label="Incoming migrations, at most"
        inputMode="numeric"
        isRequired
        help="At the same time: 1 to 100. Others wait."
      />
    </FormDialog>
  );
}
