/** What needs somebody: each with what to do and where. */
import { Label } from '@patternfly/react-core';
import CheckCircleIcon from '@patternfly/react-icons/dist/esm/icons/check-circle-icon';
import { useEffect, useRef } from 'react';
import { say } from '../../parts/announcer.tsx';
import { Link } from '../../parts/link.tsx';
import { StateLabel } from '../../parts/state-label.tsx';
import { Time } from '../../parts/time.tsx';
import type { Concern } from './overview-words.ts';

/** The part of the page. What comes while it is shown is read out, too. */
export function Concerns({ concerns }: { readonly concerns: readonly Concern[] }) {
  useNewOnesSaid(concerns);
  if (concerns.length === 0) {
    return (
      <Label color="green" icon={<CheckCircleIcon />}>
        Nothing needs you
      </Label>
    );
  }
  return (
    <ul className="plain-list" aria-label="What needs attention">
      {concerns.map(({ key, severity, text, advice, sinceAt, to, linkText }) => (
        <li key={key} className="concern">
          <StateLabel kind="severity" state={severity} />
          <div>
            <p className="concern-text">{text}</p>
            <p className="concern-advice">{advice}</p>
            <span className="links">
              <Link to={to}>{linkText}</Link>
              {sinceAt !== null && <Time at={sinceAt} />}
            </span>
          </div>
        </li>
      ))}
    </ul>
  );
}

function useNewOnesSaid(concerns: readonly Concern[]): void {
  const known = useRef<ReadonlySet<string> | null>(null);
  useEffect(() => {
    const before = known.current;
    known.current = new Set(concerns.map(({ text }) => text));
    const added = before === null ? [] : concerns.filter(({ text }) => !before.has(text));
    if (added.length > 0) say(`Needs attention: ${added.map(({ text }) => text).join('. ')}.`);
  }, [concerns]);
}
