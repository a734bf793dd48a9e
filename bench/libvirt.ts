/**
 * `npm run bench -- libvirt`: the wire client against python3-libvirt (libvirt's own C client) on the same
 * daemon, in one run, and what 200 connections cost in memory. JSON on standard output, a table on standard
 * error; ends with 1 if a target is missed. The light call is a domain's state; rounds alternate, and the
 * median of their ratios counts, so that what else the machine does hits both.
 */
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../src/base/clock.ts';
import { silentLog } from '../src/base/log.ts';
import { connect, type Domain, type LibvirtClient, procedures } from '../src/libvirt/index.ts';
import { consoleLog } from '../test/support/console-log.ts';
import { type Libvirtd, startLibvirtd } from '../test/support/libvirtd.ts';
import { installPackages } from '../tools/setup/apt.ts';
import { ensureWirePackages } from '../tools/setup/wire-packages.ts';
import { PythonCaller } from './support/python-caller.ts';

/** Many short rounds: what disturbs one leaves the median alone. */
const ROUNDS = 41;
const CALLS_PER_ROUND = 500;
const WARM_UP_ROUNDS = 8;
const IN_FLIGHT = 50;
const CONNECTIONS = 200;
/** Ratios to python3-libvirt's sequential rate, and MiB. */
const TARGETS = { sequential: 0.75, inFlight: 1.2, connectionsRssMiB: 100 } as const;

interface Round {
  readonly python: number;
  readonly sequential: number;
  readonly inFlight: number;
}

interface Memory {
  readonly rssBeforeMiB: number;
  readonly rssAfterMiB: number;
}

await ensureWirePackages(consoleLog);
await installPackages(['python3-libvirt'], { log: consoleLog });
const daemon = await startLibvirtd({ name: 'bench' });
try {
  const rounds = await measureCalls(daemon);
  report(rounds, measureMemory(daemon));
} finally {
  await daemon.stop();
}

async function measureCalls(of: Libvirtd): Promise<Round[]> {
  const client = await connect(of.unixUri(), { clock: systemClock, log: silentLog });
  const xml = `<domain type='qemu'><name>bench</name><memory unit='MiB'>32</memory>
    <os><type arch='x86_64'>hvm</type></os><features><acpi/></features></domain>`;
  const { dom } = await client.call(procedures.domainCreateXml, { xml, flags: 1 }, { timeoutMs: 120_000 });
  const python = new PythonCaller(of.unixUri(), dom.uuid);
  const rounds: Round[] = [];
  try {
    for (let round = 0; round < WARM_UP_ROUNDS; round++) {
      await sequentialRate(client, dom);
      await inFlightRate(client, dom);
      await python.rate(CALLS_PER_ROUND);
    }
    for (let round = 0; round < ROUNDS; round++) {
      rounds.push({
        python: await python.rate(CALLS_PER_ROUND),
        sequential: await sequentialRate(client, dom),
        inFlight: await inFlightRate(client, dom),
      });
    }
  } finally {
    python.close();
    await client.close();
  }
  return rounds;
}

/** Calls a second, each made when the one before was answered. */
async function sequentialRate(client: LibvirtClient, dom: Domain): Promise<number> {
  const startMs = performance.now();
  for (let call = 0; call < CALLS_PER_ROUND; call++) {
    await client.call(procedures.domainGetState, { dom, flags: 0 });
  }
  return (CALLS_PER_ROUND * 1000) / (performance.now() - startMs);
}

/**
 * Calls a second with 50 callers at a time on one connection; how many are on the wire is the client's
 * business.
 */
async function inFlightRate(client: LibvirtClient, dom: Domain): Promise<number> {
  const startMs = performance.now();
  const callers = Array.from({ length: IN_FLIGHT }, async () => {
    for (let call = 0; call < CALLS_PER_ROUND / IN_FLIGHT; call++) {
      await client.call(procedures.domainGetState, { dom, flags: 0 });
    }
  });
  await Promise.all(callers);
  return (CALLS_PER_ROUND * 1000) / (performance.now() - startMs);
}

/** Node alone, without the loader of TypeScript counting, is what the difference tells. */
function measureMemory(of: Libvirtd): Memory {
  const script = join(dirname(fileURLToPath(import.meta.url)), 'support/open-connections.ts');
  const args = ['--import', 'tsx', script, of.unixUri(), String(CONNECTIONS)];
  const ran = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (ran.status !== 0) throw new Error(`opening ${CONNECTIONS} connections failed: ${ran.stderr}`);
  return JSON.parse(ran.stdout) as Memory;
}

function report(rounds: readonly Round[], memory: Memory): void {
  const sequential = median(rounds.map((one) => one.sequential / one.python));
  const inFlight = median(rounds.map((one) => one.inFlight / one.python));
  const met = {
    sequential: sequential >= TARGETS.sequential,
    inFlight: inFlight >= TARGETS.inFlight,
    connections: memory.rssAfterMiB <= TARGETS.connectionsRssMiB,
  };
  const result = {
    bench: 'libvirt',
    callsPerSecond: {
      python: median(rounds.map((one) => one.python)),
      sequential: median(rounds.map((one) => one.sequential)),
      inFlight: median(rounds.map((one) => one.inFlight)),
    },
    ratio: { sequential, inFlight },
    connections: { count: CONNECTIONS, ...memory },
    targets: TARGETS,
    met,
    rounds,
  };
  const rate = (value: number) => value.toFixed(0).padStart(8);
  const yes = (value: boolean) => (value ? 'met' : 'MISSED');
  const { rssBeforeMiB, rssAfterMiB } = memory;
  process.stderr.write(
    [
      'client                        calls/s   ratio  target',
      `python3-libvirt, sequential  ${rate(result.callsPerSecond.python)}    1.00`,
      `handover, sequential         ${rate(result.callsPerSecond.sequential)}    ` +
        `${sequential.toFixed(2)}  ${TARGETS.sequential} ${yes(met.sequential)}`,
      `handover, ${IN_FLIGHT} in flight       ${rate(result.callsPerSecond.inFlight)}    ` +
        `${inFlight.toFixed(2)}  ${TARGETS.inFlight} ${yes(met.inFlight)}`,
      `${CONNECTIONS} connections: ${rssAfterMiB.toFixed(0)} MiB, ` +
        `${(rssAfterMiB - rssBeforeMiB).toFixed(0)} of them for the connections; ` +
        `target ${TARGETS.connectionsRssMiB} ${yes(met.connections)}`,
      '',
    ].join('\n'),
  );
  process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
  if (Object.values(met).includes(false)) process.exitCode = 1;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
