/** The guest's side of VMs, on PostgreSQL: the contract. */
import { eventually } from '../support/eventually.ts';
import { connectTo, freshStore } from '../support/postgres.ts';
import { guestsContract } from './guests-contract.ts';

const { store, connection } = await freshStore();

guestsContract('PostgreSQL', async () => {
  await connectTo(connection, (client) => client.query('delete from hosts; delete from vms'));
  return { store, eventually, close: () => Promise.resolve() };
});
