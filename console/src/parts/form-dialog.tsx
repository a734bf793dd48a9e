/**
 * A form in a dialog. A fault of the engine is shown at the field it is about, or above them all. What was
 * typed stays until the engine has taken it.
 */
import { Alert, Button, Form, ModalBody, ModalFooter, ModalHeader } from '@patternfly/react-core';
import { type ReactNode, useId, useState } from 'react';
import { Dialog } from './dialog.tsx';
import { messageOf, ServerFault } from '../server/fault.ts';
import { FieldFaults } from './form-field.tsx';

/** The dialog and what it does. */
export interface FormDialogProps {
  readonly title: string;
  readonly about?: string;
  readonly verb: string;
  /** Default: small. */
  readonly size?: 'small' | 'large';
  /** There is nothing that could be sent; the dialog says why. */
  readonly isVerbDisabled?: boolean;
  /** Which field a fault is about; null: none of them. */
  readonly fieldOf: (fault: ServerFault) => string | null;
  /** Sends it; a rejection is shown. The dialog is closed by the caller, after it. */
  readonly onSubmit: () => Promise<void>;
  readonly onClose: () => void;
  readonly children: ReactNode;
}

/** The dialog, open as long as it is there. `children` are `<FormField>`s. */
export function FormDialog(props: FormDialogProps) {
  const { title, about, verb, size = 'small', isVerbDisabled = false } = props;
  const { fieldOf, onSubmit, onClose, children } = props;
  const id = useId();
  const [isWaiting, setIsWaiting] = useState(false);
  const [thrown, setThrown] = useState<unknown>(null);
  // What its user may not do is about no field.
  const field = thrown instanceof ServerFault && thrown.status !== 403 ? fieldOf(thrown) : null;
  const submit = async () => {
    setIsWaiting(true);
    setThrown(null);
    try {
      await onSubmit();
    } catch (reason) {
      setThrown(reason);
    } finally {
      setIsWaiting(false);
    }
  };
  return (
    <Dialog variant={size} onClose={onClose} aria-labelledby={`${id}-title`}>
      <ModalHeader
        title={title}
        labelId={`${id}-title`}
        {...(about === undefined ? {} : { description: about })}
      />
      <ModalBody>
        <Form
          id={`${id}-form`}
          onSubmit={(event) => {
            event.preventDefault();
            if (!isWaiting && !isVerbDisabled) void submit();
          }}
        >
          {thrown !== null && field === null && (
            <div role="alert">
              <Alert component="h2" variant="danger" isInline title={messageOf(thrown)} />
            </div>
          )}
          <FieldFaults value={field === null ? {} : { [field]: messageOf(thrown) }}>{children}</FieldFaults>
        </Form>
      </ModalBody>
      <ModalFooter>
        <Button
          type="submit"
          form={`${id}-form`}
          variant="primary"
          isLoading={isWaiting}
          isDisabled={isVerbDisabled}
        >
          {verb}
        </Button>
        <Button variant="link" onClick={onClose}>
          Cancel
        </Button>
      </ModalFooter>
    </Dialog>
  );
}
