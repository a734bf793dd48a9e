/** Networks. Used through `openStore` only. */
import type { Store } from '../app/store-port.ts';
import { HandoverError } from '../base/errors.ts';
import { isUuid } from '../base/ids.ts';
import type { Network } from '../model/network.ts';
import { type Db, expectFound } from './db.ts';

const SELECT_NETWORKS = 'select id, name, vlan, label, mtu, description from networks';

const columnsOf = (network: Network) => [
  network.id,
  network.name,
  network.vlan,
  network.label,
  network.mtu,
  network.description,
];

const nameTaken = (network: Network) => ({
  networks_name_unique: () =>
    new HandoverError('ALREADY_EXISTS', `there is a network named ${network.name} already`),
});

/** The `networks` part of the store. `remove` throws `IN_USE` while a vNIC profile belongs to the network. */
export function networkStore(db: Db): Store['networks'] {
  return {
    list: () => db.rows<Network>(`${SELECT_NETWORKS} order by name`),

    async get(id) {
      return isUuid(id) ? await db.first<Network>(`${SELECT_NETWORKS} where id = $1`, [id]) : null;
    },

    async add(network) {
      await db.rows(
        'insert into networks (id, name, vlan, label, mtu, description) values ($1, $2, $3, $4, $5, $6)',
        columnsOf(network),
        nameTaken(network),
      );
    },

    async update(network) {
      const row = await db.first(
        `update networks set name = $2, vlan = $3, label = $4, mtu = $5, description = $6
         where id = $1 returning id`,
        columnsOf(network),
        nameTaken(network),
      );
      expectFound(row, 'network', network.id);
    },

    async remove(id) {
      const row = await db.first('delete from networks where id = $1 returning id', [id], {
        vnic_profiles_network: () =>
          new HandoverError('IN_USE', 'the network has vNIC profiles; delete those first'),
      });
      expectFound(row, 'network', id);
    },
  };
}
