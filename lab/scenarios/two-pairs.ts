/**
 * A guest with two bonds, each over a VF and a standby of its own; the second pair is plugged while it runs.
 * All VFs leave and come together, and each bond has its own network gap.
 */
import { domainXml, guestExec, type Guest, writeGuestFile } from '../guest.ts';
import { secondPairXml } from '../guest-xml.ts';
import { Probe } from '../probe.ts';
import type { Scenario } from '../runner.ts';
import { hostExec } from '../ssh.ts';
import { guestPlace, type HostLetter, vfPciAddress } from '../topology.ts';
import { GAP_LIMIT_MS, KIT, kitText } from './managed-guest.ts';
import {
  checkNothingHeld,
  checkVfFree,
  engineName,
  hostdevs,
  MIGRATION_LIMIT_MS,
  other,
  refreshHost,
  withEngine,
} from './support.ts';

const BOND_LIMIT_S = 120;

async function plugSecondPair(guest: Guest): Promise<void> {
  const file = `/tmp/${guest.place.name}-second.xml`;
  for (const xml of secondPairXml(guest.place, vfPciAddress(1))) {
    const attach = `cat >${file} && virsh -q attach-device ${guest.place.name} ${file} --live --config`;
    await hostExec('a', attach, { input: xml, limitMs: 180_000 });
  }
}

/** The drivers of the active legs of both bonds, once they are VFs' or that took too long. */
function activeDrivers(host: HostLetter, guest: Guest): Promise<string> {
  const drivers =
    'for bond in bond0 bond1; do basename $(readlink ' +
    '/sys/class/net/$(cat /sys/class/net/$bond/bonding/active_slave)/device/driver); done | xargs';
  const isSo = `[ "$(${drivers})" = "igbvf igbvf" ]`;
  const wait = `for _ in $(seq ${BOND_LIMIT_S}); do ${isSo} && break; sleep 1; done`;
  return guestExec(host, guest, `${wait}; ${drivers}`);
}

const scenario: Scenario = {
  name: 'two-pairs',
  title: 'a guest with two VFs in two bonds moves there and back, and neither is silent for long',
  isLong: true,
  run: (lab) =>
    withEngine(lab, { guest: { manager: 'ifupdown' } }, async ({ api, guest, checks }) => {
      const { name, address, vfMac, standbyMac, second } = guest.place;
      const address6 = guestPlace(1, 6).address;
      await plugSecondPair(guest);
      const pairs = [
        `bond0 ${vfMac} ${standbyMac} address=${address}/24`,
        `bond1 ${second.vfMac} ${second.standbyMac} address=${address6}/64`,
      ];
      await writeGuestFile('a', guest, KIT, await kitText(api, guest, 'script'));
      const folder = '/etc/handover-guest';
      const write = pairs.map((pair) => `echo '${pair}' >>${folder}/pairs`).join('; ');
      await guestExec('a', guest, `mkdir ${folder}; ${write}; sh ${KIT} install`);
      checks.equal('what carries the bonds', await activeDrivers('a', guest), 'igbvf igbvf');
      await refreshHost(api, 'a');
      for (const target of ['b', 'a'] as const) {
        const probes = [await Probe.start(address), await Probe.start(address6)];
        const job = await api.ended(await api.migrate(name, engineName(target)), MIGRATION_LIMIT_MS);
        // The rest looks for the guest on the target.
        if (job.state !== 'succeeded') throw new Error(`the job ${job.state}: ${JSON.stringify(job)}`);
        for (const probe of probes) {
          const totals = await probe.stop();
          checks.that(`no silence of ${GAP_LIMIT_MS} ms`, totals.longestGapMs < GAP_LIMIT_MS, totals);
        }
        const shift = job.steps.find((step) => step.name === 'shift')?.message ?? '';
        checks.that('both bonds were shifted', /bond0 on \w+.*bond1 on \w+/.test(shift), shift);
        checks.equal('gaps told', job.networkGaps.length, 2);
        checks.equal('what carries the bonds', await activeDrivers(target, guest), 'igbvf igbvf');
        const live = hostdevs(await domainXml(target, guest, 'live'));
        checks.equal('VFs of the domain', live.sort(), [vfPciAddress(0), vfPciAddress(1)]);
        for (const vf of [0, 1]) await checkVfFree(checks, other(target), vf);
      }
      await checkNothingHeld(checks, api);
      checks.equal('alerts', await api.alerts(), []);
    }),
};
export default scenario;
