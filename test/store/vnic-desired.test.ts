/** What is desired of a vNIC, on PostgreSQL: the contract. */
import { eventually } from '../support/eventually.ts';
import { connectTo, freshStore } from '../support/postgres.ts';
import { vnicDesiredContract } from './vnic-desired-contract.ts';

const { store, connection } = await freshStore();

vnicDesiredContract('PostgreSQL', async () => {
  await connectTo(connection, (client) =>
    client.query('delete from jobs; delete from reservations; delete from hosts'),
  );
  return { store, eventually, close: () => Promise.resolve() };
});
