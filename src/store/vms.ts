/**
 * VMs and their vNICs as known. What a look at a host changes is in `observe.ts`. Used through `openStore`
 * only.
 */
import type { Store } from '../app/store-port.ts';
import { HandoverError } from '../base/errors.ts';
import { type HostId, isUuid, type VmId } from '../base/ids.ts';
import type { Vm, VmStatus } from '../model/vm.ts';
import { type Db, expectFound } from './db.ts';
import { observeVms } from './observe.ts';
import { toVnic, type VnicRow } from './vnic-row.ts';

interface VmRow {
  readonly id: VmId;
  readonly name: string;
  readonly host_id: HostId | null;
  readonly status: VmStatus;
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

    async setVnicProfile(vnicId, profileId) {
      const row = await db.first(
        'update vnics set profile_id = $2 where id = $1 returning id',
        [vnicId, profileId],
        {
          vnics_profile: () => new HandoverError('NOT_FOUND', `there is no vNIC profile ${profileId}`),
        },
      );
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

    async setHost(vmId, hostId) {
      const row = await db.first('update vms set host_id = $2 where id = $1 returning id', [vmId, hostId], {
        vms_host: () => new HandoverError('NOT_FOUND', `there is no host ${hostId}`),
      });
      expectFound(row, 'VM', vmId);
    },
  };
}
