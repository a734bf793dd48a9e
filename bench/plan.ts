/**
 * `npm run bench -- plan`: the scheduler alone, one VM with two VFs against 500 hosts with 16 VFs each, half
 * of them in use. Prints a table and one JSON line; nothing of it is timed by a test.
 */
import { performance } from 'node:perf_hooks';
import { type PlanFacts, planMigration } from '../src/scheduler/plan-migration.ts';
import {
  aDomain,
  aHost,
  anInterface,
  anInventory,
  aNetwork,
  aPf,
  aProfile,
  aStandby,
  aVm,
  aVnic,
  hostId,
  networkId,
  pci,
  profileId,
} from '../test/support/builders.ts';

const HOSTS = 500;
const RUNS = 200;

function fleet(): PlanFacts {
  const hosts = Array.from({ length: HOSTS }, (_, index) => {
    const pfs = [aPf('ens1f0', '3b', 8), aPf('ens1f1', '5e', 8)];
    const busy = pfs.flatMap((pf) => pf.vfs.slice(0, 4));
    const domains = busy.map((vf, number) =>
      aDomain(index * 16 + number + 10, `vm-${index}-${number}`, {
        interfaces: [anInterface({ vf: vf.pciAddress })],
      }),
    );
    return aHost(index + 1, `host-${index + 1}`, { inventory: anInventory({ pfs, domains }) });
  });
  return {
    vm: aVm({ hostId: hostId(1), vnics: [aVnic(1), aVnic(2, { vf: pci('0000:3b:02.1') }), aStandby(3)] }),
    domain: aDomain(1, 'web-1'),
    hosts,
    networks: new Map([[networkId(1), aNetwork(1)]]),
    profiles: new Map([[profileId(1), aProfile(1)]]),
    pfConfigs: new Map(),
    reservations: new Map(),
    promisedMemoryKiB: new Map(),
    forJob: null,
    now: 0,
  };
}

const facts = fleet();
const timesMs: number[] = [];
for (let run = 0; run < RUNS; run++) {
  const from = performance.now();
  const plan = planMigration(facts, { targetHostId: null, copyStorage: false });
  timesMs.push(performance.now() - from);
  if (!plan.possible) throw new Error('the plan found no host');
}
timesMs.sort((a, b) => a - b);
const at = (share: number) => Number((timesMs[Math.floor(share * (RUNS - 1))] ?? 0).toFixed(2));
const result = { hosts: HOSTS, vfsPerHost: 16, runs: RUNS, medianMs: at(0.5), p95Ms: at(0.95), maxMs: at(1) };
console.table([result]);
console.log(JSON.stringify(result));
