/** What can be said of a migration beside its target. Empty fields leave it to Handover. */
import { Checkbox, ExpandableSection } from '@patternfly/react-core';
import { TextField } from '../../../parts/form-field.tsx';
import type { MigrateFields } from './plan.ts';

/** The options, shown or not. */
export function MigrateOptions({
  fields,
  onChange,
  isShown,
  onToggle,
}: {
  readonly fields: MigrateFields;
  readonly onChange: (changes: Partial<MigrateFields>) => void;
  readonly isShown: boolean;
  readonly onToggle: (isShown: boolean) => void;
}) {
  const field = (name: 'unplugTimeoutS' | 'downtimeMsMax' | 'bandwidthMiBps') => ({
    name,
    inputMode: 'decimal' as const,
    value: fields[name],
    onChange: (value: string) => onChange({ [name]: value }),
  });
  return (
    <ExpandableSection
      toggleText="More"
      isExpanded={isShown}
      onToggle={(_event, isNowShown) => onToggle(isNowShown)}
    >
      <div className="migrate-options">
        <TextField
          {...field('unplugTimeoutS')}
          label="Unplug timeout, in s"
          help="How long the guest may take to give a VF back, 1 to 600; empty: 30."
        />
        <TextField
          {...field('downtimeMsMax')}
          label="Downtime at most, in ms"
          help="How long the guest may be paused at the end, 1 to 60000; empty: 500."
        />
        <TextField
          {...field('bandwidthMiBps')}
          label="Bandwidth, in MiB/s"
          help="What the transfer may use, from 1; empty: all there is."
        />
        <Checkbox
          id="migrate-copy-storage"
          label="Copy storage"
          description="Local disks are copied to the target. Without it, they must be there already."
          isChecked={fields.copyStorage}
          onChange={(_event, copyStorage) => onChange({ copyStorage })}
        />
      </div>
    </ExpandableSection>
  );
}
