/** A text to search for: what is typed is shown at once, and searched for when the typing pauses. */
import { SearchInput } from '@patternfly/react-core';
import { useEffect, useEffectEvent, useState } from 'react';

const PAUSE_MS = 250;

/** `value`: what is searched for now. */
export function SearchField({
  label,
  placeholder,
  value,
  onSearch,
}: {
  readonly label: string;
  readonly placeholder: string;
  readonly value: string;
  readonly onSearch: (value: string) => void;
}) {
  const [text, setText] = useState(value);
  const [searched, setSearched] = useState(value);
  // Set by somebody else, the back button for one.
  if (searched !== value) {
    setSearched(value);
    setText(value);
  }
  const search = useEffectEvent((next: string) => {
    setSearched(next);
    onSearch(next);
  });
  useEffect(() => {
    if (text === searched) return undefined;
    const timer = setTimeout(() => search(text), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [text, searched]);
  return (
    <SearchInput
      aria-label={label}
      placeholder={placeholder}
      value={text}
      onChange={(_event, next) => setText(next)}
      onClear={() => setText('')}
    />
  );
}
