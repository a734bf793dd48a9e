/** The cable of the target's PF is out: refused with the PF's name before anything is touched. */
import { systemClock, until } from '../../src/base/clock.ts';
import { ApiRefusal } from '../engine-api.ts';
import { setPfCable } from '../hosts.ts';
import type { Scenario } from '../runner.ts';
import { hostExec } from '../ssh.ts';
import { PF } from '../topology.ts';
import {
  checkNothingHeld,
  checkRunsOn,
  checkVfFree,
  engineName,
  MIGRATION_LIMIT_MS,
  refreshHost,
  withEngine,
} from './support.ts';

const scenario: Scenario = {
  name: 'no-carrier',
  title: 'a target whose PF has no carrier is refused by name, and takes the VM once the cable is back',
  run: (lab) =>
    withEngine(lab, {}, async ({ api, guest, checks }) => {
      await setPfCable('b', 'out');
      await refreshHost(api, 'b');
      const refusal = await api.migrate(guest.place.name, engineName('b')).then(
        () => null,
        (error: unknown) => error,
      );
      const text = String(refusal);
      checks.that('it is refused with 409', refusal instanceof ApiRefusal && refusal.status === 409, text);
      checks.that('the answer names PF and reason', /pf0 has no carrier/.test(text), text);
      await checkRunsOn(checks, guest, 'a', { vf: 0, persistent: true });
      await checkVfFree(checks, 'b', 0);
      await checkNothingHeld(checks, api);

      await setPfCable('b', 'in');
      await until(systemClock, 'the carrier to be back', { limitMs: 60_000, everyMs: 500 }, async () =>
        (await hostExec('b', `cat /sys/class/net/${PF.name}/carrier`)) === '1' ? true : undefined,
      );
      await refreshHost(api, 'b');
      const job = await api.ended(await api.migrate(guest.place.name, engineName('b')), MIGRATION_LIMIT_MS);
      checks.equal('the job with the cable in', [job.state, job.error], ['succeeded', null]);
      await checkRunsOn(checks, guest, 'b', { vf: 0, persistent: true });
    }),
};
export default scenario;
