/**
 * A guest that does not give its VF back: undone within the limit; what it gives back late is plugged again.
 */
import { systemClock, until } from '../../src/base/clock.ts';
import { deafenToUnplug, letGoOfVf, waitForActive } from '../guest.ts';
import { vfInterfaceName } from '../guest-xml.ts';
import type { Scenario } from '../runner.ts';
import {
  checkNothingHeld,
  checkRunsOn,
  checkVfFree,
  engineName,
  MIGRATION_LIMIT_MS,
  withEngine,
} from './support.ts';

const scenario: Scenario = {
  name: 'deaf-guest',
  title:
    'a guest that ignores the unplug stays where it is with its VF, and gets it back when it lets ' +
    'go of it late',
  run: (lab) =>
    withEngine(lab, {}, async ({ api, guest, checks }) => {
      await deafenToUnplug('a', guest);
      const id = await api.migrate(guest.place.name, engineName('b'), { unplug_timeout_ms: '6000' });
      const job = await api.ended(id, MIGRATION_LIMIT_MS);
      checks.equal('the job', [job.state, job.error?.code], ['failed', 'UNPLUG_TIMED_OUT']);
      checks.that(
        'the error names the vNIC and its VF',
        /nic\d.*0000:01:10\.0/.test(job.error?.message ?? ''),
        job.error,
      );
      checks.equal(
        'state of the vNIC',
        job.vnics.map((vnic) => vnic.state),
        ['unplug_pending'],
      );
      await checkRunsOn(checks, guest, 'a', { vf: 0, persistent: true });
      await checkVfFree(checks, 'b', 0);
      await checkNothingHeld(checks, api);
      const alerts = await api.alerts();
      checks.that(
        'an alert stands that names VM and vNIC',
        alerts.some((alert) => alert.message.includes(guest.place.name)),
        alerts,
      );
      // The guest obeys what it was asked meanwhile: the VF goes, and comes back.
      await letGoOfVf('a', guest);
      const limits = { limitMs: 180_000, everyMs: 500 };
      await until(systemClock, 'the alert to clear itself', limits, async () =>
        (await api.alerts()).length === 0 ? true : undefined,
      );
      await waitForActive('a', guest, vfInterfaceName(guest.machine));
      await checkRunsOn(checks, guest, 'a', { vf: 0, persistent: true });
    }),
};
export default scenario;
