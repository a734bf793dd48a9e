/** A moment: how long ago, and exactly when on hover or focus. And a duration. */
import { Tooltip } from '@patternfly/react-core';
import { useEffect, useReducer } from 'react';
import { durationText, exactText, relativeChangesInMs, relativeText } from './time-texts.ts';

/** `at`: ms since 1970, or ISO 8601. Goes on reading right while it is shown. */
export function Time({ at }: { readonly at: number | string }) {
  const ms = typeof at === 'number' ? at : Date.parse(at);
  const [, again] = useReducer((count: number) => count + 1, 0);
  const nowMs = Date.now();
  useEffect(() => {
    const timer = setTimeout(again, relativeChangesInMs(ms, Date.now()));
    return () => clearTimeout(timer);
  });
  return (
    <Tooltip content={exactText(ms)} aria="describedby">
      <time dateTime={new Date(ms).toISOString()} tabIndex={0} className="time">
        {relativeText(ms, nowMs)}
      </time>
    </Tooltip>
  );
}

/** A duration; a dash where it is not known. */
export function Duration({ ms }: { readonly ms: number | null }) {
  return <span className="figure">{ms === null ? '-' : durationText(ms)}</span>;
}
