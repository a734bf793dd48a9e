/**
 * What was last read of each host's inventory, so that a list of hosts asks the database only for those that
 * were looked at since. An inventory is the largest thing the database keeps and changes with a look only,
 * whose number is told with every row: an answer is never older than its row. Used by `hosts.ts` only.
 */
import type { HostId } from '../base/ids.ts';
import type { HostInventory } from '../model/host.ts';

/** What a row of `hosts` says of the inventory; null where it is the known one, or there is none. */
export interface InventoryRow {
  readonly id: HostId;
  readonly inventory: HostInventory | null;
  readonly inventory_look: number;
}

/** An inventory and the number of the look that saw it. */
interface Known {
  readonly look: number;
  readonly inventory: HostInventory;
}

/** By host. Replaced, never changed: a host may be forgotten while another question is under way. */
export type KnownInventories = ReadonlyMap<HostId, Known>;

/** The inventory of a row that was answered to somebody who knew these; null if the host was never seen. */
export const inventoryOf = (row: InventoryRow, known: KnownInventories): HostInventory | null => {
  const before = known.get(row.id);
  return before?.look === row.inventory_look ? before.inventory : row.inventory;
};

/** What is known after these rows, and of no other host. */
export function knownAfter(rows: readonly InventoryRow[], known: KnownInventories): KnownInventories {
  return new Map(
    rows.flatMap((row): [HostId, Known][] => {
      const inventory = inventoryOf(row, known);
      // 0 is no look: a host that is added with an inventory has it.
      return inventory === null || row.inventory_look === 0
        ? []
        : [[row.id, { look: row.inventory_look, inventory }]];
    }),
  );
}
