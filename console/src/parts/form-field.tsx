/** A field of a form with its label, what to type, and the engine's fault if it is about this field. */
import {
  FormGroup,
  FormHelperText,
  HelperText,
  HelperTextItem,
  TextInput,
  type TextInputProps,
} from '@patternfly/react-core';
import { createContext, type ReactNode, useContext, useEffect, useRef } from 'react';

/** The faults by the name of the field; `<FormDialog>` provides them. */
export const FieldFaults = createContext<Readonly<Record<string, string>>>({});

/** What a control of the field needs to be tied to its label and help. */
export interface ControlProps {
  readonly id: string;
  readonly 'aria-describedby': string;
  readonly 'aria-invalid': boolean;
  readonly validated: 'error' | 'default';
}

/** Any control: `children` draws it with what it is given. */
export function FormField({
  name,
  label,
  help,
  isRequired = false,
  children,
}: {
  readonly name: string;
  readonly label: string;
  readonly help?: string;
  readonly isRequired?: boolean;
  readonly children: (control: ControlProps) => ReactNode;
}) {
  const fault = useContext(FieldFaults)[name];
  const id = `field-${name}`;
  useEffect(() => {
    if (fault !== undefined) document.getElementById(id)?.focus();
  }, [fault, id]);
  return (
    <FormGroup label={label} fieldId={id} isRequired={isRequired}>
      {children({
        id,
        'aria-describedby': `${id}-help`,
        'aria-invalid': fault !== undefined,
        validated: fault === undefined ? 'default' : 'error',
      })}
      <FormHelperText>
        <HelperText id={`${id}-help`} aria-live="polite">
          <HelperTextItem variant={fault === undefined ? 'default' : 'error'}>
            {fault ?? help ?? ''}
          </HelperTextItem>
        </HelperText>
      </FormHelperText>
    </FormGroup>
  );
}

/** A line of text. `isFirst`: takes the focus when its form opens. */
export function TextField({
  name,
  label,
  help,
  isRequired = false,
  isFirst = false,
  value,
  onChange,
  ...input
}: {
  readonly name: string;
  readonly label: string;
  readonly help?: string;
  readonly isRequired?: boolean;
  readonly isFirst?: boolean;
  readonly value: string;
  readonly onChange: (value: string) => void;
} & Pick<TextInputProps, 'type' | 'inputMode' | 'autoComplete'>) {
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (isFirst) field.current?.focus();
  }, [isFirst]);
  return (
    <FormField name={name} label={label} isRequired={isRequired} {...(help === undefined ? {} : { help })}>
      {(control) => (
        <TextInput
          {...control}
          {...input}
          ref={field}
          isRequired={isRequired}
          value={value}
          onChange={(_event, next) => onChange(next)}
        />
      )}
    </FormField>
  );
}
