/** Every VF of the target is used by foreign domains: refused before anything is touched, with the reason. */
import { ApiRefusal } from '../engine-api.ts';
import { takeVf } from '../guest.ts';
import type { Scenario } from '../runner.ts';
import { checkNothingHeld, checkRunsOn, engineName, refreshHost, withEngine } from './support.ts';

const scenario: Scenario = {
  name: 'no-free-vf',
  title: 'a target whose VFs are all taken by others is refused with the names, and nothing has changed',
  run: (lab) =>
    withEngine(lab, {}, async ({ api, guest, checks }) => {
      const foreign = [await takeVf('b', 0), await takeVf('b', 1)];
      await refreshHost(api, 'b');
      const refusal = await api.migrate(guest.place.name, engineName('b')).then(
        () => null,
        (error: unknown) => error,
      );
      checks.that(
        'the migration is refused with 409',
        refusal instanceof ApiRefusal && refusal.status === 409,
        String(refusal),
      );
      const text = String(refusal);
      checks.that(
        'the answer names the PF and who has its VFs',
        /pf0/.test(text) && foreign.every(({ place }) => text.includes(place.name)),
        text,
      );
      await checkRunsOn(checks, guest, 'a', { vf: 0, persistent: true, vfsElsewhere: 'foreign' });
      await checkNothingHeld(checks, api);
    }),
};
export default scenario;
