/**
 * VMs and their vNICs as known. What a look at a host changes is in `observe.ts`. Used through `openStore`
 * only.
 */
import type { Store } from '../app/store-port.ts';
import { HandoverError } from '../base/errors.ts';
import { type HostId, isUuid, type JobId, type VmId, type VnicId } from '../base/ids.ts';
import type { Vm, VmStatus, Vnic } from '../model/vm.ts';
import { type Db, expectFound, json, type Sql } from './db.ts';
import { observeVms } from './observe.ts';
import { IS_HELD, nextPlacesVersion, vmHasJob } from './reservations.ts';
import { fromVnic, toVnic, type VnicRow } from './vnic-row.ts';
import { NOTIFY } from './wake-listener.ts';

interface VmRow {
  readonly id: VmId;
  readonly name: string;
  readonly host_id: HostId | null;
  readonly status: VmStatus;
  readonly starting: boolean;
  readonly memory_kib: number;
  readonly vcpus: number;
  readonly vnics: VnicRow[];
  readonly stale_on: HostId[];
}

/** One statement, so that a VM and its vNICs are of one moment. nic2 sorts before nic10. */
const SELECT_VMS = `
  select v.*,
    coalesce((select jsonb_agg(to_jsonb(n) order by length(n.name), n.name)
      from vnics n where n.vm_id = v.id), '[]') as vnics,
    array(select s.host_id::text from stale_definitions s where s.vm_id = v.id order by s.host_id) as stale_on
  from vms v`;

const toVm = (row: VmRow): Vm => ({
  id: row.id,
  name: row.name,
  hostId: row.host_id,
  status: row.status,
  starting: row.starting,
  memoryKiB: row.memory_kib,
  vcpus: row.vcpus,
  vnics: row.vnics.map(toVnic),
  staleOn: row.stale_on,
});

/** The `vms` part of the store. Acting on a VM or vNIC that is not there throws `NOT_FOUND`. */
export function vmStore(db: Db): Store['vms'] {
  return {
    async list() {
      return (await db.rows<VmRow>(`${SELECT_VMS} order by v.name, v.id`)).map(toVm);
    },

    async get(id) {
      if (!isUuid(id)) return null;
      const row = await db.first<VmRow>(`${SELECT_VMS} where v.id = $1`, [id]);
      return row && toVm(row);
    },

    observe: (observation) => observeVms(db, observation),

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

    async setVnicActual(vnicId, actual, vf) {
      const row = await db.first('update vnics set actual = $2, vf = $3 where id = $1 returning id', [
        vnicId,
        actual,
        vf,
      ]);
      expectFound(row, 'vNIC', vnicId);
    },

    async setStarting(vmId, starting) {
      const row = await db.first(
        `update vms set starting = $2 where id = $1 returning id${starting ? `, ${NOTIFY}` : ''}`,
        [vmId, starting],
      );
      expectFound(row, 'VM', vmId);
    },

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
         when not $2 and (actual <> 'unplugged' or ${IS_HELD}) then 'unplug_pending' else actual end
     where id = $1 returning vm_id`,
    [vnicId, plugged],
  );
  expectFound(row, 'vNIC', vnicId);
  if (row !== null) await expectNoJob(sql, row.vm_id);
  await sql.rows(`select ${NOTIFY}`);
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
