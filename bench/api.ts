/**
 * `npm run bench -- api [--rate N]`: what one engine's API answers, and how fast, with 10,000 VMs on 500
 * hosts in a real PostgreSQL. The engine has the first core to itself; this process, which asks, and
 * PostgreSQL share the others. N requests a second (default 200) leave on schedule, whether or not earlier
 * ones were answered, and a latency counts from the schedule. Prints tables and one JSON line; ends with 1 if
 * an aim is missed.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { systemClock } from '../src/base/clock.ts';
import type { OpenStore } from '../src/store/open-store.ts';
import { openBenchDatabase } from './support/bench-database.ts';
import { addHosts, addJobs, addNetworks, addSessions, VMS_PER_HOST } from './support/api-fleet.ts';
import { type EngineUnderLoad, leaveFirstCore, startEngineUnderLoad } from './support/engine-under-load.ts';
import { openListeners } from './support/event-listeners.ts';
import { ask, closedLoop, keptConnections, latencyOf, openLoop, rounded } from './support/http-load.ts';

const FEW = { hosts: 100, vms: 100 * VMS_PER_HOST } as const;
const MANY = { hosts: 500, vms: 500 * VMS_PER_HOST } as const;
const LOAD = { seconds: 20, warmUpSeconds: 5 } as const;
const BUSY = { connections: 8, seconds: 10 } as const;
const LISTS_IN_A_ROW = 5;
const LISTS_AT_ONCE = 5;
const LISTENERS = 1_000;
const EVENTS = { count: 200, perSecond: 20 } as const;
/** After the last event was recorded. */
const EVENTS_LIMIT_MS = 30_000;
/** An engine reads all hosts when it begins: what it needs for that is not what a request needs. */
const SETTLED_MS = 5_000;
/** Beside the listeners, an ordinary client. */
const BESIDE_PER_SECOND = 20;
const AIMS = { pageP99Ms: 50, oneP99Ms: 10 } as const;

const VMS = '/ovirt-engine/api/vms';
const XML = 'application/xml';
const JSON_TYPE = 'application/json';

const { values } = parseArgs({ options: { rate: { type: 'string', default: '200' } } });
const perSecond = Number(values.rate);
if (!Number.isInteger(perSecond) || perSecond < 1)
  throw new Error(`--rate must be a positive number, not "${values.rate}"`);

/** Latencies at the rate, and what a core that is asked without a pause answers. */
async function measureRequests(engine: EngineUnderLoad, ids: readonly string[]) {
  let at = 0;
  const anyId = () => `${VMS}/${ids[(at += 7919) % ids.length] ?? ''}`;
  const questions = {
    'vms?max=100 XML': { path: () => `${VMS}?max=100`, accept: XML },
    'vms?max=100 JSON': { path: () => `${VMS}?max=100`, accept: JSON_TYPE },
    'vms/ID XML': { path: anyId, accept: XML },
    'vms/ID JSON': { path: anyId, accept: JSON_TYPE },
  } as const;
  const rows = [];
  for (const [request, question] of Object.entries(questions)) {
    const before = engine.cpuSeconds();
    const latency = await openLoop(engine, question, { perSecond, ...LOAD });
    const cpuSeconds = engine.cpuSeconds() - before;
    const busy = await closedLoop(engine, question, BUSY);
    const busyCpuSeconds = engine.cpuSeconds() - before - cpuSeconds;
    rows.push({
      request,
      perSecond,
      ...latency,
      cpuShare: rounded((cpuSeconds * 100) / (LOAD.seconds + LOAD.warmUpSeconds)),
      busyPerSecond: Math.round(busy.perSecond),
      busyCpuShare: rounded((busyCpuSeconds * 100) / BUSY.seconds),
      perCpuSecond: Math.round(busy.requests / busyCpuSeconds),
    });
  }
  return rows;
}

/** Whole lists, and by how much the engine grows meanwhile. */
async function measureLists(engine: EngineUnderLoad, vms: number) {
  const agent = keptConnections();
  const list = async (accept: string) => {
    const beginMs = systemClock.monotonicMs();
    const bytes = await ask(agent, engine, VMS, accept);
    return { bytes, ms: systemClock.monotonicMs() - beginMs };
  };
  const rows = [];
  for (const [format, accept] of Object.entries({ XML, JSON: JSON_TYPE })) {
    await list(accept);
    for (const atOnce of [1, LISTS_AT_ONCE]) {
      const idle = await engine.watch();
      const all = [];
      for (let turn = 0; turn < LISTS_IN_A_ROW; turn++)
        all.push(...(await Promise.all(Array.from({ length: atOnce }, () => list(accept)))));
      const peak = await engine.peak();
      const times = latencyOf(all.map(({ ms }) => ms));
      rows.push({
        list: `${vms} VMs ${format}`,
        atOnce,
        bytes: all[0]?.bytes ?? 0,
        p50Ms: times.p50Ms,
        maxMs: times.maxMs,
        idleRssMiB: rounded(idle.rssMiB),
        rssGrowthMiB: rounded(peak.rssMiBMax - idle.rssMiB),
        heapGrowthMiB: rounded(peak.heapMiBMax - idle.heapMiB),
      });
    }
  }
  agent.destroy();
  return rows;
}

/** Listeners, the events they are told of, and an ordinary client beside them. */
async function measureEvents(engine: EngineUnderLoad, store: OpenStore, ids: readonly string[]) {
  const tokens = await addSessions(store, LISTENERS);
  const before = await engine.watch();
  const listeners = await openListeners(engine, tokens);
  const open = await engine.watch();
  const question = { path: () => `${VMS}/${ids[0] ?? ''}`, accept: JSON_TYPE } as const;
  const seconds = Math.ceil(EVENTS.count / EVENTS.perSecond);
  const beside = openLoop(engine, question, { perSecond: BESIDE_PER_SECOND, seconds, warmUpSeconds: 1 });
  const recorded: number[] = [];
  const beginMs = systemClock.monotonicMs();
  for (let number = 0; number < EVENTS.count; number++) {
    await systemClock.sleep(
      Math.max(0, beginMs + (number * 1_000) / EVENTS.perSecond - systemClock.monotonicMs()),
    );
    const event = { name: 'MIGRATION_STARTED', severity: 'normal', message: `event ${number}` } as const;
    recorded.push((await store.events.add(event)).id);
  }
  const endMs = systemClock.monotonicMs() + EVENTS_LIMIT_MS;
  while (listeners.heard() < EVENTS.count * LISTENERS && systemClock.monotonicMs() < endMs)
    await systemClock.sleep(50);
  const peak = await engine.peak();
  listeners.close();
  const wanted = recorded.join();
  const delay = latencyOf(listeners.delaysMs);
  const get = await beside;
  return {
    listeners: LISTENERS,
    events: EVENTS.count,
    heard: listeners.heard(),
    complete: listeners.ids.filter((each) => each.join() === wanted).length,
    delayP50Ms: delay.p50Ms,
    delayP99Ms: delay.p99Ms,
    delayMaxMs: delay.maxMs,
    heapKiBPerListener: rounded(((open.heapMiB - before.heapMiB) * 1024) / LISTENERS),
    rssGrowthMiB: rounded(peak.rssMiBMax - before.rssMiB),
    getP50Ms: get.p50Ms,
    getP99Ms: get.p99Ms,
  };
}

leaveFirstCore();
const bench = await openBenchDatabase();
const { store } = bench;
const engines: EngineUnderLoad[] = [];
const endEngine = () => engines.pop()?.stop();

/**
 * An engine that has begun a moment ago and done with it, with statistics in the database as autovacuum makes
 * them.
 */
async function freshEngine(): Promise<EngineUnderLoad> {
  await endEngine();
  await bench.settle();
  const engine = await startEngineUnderLoad(join(bench.dataDir, 'engine'), bench.databaseUrl);
  engines.push(engine);
  await systemClock.sleep(SETTLED_MS);
  return engine;
}

try {
  await addNetworks(store);
  await addHosts(store, 0, FEW.hosts);
  const lists = await measureLists(await freshEngine(), FEW.vms);
  await addHosts(store, FEW.hosts, MANY.hosts);
  await addJobs(store);
  const ids = (await store.vms.list()).map(({ id }) => id);
  lists.push(...(await measureLists(await freshEngine(), ids.length)));
  const requests = await measureRequests(await freshEngine(), ids);
  const events = await measureEvents(await freshEngine(), store, ids);
  console.table(requests);
  console.table(lists);
  console.table([events]);
  const reached =
    requests.every(
      ({ request, p99Ms, failed }) =>
        failed === 0 && p99Ms < (request.includes('max') ? AIMS.pageP99Ms : AIMS.oneP99Ms),
    ) && events.complete === events.listeners;
  console.log(
    JSON.stringify({ bench: 'api', vms: ids.length, requests, lists, events, aims: AIMS, reached }),
  );
  if (!reached) process.exitCode = 1;
} finally {
  await endEngine();
  await bench.close();
}
