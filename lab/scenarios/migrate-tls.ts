/** The same over qemu+tls. */
import { waitForActive } from '../guest.ts';
import { vfInterfaceName } from '../guest-xml.ts';
import type { Scenario } from '../runner.ts';
import {
  checkNothingHeld,
  checkPlugMoment,
  checkRunsOn,
  checkVfFree,
  engineName,
  MIGRATION_LIMIT_MS,
  withEngine,
} from './support.ts';

const scenario: Scenario = {
  name: 'migrate-tls',
  title: 'a guest moves over qemu+tls, where the engine has no shell on the hosts',
  run: (lab) =>
    withEngine(lab, { transport: 'tls' }, async ({ api, guest, checks }) => {
      const job = await api.ended(await api.migrate(guest.place.name, engineName('b')), MIGRATION_LIMIT_MS);
      checks.equal('the job', [job.state, job.error], ['succeeded', null]);
      checkPlugMoment(checks, job);
      await checkRunsOn(checks, guest, 'b', { vf: 0, persistent: true });
      await checkVfFree(checks, 'a', 0);
      await checkNothingHeld(checks, api);
      await waitForActive('b', guest, vfInterfaceName(guest.machine));
    }),
};
export default scenario;
