/** Which networks a PF may serve. No row = all. Used through `openStore` only. */
import type { Store } from '../app/store-port.ts';
import { HandoverError } from '../base/errors.ts';
import type { HostId, NetworkId, PciAddress } from '../base/ids.ts';
import type { PfConfig } from '../model/network.ts';
import type { Db } from './db.ts';

interface PfConfigRow {
  readonly host_id: HostId;
  readonly pf: PciAddress;
  readonly all_networks_allowed: boolean;
  readonly labels: string[];
  readonly network_ids: NetworkId[];
}

const toPfConfig = (row: PfConfigRow): PfConfig => ({
  hostId: row.host_id,
  pf: row.pf,
  allNetworksAllowed: row.all_networks_allowed,
  networkIds: row.network_ids,
  labels: row.labels,
});

/** The `pfConfigs` part of the store. `put` throws `NOT_FOUND` for a host or network that is not there. */
export function pfConfigStore(db: Db): Store['pfConfigs'] {
  return {
    async list(hostId) {
      const rows = await db.rows<PfConfigRow>(
        `select c.*, array(
           select n.network_id::text from pf_config_networks n
           where n.host_id = c.host_id and n.pf = c.pf order by n.network_id) as network_ids
         from pf_configs c where $1::uuid is null or c.host_id = $1 order by c.host_id, c.pf`,
        [hostId ?? null],
      );
      return rows.map(toPfConfig);
    },

    async put(config) {
      await db.transaction(async (sql) => {
        await sql.rows(
          `insert into pf_configs (host_id, pf, all_networks_allowed, labels) values ($1, $2, $3, $4)
           on conflict (host_id, pf)
             do update set all_networks_allowed = excluded.all_networks_allowed, labels = excluded.labels`,
          [config.hostId, config.pf, config.allNetworksAllowed, config.labels],
          {
            pf_configs_host: () => new HandoverError('NOT_FOUND', `there is no host ${config.hostId}`),
          },
        );
        await sql.rows('delete from pf_config_networks where host_id = $1 and pf = $2', [
          config.hostId,
          config.pf,
        ]);
        await sql.rows(
          `insert into pf_config_networks (host_id, pf, network_id)
           select distinct $1::uuid, $2::text, each from unnest($3::uuid[]) each`,
          [config.hostId, config.pf, config.networkIds],
          {
            pf_config_networks_network: () =>
              new HandoverError('NOT_FOUND', `one of the networks given for PF ${config.pf} is not there`),
          },
        );
      });
    },
  };
}
