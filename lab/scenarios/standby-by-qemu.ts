/**
 * A standby that QEMU serves itself, which stands still while a VF is plugged, is found before a move and
 * said with what to do; one that the host's kernel serves is not.
 */
import type { GuestView } from '../../src/api/types/guest-view.ts';
import type { EngineApi } from '../engine-api.ts';
import { bootGuest, type Guest } from '../guest.ts';
import type { Scenario } from '../runner.ts';
import { refreshHost, waitForVm, withEngine } from './support.ts';

async function findingsOf(api: EngineApi, guest: Guest): Promise<GuestView['findings']> {
  const vm = await api.vm(guest.place.name);
  return (await api.request<GuestView>('POST', `/api/vms/${vm.id}/guest/check`, {})).findings;
}

const scenario: Scenario = {
  name: 'standby-by-qemu',
  title: 'a standby that QEMU serves itself is found, with what to do; one that vhost serves is not',
  run: (lab) =>
    withEngine(lab, {}, async ({ api, guest, checks }) => {
      const slow = await bootGuest('a', { number: 2, vf: 1, standbyByQemu: true });
      await refreshHost(api, 'a');
      await waitForVm(api, slow);
      const served = await findingsOf(api, guest);
      checks.equal(
        'what is said of a standby of vhost',
        served.map(({ code }) => code),
        ['bonded'],
      );
      const found = (await findingsOf(api, slow)).find(({ code }) => code === 'no_vhost');
      checks.equal('how bad a standby of QEMU is', found?.level, 'warning');
      checks.that('what to do is said', found?.fix?.includes('vhost_net') === true, found);
    }),
};
export default scenario;
