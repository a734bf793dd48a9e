/**
 * Other domains take every VF of the target while the memory is on its way: the guest stays on its standby
 * under an alert until one is free again. One VF taken and another free: `vf-bound-away.ts`.
 */
import { systemClock, until } from '../../src/base/clock.ts';
import { takeVf, waitForActive } from '../guest.ts';
import { standbyInterfaceName, vfInterfaceName } from '../guest-xml.ts';
import type { Scenario } from '../runner.ts';
import { hostExec } from '../ssh.ts';
import {
  checkNothingHeld,
  checkRunsOn,
  checkVfFree,
  migrateIntoTransfer,
  MIGRATION_LIMIT_MS,
  withEngine,
} from './support.ts';

/** Slow enough that a domain can be started on the target meanwhile. */
const MIB_PER_SECOND = 2;

const scenario: Scenario = {
  name: 'vf-stolen-in-transfer',
  title:
    'where every VF is stolen during the transfer the vNIC waits under an alert, and gets the next free one',
  run: (lab) =>
    withEngine(lab, {}, async ({ api, guest, checks }) => {
      const id = await migrateIntoTransfer(api, guest, 'b', MIB_PER_SECOND);
      const thieves = [await takeVf('b', 0), await takeVf('b', 1)];
      const job = await api.ended(id, MIGRATION_LIMIT_MS);
      checks.equal('the job with every VF stolen', [job.state, job.error], ['succeeded', null]);
      checks.equal(
        'state of the vNIC',
        job.vnics.map((vnic) => vnic.state),
        ['unplugged'],
      );
      const alerts = await api.alerts();
      checks.that(
        'an alert stands that names the VM',
        alerts.some((alert) => alert.message.includes(guest.place.name)),
        alerts,
      );
      await checkVfFree(checks, 'a', 0);
      await checkNothingHeld(checks, api);
      await waitForActive('b', guest, standbyInterfaceName(guest.machine));

      await hostExec('b', `virsh -q destroy ${thieves[1]?.place.name}`);
      await until(systemClock, 'the alert to clear itself', { limitMs: 180_000, everyMs: 500 }, async () =>
        (await api.alerts()).length === 0 ? true : undefined,
      );
      await waitForActive('b', guest, vfInterfaceName(guest.machine));
      await checkRunsOn(checks, guest, 'b', { vf: 1, persistent: false, vfsElsewhere: 'foreign' });
    }),
};
export default scenario;
