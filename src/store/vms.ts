/**
 * VMs and their vNICs as known. What a look at a host changes is in `observe.ts`. Used through `openStore`
 * only.
 */
import type { Store } from '../app/store-port.ts';
import { HandoverError } from '../base/errors.ts';
import type { JobId, VmId, VnicId } from '../base/ids.ts';
import type { Vnic } from '../model/vm.ts';
import { type Db, expectFound, json, type Sql } from './db.ts';
import { observeVms } from './observe.ts';
import { IS_HELD, nextPlacesVersion, vmHasJob } from './reservations.ts';
import { fromVnic } from './vnic-row.ts';
import { vmReads } from './vm-reads.ts';
import { NOTIFY } from './wake-listener.ts';

/** The `vms` part of the store. Acting on a VM or vNIC that is not there throws `NOT_FOUND`. */
export function vmStore(db: Db): Store['vms'] {
  return {
    ...vmReads(db),

    observe: (observation) => observeVms(db, observation),

    remove: (id) => db.transaction((sql) => removeVm(sql, id)),

    beginRemoval: (id, limitMs) => db.transaction((sql) => beginRemoval(sql, id, limitMs)),

    async endRemoval(id) {
      await db.rows('update vms set removing_until = null where id = $1', [id]);
    },

    async setVnicProfile(vnicId, profileId, vlan) {
      const row = await db.first(
        'update vnics set profile_id = $2, vlan = $3 where id = $1 returning id',
        [vnicId, profileId, vlan],
        {
          vnics_profile: () => new HandoverError('NOT_FOUND', `there is no vNIC profile ${profileId}`),
        },
      );
      expectFound(row, 'vNIC', vnicId);
    },

    setVnicDesired: (vnicId, plugged) => db.transaction((sql) => setVnicDesired(sql, vnicId, plugged)),

    addVnic: (vnic) => db.transaction((sql) => addVnic(sql, vnic)),

    removeVnic: (vnicId) => db.transaction((sql) => removeVnic(sql, vnicId)),

    async setVnicUnpluggedXml(vnicId, xml) {
      const row = await db.first('update vnics set unplugged_xml = $2 where id = $1 returning id', [
        vnicId,
        xml,
      ]);
      expectFound(row, 'vNIC', vnicId);
    },

    async setVnicActual(vnicId, actual, vf) {
      const row = await db.first('update vnics set actual = $2, vf = $3 where id = $1 returning id', [
        vnicId,
        actual,
        vf,
      ]);
      expectFound(row, 'vNIC', vnicId);
    },

    setStarting: (vmId, starting) => setStarting(db, vmId, starting),

    async setHost(vmId, hostId) {
      const row = await db.first('update vms set host_id = $2 where id = $1 returning id', [vmId, hostId], {
        vms_host: () => new HandoverError('NOT_FOUND', `there is no host ${hostId}`),
      });
      expectFound(row, 'VM', vmId);
    },
  };
}

/**
 * A job that is added after the look for one reserves after this transaction (both lock `places`), and then
 * finds what is desired now.
 */
async function setVnicDesired(sql: Sql, vnicId: VnicId, plugged: boolean): Promise<void> {
  await nextPlacesVersion(sql, null);
  const row = await sql.first<{ vm_id: VmId }>(
    `update vnics n set plugged = $2, kept = true,
       actual = case
         when not $2 and passthrough and (actual <> 'unplugged' or ${IS_HELD}) then 'unplug_pending'
         when not $2 and not passthrough then 'unplugged' else actual end
     where id = $1 returning vm_id`,
    [vnicId, plugged],
  );
  expectFound(row, 'vNIC', vnicId);
  if (row !== null) await expectNoJob(sql, row.vm_id);
  await sql.rows(`select ${NOTIFY}`);
}

async function setStarting(db: Db, vmId: VmId, starting: boolean): Promise<void> {
  const row = await db.first<{ name: string; starting: boolean }>(
    `update vms set starting = $2 and coalesce(removing_until < now(), true) where id = $1
     returning name, starting${starting ? `, ${NOTIFY}` : ''}`,
    [vmId, starting],
  );
  expectFound(row, 'VM', vmId);
  if (starting && row?.starting === false) throw isRemoved(row.name);
}

const isRemoved = (name: string) =>
  new HandoverError('VM_STATUS_WRONG', `${name} is being removed, so it can not be started`);

async function beginRemoval(sql: Sql, id: VmId, limitMs: number): Promise<void> {
  const row = await sql.first<{ name: string; starting: boolean }>(
    `update vms set removing_until = now() + $2 * interval '1 millisecond' where id = $1
     returning name, starting`,
    [id, limitMs],
  );
  expectFound(row, 'VM', id);
  if (row?.starting)
    throw new HandoverError('VM_STATUS_WRONG', `${row.name} is being started; stop it before it is removed`);
  await expectNoJob(sql, id);
}

async function removeVm(sql: Sql, id: VmId): Promise<void> {
  await nextPlacesVersion(sql, null);
  // Of all hosts: a second definition of it was removed elsewhere.
  await sql.rows("update hosts set vms_look = nextval('looks')");
  await sql.rows('delete from vms where id = $1', [id]);
  await expectNoJob(sql, id);
}

async function addVnic(sql: Sql, vnic: Vnic): Promise<void> {
  await nextPlacesVersion(sql, null);
  expectFound(
    await sql.first('select id from vms where id = $1 for key share', [vnic.vmId]),
    'VM',
    vnic.vmId,
  );
  await expectNoJob(sql, vnic.vmId);
  await sql.rows(
    'insert into vnics select * from jsonb_populate_record(null::vnics, $1)',
    [json(fromVnic(vnic))],
    {
      vnics_name_unique: () =>
        new HandoverError(
          'ALREADY_EXISTS',
          `the VM has a vNIC named ${vnic.name} already; choose another name`,
        ),
    },
  );
}

async function expectNoJob(sql: Sql, vmId: VmId): Promise<void> {
  const job = await sql.first<{ id: JobId }>('select id from jobs where vm_id = $1 and ended_at is null', [
    vmId,
  ]);
  if (job !== null) throw vmHasJob(job.id, vmId);
}

async function removeVnic(sql: Sql, vnicId: VnicId): Promise<void> {
  await nextPlacesVersion(sql, null);
  // A look that began before would bring it back. Hosts first, as a look locks them.
  await sql.rows(
    `update hosts h set vms_look = nextval('looks') from vnics n join vms v on v.id = n.vm_id
     where n.id = $1 and h.id = v.host_id`,
    [vnicId],
  );
  const row = await sql.first<{ vm_id: VmId; held: boolean }>(
    `delete from vnics n where id = $1 returning vm_id, ${IS_HELD} as held`,
    [vnicId],
  );
  if (row === null) return;
  await expectNoJob(sql, row.vm_id);
  if (row.held) throw new HandoverError('IN_USE', `vNIC ${vnicId} is being plugged or unplugged`);
}
