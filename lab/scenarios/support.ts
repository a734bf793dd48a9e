/**
 * What scenarios share: an engine that knows the lab's hosts, checks that collect what was seen, and what the
 * hosts themselves say of a VM. The hosts are the judge; the engine's database is never asked whether
 * something is so.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AlertView, JobView } from '../../src/api/types/job-view.ts';
import { EngineProcess } from '../engine.ts';
import { EngineApi } from '../engine-api.ts';
import { systemClock, until } from '../../src/base/clock.ts';
import { bootGuest, domainState, domainXml, type Guest, type GuestOptions, vfFacts } from '../guest.ts';
import { PROFILE_OF_LAB } from '../lab-names.ts';
import type { Lab } from '../lab.ts';
import { hostExec } from '../ssh.ts';
import { type HostLetter, hostPlace, vfPciAddress } from '../topology.ts';

/** Quiet machine: 40 to 60 s for a whole migration. */
export const MIGRATION_LIMIT_MS = 420_000;
const PASSWORD = 'lab-only';
const EMPTY_MACS = ['00:00:00:00:00:00', '02:00:00:00:00:00'];

/** How the engine and the hosts reach libvirtd. */
export type TransportName = 'ssh' | 'tls';

/** The engine of one scenario, with the hosts added over `transport`. */
export interface LabEngine {
  readonly process: EngineProcess;
  readonly api: EngineApi;
  stop(): Promise<void>;
}

/** What may differ from the ordinary engine of a scenario. */
export interface EngineSetup {
  readonly transport?: TransportName;
  readonly onLog?: (line: string) => void;
}

/** Names of hosts as the engine knows them. */
export const engineName = (letter: HostLetter): string => `host-${letter}`;
export const other = (letter: HostLetter): HostLetter => (letter === 'a' ? 'b' : 'a');

/** Starts an engine in the lab and introduces network, profile and both hosts. */
export async function startLabEngine(lab: Lab, setup: EngineSetup = {}): Promise<LabEngine> {
  const dataDir = mkdtempSync(join(tmpdir(), 'handover-lab-'));
  // An interrupted run ends with the lab, and nobody calls `stop` any more.
  const removeData = () => rmSync(dataDir, { recursive: true, force: true });
  globalThis.process.once('exit', removeData);
  const process = new EngineProcess({
    dataDir,
    port: 0,
    password: PASSWORD,
    sshConfigPath: lab.sshConfigPath,
    ...(setup.onLog ? { onLog: setup.onLog } : {}),
  });
  const api = new EngineApi(() => process.url, PASSWORD);
  const stop = async () => {
    await process.stop();
    removeData();
    globalThis.process.removeListener('exit', removeData);
  };
  try {
    await process.start();
    await introduceLab(lab, api, setup.transport ?? 'ssh');
    return { process, api, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Adds the lab's network, passthrough profile and hosts. */
export async function introduceLab(lab: Lab, api: EngineApi, transport: TransportName): Promise<void> {
  const [dataCenter] = await api.list('datacenters', 'data_center');
  const network = await api.add('networks', {
    name: PROFILE_OF_LAB.network,
    data_center: { id: dataCenter?.id },
  });
  await api.add('vnicprofiles', {
    name: PROFILE_OF_LAB.profile,
    network: { id: network.id },
    pass_through: { mode: 'enabled' },
    migratable: 'true',
  });
  const add = (letter: HostLetter) =>
    api.add('hosts', {
      name: engineName(letter),
      libvirt_uri: engineUri(lab, letter, transport),
      peer_uri: `qemu+${transport}://${transport === 'ssh' ? 'root@' : ''}${lab.hosts[letter].name}/system`,
    });
  await Promise.all([add('a'), add('b')]);
}

/** How the engine reaches a host of the lab. */
export function engineUri(lab: Lab, letter: HostLetter, transport: TransportName): string {
  const { managementAddress } = hostPlace(letter);
  if (transport === 'ssh') return `qemu+ssh://root@${managementAddress}/system`;
  return `qemu+tls://${managementAddress}/system?pkipath=${lab.tlsDirectory}`;
}

/**
 * One scenario's frame: an engine that knows both hosts and guests that run, booted at the same time. The
 * engine is stopped whatever happens; then everything that did not hold is thrown at once.
 */
export async function withEngine(
  lab: Lab,
  setup: EngineSetup & { readonly guest?: GuestOptions },
  body: (stage: { engine: LabEngine; api: EngineApi; guest: Guest; checks: Checks }) => Promise<void>,
): Promise<void> {
  const log: string[] = [];
  const [guest, engine] = await settleBoth(
    bootGuest('a', setup.guest),
    startLabEngine(lab, { ...setup, onLog: (line) => log.push(line) }),
  );
  const checks = new Checks();
  try {
    await waitForVm(engine.api, guest);
    await body({ engine, api: engine.api, guest, checks });
  } catch (error) {
    throw new Error(`${(error as Error).message}\nthe engine's last lines:\n${log.slice(-15).join('\n')}`, {
      cause: error,
    });
  } finally {
    await engine.stop();
  }
  checks.done();
}

/** Has the engine look at a host now: what was done behind its back is known sooner. */
export async function refreshHost(api: EngineApi, letter: HostLetter): Promise<void> {
  const { id } = await api.named('hosts', 'host', engineName(letter));
  await api.request('POST', `/ovirt-engine/api/hosts/${id}/refresh`, {});
}

/** Waits until the engine knows the guest as a VM that is up. */
export async function waitForVm(api: EngineApi, guest: Guest): Promise<void> {
  const limits = { limitMs: 60_000, everyMs: 500 };
  await until(systemClock, `the engine to adopt ${guest.place.name}`, limits, async () => {
    const vm = (await api.list('vms', 'vm')).find((each) => each.name === guest.place.name);
    return vm?.status === 'up' ? true : undefined;
  });
}

/**
 * Asks for a migration and waits until memory is on its way, which it then is for long: at 3 MiB/s, or
 * `mibPerSecond`, until `endTransfer`. Returns the id of its job. At full speed a fast machine would have all
 * of it across before it is seen.
 */
export async function migrateIntoTransfer(
  api: EngineApi,
  guest: Guest,
  to: HostLetter,
  mibPerSecond = 3,
): Promise<string> {
  const options = { bandwidth_mib_per_second: String(mibPerSecond) };
  const id = await api.migrate(guest.place.name, engineName(to), options);
  const job = await api.waitForJob(
    id,
    'memory to be on its way',
    MIGRATION_LIMIT_MS,
    // The clock of libvirt's job runs before: the target's QEMU is being started then.
    ({ progress, ended }) => ended || (progress?.bytesTotal ?? 0) > 0,
  );
  if (job.ended) throw new Error(`job ${id} ended before its transfer was seen: ${JSON.stringify(job)}`);
  return id;
}

/** Lets the rest of a transfer that goes on from `host` go at full speed. */
export async function endTransfer(host: HostLetter, guest: Guest): Promise<void> {
  await hostExec(host, `virsh -q migrate-setspeed ${guest.place.name} 10000`);
}

/** Both results; when the guest fails, the engine that started beside it is stopped. */
async function settleBoth(guest: Promise<Guest>, engine: Promise<LabEngine>): Promise<[Guest, LabEngine]> {
  const [booted, started] = await Promise.allSettled([guest, engine]);
  if (booted.status === 'fulfilled' && started.status === 'fulfilled') return [booted.value, started.value];
  if (started.status === 'fulfilled') await started.value.stop();
  throw booted.status === 'rejected' ? booted.reason : (started as PromiseRejectedResult).reason;
}

/** Checks that keep going: a scenario reports everything that is wrong, not the first thing. */
export class Checks {
  readonly failures: string[] = [];
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** Notes `what`; `seen` says what was seen instead when it does not hold. */
  that(what: string, holds: boolean, seen?: unknown): void {
    this.#count += 1;
    if (!holds) this.failures.push(`${what}${seen === undefined ? '' : `; seen: ${JSON.stringify(seen)}`}`);
  }

  equal(what: string, seen: unknown, wanted: unknown): void {
    this.that(`${what} is ${JSON.stringify(wanted)}`, JSON.stringify(seen) === JSON.stringify(wanted), seen);
  }

  /** Throws all that failed. */
  done(): void {
    if (this.failures.length > 0) throw new Error(`\n  - ${this.failures.join('\n  - ')}`);
  }
}

/** The VM runs on `letter` with its VF, and nothing of it is left on the other host: as both hosts say. */
export async function checkRunsOn(
  checks: Checks,
  guest: Guest,
  letter: HostLetter,
  options: { vf: number; persistent: boolean; vfsElsewhere?: 'foreign' },
): Promise<void> {
  const elsewhere = other(letter);
  checks.equal(`state on host ${letter}`, await domainState(letter, guest), 'running');
  checks.equal(`state on host ${elsewhere}`, await domainState(elsewhere, guest), undefined);
  const address = vfPciAddress(options.vf);
  const live = await domainXml(letter, guest, 'live');
  checks.that(
    `the VF ${address} is in the running domain on ${letter}`,
    namesVf(live, address),
    hostdevs(live),
  );
  if (options.persistent) {
    const inactive = await domainXml(letter, guest, 'inactive');
    checks.that(
      `the definition on ${letter} names VF ${address} and no other`,
      namesVf(inactive, address) && hostdevs(inactive).length === 1,
      hostdevs(inactive),
    );
  }
  const facts = await vfFacts(letter, options.vf);
  checks.equal(`driver of VF ${options.vf} on ${letter}`, facts.driver, 'vfio-pci');
  checks.equal(`MAC of VF ${options.vf} on ${letter}`, facts.mac, guest.place.vfMac);
  if (options.vfsElsewhere === 'foreign') return;
  for (const index of [0, 1]) {
    const there = await vfFacts(elsewhere, index);
    checks.that(
      `VF ${index} on ${elsewhere} does not carry the VM's MAC`,
      there.mac !== guest.place.vfMac,
      there.mac,
    );
  }
}

/** The VM starts by itself on the host it is on, as was wanted before it moved. */
export async function checkAutostart(checks: Checks, letter: HostLetter, guest: Guest): Promise<void> {
  const info = await hostExec(letter, `virsh -q dominfo ${guest.place.name}`);
  checks.that(`it starts with host ${letter}`, /Autostart: +enable/.test(info), info);
}

/** Back as before a move from host a that failed: on its VF, nothing held, nothing left on host b. */
export async function checkAtHome(checks: Checks, api: EngineApi, guest: Guest): Promise<void> {
  await checkRunsOn(checks, guest, 'a', { vf: 0, persistent: true });
  await checkAutostart(checks, 'a', guest);
  await checkVfFree(checks, 'b', 0);
  await checkNothingHeld(checks, api);
  checks.equal('alerts', await api.alerts(), []);
}

/** Moved to `letter` from the other host, with everything it had. */
export async function checkMovedTo(
  checks: Checks,
  api: EngineApi,
  guest: Guest,
  letter: HostLetter,
): Promise<void> {
  await checkRunsOn(checks, guest, letter, { vf: 0, persistent: true });
  await checkAutostart(checks, letter, guest);
  await checkVfFree(checks, other(letter), 0);
  await checkNothingHeld(checks, api);
  checks.equal('alerts', await api.alerts(), []);
}

/** Waits until an alert says it; quiet machine: half a minute, the time a silent host is waited for. */
export async function waitForAlert(api: EngineApi, says: RegExp): Promise<AlertView> {
  let seen: readonly AlertView[] = [];
  const limits = { limitMs: 180_000, everyMs: 500 };
  try {
    return await until(systemClock, `an alert that says ${String(says)}`, limits, async () => {
      seen = await api.alerts();
      return seen.find((alert) => says.test(alert.message));
    });
  } catch (cause) {
    throw new Error(`${(cause as Error).message}; last seen: ${JSON.stringify(seen)}`, { cause });
  }
}

/** Messages of the events of a job. */
export async function eventsOf(api: EngineApi, jobId: string): Promise<string[]> {
  const events = await api.list('events', 'event');
  return events
    .filter((event) => (event['job'] as { id?: string } | undefined)?.id === jobId)
    .map((event) => String(event['description']));
}

/** VF `index` of a host is as if nobody had ever used it. */
export async function checkVfFree(checks: Checks, letter: HostLetter, index: number): Promise<void> {
  const facts = await vfFacts(letter, index);
  checks.equal(`driver of VF ${index} on ${letter}`, facts.driver, null);
  checks.that(`MAC of VF ${index} on ${letter} is empty`, EMPTY_MACS.includes(facts.mac), facts.mac);
  checks.equal(`VLAN of VF ${index} on ${letter}`, facts.vlan, 0);
}

/** No reservation outlived its job, as the engine's host nics show, and no job is live. */
export async function checkNothingHeld(checks: Checks, api: EngineApi): Promise<void> {
  const live = (await api.request<JobView[]>('GET', '/api/jobs?live=true')).map((job) => job.id);
  checks.equal('live jobs', live, []);
}

/**
 * The plug was asked for after the guest had resumed on the target, and no sooner than libvirt was done with
 * the move, if that took no longer than the plug step waits for it (`migration/steps/plug.ts`).
 */
export function checkPlugMoment(checks: Checks, job: JobView): void {
  const { resumedAt, plugAskedAt, performReturnedAt } = job.moments;
  const resumed = Date.parse(resumedAt ?? '');
  const asked = Date.parse(plugAskedAt ?? '');
  const returned = Date.parse(performReturnedAt ?? '');
  checks.that('plug was asked for after the guest resumed', asked >= resumed, job.moments);
  checks.that(
    'plug was asked for once libvirt was done with the move, or after three seconds',
    asked >= returned || asked - resumed >= 3_000,
    job.moments,
  );
}

/** PCI addresses of the `<interface type='hostdev'>` elements of a domain. */
export function hostdevs(xml: string): string[] {
  const interfaces = xml.match(/<interface type='hostdev'[\s\S]*?<\/interface>/g) ?? [];
  return interfaces.map((each) => {
    const source = /<source>([\s\S]*?)<\/source>/.exec(each)?.[1] ?? '';
    const part = (name: string) => new RegExp(`${name}='0x([0-9a-f]+)'`).exec(source)?.[1];
    const address = `${part('domain')}:${part('bus')}:${part('slot')}.${part('function')}`;
    return address.includes('undefined') ? 'pool' : address;
  });
}

const namesVf = (xml: string, address: string): boolean => hostdevs(xml).includes(address);
