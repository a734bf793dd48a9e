/**
 * A guest that has no IPv4 address: neighbours learn where it is by neighbour advertisements alone, and its
 * address is duplicate-checked wherever it comes up.
 */
import { guestExec, waitForVf, writeGuestFile } from '../guest.ts';
import { Probe } from '../probe.ts';
import type { Scenario } from '../runner.ts';
import { TcpTransfer } from '../tcp-transfer.ts';
import { GAP_LIMIT_MS, KIT, kitText } from './managed-guest.ts';
import { checkNothingHeld, checkRunsOn, engineName, MIGRATION_LIMIT_MS, withEngine } from './support.ts';

const scenario: Scenario = {
  name: 'ipv6-only',
  title: 'a guest that has IPv6 alone moves there and back, its TCP connection lives, its gap is measured',
  run: (lab) =>
    withEngine(lab, { guest: { manager: 'networkd' } }, async ({ api, guest, checks }) => {
      const { name, address6, vfMac, standbyMac } = guest.place;
      await writeGuestFile('a', guest, KIT, await kitText(api, guest, 'script'));
      const pair = `bond0 ${vfMac} ${standbyMac} address=${address6}/64`;
      const folder = '/etc/handover-guest';
      await guestExec('a', guest, `mkdir ${folder} && echo '${pair}' >${folder}/pairs && sh ${KIT} install`);
      await waitForVf('a', guest);
      checks.equal('IPv4 addresses', await guestExec('a', guest, 'ip -4 -o addr show scope global'), '');
      const { id } = await api.vm(name);
      await api.request('POST', `/api/vms/${id}/guest/probe?address=${address6}`, {});
      for (const target of ['b', 'a'] as const) {
        const probe = await Probe.start(address6);
        const transfer = TcpTransfer.start(address6);
        const job = await api.ended(await api.migrate(name, engineName(target)), MIGRATION_LIMIT_MS);
        const tcp = await transfer.finish();
        const totals = await probe.stop();
        checks.equal(`the job to ${target}`, [job.state, job.error], ['succeeded', null]);
        checks.that('the TCP connection survived with its data whole', tcp.survived, tcp);
        checks.that(`no silence of ${GAP_LIMIT_MS} ms`, totals.longestGapMs < GAP_LIMIT_MS, totals);
        checks.equal(
          'how the gap was measured',
          job.networkGaps.map(({ by, doubt }) => [by, doubt]),
          [['probe', null]],
        );
        await waitForVf(target, guest);
        await checkRunsOn(checks, guest, target, { vf: 0, persistent: true });
      }
      await checkNothingHeld(checks, api);
      checks.equal('alerts', await api.alerts(), []);
    }),
};
export default scenario;
