/** vNIC profiles. Used through `openStore` only. */
import type { ProfileUse, Store } from '../app/store-port.ts';
import { HandoverError } from '../base/errors.ts';
import { isUuid, type NetworkId, type VnicProfileId } from '../base/ids.ts';
import type { VnicProfile } from '../model/network.ts';
import { type Db, expectFound, type Violations } from './db.ts';
import { toVnic, type VnicRow } from './vnic-row.ts';

interface ProfileRow {
  readonly id: VnicProfileId;
  readonly name: string;
  readonly network_id: NetworkId;
  readonly pass_through: boolean;
  readonly migratable: boolean;
  readonly port_mirroring: boolean;
  readonly failover_id: VnicProfileId | null;
  readonly description: string | null;
}

const toProfile = (row: ProfileRow): VnicProfile => ({
  id: row.id,
  name: row.name,
  networkId: row.network_id,
  passThrough: row.pass_through,
  migratable: row.migratable,
  portMirroring: row.port_mirroring,
  failoverId: row.failover_id,
  description: row.description,
});

const columnsOf = (profile: VnicProfile) => [
  profile.id,
  profile.name,
  profile.networkId,
  profile.passThrough,
  profile.migratable,
  profile.portMirroring,
  profile.failoverId,
  profile.description,
];

const violationsOf = (profile: VnicProfile): Violations => ({
  vnic_profiles_name_unique: () =>
    new HandoverError('ALREADY_EXISTS', `the network has a vNIC profile named ${profile.name} already`),
  vnic_profiles_network: () =>
    new HandoverError(
      'NOT_FOUND',
      `there is no network ${profile.networkId} for vNIC profile ${profile.name}`,
    ),
  vnic_profiles_failover: () =>
    new HandoverError('NOT_FOUND', `there is no vNIC profile ${profile.failoverId} to fail over to`),
});

/**
 * The `profiles` part of the store. `remove` throws `IN_USE` while a vNIC or another profile (as its
 * failover) needs it.
 */
export function profileStore(db: Db): Store['profiles'] {
  return {
    async list() {
      return (await db.rows<ProfileRow>('select * from vnic_profiles order by name, id')).map(toProfile);
    },

    async get(id) {
      if (!isUuid(id)) return null;
      const row = await db.first<ProfileRow>('select * from vnic_profiles where id = $1', [id]);
      return row && toProfile(row);
    },

    async add(profile) {
      await db.rows(
        `insert into vnic_profiles
           (id, name, network_id, pass_through, migratable, port_mirroring, failover_id, description)
         values ($1, $2, $3, $4, $5, $6, $7, $8)`,
        columnsOf(profile),
        violationsOf(profile),
      );
    },

    async update(profile) {
      const row = await db.first(
        `update vnic_profiles set name = $2, network_id = $3, pass_through = $4, migratable = $5,
           port_mirroring = $6, failover_id = $7, description = $8
         where id = $1 returning id`,
        columnsOf(profile),
        violationsOf(profile),
      );
      expectFound(row, 'vNIC profile', profile.id);
    },

    async remove(id) {
      const row = await db.first('delete from vnic_profiles where id = $1 returning id', [id], {
        vnics_profile: () =>
          new HandoverError('IN_USE', 'the vNIC profile is used by vNICs; give them another one first'),
        vnic_profiles_failover: () =>
          new HandoverError('IN_USE', 'the vNIC profile is the failover of another one; change that first'),
      });
      expectFound(row, 'vNIC profile', id);
    },

    async users(id) {
      const rows = await db.rows<VnicRow>(
        'select * from vnics where profile_id = $1 order by vm_id, length(name), name',
        [id],
      );
      return rows.map(toVnic);
    },

    uses: (vmsMax) =>
      db.rows<ProfileUse>(
        `select profile_id as "profileId", count(*) as "vmCount",
           json_agg(json_build_object('id', id, 'name', name) order by name, id)
             filter (where place <= $1) as vms
         from (
           select distinct on (n.profile_id, v.name, v.id) n.profile_id, v.id, v.name,
             dense_rank() over (partition by n.profile_id order by v.name, v.id) as place
           from vnics n join vms v on v.id = n.vm_id where n.profile_id is not null
         ) used group by profile_id order by profile_id`,
        [vmsMax],
      ),
  };
}
