/** State that lives in the query of the address, so that a link to what is shown can be given to others. */
import { useCallback } from 'react';
import { useSearchParams } from 'wouter';

/** Changes values by their names, all at once; an empty one is taken out. */
export type SetUrlQuery = (
  changes: Readonly<Record<string, string>>,
  options?: { readonly replace?: boolean; readonly state?: object },
) => void;

/**
 * All values, and how to change several at once, which stays the same function. Makes no entry in the history
 * unless it is told to.
 */
export function useUrlQuery(): readonly [URLSearchParams, SetUrlQuery] {
  const [query, setQuery] = useSearchParams();
  const set = useCallback<SetUrlQuery>(
    (changes, { replace = true, state } = {}) =>
      setQuery(
        (before) => {
          const next = new URLSearchParams(before);
          for (const [name, value] of Object.entries(changes)) {
            if (value === '') next.delete(name);
            else next.set(name, value);
          }
          return next;
        },
        { replace, state },
      ),
    [setQuery],
  );
  return [query, set];
}

/**
 * The value of `name`, empty if it is not there, and how to set it. Typing makes no entries in the history.
 */
export function useUrlState(name: string): readonly [string, (value: string) => void] {
  const [query, setQuery] = useUrlQuery();
  return [query.get(name) ?? '', (value) => setQuery({ [name]: value })];
}

/** What an entry of the history is marked with whose going back closes a dialog. */
const OPENED_HERE = { dialog: true };

/** A dialog whose link can be given to others, and which the back button closes. */
export interface UrlDialog {
  /** What it is about; empty: it is closed. The functions stay the same. */
  readonly value: string;
  readonly open: (value: string) => void;
  readonly close: () => void;
}

/** The dialog named `name`. */
export function useUrlDialog(name: string): UrlDialog {
  const [query, setQuery] = useUrlQuery();
  const open = useCallback(
    (value: string) => setQuery({ [name]: value }, { replace: false, state: OPENED_HERE }),
    [name, setQuery],
  );
  const close = useCallback(() => {
    const state = history.state as Partial<typeof OPENED_HERE> | null;
    if (state?.dialog === true) history.back();
    else setQuery({ [name]: '' });
  }, [name, setQuery]);
  return { value: query.get(name) ?? '', open, close };
}
