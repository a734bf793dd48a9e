/**
 * Says what was done: a toast for eyes, a live region for screen readers; and to these alone what eyes see
 * change on the page. `announce` and `say` may be called from anywhere; `<Announcer>` is in `app.tsx` once.
 */
import { Alert, AlertActionCloseButton, AlertGroup } from '@patternfly/react-core';
import { useSyncExternalStore } from 'react';

const SHOWN_MS = 8_000;
const TOASTS_MAX = 4;

interface Toast {
  readonly id: number;
  readonly variant: 'success' | 'warning' | 'danger' | 'info';
  readonly text: string;
}

interface Told {
  readonly toasts: readonly Toast[];
  /** What was said last, by either way. */
  readonly spoken: string;
}

let told: Told = { toasts: [], spoken: '' };
let lastId = 0;
const listeners = new Set<() => void>();

function tell(next: Told): void {
  told = next;
  for (const listener of listeners) listener();
}

const close = (id: number): void => tell({ ...told, toasts: told.toasts.filter((toast) => toast.id !== id) });

/** To screen readers alone: a full sentence of what the page shows anyway. */
export const say = (text: string): void => tell({ ...told, spoken: text });

/** A full sentence; what went wrong belongs where it happened, not here. */
export function announce(text: string, variant: Toast['variant'] = 'success'): void {
  lastId += 1;
  tell({ toasts: [...told.toasts, { id: lastId, variant, text }].slice(-TOASTS_MAX), spoken: text });
}

/** Where they are shown and read out. */
export function Announcer() {
  const { toasts, spoken } = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    () => told,
  );
  return (
    <>
      <div role="status" className="pf-v6-screen-reader">
        {spoken}
      </div>
      <section aria-label="What was done">
        <AlertGroup className="pf-m-toast">
          {toasts.map(({ id, variant, text }) => (
            <Alert
              component="p"
              key={id}
              variant={variant}
              title={text}
              timeout={SHOWN_MS}
              onTimeout={() => close(id)}
              actionClose={<AlertActionCloseButton onClose={() => close(id)} />}
            />
          ))}
        </AlertGroup>
      </section>
    </>
  );
}
