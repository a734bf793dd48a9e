/**
 * Alerts that stand until cleared. They go with the VM or host they are about. Used through `openStore` only.
 */
import type { Alert, Store } from '../app/store-port.ts';
import type { HostId, VmId } from '../base/ids.ts';
import { type Db, toMs } from './db.ts';

interface AlertRow {
  readonly key: string;
  readonly message: string;
  readonly vm_id: VmId | null;
  readonly host_id: HostId | null;
  readonly raised_at: Date;
}

const toAlert = (row: AlertRow): Alert => ({
  key: row.key,
  message: row.message,
  vmId: row.vm_id,
  hostId: row.host_id,
  raisedAt: toMs(row.raised_at),
});

/** The `alerts` part of the store. Raising one about a VM or host that is gone does nothing. */
export function alertStore(db: Db): Store['alerts'] {
  return {
    async list() {
      return (await db.rows<AlertRow>('select * from alerts order by raised_at, key')).map(toAlert);
    },

    async raise(alert) {
      await db.transaction(async (sql) => {
        // Locked, so that what it is about cannot go between this look and the insert.
        const vm = await sql.first('select from vms where id = $1 for key share', [alert.vmId]);
        const host = await sql.first('select from hosts where id = $1 for key share', [alert.hostId]);
        if ((alert.vmId !== null && vm === null) || (alert.hostId !== null && host === null)) return;
        await sql.rows(
          `insert into alerts (key, message, vm_id, host_id) values ($1, $2, $3, $4)
           on conflict (key) do update
             set message = excluded.message, vm_id = excluded.vm_id, host_id = excluded.host_id`,
          [alert.key, alert.message.replaceAll('\0', ''), alert.vmId, alert.hostId],
        );
      });
    },

    async clear(key) {
      return (await db.first('delete from alerts where key = $1 returning key', [key])) !== null;
    },
  };
}
