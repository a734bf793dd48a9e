/**
 * The guest kit in a Debian under a network manager, as a user has it: installed by the script the engine
 * gives, then round trips between the hosts, then uninstalled. One function for all managers.
 */
import type { GuestView } from '../../src/api/types/guest-view.ts';
import type { JobView } from '../../src/api/types/job-view.ts';
import { consoleLog } from '../console-log.ts';
import type { EngineApi } from '../engine-api.ts';
import { type Guest, guestExec, tryGuestExec, waitForVf, writeGuestFile } from '../guest.ts';
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

/** A guest under `manager` gets the kit, moves there and back `rounds` times, and loses the kit again. */
export async function moveManagedGuest(lab: Lab, manager: NetworkManagerName, rounds: number): Promise<void> {
  await withEngine(lab, { guest: { manager } }, async ({ api, guest, checks }) => {
    await installKit(api, checks, guest, manager);
    await waitForVf('a', guest);
    await checkReady(api, checks, guest);
    const note = `printf '#!/bin/sh\\necho "$HANDOVER_EVENT" >>${NOTED}\\n' >${HOOK}; chmod 755 ${HOOK}`;
    await guestExec('a', guest, note);
    for (let move = 0; move < 2 * rounds; move++)
      await moveOnce(api, checks, guest, move % 2 === 0 ? 'b' : 'a', `${manager}, move ${move + 1}`);
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
  const { vfMac, standbyMac, address } = guest.place;
  const refused = await tryGuestExec('a', guest, `sh ${KIT} install`);
  checks.that(
    'the static address is not lost without a word',
    refused.status === 2 && refused.stdout.includes(`address=${address}/24`),
    refused.stdout.toString(),
  );
  // As the refusal says.
  const pairs = `bond0 ${vfMac} ${standbyMac} address=${address}/24`;
  const said = await guestExec(
    'a',
    guest,
    `echo "${pairs}" >/etc/handover-guest/pairs; sh ${KIT} install 2>&1`,
  );
  checks.that('the kit says that the bond works', said.includes('bond0 works'), said);
  const status = JSON.parse(await guestExec('a', guest, 'handover-guest status')) as {
    manager: string;
    conflicts: unknown[];
  };
  checks.equal('the manager and its conflicts', [status.manager, status.conflicts], [manager, []]);
  await checkAddress(checks, 'a', guest, 'bond0');
}

/** The guest's address is on this interface and on no other. */
async function checkAddress(
  checks: Checks,
  host: HostLetter,
  guest: Guest,
  wanted: 'bond0' | 'standby',
): Promise<void> {
  const { address, standbyMac } = guest.place;
  const find =
    `for _ in $(seq ${ADDRESS_LIMIT_S}); do ` +
    `at=$(ip -o addr show | grep " ${address}/" | awk '{ print $2 }'); [ -n "$at" ] && break; sleep 1; done; ` +
    `echo "$at"; cat "/sys/class/net/$at/address"; ls -d /sys/class/net/bond*/bonding 2>/dev/null`;
  const seen = (await tryGuestExec(host, guest, find)).stdout.toString().trim().split('\n');
  if (wanted === 'bond0') checks.equal(`the interface with ${address}`, seen[0], 'bond0');
  else {
    checks.equal(`the MAC address of the interface with ${address}, and the bonds`, seen.slice(1), [
      standbyMac,
    ]);
  }
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

async function moveOnce(
  api: EngineApi,
  checks: Checks,
  guest: Guest,
  target: HostLetter,
  what: string,
): Promise<void> {
  const { address, name } = guest.place;
  await guestExec(other(target), guest, `: >${NOTED}`);
  const probe = await Probe.start(address);
  const transfer = TcpTransfer.start(address);
  const job = await api.ended(await api.migrate(name, engineName(target)), MIGRATION_LIMIT_MS);
  const tcp = await transfer.finish();
  const totals = await probe.stop();
  const gaps = JSON.stringify(job.networkGapMs);
  consoleLog().info(
    `${what}: longest gap ${Math.round(totals.longestGapMs)} ms, the engine's ${gaps}, ` +
      `downtime ${job.downtimeMs} ms`,
  );
  checks.equal(`${what}: the job`, [job.state, job.error], ['succeeded', null]);
  checks.that(`${what}: the TCP connection survived with its data whole`, tcp.survived, tcp);
  checks.that(`${what}: no silence of ${GAP_LIMIT_MS} ms`, totals.longestGapMs < GAP_LIMIT_MS, totals);
  checkShift(checks, job, what);
  await waitForVf(target, guest);
  await checkAddress(checks, target, guest, 'bond0');
  checks.equal(
    `${what}: what the hook was told`,
    (await guestExec(target, guest, `cat ${NOTED}`)).split('\n'),
    ['before-unplug', 'after-plug'],
  );
  await checkRunsOn(checks, guest, target, { vf: 0, persistent: true });
  await checkVfFree(checks, other(target), 0);
  await checkNothingHeld(checks, api);
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
  await checkAddress(checks, 'a', guest, 'standby');
  const probe = await Probe.start(guest.place.address);
  await probe.stop();
}
