/** The in-memory store keeps what the contracts ask of every store. */
import type { JobId } from '../../src/base/ids.ts';
import { aHost, migrateParams, newId } from '../support/builders.ts';
import { createMemoryStore } from '../support/memory-store/memory-store.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { closuresContract } from './closures-contract.ts';
import { accessContract } from './access-contract.ts';
import { reservationsContract } from './reservations-contract.ts';
import { guestsContract } from './guests-contract.ts';
import { headsContract } from './heads-contract.ts';
import { vnicDesiredContract } from './vnic-desired-contract.ts';
import { sagaStoreContract } from './saga-store-contract.ts';

const onVirtual =
  (clock: VirtualClock) =>
  async <T>(what: string, look: () => Promise<T | null>): Promise<T> => {
    for (let turn = 0; turn < 1000; turn++) {
      const seen = await look();
      if (seen !== null) return seen;
      await clock.advance(20);
    }
    throw new Error(`${what} did not come`);
  };

accessContract('in memory', async () => createMemoryStore(new VirtualClock()));

const create = async () => {
  const clock = new VirtualClock();
  return {
    store: createMemoryStore(clock),
    eventually: onVirtual(clock),
    close: () => Promise.resolve(),
  };
};
reservationsContract('in memory', create);
closuresContract('in memory', create);
vnicDesiredContract('in memory', create);
headsContract('in memory', create);
guestsContract('in memory', create);

sagaStoreContract('in memory', async () => {
  const clock = new VirtualClock();
  const store = createMemoryStore(clock);
  let hosts = 0;
  return {
    saga: store.jobs.saga,
    async addJob() {
      hosts += 1;
      const host = aHost(hosts);
      await store.hosts.add(host);
      return (await store.jobs.add(newId<JobId>(), migrateParams(host.id), 'web-1', null)).id;
    },
    requestCancel: (id) => store.jobs.requestCancel(id as JobId),
    retry: async (id) => void (await store.jobs.retry(id as JobId)),
    steps: (id) => store.jobs.steps(id as JobId),
    waitReason: async (id) => (await store.jobs.get(id as JobId))?.waitReason ?? null,
    eventually: onVirtual(clock),
    close: () => Promise.resolve(),
  };
});
