/** What can be done with one row of a table, behind three dots that say whose they are. */
import { MenuToggle } from '@patternfly/react-core';
import EllipsisVIcon from '@patternfly/react-icons/dist/esm/icons/ellipsis-v-icon';
import { ActionsColumn, type IAction } from '@patternfly/react-table';

/** `of` names the row: `prod`. */
export function RowActions({ of, items }: { readonly of: string; readonly items: readonly IAction[] }) {
  return (
    <ActionsColumn
      items={[...items]}
      popperProps={{ position: 'right' }}
      actionsToggle={({ onToggle, isOpen, isDisabled, toggleRef }) => (
        <MenuToggle
          ref={toggleRef}
          variant="plain"
          aria-label={`Actions of ${of}`}
          icon={<EllipsisVIcon />}
          isExpanded={isOpen}
          isDisabled={isDisabled ?? false}
          onClick={onToggle}
        />
      )}
    />
  );
}
