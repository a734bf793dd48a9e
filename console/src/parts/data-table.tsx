/** A table of facts: to be read, not a grid to move about in with arrow keys. Narrow windows get cards. */
import { Table, type TableProps } from '@patternfly/react-table';
import type { ReactNode } from 'react';

/** `label` names it: `Networks`. Inside are PatternFly's `Thead`, `Tbody` and so on. */
export function DataTable({
  label,
  children,
  ...table
}: { readonly label: string; readonly children: ReactNode } & Pick<
  TableProps,
  'gridBreakPoint' | 'className'
>) {
  return (
    <Table aria-label={label} role="table" variant="compact" gridBreakPoint="grid-md" {...table}>
      {children}
    </Table>
  );
}
