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
  aPf,
  aStandby,
  aVm,
  aVnic,
  hostId,
  pci,
} from '../test/support/builders.ts';
import { ANY, planFacts } from '../test/support/plan-facts.ts';

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
  const vnics = [aVnic(1), aVnic(2, { vf: pci('0000:3b:02.1') }), aStandby(3)];
  return planFacts({ vm: aVm({ hostId: hostId(1), vnics }), hosts });
}

const facts = fleet();
const timesMs: number[] = [];
for (let run = 0; run < RUNS; run++) {
  const from = performance.now();
  const plan = planMigration(facts, ANY);
  timesMs.push(performance.now() - from);
  if (!plan.possible) throw new Error('the plan found no host');
}
timesMs.sort((a, b) => a - b);
const at = (share: number) => Number((timesMs[Math.floor(share * (RUNS - 1))] ?? 0).toFixed(2));
const result = { hosts: HOSTS, vfsPerHost: 16, runs: RUNS, medianMs: at(0.5), p95Ms: at(0.95), maxMs: at(1) };
console.table([result]);
console.log(JSON.stringify(result));
