/**
 * VMs and their vNICs as they are read: one, a part of the list, or how many. Used by `vms.ts` beside it.
 */
import type { Store, VmCount, VmPart } from '../app/store-port.ts';
import { type HostId, isUuid, type VmId } from '../base/ids.ts';
import type { Vm, VmHead, VmStatus } from '../model/vm.ts';
import type { Db } from './db.ts';
import { toVnic, type VnicRow } from './vnic-row.ts';

interface HeadRow {
  readonly id: VmId;
  readonly name: string;
  readonly host_id: HostId | null;
  readonly status: VmStatus;
  readonly starting: boolean;
  readonly memory_kib: number;
  readonly vcpus: number;
}

interface VmRow extends HeadRow {
  readonly vnics: VnicRow[];
  readonly stale_on: HostId[];
}

/** One statement, so that a VM and its vNICs are of one moment. nic2 sorts before nic10. */
const selectVms = (vms: string) => `
  select v.*,
    coalesce((select json_agg(to_json(n) order by length(n.name), n.name)
      from vnics n where n.vm_id = v.id), '[]') as vnics,
    array(select s.host_id::text from stale_definitions s where s.vm_id = v.id order by s.host_id) as stale_on
  from ${vms} v`;
const SELECT_VMS = selectVms('vms');

/** Conditions by the numbers of their parameters; those that are null ask for nothing. */
const isWanted = (named: string, ignoringCase: string, hostId: string) => `
  (${named}::text is null or name like ${named} or (${ignoringCase} and name ilike ${named}))
  and (${hostId}::uuid is null or host_id = ${hostId})`;
const wantedValues = ({ named, ignoringCase = false, hostId }: VmPart): unknown[] => [
  named === undefined ? null : likePattern(named),
  ignoringCase,
  hostId,
];

const SELECT_HEADS = `
  select id, name, host_id, status, starting, memory_kib, vcpus from vms
  where ($1::text is null or (name, id) > ($1, $2::uuid)) and ${isWanted('$3', '$4', '$5')}
  order by name, id offset $6 limit $7`;
/** The rows of a part are found first, so that nothing is gathered for those it passes over. */
const SELECT_PART = `${selectVms(`(${SELECT_HEADS})`)} order by v.name, v.id`;

const partValues = ({ after, skip = 0, limit, ...wanted }: VmPart = {}): unknown[] => [
  after?.name,
  after?.id,
  ...wantedValues(wanted),
  skip,
  limit,
];

/** For `like`: `*` is any text, and nothing else means anything but itself. */
const likePattern = (named: string): string => named.replace(/[\\%_]/g, '\\$&').replaceAll('*', '%');

const toHead = (row: HeadRow): VmHead => ({
  id: row.id,
  name: row.name,
  hostId: row.host_id,
  status: row.status,
  starting: row.starting,
  memoryKiB: row.memory_kib,
  vcpus: row.vcpus,
});

const toVm = (row: VmRow): Vm => ({
  ...toHead(row),
  vnics: row.vnics.map(toVnic),
  staleOn: row.stale_on,
});

/** The part of `Store['vms']` that reads. */
export function vmReads(db: Db): Pick<Store['vms'], 'list' | 'listHeads' | 'count' | 'counts' | 'get'> {
  return {
    async list(part) {
      return (await db.rows<VmRow>(SELECT_PART, partValues(part))).map(toVm);
    },

    async listHeads(part) {
      return (await db.rows<HeadRow>(SELECT_HEADS, partValues(part))).map(toHead);
    },

    async count(part) {
      const row = await db.first<{ count: number }>(
        `select count(*) from vms where ${isWanted('$1', '$2', '$3')}`,
        wantedValues(part),
      );
      return row?.count ?? 0;
    },

    counts: () =>
      db.rows<VmCount>(
        `select host_id as "hostId", status, count(*) from vms
         group by host_id, status order by host_id, status`,
      ),

    async get(id) {
      if (!isUuid(id)) return null;
      const row = await db.first<VmRow>(`${SELECT_VMS} where v.id = $1`, [id]);
      return row && toVm(row);
    },
  };
}
