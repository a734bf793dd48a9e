/**
 * Asks before something that is not easily taken back. Names what will happen; a refusal is shown in the
 * dialog, which stays open. Closed while it waits, what was begun goes on, and a refusal is announced.
 */
import { Alert, Button, ModalBody, ModalFooter, ModalHeader } from '@patternfly/react-core';
import { type ReactNode, useEffect, useRef, useState } from 'react';
import { Dialog } from './dialog.tsx';
import { messageOf } from '../server/fault.ts';
import { announce } from './announcer.tsx';

/** What is asked. */
export interface ConfirmDialogProps {
  /** A question: `Remove the network prod?` */
  readonly title: string;
  /** What follows from it. */
  readonly children: ReactNode;
  /** The verb on the button: `Remove`. */
  readonly verb: string;
  /** On the button that does nothing, where `Cancel` could be taken for the verb. */
  readonly dismissal?: string;
  readonly isDanger?: boolean;
  /** Shown while it is waited for: how long that may take. */
  readonly progress?: ReactNode;
  /** Does it; a rejection is shown. The dialog is closed by the caller, after it. */
  readonly onConfirm: () => Promise<void>;
  readonly onClose: () => void;
}

/** The dialog, open as long as it is there. */
export function ConfirmDialog(props: ConfirmDialogProps) {
  const { title, children, verb, dismissal = 'Cancel', isDanger = false, progress } = props;
  const { onConfirm, onClose } = props;
  const [isWaiting, setIsWaiting] = useState(false);
  const [refusal, setRefusal] = useState<string | null>(null);
  const isShown = useRef(false);
  useEffect(() => {
    isShown.current = true;
    return () => {
      isShown.current = false;
    };
  }, []);
  const confirm = async () => {
    setIsWaiting(true);
    setRefusal(null);
    try {
      await onConfirm();
    } catch (thrown) {
      if (isShown.current) setRefusal(messageOf(thrown));
      else announce(messageOf(thrown), 'danger');
    } finally {
      setIsWaiting(false);
    }
  };
  return (
    <Dialog onClose={onClose} aria-labelledby="confirm-title" aria-describedby="confirm-body">
      <ModalHeader
        title={title}
        labelId="confirm-title"
        {...(isDanger ? { titleIconVariant: 'warning' } : {})}
      />
      <ModalBody id="confirm-body">
        {refusal !== null && (
          <div role="alert">
            <Alert component="h2" variant="danger" isInline title={refusal} />
          </div>
        )}
        {children}
        {progress !== undefined && <div role="status">{isWaiting && progress}</div>}
      </ModalBody>
      <ModalFooter>
        <Button
          variant={isDanger ? 'danger' : 'primary'}
          isLoading={isWaiting}
          onClick={() => void confirm()}
        >
          {verb}
        </Button>
        <Button variant="link" onClick={onClose}>
          {isWaiting ? 'Close' : dismissal}
        </Button>
      </ModalFooter>
    </Dialog>
  );
}
