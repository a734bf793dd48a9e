/**
 * The guest kit in a Debian under a network manager, as a user has it: installed by the script the engine
 * gives, then round trips between the hosts, then uninstalled. One function for all managers.
 */
import type { GuestView } from '../../src/api/types/guest-view.ts';
import type { JobView } from '../../src/api/types/job-view.ts';
import { consoleLog } from '../console-log.ts';
import type { EngineApi } from '../engine-api.ts';
import { type Guest, guestExec, waitForVf, writeGuestFile } from '../guest.ts';
import type { NetworkManagerName } from '../guest-xml.ts';
import type { Lab } from '../lab.ts';
import { Probe } from '../probe.ts';
import { TcpTransfer } from '../tcp-transfer.ts';
import type { HostLetter } from '../topology.ts';
import {
  checkNothingHeld,
  type Checks,
  checkRunsOn,
  checkVfFree,
  engineName,
  MIGRATION_LIMIT_MS,
  other,
  withEngine,
} from './support.ts';

/** Above what is lost while the guest stands still at the switchover, which is most of it. */
export const GAP_LIMIT_MS = 2_000;
/** Where the kit's script is in the guest. */
export const KIT = '/root/kit.sh';
const HOOK = '/etc/handover-guest/hooks.d/10-note';
const NOTED = '/var/tmp/hooks';
/** The guest waits for what it says itself: asking it over and over costs more CPU than it has. */
const ADDRESS_LIMIT_S = 60;

/** A guest under `manager`, and how often it moves there and back. */
export interface ManagedGuest {
  readonly manager: NetworkManagerName;
  readonly rounds: number;
  readonly isIpv6Only?: true;
}

/** The guest gets the kit, moves, and loses the kit again. */
export async function moveManagedGuest(lab: Lab, { rounds, ...options }: ManagedGuest): Promise<void> {
  const { manager } = options;
  await withEngine(lab, { guest: options }, async ({ api, guest, checks }) => {
    await installKit(api, checks, guest, manager);
    await waitForVf('a', guest);
    await checkReady(api, checks, guest);
    for (let move = 0; move < 2 * rounds; move++) {
      const target = move % 2 === 0 ? 'b' : 'a';
      const what = `${manager}, move ${move + 1}`;
      await moveUnderTraffic(api, checks, guest, target, what);
      const { device, noted } = await lookInside(target, guest);
      checks.equal(`${what}: the device with the address`, device, 'bond0');
      checks.equal(`${what}: what the hook was told`, noted, 'before-unplug after-plug');
    }
    await uninstallKit(checks, guest);
    checks.equal('alerts', await api.alerts(), []);
  });
}

/** The engine's text about the guest's bonds, in one of its formats. */
export async function kitText(api: EngineApi, guest: Guest, format: string): Promise<string> {
  const { id } = await api.vm(guest.place.name);
  return api.text(`/api/vms/${id}/guest-kit?format=${format}`);
}

async function installKit(
  api: EngineApi,
  checks: Checks,
  guest: Guest,
  manager: NetworkManagerName,
): Promise<void> {
  await writeGuestFile('a', guest, KIT, await kitText(api, guest, 'script'));
  const { vfMac, standbyMac, address, prefixLength } = guest.place;
  const option = `address=${address}/${prefixLength}`;
  const install = `sh ${KIT} install 2>&1`;
  const said = await guestExec(
    'a',
    guest,
    // As the refusal says.
    `${install}; echo "ended with $?"; ` +
      `echo "bond0 ${vfMac} ${standbyMac} ${option}" >/etc/handover-guest/pairs; ${install} || exit 1; ` +
      `printf '#!/bin/sh\\necho "$HANDOVER_EVENT" >>${NOTED}\\n' >${HOOK}; chmod 755 ${HOOK}; ` +
      'handover-guest status',
  );
  const [refusal = '', works = ''] = said.split('ended with 2\n');
  checks.that('the static address is not lost without a word', refusal.includes(option), said);
  checks.that('the kit says that the bond works', works.includes('bond0 works'), said);
  const status = JSON.parse(said.split('\n').at(-1) ?? '') as { manager: string; conflicts: unknown[] };
  checks.equal('the manager and its conflicts', [status.manager, status.conflicts], [manager, []]);
  const { device } = await lookInside('a', guest);
  checks.equal('the device with the address', device, 'bond0');
}

/** What the guest says of itself, in one call: each costs seconds. */
interface Inside {
  /** The network device with the guest's address, and its MAC address. */
  readonly device: string;
  readonly mac: string;
  readonly bonds: string;
  /** Events the hook was called with since the last look. */
  readonly noted: string;
}

async function lookInside(host: HostLetter, guest: Guest): Promise<Inside> {
  const look =
    `for _ in $(seq ${ADDRESS_LIMIT_S}); do device=$(ip -o addr show | grep " ${guest.place.address}/" | ` +
    `awk '{ print $2 }'); [ -n "$device" ] && break; sleep 1; done; echo "$device"; ` +
    'echo $(cat "/sys/class/net/$device/address"); echo $(cat /sys/class/net/bonding_masters); ' +
    `[ ! -e ${NOTED} ] || echo $(cat ${NOTED}); rm -f ${NOTED}`;
  const said = await guestExec(host, guest, look);
  const [device = '', mac = '', bonds = '', noted = ''] = said.split('\n');
  return { device, mac, bonds, noted };
}

async function checkReady(api: EngineApi, checks: Checks, guest: Guest): Promise<void> {
  const { id } = await api.vm(guest.place.name);
  await api.request('POST', `/api/vms/${id}/guest/check`, {});
  const seen = await api.request<GuestView>('GET', `/api/vms/${id}/guest`);
  checks.equal(
    'what is found out about the guest',
    [seen.standby, seen.findings.map(({ code }) => code)],
    ['ready', ['bonded']],
  );
}

/**
 * A migration by the engine to `target` under traffic, until the bond is on the VF there; `what` names it.
 * The figures go to the log.
 */
export async function moveUnderTraffic(
  api: EngineApi,
  checks: Checks,
  guest: Guest,
  target: HostLetter,
  what: string,
): Promise<void> {
  const { address, name } = guest.place;
  const probe = await Probe.start(address);
  const transfer = TcpTransfer.start(address);
  const job = await api.ended(await api.migrate(name, engineName(target)), MIGRATION_LIMIT_MS);
  const tcp = await transfer.finish();
  const totals = await probe.stop();
  const { networkGapMs: inside, downtimeMs } = job;
  const wholeMs = Date.parse(job.endedAt ?? '') - Date.parse(job.createdAt);
  consoleLog().info(what, { outside: gapsOf(probe, job), inside, downtimeMs, wholeMs });
  checks.equal(`${what}: the job`, [job.state, job.error], ['succeeded', null]);
  checks.that(`${what}: the TCP connection survived with its data whole`, tcp.survived, tcp);
  checks.that(`${what}: no silence of ${GAP_LIMIT_MS} ms`, totals.longestGapMs < GAP_LIMIT_MS, totals);
  checkShift(checks, job, what);
  await waitForVf(target, guest);
  await checkRunsOn(checks, guest, target, { vf: 0, persistent: true });
  await checkVfFree(checks, other(target), 0);
  await checkNothingHeld(checks, api);
}

/** The longest gaps seen from outside, by the phase of the job in which each began; ms. */
function gapsOf(probe: Probe, { moments }: JobView): object {
  const at = (moment: string | null) => Date.parse(moment ?? '');
  const gap = (fromMs: number, toMs: number) => Math.round(probe.record.longestGapBegun(fromMs, toMs));
  const { unplugAskedAt, transferStartedAt, plugAskedAt } = moments;
  return {
    shift: gap(0, at(unplugAskedAt)),
    unplug: gap(at(unplugAskedAt), at(transferStartedAt)),
    switchover: gap(at(transferStartedAt), at(plugAskedAt)),
    plug: gap(at(plugAskedAt), Number.POSITIVE_INFINITY),
  };
}

/** The bond was told to send over the standby before the VF left. */
function checkShift(checks: Checks, job: JobView, what: string): void {
  const shift = job.steps.find((step) => step.name === 'shift' && step.vnic === null);
  const told = shift?.state === 'finished' && /\bbond0 on \w+/.test(shift.message ?? '');
  checks.that(`${what}: the bond was shifted to the standby`, told, shift);
}

async function uninstallKit(checks: Checks, guest: Guest): Promise<void> {
  const said = await guestExec('a', guest, `sh ${KIT} uninstall 2>&1`);
  checks.that('the kit says that it is gone', said.includes('uninstalled'), said);
  const { mac, bonds } = await lookInside('a', guest);
  checks.equal('the address is on, and the bonds left are', [mac, bonds], [guest.place.standbyMac, '']);
  const probe = await Probe.start(guest.place.address);
  await probe.stop();
}
