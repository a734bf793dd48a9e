/** The log of events an operator reads. Used through `openStore` only. */
import type { Store } from '../app/store-port.ts';
import type { HostId, JobId, VmId } from '../base/ids.ts';
import { EVENT_CODES, type EventSeverity, type HandoverEvent } from '../model/job.ts';
import { type Db, toMs } from './db.ts';

interface EventRow {
  readonly id: number;
  readonly code: number;
  readonly severity: EventSeverity;
  readonly time: Date;
  readonly message: string;
  readonly vm_id: VmId | null;
  readonly host_id: HostId | null;
  readonly job_id: JobId | null;
  readonly correlation_id: string | null;
}

const toEvent = (row: EventRow): HandoverEvent => ({
  id: row.id,
  code: row.code,
  severity: row.severity,
  time: toMs(row.time),
  message: row.message,
  vmId: row.vm_id,
  hostId: row.host_id,
  jobId: row.job_id,
  correlationId: row.correlation_id,
});

/** Any number nobody else uses in this database. */
const EVENT_LOCK = 7_264_002;

/**
 * The `events` part of the store. `list` is in the order of ids: with `after` the first `limit` that follow
 * it, without it the last `limit`.
 */
export function eventStore(db: Db): Store['events'] {
  return {
    async list(filter) {
      const order = filter.after === undefined ? 'desc' : 'asc';
      const rows = await db.rows<EventRow>(
        `select * from (
           select * from events
           where id > $1 and ($2::uuid is null or vm_id = $2) and ($3::uuid is null or job_id = $3)
           order by id ${order} limit $4) page
         order by id`,
        [filter.after ?? 0, filter.vmId, filter.jobId, filter.limit],
      );
      return rows.map(toEvent);
    },

    async add(event) {
      return await db.transaction(async (sql) => {
        // One at a time: ids become visible in their order, so that a reader who goes on after the last id
        // misses none.
        await sql.rows('select pg_advisory_xact_lock($1)', [EVENT_LOCK]);
        const row = await sql.first<EventRow>(
          `insert into events (code, severity, message, vm_id, host_id, job_id, correlation_id)
           values ($1, $2, $3, $4, $5, $6, $7) returning *`,
          [
            EVENT_CODES[event.name],
            event.severity,
            event.message.replaceAll('\0', ''),
            event.vmId,
            event.hostId,
            event.jobId,
            event.correlationId,
          ],
        );
        return toEvent(row as EventRow);
      });
    },
  };
}
