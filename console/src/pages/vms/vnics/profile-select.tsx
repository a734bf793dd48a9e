/** Chooses a vNIC profile. */
import { FormSelect, FormSelectOption } from '@patternfly/react-core';
import type { ProfileView } from '../../../../../src/api/types/fleet-view.ts';
import { FormField } from '../../../parts/form-field.tsx';

/** `value`: the id of the chosen one; empty: none is. */
export function ProfileSelect({
  profiles,
  value,
  help,
  onChange,
}: {
  readonly profiles: readonly ProfileView[];
  readonly value: string;
  readonly help: string;
  readonly onChange: (id: string) => void;
}) {
  return (
    <FormField name="profile" label="vNIC profile" isRequired help={help}>
      {(control) => (
        <FormSelect {...control} isRequired value={value} onChange={(_event, id) => onChange(id)}>
          {!profiles.some(({ id }) => id === value) && (
            <FormSelectOption value={value} label="Choose one" isDisabled isPlaceholder />
          )}
          {profiles.map((profile) => (
            <FormSelectOption key={profile.id} value={profile.id} label={labelOf(profile)} />
          ))}
        </FormSelect>
      )}
    </FormField>
  );
}

function labelOf({ name, network, passThrough, migratable }: ProfileView): string {
  const kind = passThrough ? (migratable ? 'VF' : 'VF, not migratable') : 'ordinary';
  return `${name} (${network}, ${kind})`;
}
