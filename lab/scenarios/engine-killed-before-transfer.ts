/** SIGKILL of the engine when the VF is out and nothing is moved yet: the next start goes on and finishes. */
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
  name: 'engine-killed-before-transfer',
  title:
    'an engine killed between unplug and transfer goes on after its restart; the VM ends on the ' +
    'target with its VF',
  run: (lab) =>
    withEngine(lab, {}, async ({ engine, api, guest, checks }) => {
      const id = await api.migrate(guest.place.name, engineName('b'));
      await api.waitForJob(id, 'the VF to be out', MIGRATION_LIMIT_MS, (job) =>
        job.steps.some((step) => step.name === 'unplug' && step.vnic !== null && step.state === 'finished'),
      );
      await engine.process.kill();
      await engine.process.start();
      const job = await api.ended(id, MIGRATION_LIMIT_MS);
      checks.equal('the job', [job.state, job.error], ['succeeded', null]);
      await checkRunsOn(checks, guest, 'b', { vf: 0, persistent: true });
      await checkVfFree(checks, 'a', 0);
      await checkNothingHeld(checks, api);
    }),
};
export default scenario;
