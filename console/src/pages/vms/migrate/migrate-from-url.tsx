/** The dialog that the address names with `migrate=ID`, or with several ids and commas between them. */
import type { UrlDialog } from '../../../parts/use-url-state.ts';
import { MigrateDialog } from './migrate-dialog.tsx';
import { MigrateManyDialog } from './migrate-many-dialog.tsx';

/** The dialog, if the address names one. `onStarted`: at least one migration was. */
export function MigrateFromUrl({
  dialog,
  onStarted,
}: {
  readonly dialog: UrlDialog;
  readonly onStarted: () => void;
}) {
  const ids = dialog.value.split(',').filter((id) => id !== '');
  const [first] = ids;
  if (first === undefined) return null;
  return ids.length === 1 ? (
    <MigrateDialog key={first} vmId={first} onClose={dialog.close} onStarted={onStarted} />
  ) : (
    <MigrateManyDialog key={dialog.value} vmIds={ids} onClose={dialog.close} onStarted={onStarted} />
  );
}
