/** Hosts: settings as columns, what was seen as one JSON document. Used through `openStore` only. */
import type { Store } from '../app/store-port.ts';
import { present } from '../base/assert.ts';
import { HandoverError } from '../base/errors.ts';
import { type HostId, isUuid } from '../base/ids.ts';
import type { Host, HostHead, HostInventory, HostStatus, PeerTest } from '../model/host.ts';
import { inventoryOf, type InventoryRow, type KnownInventories, knownAfter } from './inventory-memory.ts';
import { type Db, expectFound, json, toMsOrNull } from './db.ts';

interface HeadRow {
  readonly id: HostId;
  readonly name: string;
  readonly uri: string;
  readonly peer_uri: string | null;
  readonly migration_address: string | null;
  readonly status: HostStatus;
  readonly status_reason: string | null;
  readonly outgoing_max: number;
  readonly incoming_max: number;
}

interface HostRow extends HeadRow, InventoryRow {
  readonly observed_at: Date | null;
  readonly peer_tests: Readonly<Record<string, PeerTest>>;
}

const PEER_TESTS = `
  coalesce((
    select jsonb_object_agg(p.target_host_id, jsonb_build_object(
      'ok', p.ok, 'message', p.message, 'testedAt', round(extract(epoch from p.tested_at) * 1000)))
    from peer_tests p where p.source_host_id = h.id), '{}') as peer_tests`;

const SELECT_HOST = `select h.*, ${PEER_TESTS} from hosts h where h.id = $1`;

/** $1 and $2: hosts whose inventory the asker has, and from which look. */
const SELECT_HOSTS = `
  select h.id, name, uri, peer_uri, migration_address, status, status_reason, outgoing_max, incoming_max,
    observed_at, inventory_look, ${PEER_TESTS},
    case when known.look = h.inventory_look then null else h.inventory end as inventory
  from hosts h left join unnest($1::uuid[], $2::bigint[]) as known(id, look) on known.id = h.id
  order by h.name`;

const SELECT_HEADS = `
  select id, name, uri, peer_uri, migration_address, status, status_reason, outgoing_max, incoming_max
  from hosts order by name`;

const toHead = (row: HeadRow): HostHead => ({
  id: row.id,
  name: row.name,
  uri: row.uri,
  peerUri: row.peer_uri,
  migrationAddress: row.migration_address,
  status: row.status,
  statusReason: row.status_reason,
  outgoingMax: row.outgoing_max,
  incomingMax: row.incoming_max,
});

const toHost = (row: HostRow): Host => ({
  ...toHead(row),
  inventory: row.inventory,
  observedAt: toMsOrNull(row.observed_at),
  peerTests: row.peer_tests,
});

const nameTaken = (name: string | undefined) => ({
  hosts_name_unique: () => new HandoverError('ALREADY_EXISTS', `there is a host named ${name} already`),
});

/** The `hosts` part of the store. Acting on a host that is not there throws `NOT_FOUND`. */
export function hostStore(db: Db): Store['hosts'] {
  let known: KnownInventories = new Map();
  return {
    async list() {
      const before = known;
      const looks = Array.from(before.values(), ({ look }) => look);
      const rows = await db.rows<HostRow>(SELECT_HOSTS, [[...before.keys()], looks]);
      known = knownAfter(rows, before);
      return rows.map((row) => ({ ...toHost(row), inventory: inventoryOf(row, before) }));
    },

    async listHeads() {
      return (await db.rows<HeadRow>(SELECT_HEADS)).map(toHead);
    },

    async get(id) {
      if (!isUuid(id)) return null;
      const row = await db.first<HostRow>(SELECT_HOST, [id]);
      return row && toHost(row);
    },

    add: (host) => addHost(db, host),

    async setStatus(id, status, reason) {
      const row = await db.first(
        `update hosts set status_reason = $3,
           status = case when status = 'maintenance' and $2 = 'non_responsive' then status else $2 end
         where id = $1 returning id`,
        [id, status, reason],
      );
      expectFound(row, 'host', id);
    },

    nextLook: () => nextLook(db),
    setInventory: (...args) => setInventory(db, ...args),

    async setPeerTest(id, target, test) {
      const row = await db.first(PUT_PEER_TEST, [id, target, test.ok, test.message, new Date(test.testedAt)]);
      expectFound(row, 'pair of hosts', `${id} -> ${target}`);
    },

    async updateSettings(id, settings) {
      const row = await db.first(
        `update hosts set
           name = coalesce($2, name),
           uri = coalesce($3, uri),
           peer_uri = case when $4 then $5 else peer_uri end,
           migration_address = case when $6 then $7 else migration_address end,
           outgoing_max = coalesce($8, outgoing_max),
           incoming_max = coalesce($9, incoming_max)
         where id = $1 returning id`,
        [
          id,
          settings.name,
          settings.uri,
          settings.peerUri !== undefined,
          settings.peerUri,
          settings.migrationAddress !== undefined,
          settings.migrationAddress,
          settings.outgoingMax,
          settings.incomingMax,
        ],
        nameTaken(settings.name),
      );
      expectFound(row, 'host', id);
    },

    remove: (id) => removeHost(db, id),
  };
}

async function nextLook(db: Db): Promise<number> {
  const row = await db.first<{ look: number }>(`select nextval('looks') as look`);
  return present(row, 'the number of a look').look;
}

async function setInventory(
  db: Db,
  id: HostId,
  inventory: HostInventory,
  observedAt: number,
  look: number,
): Promise<void> {
  const row = await db.first(
    `with kept as (
       update hosts set inventory = $2, observed_at = $3, inventory_look = $4,
         status = case when status = 'maintenance' then status else 'up' end, status_reason = null
       where id = $1 and inventory_look <= $4)
     select id from hosts where id = $1`,
    [id, json(inventory), new Date(observedAt), look],
  );
  expectFound(row, 'host', id);
}

async function addHost(db: Db, host: Host): Promise<void> {
  await db.transaction(async (sql) => {
    await sql.rows(
      `insert into hosts (id, name, uri, peer_uri, migration_address, status, status_reason,
         outgoing_max, incoming_max, inventory, observed_at)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
      [
        host.id,
        host.name,
        host.uri,
        host.peerUri,
        host.migrationAddress,
        host.status,
        host.statusReason,
        host.outgoingMax,
        host.incomingMax,
        host.inventory && json(host.inventory),
        host.observedAt === null ? null : new Date(host.observedAt),
      ],
      nameTaken(host.name),
    );
    for (const [target, test] of Object.entries(host.peerTests)) {
      await sql.rows(PUT_PEER_TEST, [host.id, target, test.ok, test.message, new Date(test.testedAt)]);
    }
  });
}

/** Inserts nothing if one of the two hosts is gone. */
const PUT_PEER_TEST = `
  insert into peer_tests (source_host_id, target_host_id, ok, message, tested_at)
  select s.id, t.id, $3, $4, $5 from hosts s, hosts t where s.id = $1 and t.id = $2
  on conflict (source_host_id, target_host_id)
    do update set ok = excluded.ok, message = excluded.message, tested_at = excluded.tested_at
  returning source_host_id`;

async function removeHost(db: Db, id: HostId): Promise<void> {
  await db.transaction(async (sql) => {
    // Adding a job or a reservation locks its hosts for key share, so none can slip in between this look and
    // the delete.
    const host = await sql.first<{ name: string }>('select name from hosts where id = $1 for update', [id]);
    if (host === null) throw new HandoverError('NOT_FOUND', `there is no host ${id}`);
    const job = await sql.first<{ id: string; vm_name: string }>(
      `select id, vm_name from jobs
       where ended_at is null and (
         source_host_id = $1 or target_host_id = $1 or params->>'targetHostId' = $1::text
         or exists (select from reservations r where r.job_id = jobs.id and r.host_id = $1)) limit 1`,
      [id],
    );
    if (job !== null) {
      throw new HandoverError(
        'IN_USE',
        `host ${host.name} takes part in migrating ${job.vm_name} (job ${job.id}); wait for it or cancel it`,
        { detail: { jobId: job.id } },
      );
    }
    // Only holds can be left: no job means no reservation.
    await sql.rows('delete from reservations where host_id = $1', [id]);
    await sql.rows('delete from hosts where id = $1', [id]);
  });
}
