/** A q35 guest whose only hot-plug port is the one its VF leaves: that port must not count as missing. */
import { guestExec } from '../guest.ts';
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
  name: 'migrate-q35',
  title:
    'a q35 guest with exactly one root port for its VF moves and finds it at the same address under ' +
    'the same name',
  run: (lab) =>
    withEngine(lab, { guest: { machine: 'q35' } }, async ({ api, guest, checks }) => {
      const inside = 'for d in /sys/class/net/*/device; do echo $d; readlink $d; done';
      const before = await guestExec('a', guest, inside);
      const job = await api.ended(await api.migrate(guest.place.name, engineName('b')), MIGRATION_LIMIT_MS);
      checks.equal('the job', [job.state, job.error], ['succeeded', null]);
      checkPlugMoment(checks, job);
      await checkRunsOn(checks, guest, 'b', { vf: 0, persistent: true });
      await checkVfFree(checks, 'a', 0);
      await checkNothingHeld(checks, api);
      checks.equal(
        'the guest sees the same interfaces at the same addresses',
        await guestExec('b', guest, inside),
        before,
      );
    }),
};
export default scenario;
