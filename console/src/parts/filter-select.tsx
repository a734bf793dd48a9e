/** Chooses what a list shows, in a toolbar: one of several, or all. */
import { FormSelect, FormSelectOption } from '@patternfly/react-core';

/** `value`: that of the chosen option; empty: all of them, which `all` says. */
export function FilterSelect({
  label,
  all,
  options,
  value,
  onChange,
}: {
  readonly label: string;
  readonly all: string;
  readonly options: readonly { readonly value: string; readonly label: string }[];
  readonly value: string;
  readonly onChange: (value: string) => void;
}) {
  return (
    <FormSelect
      aria-label={label}
      className="filter"
      value={value}
      onChange={(_event, next) => onChange(next)}
    >
      {[{ value: '', label: all }, ...options].map((each) => (
        <FormSelectOption key={each.value} {...each} />
      ))}
    </FormSelect>
  );
}
