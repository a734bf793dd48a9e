/** The same over qemu+tls, and what the move left defined is started cold. */
import { activeInterface, waitForGuest } from '../guest.ts';
import { consolePath, vfInterfaceName } from '../guest-xml.ts';
import { waitForActive } from '../guest.ts';
import type { Scenario } from '../runner.ts';
import { hostExec } from '../ssh.ts';
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
  title: 'a guest moves over qemu+tls, and starts cold on the target with a VF of the target',
  run: (lab) =>
    withEngine(lab, { transport: 'tls' }, async ({ api, guest, checks }) => {
      const job = await api.ended(await api.migrate(guest.place.name, engineName('b')), MIGRATION_LIMIT_MS);
      checks.equal('the job', [job.state, job.error], ['succeeded', null]);
      checkPlugMoment(checks, job);
      await checkRunsOn(checks, guest, 'b', { vf: 0, persistent: true });
      await checkVfFree(checks, 'a', 0);
      await checkNothingHeld(checks, api);
      const { name } = guest.place;
      await hostExec('b', `virsh -q destroy ${name} && : >${consolePath(name)} && virsh -q start ${name}`, {
        limitMs: 180_000,
      });
      await waitForGuest('b', guest);
      await waitForActive('b', guest, vfInterfaceName(guest.machine));
      checks.equal(
        'after a cold start the bond sends over the VF',
        await activeInterface('b', guest),
        vfInterfaceName(guest.machine),
      );
      await checkRunsOn(checks, guest, 'b', { vf: 0, persistent: true });
    }),
};
export default scenario;
