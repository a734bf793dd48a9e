/** Adds a vNIC profile or changes one: oVirt's dialog, with the reason beside everything that is greyed. */
import { Alert, Checkbox, FormSelect, FormSelectOption } from '@patternfly/react-core';
import { useState } from 'react';
import type { ProfileView } from '../../../../src/api/types/fleet-view.ts';
import { announce } from '../../parts/announcer.tsx';
import { FormDialog } from '../../parts/form-dialog.tsx';
import { FormField, TextField } from '../../parts/form-field.tsx';
import { QueryState } from '../../parts/query-state.tsx';
import { useNetworks } from '../networks/network-list.ts';
import { fieldOf, saveProfile } from './profile-list.ts';
import {
  consequence,
  failoverChoices,
  fieldsOf,
  type Greyed,
  greyed,
  type ProfileFields,
  shownValues,
} from './profile-rules.ts';

/** `profile`: the one to change; null: a new one. `all`: those there are. */
export function ProfileDialog({
  profile,
  all,
  onClose,
}: {
  readonly profile: ProfileView | null;
  readonly all: readonly ProfileView[];
  readonly onClose: () => void;
}) {
  const [fields, setFields] = useState(() => fieldsOf(profile));
  const set = (changed: Partial<ProfileFields>) => setFields((before) => ({ ...before, ...changed }));
  const why = greyed(fields, profile);
  const isNew = profile === null;
  const change = consequence(fields, profile);
  return (
    <FormDialog
      title={isNew ? 'New vNIC profile' : `Edit the vNIC profile ${profile.name}`}
      about="How a vNIC is connected to its network, and whether a VM that has it may be migrated."
      verb={isNew ? 'Add' : 'Save'}
      fieldOf={fieldOf}
      onClose={onClose}
      onSubmit={async () => {
        await saveProfile(profile?.id ?? null, fields);
        onClose();
        announce(`The vNIC profile ${fields.name.trim()} was ${isNew ? 'added' : 'changed'}.`);
      }}
    >
      <NetworkField
        value={fields.networkId}
        reason={why.network}
        onChange={(networkId) => set({ networkId })}
      />
      <TextField
        name="name"
        label="Name"
        isRequired
        isFirst
        value={fields.name}
        onChange={(name) => set({ name })}
        help="Unique in its network."
      />
      <TextField
        name="description"
        label="Description"
        value={fields.description}
        onChange={(description) => set({ description })}
      />
      <FixedField name="qos" label="QoS" value="Unlimited" reason={why.qos} />
      <FixedField
        name="networkFilter"
        label="Network filter"
        value="No network filter"
        reason={why.networkFilter}
      />
      <Ticks fields={fields} why={why} onChange={set} />
      {change !== null && <Alert variant="info" isInline component="p" title={change} />}
      <FailoverField
        choices={failoverChoices(all, profile)}
        value={shownValues(fields).failoverId}
        reason={why.failover}
        onChange={(failoverId) => set({ failoverId })}
      />
    </FormDialog>
  );
}

const optionalHelp = (help: string | null) => (help === null ? {} : { help });

function NetworkField(props: {
  readonly value: string;
  readonly reason: string | null;
  readonly onChange: (id: string) => void;
}) {
  const networks = useNetworks();
  return (
    <QueryState query={networks} what="the networks" rows={1}>
      {(all) => (
        <FormField
          name="network"
          label="Network"
          isRequired
          {...optionalHelp(
            props.reason ?? (all.length === 0 ? 'There is no network yet; add one first.' : null),
          )}
        >
          {(control) => (
            <FormSelect
              {...control}
              value={props.value}
              isDisabled={props.reason !== null}
              onChange={(_event, id) => props.onChange(id)}
            >
              <FormSelectOption value="" label="Choose a network" isDisabled />
              {all.map(({ id, name }) => (
                <FormSelectOption key={id} value={id} label={name} />
              ))}
            </FormSelect>
          )}
        </FormField>
      )}
    </QueryState>
  );
}

/** A field of oVirt's dialog that has one value here. */
function FixedField(props: {
  readonly name: string;
  readonly label: string;
  readonly value: string;
  readonly reason: string | null;
}) {
  return (
    <FormField name={props.name} label={props.label} {...optionalHelp(props.reason)}>
      {(control) => (
        <FormSelect {...control} value="" isDisabled>
          <FormSelectOption value="" label={props.value} />
        </FormSelect>
      )}
    </FormField>
  );
}

function Ticks({
  fields,
  why,
  onChange,
}: {
  readonly fields: ProfileFields;
  readonly why: Greyed;
  readonly onChange: (changed: Partial<ProfileFields>) => void;
}) {
  const shown = shownValues(fields);
  const ticks = [
    {
      name: 'passThrough',
      label: 'Passthrough',
      about: 'The vNIC is a virtual function (VF) of an SR-IOV card.',
    },
    {
      name: 'migratable',
      label: 'Migratable',
      about:
        'For a migration the VF is unplugged and a new one plugged on the target; meanwhile traffic ' +
        'needs a standby.',
    },
    {
      name: 'portMirroring',
      label: 'Port mirroring',
      about: 'Kept for clients of oVirt; Handover does not apply it.',
    },
  ] as const;
  return ticks.map(({ name, label, about }) => (
    <FormField key={name} name={name} label="" help={why[name] ?? about}>
      {({ id, 'aria-describedby': describedBy, 'aria-invalid': isInvalid }) => (
        <Checkbox
          id={id}
          label={label}
          aria-describedby={describedBy}
          aria-invalid={isInvalid}
          isChecked={shown[name]}
          isDisabled={why[name] !== null}
          onChange={(_event, checked) => onChange({ [name]: checked })}
        />
      )}
    </FormField>
  ));
}

function FailoverField(props: {
  readonly choices: readonly ProfileView[];
  readonly value: string;
  readonly reason: string | null;
  readonly onChange: (id: string) => void;
}) {
  const about =
    'The profile of the standby that carries traffic while the VF is out; it has to be an ordinary one.';
  return (
    <FormField name="failover" label="Failover vNIC profile" help={props.reason ?? about}>
      {(control) => (
        <FormSelect
          {...control}
          value={props.value}
          isDisabled={props.reason !== null}
          onChange={(_event, id) => props.onChange(id)}
        >
          <FormSelectOption value="" label="None" />
          {props.choices.map(({ id, name, network }) => (
            <FormSelectOption key={id} value={id} label={`${name} (${network})`} />
          ))}
        </FormSelect>
      )}
    </FormField>
  );
}
