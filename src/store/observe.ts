/**
 * Takes over what one look at a host found of its VMs, in one transaction. Whatever a job owns is left to the
 * job: a look may be older than what the job did since, also if it ended meanwhile. The rules for vNICs are
 * in `merge-vnics.ts`. Called by `vms.ts` only.
 *
 * Races: looks are taken over one at a time, and one that began before another that was taken over is
 * dropped: it would bring back how things were. Two hosts may show the same VM, new or known, and both looks
 * would merge with what was there before either. A vNIC the migration writes meanwhile waits for this
 * transaction and then wins, because it is written after.
 */
import type { VmObservation } from '../app/store-port.ts';
import type { HostId, VmId } from '../base/ids.ts';
import type { Vm } from '../model/vm.ts';
import { type Db, expectFound, json, type Sql } from './db.ts';
import { mergeVnics, withoutPending } from './merge-vnics.ts';
import { fromVnic, toVnic, type VnicRow } from './vnic-row.ts';

/** A VM as it was before the look. */
interface Known {
  readonly hostId: HostId | null;
  readonly vnics: readonly ReturnType<typeof toVnic>[];
}

/** Any number nobody else uses in this database. */
const OBSERVE_LOCK = 7_264_003;

/**
 * Longer than the pause between two looks at any host: whoever moved a VM by hand has it seen on its new host
 * by then.
 */
const FORGOTTEN_AFTER_S = 180;

/**
 * Not on its host any more, and not seen on another yet. Were it forgotten at once, it would be a stranger
 * there: without its vNICs' profiles, and with a VF that is just out taken for one that nobody wants.
 */
const MISS = `
  update vms set host_id = null, status = 'unknown', missed_since = now() where id = any($1::uuid[])`;

/** Not while a host does not answer: it may be there. */
const FORGET = `
  delete from vms where missed_since < now() - $1 * interval '1 second'
    and not exists (
      select from hosts
      where status = 'non_responsive' or (status = 'maintenance' and status_reason is not null))`;

/** See `Store.vms.observe`. Throws `NOT_FOUND` if the host was removed meanwhile. */
export async function observeVms(db: Db, observation: VmObservation): Promise<void> {
  const { hostId } = observation;
  await db.transaction(async (sql) => {
    await sql.rows('select pg_advisory_xact_lock($1)', [OBSERVE_LOCK]);
    const host = await sql.first<{ vms_look: number }>(
      'select vms_look from hosts where id = $1 for no key update',
      [hostId],
    );
    expectFound(host, 'host', hostId);
    if (host && host.vms_look > observation.look) return;
    await sql.rows('update hosts set vms_look = $2 where id = $1', [hostId, observation.look]);
    await replaceStale(sql, observation);

    const known = await lockKnownVms(sql, observation);
    const moving = await vmsOwnedByJob(sql, [...known.keys()], observation.ageMs);
    // While a job moves a VM, a second domain of it on the other host is the job's business alone.
    const accepted = observation.vms.filter(
      (vm) => !moving.has(vm.id) || known.get(vm.id)?.hostId === hostId,
    );
    await putVms(sql, hostId, accepted);
    await putVnics(sql, accepted, known, moving);

    const stillThere = new Set([...observation.vms.map((vm) => vm.id), ...observation.stale]);
    const gone = [...known].filter(
      ([id, vm]) => vm.hostId === hostId && !stillThere.has(id) && !moving.has(id),
    );
    await sql.rows(MISS, [gone.map(([id]) => id)]);
    await sql.rows(FORGET, [FORGOTTEN_AFTER_S]);
  });
}

async function replaceStale(sql: Sql, observation: VmObservation): Promise<void> {
  await sql.rows('delete from stale_definitions where host_id = $1 and vm_id <> all($2::uuid[])', [
    observation.hostId,
    observation.stale,
  ]);
  await sql.rows(
    `insert into stale_definitions (host_id, vm_id) select $1::uuid, each from unnest($2::uuid[]) each
     on conflict do nothing`,
    [observation.hostId, observation.stale],
  );
}

/** Reads and locks the VMs that are on this host by what is known, and those seen there now. */
async function lockKnownVms(sql: Sql, observation: VmObservation): Promise<Map<VmId, Known>> {
  const vms = await sql.rows<{ id: VmId; host_id: HostId | null }>(
    'select id, host_id from vms where host_id = $1 or id = any($2::uuid[]) for update',
    [observation.hostId, observation.vms.map((vm) => vm.id)],
  );
  const vnics = await sql.rows<VnicRow>('select * from vnics where vm_id = any($1::uuid[]) for update', [
    vms.map((vm) => vm.id),
  ]);
  return new Map(
    vms.map((vm) => [
      vm.id,
      { hostId: vm.host_id, vnics: vnics.filter((vnic) => vnic.vm_id === vm.id).map(toVnic) },
    ]),
  );
}

/**
 * VMs a job moves now, or moved at some time since the look began. A job that ended in the future did so
 * before the clock was set back, and says nothing.
 */
async function vmsOwnedByJob(sql: Sql, vmIds: readonly VmId[], ageMs: number): Promise<ReadonlySet<VmId>> {
  const rows = await sql.rows<{ vm_id: VmId }>(
    `select vm_id from jobs where vm_id = any($1::uuid[])
       and (ended_at is null
         or ended_at > now() - $2 * interval '1 millisecond' and ended_at <= clock_timestamp())`,
    [vmIds, ageMs],
  );
  return new Set(rows.map((row) => row.vm_id));
}

async function putVms(sql: Sql, hostId: HostId, vms: readonly Vm[]): Promise<void> {
  const rows = vms.map((vm) => ({
    id: vm.id,
    name: vm.name,
    host_id: hostId,
    status: vm.status,
    memory_kib: vm.memoryKiB,
    vcpus: vm.vcpus,
  }));
  await sql.rows(
    `insert into vms (id, name, host_id, status, memory_kib, vcpus)
     select id, name, host_id, status, memory_kib, vcpus from jsonb_populate_recordset(null::vms, $1)
     order by id
     on conflict (id) do update set name = excluded.name, host_id = excluded.host_id,
       status = excluded.status, memory_kib = excluded.memory_kib, vcpus = excluded.vcpus,
       missed_since = null`,
    [json(rows)],
  );
}

async function putVnics(
  sql: Sql,
  vms: readonly Vm[],
  known: ReadonlyMap<VmId, Known>,
  moving: ReadonlySet<VmId>,
): Promise<void> {
  const vnicsBefore = (vm: Vm) => {
    const vnics = known.get(vm.id)?.vnics ?? [];
    return vm.status === 'down' && !moving.has(vm.id) ? withoutPending(vnics) : vnics;
  };
  const merged = vms.flatMap((vm) =>
    mergeVnics(vnicsBefore(vm), vm.vnics, moving.has(vm.id)).map((vnic) =>
      fromVnic({ ...vnic, vmId: vm.id }),
    ),
  );
  const vmIds = vms.map((vm) => vm.id);
  await sql.rows('delete from vnics where vm_id = any($1::uuid[]) and id <> all($2::uuid[])', [
    vmIds,
    merged.map((vnic) => vnic.id),
  ]);
  // A profile that was removed since the look began is no profile.
  await sql.rows(
    `insert into vnics (id, vm_id, name, alias, mac, passthrough, model, bridge, profile_id, plugged, kept,
       actual, vf, managed, vlan, guest_address, traits_xml, pool, unplugged_xml, blocker)
     select n.id, n.vm_id, n.name, n.alias, n.mac, n.passthrough, n.model, n.bridge, p.id, n.plugged,
       n.kept, n.actual, n.vf, n.managed, n.vlan, n.guest_address, n.traits_xml, n.pool,
       n.unplugged_xml, n.blocker
     from jsonb_populate_recordset(null::vnics, $1) n left join vnic_profiles p on p.id = n.profile_id
     order by n.id
     on conflict (id) do update set alias = excluded.alias, mac = excluded.mac,
       passthrough = excluded.passthrough, model = excluded.model, bridge = excluded.bridge,
       profile_id = excluded.profile_id, actual = excluded.actual, vf = excluded.vf,
       managed = excluded.managed, vlan = excluded.vlan, guest_address = excluded.guest_address,
       traits_xml = excluded.traits_xml, pool = excluded.pool, blocker = excluded.blocker`,
    [json(merged)],
  );
}
