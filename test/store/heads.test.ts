/** VMs and hosts without what belongs to them, on PostgreSQL: the contract. */
import { eventually } from '../support/eventually.ts';
import { connectTo, freshStore } from '../support/postgres.ts';
import { headsContract } from './heads-contract.ts';

const { store, connection } = await freshStore();

headsContract('PostgreSQL', async () => {
  await connectTo(connection, (client) =>
    client.query('delete from jobs; delete from reservations; delete from hosts'),
  );
  return { store, eventually, close: () => Promise.resolve() };
});
