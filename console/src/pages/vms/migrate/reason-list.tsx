/** Reasons and warnings of a plan, in full. */
import { List, ListItem } from '@patternfly/react-core';
import BanIcon from '@patternfly/react-icons/dist/esm/icons/ban-icon';
import ExclamationTriangleIcon from '@patternfly/react-icons/dist/esm/icons/exclamation-triangle-icon';

/** `kind` decides the icon; nothing is drawn for an empty list. */
export function ReasonList({
  kind,
  reasons,
}: {
  readonly kind: 'refusal' | 'warning';
  readonly reasons: readonly { readonly code: string; readonly message: string }[];
}) {
  if (reasons.length === 0) return null;
  const icon =
    kind === 'refusal' ? (
      <BanIcon className="icon-refused" />
    ) : (
      <ExclamationTriangleIcon className="icon-warning" />
    );
  const word = kind === 'refusal' ? 'Does not fit:' : 'Warning:';
  return (
    <List isPlain className="reasons">
      {reasons.map(({ code, message }) => (
        <ListItem key={`${code} ${message}`} icon={icon}>
          <span className="pf-v6-screen-reader">{word} </span>
          {message}
        </ListItem>
      ))}
    </List>
  );
}
